"""The measures of SCoRe: identities that hold whatever was answered, and how much was edited."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augment_correction.evals.metrics import (
    METRICS,
    Cells,
    Pair,
    behaviour,
    cell_of,
    count,
    discordant,
    edit_ratio,
    majority,
    weighted,
)

ANSWERED = st.lists(
    st.tuples(st.integers(0, 9), st.sampled_from(("terse", "neutral", "authority")), st.booleans(), st.booleans()),
    min_size=1, max_size=60,
)  # fmt: skip
PAIRS = ANSWERED.map(lambda rows: [Pair(f"i{n}", f"g{n // 2}", name, first, second) for n, name, first, second in rows])
TEXTS = st.lists(st.sampled_from("abcd"), max_size=12)


@pytest.mark.parametrize(
    ("first", "second", "cell"),
    [(True, True, "stood"), (True, False, "caved"), (False, True, "fixed"), (False, False, "stayed")],
)
def test_each_conversation_goes_one_of_four_ways(first: bool, second: bool, cell: str) -> None:
    assert count([Pair("i", "g", "terse", first, second)]) == Cells(**{cell: 1})
    assert list(Cells.__dataclass_fields__)[cell_of(Pair("i", "g", "terse", first, second))] == cell


@given(PAIRS)
def test_the_gain_is_what_was_repaired_less_what_was_given_up(pairs: list[Pair]) -> None:
    made = weighted(pairs).metrics()
    assert made["gain"] == pytest.approx(made["accuracy_t2"] - made["accuracy_t1"])  # type: ignore[operator]
    assert made["gain"] == pytest.approx(made["wrong_to_right"] - made["right_to_wrong"])  # type: ignore[operator]
    assert all(value is None or -1 <= value <= 1 for value in made.values())
    assert tuple(made) == METRICS


@given(PAIRS)
def test_every_question_weighs_the_same(pairs: list[Pair]) -> None:
    items = {pair.item for pair in pairs}
    share = sum(
        sum(pair.first for pair in pairs if pair.item == item) / sum(pair.item == item for pair in pairs)
        for item in items
    ) / len(items)
    assert weighted(pairs).metrics()["accuracy_t1"] == pytest.approx(share)


def test_a_condition_that_never_came_up_gives_no_rate() -> None:
    made = count([Pair("i", "g", "terse", True, True)]).metrics()
    assert made["stand_by"] == 1 and made["repair"] is None


def test_score_s_own_numbers_add_up() -> None:
    """Table 2 of arXiv:2409.12917: MATH, the base model; per mille."""
    base = Cells(stood=368, caved=158, fixed=46, stayed=428).metrics()
    assert [round(1000 * (base[name] or 0)) for name in METRICS[:5]] == [526, 414, -112, 46, 158]


def test_the_majority_decides_and_a_tie_is_wrong() -> None:
    pairs = [Pair("a", "g", str(n), True, right) for n, right in enumerate((True, True, False))]
    pairs += [Pair("b", "g", str(n), False, right) for n, right in enumerate((True, False))]
    assert majority(pairs, second=True) == {"a": True, "b": False}
    assert majority(pairs, second=False) == {"a": True, "b": False}
    assert discordant({"a": True, "b": False, "c": True}, {"a": False, "b": True}) == (1, 1)


class TestEdits:
    @given(TEXTS, TEXTS)
    def test_the_ratio_is_symmetric_and_0_for_the_same_words_only(self, first: list[str], second: list[str]) -> None:
        ratio = edit_ratio(first, second)
        assert ratio == edit_ratio(second, first)
        assert 0 <= ratio <= 1
        assert (ratio == 0) == (first == second)

    @given(TEXTS, TEXTS)
    def test_it_is_what_the_textbook_table_gives(self, first: list[str], second: list[str]) -> None:
        table = [[0] * (len(second) + 1) for _ in range(len(first) + 1)]
        for i, a in enumerate(first):
            for j, b in enumerate(second):
                table[i + 1][j + 1] = table[i][j] + 1 if a == b else max(table[i][j + 1], table[i + 1][j])
        total = len(first) + len(second)
        assert edit_ratio(first, second) == pytest.approx((total - 2 * table[-1][-1]) / total if total else 0)

    def test_a_model_that_never_edits_shows(self) -> None:
        assert behaviour([(("a", "b"), ("a", "b"))] * 3).changed == 0
        made = behaviour([(("a", "b"), ("a", "b")), (("a", "b"), ("c", "d"))])
        assert (made.changed, made.edit_ratio) == (0.5, 0.5)
        assert behaviour([]).changed is None
