"""Preference rows as TRL reads them: `dpo` for its DPOTrainer and ORPOTrainer (`prompt`, `chosen`, `rejected`), `kto` for its
KTOTrainer (`prompt`, `completion`, `label`). Messages, so that the trainer applies the model's own chat template; the prompt is
never trained by any of them, and so no mask is needed.
"""

from __future__ import annotations

from pathlib import Path

from augment_correction.export.preference_rows import (
    Row,
    RowsOfEach,
    messages_of,
    pair_rows,
    rated_rows,
    reply_of,
    write_pairs,
    write_rated,
)
from augment_correction.export.preferences import Preference, RatedReply
from augment_correction.export.source import ExpectedRows, ExportSource
from augment_correction.export.tokenizer import Tokenizer

FILE = "train.jsonl"


def dpo_rows(source: ExportSource) -> RowsOfEach:
    return pair_rows(source, _pair_row)


def kto_rows(source: ExportSource) -> RowsOfEach:
    return rated_rows(source, _rated_row)


def expected_dpo(source: ExportSource, tokenizer: Tokenizer, folder: Path) -> ExpectedRows:
    return ExpectedRows(FILE, dpo_rows(source))


def expected_kto(source: ExportSource, tokenizer: Tokenizer, folder: Path) -> ExpectedRows:
    return ExpectedRows(FILE, kto_rows(source))


def write_dpo(source: ExportSource, folder: Path) -> list[str]:
    """Raises: InputError where no conversation gives a pair."""
    return write_pairs(folder / FILE, dpo_rows(source))


def write_kto(source: ExportSource, folder: Path) -> list[str]:
    """Raises: InputError where no conversation gives a row."""
    return write_rated(folder / FILE, kto_rows(source), "TRL balances them by undesirable_weight")


def _pair_row(pair: Preference) -> Row:
    return {
        "prompt": messages_of(pair.prompt),
        "chosen": [reply_of(pair.better)],
        "rejected": [reply_of(pair.worse)],
        "id": pair.id,
        "kind": pair.conversation.kind,
        "rejected_is": pair.worse_is,
    }


def _rated_row(reply: RatedReply) -> Row:
    return {
        "prompt": messages_of(reply.prompt),
        "completion": [reply_of(reply.reply)],
        "label": reply.good,
        "id": reply.id,
        "kind": reply.conversation.kind,
    }
