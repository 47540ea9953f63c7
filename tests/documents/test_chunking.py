from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from augment_correction.documents import ChunkSettings, TokenCounter, chunk_document, read_documents
from augment_correction.documents.chunking import _why_not, without_crumbs
from augment_correction.documents.contract import build_document
from augment_correction.documents.plain import markdown_headings
from augment_correction.errors import ConfigError
from augment_correction.project import bundled
from augment_correction.records import Chunk, Document, UnreadInput, content_id
from tests.cpu import cpu

from .files import paragraph, sentence

COUNTER = TokenCounter()

# Pieces that are each hard in their own way; a text of them in any order must hold what is promised.
_PIECES = st.sampled_from(
    [
        *("word", " ", "  ", "\n", "\n\n", "\n \n", "\t", ". ", "! ", "?\n", "/", "/bin/sh", "Mr. J. Smith "),
        *("# Heading\n", "\n## Two\n\n", "\n\nTitle\n=====\n", "```\n", "~~~\n", "- item\n", "1. item\n"),
        *("\n```python\ncode(1)\n\n\nmore\n```\n", "| a | b |\n| --- | --- |\n| 1 | 2 |\n", "<|endoftext|>"),
        *("東京の川。水が増える。", "🙂🙂", "e\u0301\u0302", "\u200d", "\u2028", "\x0b", "\x85", "(){};//\n/"),
        *("x" * 90, "🙂" * 30, "é" * 40, "12345678901234567890", "Sentence one. Sentence two! Three? "),
    ]
)
TEXTS = st.one_of(
    st.lists(_PIECES, max_size=60).map("".join),
    st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=300),
    st.lists(st.integers(0, 99).map(paragraph), max_size=12).map("\n\n".join),
)


def document(text: str, pages: tuple[int, ...] = ()) -> Document:
    made = build_document(text, source="a.md", media_type="text/markdown", pages=pages)
    return Document(made.id, "", text, "a.md", "text/markdown", {}, pages, tuple(markdown_headings(text)))


def cut(
    text: str, size: int, *, overlap: int = 0, unit: str = "tokens", counter: TokenCounter = COUNTER
) -> list[Chunk]:
    chosen = ChunkSettings(size=size, overlap=overlap, unit=unit)  # type: ignore[arg-type]
    return list(chunk_document(document(text), chosen, counter))


def check(text: str, chunks: list[Chunk], size: int, measure: object = None) -> None:
    """All that is promised of the passages of one text."""
    covered = bytearray(len(text))
    for index, chunk in enumerate(chunks):
        assert text[chunk.start : chunk.end] == chunk.text
        assert chunk.text and chunk.text == chunk.text.strip()
        assert chunk.index == index and chunk.id == content_id(chunk.text)
        assert (measure or COUNTER.count)(chunk.text) <= size  # type: ignore[operator]
        covered[chunk.start : chunk.end] = b"\1" * (chunk.end - chunk.start)
    assert not "".join(text[at] for at, seen in enumerate(covered) if not seen).strip()
    starts = [chunk.start for chunk in chunks]
    ends = [chunk.end for chunk in chunks]
    assert starts == sorted(set(starts)) and ends == sorted(set(ends))


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(TEXTS.filter(lambda text: text.strip()), st.integers(16, 120))
def test_passages_of_any_text(text: str, size: int) -> None:
    chunks = cut(text, size)
    check(text, chunks, size)
    assert all(before.end <= after.start for before, after in pairwise(chunks))
    assert all(COUNTER.count(chunk.text) <= chunk.tokens + 2 + chunk.text.count("\n/") for chunk in chunks)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(TEXTS.filter(lambda text: text.strip()), st.integers(16, 80), st.integers(1, 40))
