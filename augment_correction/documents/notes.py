"""What was not read, and what was read otherwise than it stands there, in a few lines for a person: many of a kind are one
line, since a file of 20,000 rows without a text must not take 20,000 lines of the screen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from augment_correction.documents.formats import file_and_place
from augment_correction.records import ReadNote, UnreadInput

LINES = 20
_ALIKE = 3
"""As many kinds of detail of one file, or files of one kind, are told apart."""

Group = list[UnreadInput]


def unread_lines(unread: Iterable[UnreadInput], at_most: int = LINES) -> list[str]:
    """The largest groups come first where there are more than `at_most`; the last line then counts what is left."""
    groups = _groups(unread)
    lines = [_unread_line(group) for group in groups]
    if len(groups) <= at_most:
        return lines
    largest = sorted(range(len(groups)), key=lambda number: -len(groups[number]))[: at_most - 1]
    left = sum(len(group) for number, group in enumerate(groups) if number not in largest)
    return [*(lines[number] for number in sorted(largest)), f"and {left:,} more (a run lists each in rejected.jsonl)"]


def note_lines(notes: Iterable[ReadNote]) -> list[str]:
    """One line for each thing that is to be said, with the files that it is said of and the sum of what was counted."""
    found: dict[tuple[str, str], list[ReadNote]] = {}
    for note in notes:
        found.setdefault((note.reason, note.detail), []).append(note)
    return [line for alike in found.values() for line in _note_lines(alike)]


def _groups(unread: Iterable[UnreadInput]) -> list[Group]:
    """First by file, reason and detail; details that differ from line to line, and files of one ending, are taken
    together."""
    exact: dict[tuple[str, ...], Group] = {}
    for each in unread:
        exact.setdefault((_file(each.source), each.reason, each.detail), []).append(each)
    by_file: dict[tuple[str, ...], list[Group]] = {}
    for (file, reason, _), group in exact.items():
        by_file.setdefault((file, reason), []).append(group)
    merged = [part for groups in by_file.values() for part in _merged(groups)]
    by_kind: dict[tuple[str, ...], list[Group]] = {}
    for group in merged:
        first = group[0]
        whole = len(group) == 1 and not file_and_place(first.source)[1]
        suffix = PurePosixPath(first.source).suffix.lower()
        by_kind.setdefault((first.reason, suffix) if whole else (first.reason, first.source, first.detail), []).append(
            group
        )
    return [part for groups in by_kind.values() for part in _merged(groups)]


def _merged(groups: Sequence[Group]) -> list[Group]:
    return list(groups) if len(groups) <= _ALIKE else [[each for group in groups for each in group]]


def _unread_line(group: Group) -> str:
    first = group[0]
    file, place = file_and_place(first.source)
    if len(group) == 1:
        return f"{first.source}: {first.reason}: {first.detail}"
    alike = len({each.detail for each in group}) == 1
    example = first.detail if alike else f"for example {first.detail}"
    if len({_file(each.source) for each in group}) == 1:
        return f"{file}: {len(group):,} times {first.reason}, first at {place or 'its beginning'}: {example}"
    return f"{len(group):,} files: {first.reason}, first {file}: {example}"


def _note_lines(notes: Sequence[ReadNote]) -> list[str]:
    if len(notes) <= _ALIKE:
        return [f"{note.source}: {note.detail}" + (f": {note.count:,}" if note.count else "") for note in notes]
    count = sum(note.count for note in notes)
    places = len({note.source for note in notes})
    return [f"{places:,} places, first {notes[0].source}: {notes[0].detail}" + (f": {count:,}" if count else "")]


def _file(source: str) -> str:
    return file_and_place(source)[0]
