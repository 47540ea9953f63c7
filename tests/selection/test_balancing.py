"""Limits hold of what is left, on every machine the same way, and as much as possible is left."""

from __future__ import annotations

import math
import random
from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augment_correction.selection import Weighed, balance, balancing, weigh
from augment_correction.selection.balancing import Dimension
from tests.selection.making import candidate

GROUPS = st.tuples(st.sampled_from("abc"), st.sampled_from(["date", "name", None]), st.sampled_from("xy"))
LIMITS = st.dictionaries(
    st.sampled_from(["document", "error_type", "kind"]),
    st.integers(1, 6).map(float) | st.floats(0.05, 0.99),
    max_size=3,
)


def row(number: int, document: str = "d", error: str | None = None, kind: str = "k") -> Weighed:
    groups: dict[Dimension, str | None] = {"document": document, "error_type": error, "kind": kind}
    return Weighed((f"{number:05}", 0), f"{random.Random(number).random()}", groups)


def left(rows: list[Weighed], at_most: dict[Dimension, float]) -> list[Weighed]:
    out = balance(rows, at_most).left_out
    return [each for each in rows if each.key not in out]


@given(st.lists(GROUPS, max_size=40), LIMITS, st.randoms())
def test_limits_hold_and_the_order_of_the_rows_does_not_matter(
    groups: list[tuple[str, str | None, str]], at_most: dict[Dimension, float], shuffled: random.Random
) -> None:
    rows = [row(number, *names) for number, names in enumerate(groups)]
    made = balance(rows, at_most)
    stay = left(rows, at_most)
    for name, limit in at_most.items():
        allowed = limit if limit >= 1 else limit * len(stay) + 1e-9
        counts = Counter(each.groups[name] for each in stay if each.groups[name] is not None)
        assert name in made.unmet or all(count <= allowed for count in counts.values())
    assert stay or not rows or made.unmet == ()
    shuffled.shuffle(rows)
    assert balance(rows, at_most) == made


@given(st.lists(st.sampled_from("aabc"), max_size=12), st.floats(0.34, 0.99))
def test_no_larger_dataset_meets_a_share(kinds: list[str], share: float) -> None:
    rows = [row(number, kind=kind) for number, kind in enumerate(kinds)]
    best = 0
    for size in range(len(rows) + 1):
        for chosen in combinations(kinds, size):
            if all(count <= math.floor(share * size + 1e-9) for count in Counter(chosen).values()):
                best = max(best, size)
    made = balance(rows, {"kind": share})
    assert made.unmet == ("kind",) if rows and not best else len(rows) - len(made.left_out) == best


def test_a_number_and_a_share() -> None:
    rows = [row(number, "long" if number < 90 else "short", kind="ab"[number % 2]) for number in range(100)]
    assert Counter(each.groups["document"] for each in left(rows, {"document": 5})) == {"long": 5, "short": 5}
    assert Counter(each.groups["document"] for each in left(rows, {"document": 0.75})) == {"long": 30, "short": 10}
    reasons = {each.reason for each in balance(rows, {"document": 20, "kind": 12}).left_out.values()}
    assert reasons == {"over_document", "over_kind"}


def test_a_share_that_nothing_can_meet_is_not_applied_and_said() -> None:
    made = balance([row(number) for number in range(9)], {"kind": 0.5, "document": 4})
    assert (made.unmet, len(made.left_out)) == (("kind",), 5)


def test_rows_without_a_type_of_error_are_not_of_one() -> None:
    assert len(left([row(number) for number in range(9)], {"error_type": 1})) == 9


@pytest.mark.parametrize("share", [0.99, 0.501, 1 / 3])
def test_many_rows_take_few_passes(share: float, monkeypatch: pytest.MonkeyPatch) -> None:
    passes = []
    monkeypatch.setattr(
        balancing, "_take_in", lambda *given, take_in=balancing._take_in: (passes.append(1), take_in(*given))[1]
    )
    rows = [row(number, f"{number % 7}", kind="aaab"[number % 4]) for number in range(5000)]
    balancing.balance(rows, {"kind": share, "document": 0.2})
    assert len(passes) <= 10


def test_weights_depend_on_the_seed_and_the_conversation_alone() -> None:
    one = weigh(candidate("Q?", error_type="date"), ("a", 0), 1)
    assert one.groups == {"document": "a.txt", "error_type": "date", "kind": "k"}
    assert one.order == weigh(candidate("Q?"), ("b", 3), 1).order != weigh(candidate("Q?"), ("a", 0), 2).order
