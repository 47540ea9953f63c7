from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augment_correction.documents.chunking import ChunkSettings, chunk_document
from augment_correction.documents.contract import Unread, build_document
from augment_correction.documents.tokens import TokenCounter
from augment_correction.records import Heading

APART = "Une secci\u006f\u0301n sur l'e\u0301te\u0301.\n\n"  # each accent is a character of its own


def test_a_letter_and_its_accent_become_one_letter_and_offsets_move_along() -> None:
    text = APART + "# Cafe\u0301\n\n" + APART
    start = len(APART)
    made = build_document(
        text,
        source="a.txt",
        media_type="text/plain",
        title="Cafe\u0301",
        pages=[0, start],
        headings=[Heading(start, 1, "Cafe\u0301")],
    )
    assert made.text == unicodedata.normalize("NFC", text) != text
    assert made.title == made.headings[0].title == "Caf\u00e9"
    assert made.text.startswith("# Caf\u00e9", made.headings[0].start)
    assert made.pages == (0, made.headings[0].start)
    for chunk in chunk_document(made, ChunkSettings(16), TokenCounter("o200k_base")):
        assert made.text[chunk.start : chunk.end] == chunk.text


def test_text_in_which_nothing_is_apart_stays_as_it_is() -> None:
    text = "Caf\u00e9, \u6771\u4eac, \ufb01t, x\u00b2"  # NFKC would change the last two
    assert build_document(text, source="a.txt", media_type="text/plain").text == text


@given(st.lists(st.text(alphabet="ae\u0301\u0323\u1100\u1161\u11a8 \n"), min_size=1, max_size=6))
def test_every_page_keeps_its_own_text(pages: list[str]) -> None:
    text = "".join(pages)
    starts = [len("".join(pages[:number])) for number in range(len(pages))]
    try:
        made = build_document(text, source="a.pdf", media_type="application/pdf", pages=starts)
    except Unread:
        assert not text.strip()
        return
    ends = [*made.pages[1:], len(made.text)]
    cut = [made.text[start:end] for start, end in zip(made.pages, ends, strict=True)]
    if unicodedata.is_normalized("NFC", text):
        assert cut == pages
    else:
        assert cut == [unicodedata.normalize("NFC", page) for page in pages]


def test_white_space_alone_is_no_document() -> None:
    with pytest.raises(Unread, match="the file contains no text"):
        build_document(" \n\t", source="a.txt", media_type="text/plain")