def test_passages_with_overlap(text: str, size: int, overlap: int) -> None:
    overlap = min(overlap, size // 2)
    chunks = cut(text, size, overlap=overlap)
    check(text, chunks, size)
    for before, after in pairwise(chunks):
        assert COUNTER.count(text[after.start : before.end]) <= overlap + 3


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(TEXTS.filter(lambda text: text.strip()), st.integers(16, 200), st.integers(0, 8))
def test_passages_in_characters(text: str, size: int, overlap: int) -> None:
    chunks = cut(text, size, overlap=overlap, unit="characters")
    check(text, chunks, size, len)
    assert all(chunk.tokens == COUNTER.count(chunk.text) for chunk in chunks)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(TEXTS.filter(lambda text: text.strip()), st.integers(16, 60))
def test_a_tokenizer_that_does_not_add_up(text: str, size: int) -> None:
    """What is joined costs less than its pieces, or more."""
    counter = TokenCounter()
    counter.additive = False
    counter._count = lambda piece: len(piece.split()) // 2 + len(piece.encode()) // 3 + 1
    check(text, cut(text, size, counter=counter), size, counter.count)
    counter._count = lambda piece: len(piece) // 2 + (len(piece) // 20) ** 2
    check(text, cut(text, size, counter=counter), size, counter.count)


def test_tokens_are_close_to_a_count_of_the_whole() -> None:
    text = "\n\n".join(f"## Part {number}\n\n{paragraph(number, 9)}\n\n- one\n- two\n" for number in range(60))
    for size in (40, 100, 300):
        assert all(abs(COUNTER.count(chunk.text) - chunk.tokens) <= 2 for chunk in cut(text, size))


def test_a_models_own_tokenizer_file(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    model = {"type": "WordLevel", "vocab": {"[UNK]": 0}, "unk_token": "[UNK]"}
    path = tmp_path / "tokenizer.json"
    path.write_text(
        json.dumps({"version": "1.0", "pre_tokenizer": {"type": "Whitespace"}, "model": model, "added_tokens": []})
    )
    counter = TokenCounter(str(path))
    text = "\n\n".join(map(paragraph, range(20)))
    check(text, cut(text, 100, counter=counter), 100, counter.count)


def test_passages_are_cut_at_headings_and_know_their_path() -> None:
    sections = [f"## Section {number}\n\n{paragraph(number)}\n\n{paragraph(number + 50)}" for number in range(6)]
    chunks = cut("# Book\n\n" + "\n\n".join(sections), 160)
    assert [chunk.text.split("\n")[0] for chunk in chunks] == [
        "# Book",
        *(f"## Section {number}" for number in range(1, 6)),
    ]
    assert chunks[0].heading == ("Book",)
    assert chunks[3].heading == ("Book", "Section 3")


def test_small_sections_are_packed_together() -> None:
    chunks = cut("\n\n".join(f"# Term {number}\n\n{sentence(number)}" for number in range(40)), 200)
    assert len(chunks) <= 6
    assert all(chunk.text.startswith("# Term") for chunk in chunks)
    assert min(chunk.tokens for chunk in chunks) > 40


def test_a_heading_is_never_left_alone_at_the_end() -> None:
    for size in range(60, 200, 7):
        for chunk in cut(
            "\n\n".join(f"# T {number}\n\n## U {number}\n\n{paragraph(number)}" for number in range(9)), size
        ):
            assert not chunk.text.split("\n")[-1].startswith("#")


# A heading with a blank line under it, and with none; in both spellings of Markdown.
_FORMS = ("## {0}\n\n{1}\n\n", "## {0}\n{1}\n\n", "{0}\n----\n{1}\n\n", "{0}\n----\n\n{1}\n\n", "## {0}\n{1}\n")


@pytest.mark.parametrize("minimum", [0, 60])
@pytest.mark.parametrize("sentences", [1, 4])
@pytest.mark.parametrize("form", _FORMS)
def test_passages_are_as_large_whether_a_text_begins_right_under_its_heading_or_not(
    form: str, sentences: int, minimum: int
) -> None:
    """Questions and answers, entries of a glossary, a list of changes: neither shattered nor, for that, left out as too short."""
    text = "# All of them\n\n" + "".join(form.format(f"Ferry {n}", paragraph(n, sentences)) for n in range(100))
    chunks, left_out = screened(text, minimum, size=300)
    assert not left_out
    assert len(chunks) <= 2 * COUNTER.count(text) / 300
    assert all(chunk.text.startswith(("# All", "## Ferry", "Ferry")) for chunk in chunks)
    assert not any(chunk.text.split("\n")[-1].startswith(("#", "----", "Ferry")) for chunk in chunks)


@pytest.mark.parametrize("above", ["", f"{paragraph(1)}\n\n"], ids=["first", "under a text"])
def test_a_row_of_bare_headings_fills_passages(above: str) -> None:
    text = above + "".join(f"## Bare {number}\n\n" for number in range(400))
    assert len(cut(text, 200)) <= 2 * COUNTER.count(text) / 200


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(_FORMS), st.integers(1, 3)), min_size=1, max_size=30), st.integers(120, 300))
def test_no_passage_ends_with_a_heading_where_a_text_stands_under_each(
    entries: list[tuple[str, int]], size: int
) -> None:
    text = "".join(form.format(f"Ferry {n}", paragraph(n, many)) for n, (form, many) in enumerate(entries)).strip()
    made = document(text)
    chunks = cut(text, size)
    check(text, chunks, size)
    for chunk in chunks:
        last = chunk.start + chunk.text.rfind("\n") + 1
        assert not chunk.text.endswith("----") and last not in {heading.start for heading in made.headings}
    assert len(chunks) <= 1 + 4 * COUNTER.count(text) / size


