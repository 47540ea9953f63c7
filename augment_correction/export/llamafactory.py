"""A folder that LLaMA-Factory takes as its `dataset_dir`: rows for SFT, DPO and KTO, and `dataset_info.json`, the list that names
them. Its rows have no mask: in SFT `mask_history: true` of the training's config leaves all answers but the last untrained.

Spelled as its converter reads them (`data/converter.py` of 0.9.5): messages by turns, in `chosen` and `rejected` one message
instead of TRL's list, and for KTO the rated reply at the end of the messages.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from augment_correction.errors import InputError
from augment_correction.export.preference_rows import (
    Row,
    messages_of,
    pair_rows,
    rated_rows,
    reply_of,
    write_pairs,
    write_rated,
)
from augment_correction.export.preferences import Preference, RatedReply
from augment_correction.export.source import ExportSource, Spelling, masked_by_message, write_rows
from augment_correction.records import Conversation

INFO = "dataset_info.json"
NAME = "corrections"
MASK = "set mask_history: true in the training's config, or the mistakes are trained, too"
BALANCE = "LLaMA-Factory weighs them by kto_chosen_weight and kto_rejected_weight"
SPOKEN = {
    "formatting": "sharegpt",
    "tags": {
        "role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant", "system_tag": "system",
    },
}  # fmt: skip


@dataclass(frozen=True)
class _Part:
    """A file of rows for one way of training, and its entry in the list."""

    write: Callable[[ExportSource, Path], list[str]]
    entry: dict[str, Any]


def write(source: ExportSource, folder: Path) -> list[str]:
    """What no conversation gives a row for is left out of the list, and said.

    Raises: InputError where that is everything.
    """
    notices, listed = list[str](), dict[str, Any]()
    for file, part in PARTS.items():
        path = folder / file
        try:
            notices += (f"{file}: {notice}" for notice in part.write(source, path))
        except InputError as failure:
            path.unlink()
            notices.append(f"there is no {file}: {failure.message}")
        else:
            listed[f"{NAME}_{path.stem}"] = {"file_name": file, **SPOKEN, **part.entry}
    if not listed:
        raise InputError("; ".join(notices), hint="the formats axolotl and hf express every conversation")
    (folder / INFO).write_bytes(orjson.dumps(listed, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    return notices


def _write_sft(source: ExportSource, path: Path) -> list[str]:
    spelling = Spelling(path.name, _sft_row, masked_by_message, "LLaMA-Factory's rows cannot say")
    _, notices = write_rows(path.parent, source.conversations(), spelling)
    return [*notices, MASK]


def _write_dpo(source: ExportSource, path: Path) -> list[str]:
    return write_pairs(path, pair_rows(source, _pair_row))


def _write_kto(source: ExportSource, path: Path) -> list[str]:
    return write_rated(path, rated_rows(source, _rated_row), BALANCE)


def _sft_row(conversation: Conversation) -> Row:
    return {"messages": messages_of(conversation.turns), "id": conversation.id}


def _pair_row(pair: Preference) -> Row:
    return {
        "messages": messages_of(pair.prompt),
        "chosen": reply_of(pair.better),
        "rejected": reply_of(pair.worse),
        "id": pair.id,
        "kind": pair.conversation.kind,
        "rejected_is": pair.worse_is,
    }


def _rated_row(reply: RatedReply) -> Row:
    return {
        "messages": [*messages_of(reply.prompt), reply_of(reply.reply)],
        "label": reply.good,
        "id": reply.id,
        "kind": reply.conversation.kind,
    }


PARTS = {
    "sft.jsonl": _Part(_write_sft, {"columns": {"messages": "messages"}}),
    "dpo.jsonl": _Part(
        _write_dpo,
        {"ranking": True, "columns": {"messages": "messages", "chosen": "chosen", "rejected": "rejected"}},
    ),
    "kto.jsonl": _Part(_write_kto, {"columns": {"messages": "messages", "kto_tag": "label"}}),
}
