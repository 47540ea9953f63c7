"""Preference rows as TRL reads them: `dpo` for its DPOTrainer and ORPOTrainer (`prompt`, `chosen`, `rejected`), `kto` for its
KTOTrainer (`prompt`, `completion`, `label`). Messages, so that the trainer applies the model's own chat template; the prompt is
never trained by any of them, and so no mask is needed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from augment_correction.errors import InputError
from augment_correction.export.preferences import Preference, RatedReply, judged, preferences
from augment_correction.export.source import ExpectedRows, ExportSource, json_lines
from augment_correction.export.tokenizer import Tokenizer
from augment_correction.export.turn_labels import TurnLabels
from augment_correction.records import Conversation, Turn

FILE = "train.jsonl"
Row = dict[str, Any]
NO_PAIR = (
    "they hold no second answer, correct themselves inside one, or keep theirs in a language that this program cannot give "
    "an answer up in"
)


def dpo_rows(source: ExportSource) -> Iterator[tuple[Conversation, list[Row]]]:
    """The rows of each conversation; of some there are none."""
    for conversation, pairs in preferences(source.conversations(), _labels(source)):
        yield conversation, [_pair_row(pair) for pair in pairs]


def kto_rows(source: ExportSource) -> Iterator[tuple[Conversation, list[Row]]]:
    """The rows of each conversation."""
    for conversation, replies in judged(source.conversations(), _labels(source)):
        yield conversation, [_judged_row(reply) for reply in replies]


def expected_dpo(source: ExportSource, tokenizer: Tokenizer, folder: Path) -> ExpectedRows:
    return ExpectedRows(FILE, dpo_rows(source))


def expected_kto(source: ExportSource, tokenizer: Tokenizer, folder: Path) -> ExpectedRows:
    return ExpectedRows(FILE, kto_rows(source))


def write_dpo(source: ExportSource, folder: Path) -> list[str]:
    """Raises: InputError where no conversation gives a pair."""
    notices, seen = _write(folder, dpo_rows(source), lambda row: str(row["rejected_is"]))
    return [*notices, f"rejected replies: {', '.join(f'{count:,} {name}' for name, count in sorted(seen.items()))}"]


def write_kto(source: ExportSource, folder: Path) -> list[str]:
    """Raises: InputError where no conversation gives a row."""
    notices, seen = _write(folder, kto_rows(source), lambda row: str(row["label"]))
    good, bad = seen["True"], seen["False"]
    return [*notices, f"{good:,} desirable and {bad:,} undesirable replies: TRL balances them by undesirable_weight"]


def _write(
    folder: Path, made: Iterable[tuple[Conversation, list[Row]]], sort: Callable[[Row], str]
) -> tuple[list[str], Counter[str]]:
    """Returns notices, and how many rows there are of each sort."""
    seen: Counter[str] = Counter()
    total = without = 0
    with json_lines(folder / FILE) as put:
        for _, rows in made:
            total, without = total + 1, without + (not rows)
            for row in rows:
                seen[sort(row)] += 1
                put(row)
    if not seen:
        raise InputError(
            f"none of the {total:,} conversations gives a better and a worse reply: {NO_PAIR}",
            hint="make conversations of the kinds correct_after_mistake, partial, stand_by or user_wrong: `shares` in the config",
        )
    notice = f"{without:,} of {total:,} conversations give no row: {NO_PAIR}"
    return [notice] if without else [], seen


def _labels(source: ExportSource) -> TurnLabels:
    return TurnLabels(source.manifest.get("pipeline") or {})


def _pair_row(pair: Preference) -> Row:
    return {
        "prompt": _messages(pair.prompt),
        "chosen": _answer(pair.better),
        "rejected": _answer(pair.worse),
        "id": pair.id,
        "kind": pair.conversation.kind,
        "rejected_is": pair.worse_is,
    }


def _judged_row(reply: RatedReply) -> Row:
    return {
        "prompt": _messages(reply.prompt),
        "completion": _answer(reply.reply),
        "label": reply.good,
        "id": reply.id,
        "kind": reply.conversation.kind,
    }


def _messages(turns: Iterable[Turn]) -> list[Row]:
    return [{"role": turn.role, "content": turn.text} for turn in turns]


def _answer(text: str) -> list[Row]:
    return [{"role": "assistant", "content": text}]