@pytest.mark.parametrize("rule", ["=" * 80, "-" * 80])
def test_the_rule_under_a_title_belongs_to_it(rule: str) -> None:
    title = "Of the masters of the ferry, and of the tolls that they took from the carts of Aldwick"
    for size in range(30, 60):
        assert not any(chunk.text.endswith(rule) for chunk in cut(f"{title}\n{rule}\n" + "abcdefg " * 200, size))


def test_no_crumb_is_left_at_the_end() -> None:
    for count in range(4, 30):
        chunks = cut("\n\n".join(paragraph(number, 2) for number in range(count)), 120)
        assert len(chunks) == 1 or chunks[-1].tokens >= 25


def test_fences_and_tables_stay_whole_where_they_fit() -> None:
    code = "```python\n" + "\n\n".join(f"value_{number} = {number}" for number in range(12)) + "\n```"
    table = "| name | size |\n| --- | --- |\n" + "\n".join(f"| row {number} | {number} |" for number in range(14))
    text = "\n\n".join([paragraph(1), code, paragraph(2), table, paragraph(3)])
    chunks = cut(text, 190)
    assert any(code in chunk.text for chunk in chunks)
    assert any(table in chunk.text for chunk in chunks)


def test_a_table_over_the_limit_is_cut_between_rows() -> None:
    rows = [f"| row {number} | {sentence(number)} |" for number in range(30)]
    for chunk in cut("\n".join(["| a | b |", "| --- | --- |", *rows]), 100):
        assert all(line.startswith("|") and line.endswith("|") for line in chunk.text.split("\n"))


def test_long_paragraphs_end_at_sentences() -> None:
    chunks = cut(" ".join(map(sentence, range(200))), 150)
    assert all(chunk.text.endswith(".") for chunk in chunks)
    hard_wrapped = "\n".join(paragraph(1, 60)[at : at + 70] for at in range(0, 4000, 70))
    assert sum(chunk.text.endswith(".") for chunk in cut(hard_wrapped, 150)) >= 4


def test_abbreviations_do_not_end_a_sentence() -> None:
    chunks = cut("Then Dr. Brown met J. Smith and Mrs. Green by the old mill. " * 40, 100)
    assert all(chunk.text.endswith("mill.") for chunk in chunks)


