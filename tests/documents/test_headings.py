"""Plain text with its headings. The examples are lines of real texts: licences, RFCs, minutes, novels, plays, letters."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from augment_correction.documents import ChunkSettings, TokenCounter, chunk_document
from augment_correction.documents.contract import build_document
from augment_correction.documents.headings import plain_headings
from tests.cpu import cpu

from .files import paragraph, read

COUNTER = TokenCounter()


def titles(text: str) -> list[str]:
    return [heading.title for heading in plain_headings(text)]


_WRAPPED = textwrap.fill(paragraph(30, 40))


def sections(*lines: str) -> str:
    """Each line over two paragraphs of prose, as hard-wrapped texts have them."""
    return "\n\n".join(f"{line}\n\n{paragraph(at)}\n\n{paragraph(at + 50)}" for at, line in enumerate(lines))


@pytest.mark.parametrize(
    "lines",
    [
        ("CHAPTER I.", "CHAPTER II.", "CHAPTER III."),
        ("Book One", "Chapter IV - The Workshop", "Chapter V"),
        ("Erstes Kapitel", "Siebentes Kapitel", "Vierunddreißigstes Kapitel"),
        ("Zweiter Teil", "3. Kapitel", "Anhang A"),
        ("Article 4 - ENTREE EN VIGUEUR ET DUREE", "4.1 ENTREE EN VIGUEUR", "5.3.1 DISTRIBUTION DU LOGICIEL"),
        ("Première partie", "Chapitre premier", "Chapitre II. Le cadre"),
        ("Capítulo primero. Que trata de la condición del hidalgo", "Capítulo II", "Artículo 3"),
        ("I. Le contexte", "II. Le cadre", "III. Les suites"),
        ("1. Introduction", "2. Results", "2.1 Overall conventions", "2.2 Data format"),
        ("A. Scope", "B. Terms", "C. Costs"),
        ("DISCLAIMER OF WARRANTY", "HOW BALA LAKE BEGAN"),
        ("Introduction", "Reporting Bugs", "Other Packages"),
        ("Préambule", "Über dieses Buch", "Prólogo al lector"),
        ("_Fire Control._", "_Choice of Target._"),
        ("1. Distribution Obligations.", "2. Inability to Comply Due to Statute.", "3. Application of this License."),
        ("1. What is ZLIB1.DLL, and how can I get it?", "2. What can I do?"),
        ("Background\n----------", "Specification\n============="),
        ("## Background", "### Terms"),
    ],
)
def test_a_title_over_its_section_is_a_heading(lines: tuple[str, ...]) -> None:
    plain = [line.split("\n")[0].strip("_# ").rstrip(".") for line in lines]
    assert titles(sections(*lines)) == plain


@pytest.mark.parametrize(
    "text",
    [
        "Eggs from the hens of the neighbour\n\nA loaf of bread\n\nTwo lemons",
        "1. Wash the leeks\n\n2. Cut them\n\n3. Fry them\n\n" + paragraph(1),
        "- Wash the leeks\n\n- Cut them\n\n* Fry them\n\n" + paragraph(1),
        _WRAPPED
        + "\n\nOver the hills and far away\nThe piper plays\nThe children stay\nAnd nobody is seen to-day\n\nJamrach Holobom\n\n"
        + paragraph(2),
        "“No reward for good work?” said he.\n\n" + paragraph(3),
        "»Woher weißt du das?«\n\n" + paragraph(3),
        "-- Vous avez des papiers ?\n\n" + paragraph(3),
        "—¿Acaso son horas de pesca?\n\n" + paragraph(3),
        "Da antwortete Alektryo:\n\n" + paragraph(4),
        "Dear Mr. Holmes,\n\n" + paragraph(5) + "\n\n" + " " * 60 + "James Mortimer\n\n" + paragraph(6),
        "12 Harbour Street\n\n" + paragraph(7),
        "25 July\n\n" + paragraph(7),
        "Piscatory sayings, 538\n\nMourains, 288\n\n" + paragraph(8),
        "Year    Arches    Cost\n\n" + paragraph(8),
        "Figure 3 The bridge from the north\n\n" + paragraph(8),
        "    $ make install\n\n" + paragraph(9),
        "The text breaks off in the middle of\n\nnothing that anybody has read\n\n" + paragraph(9),
        "THE END",
    ],
)
def test_what_only_stands_alone_is_none(text: str) -> None:
    assert titles(f"{paragraph(0)}\n\n{text}") == []


def test_speakers_of_a_play_are_no_headings_and_its_acts_are() -> None:
    speech = "\n\n".join(f"{who}.\n\nThe {n}th line of it." for n in range(40) for who in ("ROPER", "MRS. UPJOHN"))
    assert titles(f"ACT I\n\n{paragraph(1)}\n\n{speech}\n\nACT II\n\n{paragraph(2)}\n\n{speech}") == ["ACT I", "ACT II"]


def test_of_a_table_of_contents_only_the_heading_of_the_text_is_taken() -> None:
    listed = "\n\n".join(("CONTENTS", "THE ARRIVAL", "THE BRIDGE", "THE FLOOD", "THE RETURN"))
    assert titles(f"{listed}\n\n\nCHAPTER I\n\nTHE ARRIVAL\n\n{paragraph(1)}") == ["CHAPTER I", "THE ARRIVAL"]


def test_a_running_head_is_none() -> None:
    pages = "\n\n".join(f"The Harbour of Halmstett\n\n{paragraph(at)}" for at in range(9))
    assert titles(f"{paragraph(20)}\n\n{pages}") == []


def test_books_without_blank_lines_have_chapters() -> None:
    text = "\n".join(f"CHAPTER {at}\n{paragraph(at)}" for at in range(1, 4))
    assert titles(text) == ["CHAPTER 1", "CHAPTER 2", "CHAPTER 3"]
    text = "\n".join(f"CHAPTER {at} - THE BRIDGE\n{paragraph(at)} {paragraph(at + 9)}" for at in range(1, 4))
    assert titles(text) == [f"CHAPTER {at} - THE BRIDGE" for at in range(1, 4)]


def test_a_word_of_the_text_is_no_chapter() -> None:
    assert titles(f"{paragraph(1)}\nChapter 3 of the older book says otherwise, and so\n{paragraph(2)}") == []


def test_the_path_of_a_passage(tmp_path: Path) -> None:
    text = "PART I\n\n" + sections("CHAPTER I", "CHAPTER II").replace("CHAPTER II", "CHAPTER II\n\nTHE FLOOD")
    (tmp_path / "a.txt").write_text(text)
    [document] = read(tmp_path)[0]
    chunks = list(chunk_document(document, ChunkSettings(80), COUNTER))
    paths = dict.fromkeys(chunk.heading for chunk in chunks)
    assert list(paths) == [
        ("PART I",),
        ("PART I", "CHAPTER I"),
        ("PART I", "CHAPTER II"),
        ("PART I", "CHAPTER II", "THE FLOOD"),
    ]
    assert any(chunk.text.startswith("CHAPTER II\n\nTHE FLOOD\n\n") for chunk in chunks)


def test_a_format_that_marks_its_headings_keeps_them_alone(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(f"# One\n\n{paragraph(1)}\n\nNOT MARKED\n\n{paragraph(2)}")
    [document] = read(tmp_path)[0]
    assert [heading.title for heading in document.headings] == ["One"]


_PARTS = st.lists(
    st.one_of(
        st.integers(0, 99).map(paragraph),
        st.integers(0, 99).map(lambda n: "\n\n".join(map(paragraph, range(n, n + 3)))),
        st.sampled_from(
            ("CHAPTER IV", "Article 5 - Costs", "Introduction", "3.2 Results", "THE OLD BRIDGE", "Terms\n-----")
        ),
        st.sampled_from(
            ("CHAPTER V\n\nTHE FLOOD", "- one\n- two", "| a | b |\n| --- | --- |\n" + "| 1 | 2 |\n" * 20, "II.")
        ),
    ),
    min_size=1,
    max_size=14,
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_PARTS, st.integers(40, 200), st.sampled_from(("tokens", "characters")))
def test_no_passage_ends_with_a_heading_and_nothing_is_lost(parts: list[str], size: int, unit: str) -> None:
    text = "\n\n".join(parts)
    size = size if unit == "tokens" else size * 5
    document = build_document(text, source="a.txt", media_type="text/plain")
    assert build_document(document.text, source="a.txt", media_type="text/plain") == document
    chunks = list(chunk_document(document, ChunkSettings(size, unit=unit), COUNTER))  # type: ignore[arg-type]
    assert "".join("".join(chunk.text for chunk in chunks).split()) == "".join(text.split())
    for chunk in chunks:
        assert text[chunk.start : chunk.end] == chunk.text
        assert (COUNTER.count(chunk.text) if unit == "tokens" else len(chunk.text)) <= size
        for heading in document.headings:
            line = text.find("\n", heading.start)
            assert not (heading.start <= chunk.end <= line), chunk.text


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ("I.", "1.", "2. Two", "A", "CAPS HERE", "Title", "_x y_", "===", "", "", "word word.", "# T", "  x")
        )
    )
)
def test_headings_stand_at_lines_in_order_with_levels_without_gaps(lines: list[str]) -> None:
    text = "\n".join(lines)
    found = plain_headings(text)
    assert [each.start for each in found] == sorted({each.start for each in found})
    assert all((each.start == 0 or text[each.start - 1] == "\n") and each.title.strip() for each in found)
    assert {each.level for each in found} == set(range(1, len({each.level for each in found}) + 1))


def test_marks_of_markdown_are_no_part_of_a_title() -> None:
    assert titles(sections("# One  two #", "## C# and F ##", "### #4", "####### Seven", "#tag")) == [
        "One  two",
        "C# and F",
    ]


def seconds(text: str) -> float:
    """The least of three tries."""
    return min(cpu(lambda: plain_headings(text)) for _ in range(3))


@pytest.mark.parametrize(
    ("head", "repeated", "tail"),
    [
        *(("", each, "") for each in ("1.\n\n", "A TITLE\n\n", "Title\n\nwords of a text\n\n", "X, 1\n\n")),
        *(("", each, "") for each in ("I", "_", "1.", "a b ", "CHAPTER ", "===\n", "\n")),
        *(("", f"{label}\n\nThe court will hear it.\n\n", "") for label in ("JUDGE SMITH", "Judge Smith", "_Judge Smith_")),
        *((head, sign, "b") for head in ("# a", "Title", "Chapter I", "1. A", "_A") for sign in (" ", "\t", "#", "# ", ",1", ".")),
        *((head, sign, "x\n" + "=" * 9000) for head in ("a", "Title") for sign in (",1", " ", "\t", ".", ", ")),
        *(("Chapter I\n", sign, "x\n\ntext") for sign in ("A   ", ",1", ".", "- 1")),
    ],
)  # fmt: skip
def test_hostile_texts_take_linear_time(head: str, repeated: str, tail: str) -> None:
    """Sixteen times the text takes sixteen times as long, and not 256 times."""
    few = 4000 // len(repeated)
    short, long = (f"Some text.\n\n{head}{repeated * many}{tail}\n\nSome text." for many in (few, 16 * few))
    assert seconds(long) < 64 * max(seconds(short), 0.001)
