"""The measuring set of `benchmarks.checks`: what it promises, and that no check fires on a good conversation."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmarks.checks import SPECS, build, fires


@pytest.mark.parametrize("held_out", [False, True])
def test_the_same_for_a_seed_and_enough_of_each_fault(held_out: bool) -> None:
    cases = build(3, held_out=held_out)
    assert cases == build(3, held_out=held_out) != build(4, held_out=held_out)
    counts = Counter(case.fault for case in cases)
    assert counts.pop(None) >= 60
    assert sum(counts.values()) >= 240
    assert min(counts.values()) >= 20


@pytest.mark.parametrize("name", SPECS)
def test_no_check_fires_on_a_good_conversation(name: str) -> None:
    spec, _ = SPECS[name]  # type: ignore[index]
    assert not [detail for case in build(1) if case.fault is None and (detail := fires(spec, case))]
