"""Questions with their references: whose file may be asked, and which come next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path

from augment_correction.errors import InputError
from augment_correction.records import content_id
from augment_correction.results.trained import training_rows
from augment_correction.rows import Item, item_of, read_rows
from augment_correction.selection.guard import Guard
from augment_correction.selection.similar import normal

SHOWN = 10


def read_items(path: Path, say: Callable[[str], None] = lambda line: None) -> list[Item]:
    """Of a question with several references the first counts, and `say` is told of the others.

    Raises: InputError with file and line.
    """
    found: dict[str, tuple[Item, str]] = {}
    others = []
    for place, item in read_rows(path, item_of):
        first, where = found.setdefault(item.asked, (item, place))
        if first.reference != item.reference:
            others.append(f"\n  {place} asks what {where} asks")
    if not found:
        raise InputError(f"{path} contains no question", hint='write lines like {"question": ..., "reference": ...}')
    if others:
        shown = "".join(others[:SHOWN]) + (f"\n  and {len(others) - SHOWN} more" if len(others) > SHOWN else "")
        say(f"the first reference answer of a question is used, a second one is left out:{shown}")
    return [item for item, _ in found.values()]


# --------------------------------------------------------------------------------------------- who comes next


def draw(items: Sequence[Item], used: Counter[str], number: int, seed: int) -> list[Item]:
    """Those that were asked least; in the order of a shuffle that each round has of its own. What was asked is all it
    depends on, so that it goes on after a kill."""

    def place(item: Item) -> tuple[int, str]:
        return used[item.key], content_id(str(seed), str(used[item.key]), item.key)

    return sorted(items, key=place)[:number]


# ------------------------------------------------------------------------------------------ what must not overlap


def refuse_overlap(
    items: Sequence[Item], paths: Iterable[Path], what: str, expected: Collection[str] = frozenset()
) -> None:
    """What asks an `expected` question, however it is spelled there, is passed by.

    Raises: InputError with the rows that ask what an item asks, or nearly.
    """
    passed_by = set(map(normal, expected))
    every, rest = Guard(), Guard()
    for item in items:
        named = {"id": f"'{item.question[:60]}'", "question": item.question}
        every.add_item(named)
        if normal(item.question) not in passed_by:
            rest.add_item(named)
    for path in paths:
        rows = (each for each in training_rows(path) if each.question.normal not in passed_by or each.rendered)
        # Which question a rendered text asks is not known, but which of those that must not be there stand in it.
        found = [each for row in rows if (each := (rest if row.rendered else every).overlap(row))]
        if found:
            shown = "".join(f"\n  {each.conversation}: {each.detail}" for each in found[:SHOWN])
            more = f"\n  and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
            raise InputError(
                f"questions of the monitor also occur in the {what}, in {len(found)} rows of {path}:{shown}{more}",
                hint="remove them from the monitor's file, because wrong answers to its questions become training data",
            )
