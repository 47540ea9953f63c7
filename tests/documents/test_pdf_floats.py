"""Figures and tables between the two halves of a sentence."""

from __future__ import annotations

import pytest

from augment_correction.documents.pdf_floats import settle_floats

FIRST = "A converter takes a syntactic tree as its input and augments it with several"
SECOND = "additional features of each word, such as the case and the role that it has."
FIGURE = "headed\n\nwas-hit\n\nFigure 3: A sentence and its structure, as the converter draws it for the words above."
TABLE = "| name | rows |\n| Katrina | 566 |\n\nTable 1: Sample discovered relation."


@pytest.mark.parametrize("between", [FIGURE, TABLE, f"{TABLE}\n\n{FIGURE}"])
def test_a_figure_at_the_top_of_a_page_goes_behind_the_sentence(between: str) -> None:
    pages = [FIRST, "", f"{between}\n\n{SECOND}\n\nNext paragraph."]
    settle_floats(pages)
    assert pages == [FIRST, "", f"{SECOND}\n\n{between}\n\nNext paragraph."]


def test_at_the_top_of_a_column_too() -> None:
    pages = [f"Heading\n\n{FIRST}\n\n{FIGURE}\n\n{SECOND}"]
    settle_floats(pages)
    assert pages == [f"Heading\n\n{FIRST}\n{SECOND}\n\n{FIGURE}"]


@pytest.mark.parametrize(
    "pages",
    [
        [f"{FIRST} ones.", f"{FIGURE}\n\n{SECOND}"],
        [FIRST, f"{FIGURE}\n\n{SECOND.capitalize()}"],
        [FIRST, f"headed\n\nwas-hit\n\n{SECOND}"],
        [FIRST, f"{FIGURE}\n\n{SECOND.capitalize()}\n\n{SECOND}"],
        ["Heading", f"{FIGURE}\n\n{SECOND}"],
        [FIRST, FIGURE, SECOND],
        [f"{FIRST}\n\nTable 9.1: List of converters\n\n{SECOND}"],
    ],
    ids=[
        "a whole sentence",
        "a new one",
        "no caption",
        "prose between",
        "a heading",
        "a page of figures",
        "what the caption is of",
    ],
)
def test_all_else_stays_where_it_is(pages: list[str]) -> None:
    before = list(pages)
    settle_floats(pages)
    assert pages == before
