"""What came twice is always known; of what came once little is taken for it."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from augment_correction.selection.repeated import Repeated


@given(st.lists(st.integers(-(2**63), 2**63 - 1)), st.integers(0, 50))
def test_all_that_came_twice_is_in_it(hashes: list[int], expected: int) -> None:
    made = Repeated(expected)
    made.note(hashes)
    made.note(hashes[::2])
    assert all(hashed in made for hashed in hashes[::2])


def test_few_that_came_once_are_in_it() -> None:
    rng = random.Random(1)
    hashes = [rng.getrandbits(60) for _ in range(100_000)]
    made = Repeated(len(hashes))
    made.note(hashes)
    assert sum(hashed in made for hashed in hashes) < 0.13 * len(hashes)
    assert not any(rng.getrandbits(60) in Repeated(1) for _ in range(100))