def test_the_page_is_where_the_passage_starts() -> None:
    texts = [paragraph(number, 6) for number in range(5)]
    offsets = [0]
    for text in texts[:-1]:
        offsets.append(offsets[-1] + len(text) + 2)
    made = document("\n\n".join(texts), tuple(offsets))
    chunks = list(chunk_document(made, ChunkSettings(size=100), COUNTER))
    assert [chunk.page for chunk in chunks] == [1, 2, 3, 4, 5]
    assert cut("no pages", 100)[0].page is None


@pytest.mark.parametrize(
    "text", ["a" * 300_000, "a b " * 100_000, "\n" * 100_000 + "x", " " * 200_000 + "x", "🙂" * 50_000, "東" *
    100_000, "```\n" * 40_000,
     "x\n\n" * 60_000, "# a\n" * 40_000, "." * 200_000, "a. A" * 50_000, "'" * 100_000, "- - " * 50_000],
)  # fmt: skip
def test_hostile_texts_take_linear_time(text: str) -> None:
    assert cpu(lambda: check(text, cut(text, 512), 512)) < 8


@pytest.mark.parametrize("wrong", [{"size": 15}, {"size": 100, "overlap": 51}, {"overlap": -1}, {"unit": "words"}])
def test_wrong_settings(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="chunk "):
        ChunkSettings(**wrong)  # type: ignore[arg-type]


def test_equal_passages_have_equal_ids() -> None:
    first, second = cut("Same text.", 100), cut("\n\nSame text.\n", 100)
    assert first[0].id == second[0].id
    assert first[0].document_id != second[0].document_id


# ------------------------------------------------------------------------------------------------------- crumbs


def screened(text: str, minimum: int, size: int = 60, contents: bool = True) -> tuple[list[Chunk], list[UnreadInput]]:
    document = build_document(text, source="a.md", media_type="text/markdown", headings=markdown_headings(text))
    left_out: list[UnreadInput] = []
    settings = ChunkSettings(size=size, minimum=minimum, contents=contents)
    return list(chunk_document(document, settings, COUNTER, left_out)), left_out


PROSE = "The ferry of Aldwick carried two hundred and forty carts that year, and its master kept a book of fares. " * 2


def joined(text: str, parts: list[str], minimum: int = 5, size: int = 60) -> list[str]:
    document = build_document(text, source="a.md", media_type="text/markdown", headings=markdown_headings(text))
    spans = [(text.index(part), text.index(part) + len(part), COUNTER.count(part)) for part in parts]
    settings = ChunkSettings(size=size, minimum=minimum)
    return [text[start:end] for start, end, _ in without_crumbs(spans, document, settings, COUNTER.count)]


