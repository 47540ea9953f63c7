"""Which tokens are trained: by the characters they hold, and masked where they hold both."""

from __future__ import annotations

from itertools import pairwise

import pytest

from augment_correction.export.masking import IGNORED, labels, token_mask, touching
from augment_correction.export.segments import Zone
from augment_correction.export.tokenizer import Encoded


def tokens(*cuts: int) -> Encoded:
    places = list(pairwise(cuts))
    return Encoded(list(range(len(places))), [start for start, _ in places], [end for _, end in places])


PLACES = [
    Zone(0, 4, True, "scaffold"),
    Zone(4, 8, False, "message"),
    Zone(8, 12, True, "message"),
    Zone(12, 14, True, "end"),
    Zone(14, 16, True, "scaffold"),
]


@pytest.mark.parametrize(
    ("zone", "held"),
    [
        ((2, 4), [1]),
        ((2, 5), [1, 2]),
        ((1, 3), [0, 1]),
        ((0, 9), [0, 1, 2, 3]),
        ((7, 9), [3]),
        ((4, 4), []),
    ],
)
def test_the_tokens_that_hold_a_character(zone: tuple[int, int], held: list[int]) -> None:
    found = touching(Zone(*zone, True, "message"), tokens(0, 2, 4, 6, 9))
    assert list(range(9))[found] == held


@pytest.mark.parametrize(("scaffold", "around"), [(True, 1), (False, 0)])
def test_a_mistake_is_masked_and_a_correction_trained_whatever_is_around_them(scaffold: bool, around: int) -> None:
    mask = token_mask(PLACES, tokens(0, 4, 6, 8, 12, 14, 16), scaffold)
    assert list(mask) == [around, 0, 0, 1, 1, around]


def test_a_token_of_both_is_masked() -> None:
    """Of a mistake and what follows, and of a header and a mistake."""
    assert list(token_mask(PLACES, tokens(0, 3, 5, 7, 9, 11, 16), True)) == [1, 0, 0, 0, 1, 1]
    assert list(token_mask([PLACES[2], PLACES[1]], tokens(0, 3, 5, 7, 9, 11, 16), True)) == [1, 0, 0, 0, 1, 1]


def test_what_is_masked_is_ignored_by_the_loss() -> None:
    assert labels([7, 8, 9], bytearray([1, 0, 1])) == [7, IGNORED, 9] == [7, -100, 9]
