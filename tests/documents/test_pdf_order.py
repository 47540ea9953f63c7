"""The order of pieces of a page, in places taken from real pages: a form's instructions in three columns, a paper."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import pytest

from augment_correction.documents.pdf_layout import join_broken_words, page_text
from augment_correction.documents.pdf_order import in_reading_order
from augment_correction.documents.pdf_words import Line, compose_accents, plain


def piece(text: str, x: float, y: float, size: float = 9.0) -> Line:
    return Line(text, x, y, size, y, x + 5.0 * len(text))


def texts(pieces: list[Line]) -> list[str]:
    return [line.text for line in in_reading_order(pieces)]


def test_a_list_beside_prose_at_other_heights_is_a_column_of_its_own() -> None:
    short = [piece(f"* status {at}", 40, 700 - 10 * at) for at in range(6)]
    prose = [piece(f"line {at} of prose that fills the column", 300, 703 - 10 * at) for at in range(6)]
    assert texts(short + prose) == [line.text for line in short + prose]


@pytest.mark.parametrize("beside", [[], [piece("Journal of Bridges", 40, 500), piece("Torrin, May 1873", 300, 500)]])
def test_the_number_of_the_page_below_two_columns_makes_no_table_of_them(beside: list[Line]) -> None:
    left = [piece(f"left line {at} of the first column", 40, 700 - 10 * at) for at in range(8)]
    right = [piece(f"right line {at} of the other column", 300, 700 - 10 * at) for at in range(8)]
    read = texts([*left, *right, piece("7", 252, 500), *beside])
    assert read[:16] == [line.text for line in left + right] and len(read) == 17


def test_nor_does_a_mark_between_their_lines() -> None:
    left = [piece(f"left line {at} of the first column", 40, 700 - 10 * at) for at in range(8)]
    right = [piece(f"right line {at} of the other column", 300, 700 - 10 * at) for at in range(8)]
    assert texts([*left, *right, piece("*", 252, 660)]) == [
        *(line.text for line in left),
        "*",
        *(line.text for line in right),
    ]


def test_a_cell_that_only_a_later_row_fills_is_a_cell() -> None:
    names = [piece(f"name {at}", 40, 700 - 10 * at) for at in range(6)]
    about = [piece(f"{at} what it is for, in words", 300, 700 - 10 * at) for at in range(6)]
    assert texts([*names, *about, piece("new", 200, 650)])[5] == "| name 5 | new | 5 what it is for, in words |"


def test_rows_at_one_height_stay_rows() -> None:
    names = [piece(f"name {at}", 40, 700 - 10 * at) for at in range(6)]
    about = [piece(f"{at} what it is for, in words", 300, 700 - 10 * at) for at in range(6)]
    assert texts(names + about)[0] == "| name 0 | 0 what it is for, in words |"


def test_a_large_heading_does_not_close_the_space_between_columns() -> None:
    left = [piece(f"left line {at} of the first column", 40, 700 - 10 * at) for at in range(8)]
    right = [piece(f"right line {at} of the other column", 225, 703 - 10 * at) for at in range(8)]
    right[3] = Line("A Heading", 225, 673, 14.0, 673, 400)
    right[3].x = left[0].right + 7  # less than its own size, as large type looks on a narrow page
    assert texts(left + right) == [line.text for line in left + right]


def test_a_word_broken_in_one_column_joins_no_line_of_the_other() -> None:
    left = [piece(f"line {at} of the first column here", 40, 700 - 10 * at) for at in range(4)]
    right = [
        piece("we rely on a cluster of com\ufffe", 260, 703),
        piece("parable articles rather than one", 260, 693),
        piece("document, as a single one would", 260, 683),
        piece("not be enough for this purpose.", 260, 673),
    ]
    pages = [page_text(in_reading_order(left + right))]
    join_broken_words(pages)
    assert pages[0].startswith("\n".join(line.text for line in left))
    assert "a cluster of comparable articles rather" in pages[0]


def test_a_word_broken_inside_a_cell_is_whole_in_its_row() -> None:
    rows = [
        (piece("[:alpha:]", 40, 700), piece("characters that are alpha\ufffe", 300, 700)),
        (piece("[:digit:]", 40, 690), piece("betic and those that are digits", 300, 690)),
        (piece("[:lower:]", 40, 680), piece("small letters", 300, 680)),
    ]
    pages = [page_text(in_reading_order([one for row in rows for one in row]))]
    join_broken_words(pages)
    assert "| [:alpha:] | characters that are alphabetic |" in pages[0]


def test_no_part_of_a_word_is_lost_beside_a_row_of_code() -> None:
    """A row of type of one width is written as it stands and not by cells."""
    rows = [
        (piece("[:alpha:]", 40, 700), piece("characters that are alpha\ufffe", 300, 700)),
        (piece("[:digit:]", 40, 690), piece("betic and those that are digits", 300, 690)),
        (piece("[:lower:]", 40, 680), piece("small letters", 300, 680)),
    ]
    rows[0][1].pitch = 5.0
    pages = [page_text(in_reading_order([one for row in rows for one in row]))]
    assert pages[0].count("betic") == 1 and pages[0].count("alpha\ufffe") == 1


def test_a_mark_without_a_word_before_it_is_no_hyphen() -> None:
    pages = ["Before you begin: \x02 If you were\n\x02 Be sure", "com\ufffe\nmand"]
    join_broken_words(pages)
    assert pages == ["Before you begin: If you were\nBe sure", "command"]


def test_an_accent_over_a_capital_is_found_though_it_stands_in_another_line_of_the_text() -> None:
    """As PDFium gives out TeX's Spanish: the accent of the second line's first letter is in the middle of the first's."""
    text = "la disposici s ´ obre ella\r\nEsta es"
    places = {at: (10.0 + 5 * at, 110.0, 15.0 + 5 * at, 100.0) for at in range(text.index("\r"))}
    accent, capital = text.index("´"), text.index("E")
    places[accent + 2] = (places[accent - 2][2], 110.0, places[accent - 2][2] + 5, 100.0)  # the o follows the s
    places[capital] = (10.0, 98.0, 17.0, 88.0)
    places[accent] = (11.0, 100.8, 16.0, 90.8)

    def boxes(characters: Sequence[int]) -> array[float]:
        return array("f", [side for at in characters for side in places[at]])

    assert plain(compose_accents(text, boxes)) == "la disposici sobre ella\r\nÉsta es"
    places[capital] = (40.0, 98.0, 47.0, 88.0)  # the accent is over nothing
    assert compose_accents(text, boxes) == text