FIRST, SECOND = PROSE[: len(PROSE) // 2].strip(), "The toll was paid in salt, and in two winters in tallow."
BOOK = f"# Carts\n\n{FIRST}\n\nOuch.\n\n## Fares\n\nNo.\n\n{SECOND}\n\n# Toll\n\nYes.\n"


def test_a_crumb_goes_to_the_passage_before_it_under_the_same_heading() -> None:
    assert joined(BOOK, [f"# Carts\n\n{FIRST}", "Ouch."]) == [f"# Carts\n\n{FIRST}\n\nOuch."]


def test_else_to_the_one_behind_it() -> None:
    assert joined(BOOK, ["No.", SECOND]) == [f"No.\n\n{SECOND}"]


def test_it_does_not_leave_its_heading_nor_go_over_the_limit() -> None:
    assert joined(BOOK, [SECOND, "Yes."]) == [SECOND, "Yes."]
    assert joined(BOOK, [FIRST, "Ouch."], size=COUNTER.count(FIRST)) == [FIRST, "Ouch."]


def test_what_is_no_crumb_stays_apart() -> None:
    assert joined(BOOK, [FIRST, SECOND]) == [FIRST, SECOND]


def test_a_crumb_that_no_neighbour_takes_is_left_out_and_counted_but_a_short_document_is_kept() -> None:
    chunks, left_out = screened(f"# A\n\nOuch.\n\n## B\n\n{FIRST}\n\n# C\n\nNo.\n", 12, size=36)
    assert len(chunks) == 1 and chunks[0].tokens >= 12
    assert [(each.source, each.reason) for each in left_out] == [("a.md", "too_short")]
    assert [chunk.text for chunk in screened("\nOuch.\n", 8)[0]] == ["Ouch."]


def test_contents_are_left_out_and_the_index_of_passages_has_no_gap() -> None:
    contents = "\n".join(f"Part {n} {'.' * 30} {n}" for n in range(1, 9))
    chunks, left_out = screened(f"# Contents\n\n{contents}\n\n# Carts\n\n{PROSE}\n", 8, size=120, contents=False)
    assert [each.reason for each in left_out] == ["contents"]
    assert [chunk.index for chunk in chunks] == [0] and "Carts" in chunks[0].text


def test_examples_are_cut_as_they_were_without_a_minimum() -> None:
    for found in read_documents(bundled() / "inputs"):
        if isinstance(found, Document):
            made = [
                [
                    chunk.id
                    for chunk in chunk_document(found, ChunkSettings(minimum=minimum, contents=contents), COUNTER)
                ]
                for minimum, contents in ((0, True), (5, False))
            ]
            assert made[0] == made[1] != []


@given(
    st.lists(st.sampled_from(["# A", "## B", "# C", "Ouch.", "No.", PROSE]), min_size=1, max_size=12),
    st.integers(0, 30),
)
def test_no_passage_is_below_the_minimum_and_none_over_the_limit(parts: list[str], minimum: int) -> None:
    text = "\n\n".join(parts)
    chunks, left_out = screened(text, minimum)
    assert all(minimum <= chunk.tokens <= 60 or chunk.text == text.strip() for chunk in chunks)
    assert [chunk.index for chunk in chunks] == list(range(len(chunks)))
    assert all(text[chunk.start : chunk.end] == chunk.text for chunk in chunks)
    if not minimum:
        assert not left_out


# ------------------------------------------------------------------------------------------- where and how it is cut


def weighing(tokens: int) -> TokenCounter:
    """A tokenizer of so many tokens for each character, as one without the text's alphabet has."""
    counter = TokenCounter()
    counter.additive = False
    counter._count = lambda piece: tokens * len(piece)
    return counter


def test_a_piece_is_halved_down_to_single_characters_and_no_further() -> None:
    assert [chunk.text for chunk in cut("東京の川", 16, counter=weighing(10))] == list("東京の川")
    assert [chunk.text for chunk in cut("東京の川", 16, counter=weighing(8))] == ["東京", "の川"]
    with pytest.raises(ConfigError, match="chunk size 16 is less than one character"):
        cut("東京の川", 16, counter=weighing(17))


@pytest.mark.parametrize("overlap", [10, 20, 40])
def test_an_overlap_repeats_nearly_as_much_as_it_may(overlap: int) -> None:
    text = " ".join(map(sentence, range(200)))
    repeated = [
        COUNTER.count(text[after.start : before.end]) for before, after in pairwise(cut(text, 100, overlap=overlap))
    ]
    assert len(repeated) > 5 and all(0 < each <= overlap for each in repeated)
    assert sum(repeated) / len(repeated) > 0.4 * overlap


@pytest.mark.parametrize(
    ("between", "share"),
    [("\n\n# Next\n\n", 0.25), ("\n\n", 0.3), ("\n- ", 0.6), ("\n", 0.6)],
    ids=["heading", "paragraph", "item", "line"],
)
def test_a_better_place_is_worth_a_shorter_passage_to_a_limit_of_its_own(between: str, share: float) -> None:
    """In characters, where nothing is approximate: words without a sentence's end, then the place, then more of them."""
    words = "abcdefg " * 100
    for filled, taken in ((share + 0.02, True), (share - 0.03, False)):
        first = words[: int(filled * 400)].rstrip()
        chunks = cut(first + between + words, 400, unit="characters")
        assert (chunks[0].text == first) is taken, (filled, chunks[0].text)


def test_what_is_left_at_the_end_is_a_quarter_at_least_where_a_place_allows() -> None:
    for length in range(405, 500, 10):
        chunks = cut(("abcdefg " * 100)[:length].rstrip(), 400, unit="characters")
        assert len(chunks) == 2 and len(chunks[1].text) >= 90


def test_near_the_limit_a_passage_is_counted_as_one_text() -> None:
    """The sums of pieces may be off by a few tokens: no passage is over the limit for that, and none far below."""
    text = "\n".join("/".join(["", *sentence(number).split(" ")]) for number in range(400))
    for size in range(50, 60):
        chunks = cut(text, size)
        assert all(COUNTER.count(chunk.text) <= size for chunk in chunks)
        assert all(chunk.tokens == COUNTER.count(chunk.text) for chunk in chunks if chunk.tokens > size - 4)
        assert sum(chunk.tokens for chunk in chunks) / len(chunks) > 0.6 * size


@pytest.mark.parametrize(
    ("parts", "room"),
    [
        (["aaaa", "bbbb", "cccc", "dddd"], 4),
        (["/aaa", "bbbb", "cccc", "dddd"], 4),
        (["aaaa", "/bbb", "cccc", "dddd"], 6),
        (["aaaa", "/bbb", "cccc", "/ddd"], 8),
    ],
)
def test_the_sum_is_trusted_with_four_tokens_of_room_and_two_for_each_slash_behind_a_cut(
    parts: list[str], room: int
) -> None:
    text, counted = "\n\n".join(parts), set[str]()
    counter = TokenCounter()
    counter._count = lambda piece: counted.add(piece) or len("".join(piece.split()))
    for size, as_one in ((16 + room - 1, True), (16 + room, False)):
        counted.clear()
        assert [chunk.tokens for chunk in cut(text, size, counter=counter)] == [16]
        assert (text in counted) is as_one


def test_an_overlap_is_given_up_for_what_does_not_fit_beside_it() -> None:
    """Of a tokenizer that needs more tokens for long texts than for their parts."""
    counter = TokenCounter()
    counter.additive = False
    counter._count = lambda piece: len(piece) ** 2 // 4
    chunks = cut("abcdefghijklmnopqrstuvwxyz", 16, overlap=8, counter=counter)
    assert all(len(chunk.text) <= 8 for chunk in chunks) and chunks[-1].text.endswith("z")
    assert all(before.start < after.start <= before.end for before, after in pairwise(chunks))


def test_a_passage_may_be_as_large_as_the_limit() -> None:
    assert [len(chunk.text) for chunk in cut("x" * 40, 16, unit="characters")] == [16, 16, 8]


def test_one_character_is_a_passage() -> None:
    assert [chunk.text for chunk in cut("a", 16)] == ["a"]
    assert [chunk.text for chunk in cut("\n a\n", 16, overlap=8)] == ["a"]


@pytest.mark.parametrize("unit", ["characters", "tokens"])
def test_a_passage_of_the_minimum_is_long_enough(unit: Literal["characters", "tokens"]) -> None:
    chosen = ChunkSettings(size=60, unit=unit, minimum=20)
    for size, reason in ((19, "too_short"), (20, None)):
        text, tokens = ("x" * size, 99) if unit == "characters" else ("x" * 99, size)
        why = _why_not(text, tokens, chosen, whole=False)
        assert (why and why[0]) == reason and _why_not(text, tokens, chosen, whole=True) is None
