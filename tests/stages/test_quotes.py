"""A quote is found where it stands, whatever a model did to its spaces, dashes and quotation marks; nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augment_correction.stages.quotes import find_quote

TEXT = "The *Ellen* ran onto  the Hen reef\nin 1871 – “a calm day”, says the log. İstanbul lies far off."


@pytest.mark.parametrize(
    ("quote", "stands"),
    [
        ("ran onto the Hen reef in 1871", "ran onto  the Hen reef\nin 1871"),
        ("The Ellen ran", "The *Ellen* ran"),
        ('in 1871 - "a calm day"', "in 1871 – “a calm day"),
        ('"...the Hen reef."', "the Hen reef"),
        ("says the LOG", "says the log"),
        ("lies far off", "lies far off"),
    ],
)
def test_it_is_found_as_it_stands(quote: str, stands: str) -> None:
    found = find_quote(quote, TEXT)
    assert found is not None
    assert TEXT[slice(*found)] == stands


@pytest.mark.parametrize("quote", ["in 1872", "the Ellen sank", "", " ", "...", '"'])
def test_what_does_not_stand_there_is_not_found(quote: str) -> None:
    assert find_quote(quote, TEXT) is None


@given(st.text(max_size=60), st.integers(0, 60), st.integers(0, 60))
def test_every_piece_with_a_letter_is_found(text: str, one: int, other: int) -> None:
    piece = text[min(one, other) : max(one, other)]
    if any(character.isalnum() for character in piece):
        found = find_quote(piece, text)
        assert found is not None
        assert 0 <= found[0] < found[1] <= len(text)
