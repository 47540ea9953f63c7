from __future__ import annotations

from augment_correction.documents.notes import note_lines, unread_lines
from augment_correction.records import ReadNote, UnreadInput


def test_twenty_thousand_rows_are_one_line() -> None:
    unread = [
        UnreadInput(f"a.jsonl#L{number}", "no_text", 'no "text"; it has "content"') for number in range(1, 20_001)
    ]
    unread.append(UnreadInput("b.pdf", "encrypted", "it needs a password"))
    assert unread_lines(unread) == [
        'a.jsonl: 20,000 times no_text, first at L1: no "text"; it has "content"',
        "b.pdf: encrypted: it needs a password",
    ]


def test_details_that_differ_from_row_to_row_are_one_line_with_an_example() -> None:
    unread = [UnreadInput(f"a.jsonl#L{number}", "bad_json", f"column {number}") for number in range(2, 9)]
    assert unread_lines(unread) == ["a.jsonl: 7 times bad_json, first at L2: for example column 2"]


def test_files_of_one_ending_are_one_line() -> None:
    unread = [UnreadInput(f"p/{number}.png", "unsupported", ".png; read are .txt") for number in range(5000)]
    assert unread_lines(unread) == ["5,000 files: unsupported, first p/0.png: .png; read are .txt"]


def test_more_groups_than_fit_leave_out_the_smallest() -> None:
    unread = [
        UnreadInput(f"f.x{number}", "unsupported", "no") for number in range(30) for _ in range(1 + (number == 25))
    ]
    lines = unread_lines(unread, at_most=4)
    assert len(lines) == 4
    assert lines[2] == "f.x25: 2 times unsupported, first at its beginning: no"
    assert lines[3] == "and 27 more (a run lists each in rejected.jsonl)"


def test_few_are_told_one_by_one() -> None:
    assert unread_lines([UnreadInput("a.txt", "empty", "no bytes"), UnreadInput("b.txt", "empty", "no bytes")]) == [
        "a.txt: empty: no bytes",
        "b.txt: empty: no bytes",
    ]
    assert unread_lines([]) == []


def test_notes_are_summed_up() -> None:
    notes = [ReadNote(f"{number}.txt", "replaced", "signs replaced", number) for number in range(1, 11)]
    assert note_lines(notes) == ["10 places, first 1.txt: signs replaced: 55"]
    assert note_lines([ReadNote("a.jsonl", "text_key", "the text is read from x")]) == [
        "a.jsonl: the text is read from x"
    ]
