"""Files of preference rows, a line each, however a trainer wants them spelled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from augment_correction.errors import InputError
from augment_correction.export.preferences import Preference, RatedReply, judged, preferences
from augment_correction.export.source import ExportSource, json_lines
from augment_correction.export.turn_labels import TurnLabels
from augment_correction.records import Conversation, Turn

Row = dict[str, Any]
RowsOfEach = Iterator[tuple[Conversation, list[Row]]]
"""Each conversation with its rows; some have none."""
NO_PAIR = (
    "they hold no second answer, correct themselves inside one, or keep theirs in a language that this program cannot give "
    "an answer up in"
)


def pair_rows(source: ExportSource, spelled: Callable[[Preference], Row]) -> RowsOfEach:
    for conversation, pairs in preferences(source.conversations(), _labels(source)):
        yield conversation, [spelled(pair) for pair in pairs]


def rated_rows(source: ExportSource, spelled: Callable[[RatedReply], Row]) -> RowsOfEach:
    for conversation, replies in judged(source.conversations(), _labels(source)):
        yield conversation, [spelled(reply) for reply in replies]


def write_pairs(path: Path, made: RowsOfEach) -> list[str]:
    """Returns notices. Raises: InputError where no conversation gives a pair."""
    notices, seen = _write(path, made, lambda row: str(row["rejected_is"]))
    return [*notices, f"rejected replies: {', '.join(f'{count:,} {name}' for name, count in sorted(seen.items()))}"]


def write_rated(path: Path, made: RowsOfEach, balanced_by: str) -> list[str]:
    """`balanced_by`: what the trainer weighs the two sorts of replies with. Returns notices.

    Raises: InputError where no conversation gives a row.
    """
    notices, seen = _write(path, made, lambda row: str(row["label"]))
    good, bad = seen["True"], seen["False"]
    return [*notices, f"{good:,} desirable and {bad:,} undesirable replies: {balanced_by}"]


def _write(path: Path, made: RowsOfEach, sort: Callable[[Row], str]) -> tuple[list[str], Counter[str]]:
    """Returns notices, and how many rows there are of each sort."""
    seen: Counter[str] = Counter()
    total = without = 0
    with json_lines(path) as put:
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


def messages_of(turns: Iterable[Turn]) -> list[Row]:
    return [{"role": turn.role, "content": turn.text} for turn in turns]


def reply_of(text: str) -> Row:
    return {"role": "assistant", "content": text}
