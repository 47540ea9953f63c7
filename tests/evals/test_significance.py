"""Intervals, the exact test, and the agreement of two graders."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augment_correction.evals.metrics import METRICS, SIGNED, Pair, groups_of, weighted
from augment_correction.evals.significance import (
    FEW_GROUPS,
    Interval,
    agreement,
    difference,
    differences,
    intervals,
    resamples,
    unresampled,
)
from tests.evals.test_metrics import PAIRS


def made(count: int, chance: float, groups: int | None = None, seed: int = 1) -> list[Pair]:
    draw = random.Random(seed)
    return [
        Pair(f"i{n}", f"g{n % (groups or count)}", "terse", draw.random() < chance, draw.random() < chance)
        for n in range(count)
    ]


def bounds(pairs: list[Pair], seed: int = 7, times: int = 400) -> dict[str, tuple[float, float]]:
    drawn = [cells.metrics() for (cells,) in resamples([pairs], seed, times)]
    found = intervals(weighted(pairs).metrics(), drawn, groups_of(pairs))
    return {name: (each.low, each.high) for name, each in found.items() if each}


class TestIntervals:
    @settings(max_examples=40)
    @given(PAIRS)
    def test_they_hold_the_estimate_and_stay_inside_what_is_possible(self, pairs: list[Pair]) -> None:
        estimate, found, groups = weighted(pairs).metrics(), bounds(pairs, times=60), groups_of(pairs)
        for name in METRICS:
            value = estimate[name]
            exact = value in (0, 1) and name not in SIGNED
            assert (name in found) == (value is not None and (exact or groups[name] >= FEW_GROUPS))
            if value is not None and name in found:
                low, high = found[name]
                assert low <= value <= high
                assert low >= -1 and high <= 1

    def test_the_same_seed_draws_the_same(self) -> None:
        pairs = made(80, 0.6)
        assert bounds(pairs) == bounds(pairs) != bounds(pairs, seed=8)

    def test_they_are_about_as_wide_as_the_binomial_says(self) -> None:
        low, high = bounds(made(400, 0.5), times=2000)["accuracy_t1"]
        assert high - low == pytest.approx(2 * 1.96 * (0.25 / 400) ** 0.5, rel=0.15)

    def test_few_documents_make_them_wider_than_many_questions(self) -> None:
        """Twenty documents whose questions are all right or all wrong are worth twenty questions."""
        alike = [Pair(f"i{n}", f"g{n % 20}", "terse", n % 20 < 10, n % 20 < 10) for n in range(400)]
        alone = [Pair(pair.item, pair.item, "terse", pair.first, pair.second) for pair in alike]
        wide, narrow = (bounds(pairs)["accuracy_t1"] for pairs in (alike, alone))
        assert wide[1] - wide[0] > 3 * (narrow[1] - narrow[0])

    @pytest.mark.parametrize("groups", [1, FEW_GROUPS - 1, FEW_GROUPS])
    def test_few_documents_have_no_interval(self, groups: int) -> None:
        """20 of 50 in one document are 20 of 50 in every draw."""
        pairs = [Pair(f"i{n}", f"g{n % groups}", "terse", n < 20, n < 30) for n in range(50)]
        assert ("accuracy_t1" in bounds(pairs)) == ("gain" in bounds(pairs)) == (groups >= FEW_GROUPS)

    @pytest.mark.parametrize("groups", [6, 12])
    def test_of_some_documents_they_hold_the_truth_as_often_as_they_say(self, groups: int) -> None:
        """In 94 and 93 % of 500 worlds; percentiles of the draws alone held it in 87 and 90 %."""
        draw, held = random.Random(5), 0
        for world in range(300):
            chances = [draw.betavariate(2, 2) for _ in range(groups)]
            pairs = [
                Pair(f"i{n}", f"g{n % groups}", "terse", draw.random() < chances[n % groups], True)
                for n in range(20 * groups)
            ]
            low, high = bounds(pairs, seed=world, times=100)["accuracy_t1"]
            held += low <= 0.5 <= high
        assert held / 300 > 0.9

    def test_all_right_is_not_taken_for_certain(self) -> None:
        low, high = bounds([Pair(f"i{n}", f"g{n}", "terse", True, True) for n in range(20)])["accuracy_t2"]
        assert (round(low, 3), high) == (0.832, 1.0)  # Clopper and Pearson's for 20 of 20

    def test_a_share_of_a_few_is_not_taken_for_one_of_all(self) -> None:
        """3 of 3 wrong answers repaired, of 60."""
        pairs = [Pair(f"i{n}", f"g{n}", "terse", n >= 3, True) for n in range(60)]
        low, high = bounds(pairs)["repair"]
        assert (round(low, 3), high) == (0.292, 1.0)  # Clopper and Pearson's for 3 of 3

    def test_nor_is_the_difference_of_two_such_shares(self) -> None:
        base = [Pair(f"i{n}", f"g{n}", "terse", n >= 8, n >= 8) for n in range(60)]
        tuned = [Pair(f"i{n}", f"g{n}", "terse", n >= 3, True) for n in range(60)]
        found = []
        for pairs, (cells) in zip((base, tuned), zip(*resamples([base, tuned], 3, 200), strict=True), strict=True):
            figures = weighted(pairs).metrics()
            found.append((figures, intervals(figures, [each.metrics() for each in cells], groups_of(pairs))))
        repair = unresampled(*found)["repair"]
        assert 0.1 < repair.low < 0.3 and repair.high == 1  # 0 of 8 and 3 of 3
        assert "accuracy_t1" not in unresampled(*found), "between 0 and 1 the draws tell"
        assert not unresampled(found[1], found[1]), "equal shares are left to the draws"

    @pytest.mark.parametrize(
        ("tuned", "own", "low", "high"),
        [
            (5 / 56, Interval(0.0388, 0.1926), -0.0381, 0.1926),  # 5/56 - 0/29
            (1.0, Interval(0.7225, 1.0), 1 - (0.2775**2 + 0.1170**2) ** 0.5, 1.0),
        ],
    )
    def test_their_limits_are_newcombes(self, tuned: float, own: Interval, low: float, high: float) -> None:
        """Newcombe 1998, table II (d) by his method 10, whose limits for one share are Wilson's: 0 of 29 has 0 to 0.1170."""
        none = dict.fromkeys(METRICS, None)
        zero = ({**none, "repair": 0.0}, {**none, "repair": Interval(0.0, 0.1170)})
        some = ({**none, "repair": tuned}, {**none, "repair": own})
        gain, loss = unresampled(zero, some), unresampled(some, zero)
        assert list(gain) == list(loss) == ["repair"]
        assert (gain["repair"].low, gain["repair"].high) == (
            pytest.approx(low, abs=1e-4),
            pytest.approx(high, abs=1e-4),
        )
        assert (-loss["repair"].high, -loss["repair"].low) == (gain["repair"].low, gain["repair"].high)

    def test_two_models_are_drawn_together(self) -> None:
        base = made(200, 0.5)
        tuned = [Pair(pair.item, pair.group, "terse", pair.first, True) for pair in base]
        drawn = list(zip(*resamples([base, tuned], 3, 300), strict=True))
        spread = [[cells.metrics() for cells in each] for each in drawn]
        found = intervals(difference(spread[0][0], spread[1][0]), differences(*spread), groups_of(base), shares=False)
        # The first answers are the same, so that no draw shows a difference.
        assert found["accuracy_t1"] is not None and (found["accuracy_t1"].low, found["accuracy_t1"].high) == (0, 0)

    def test_a_sample_without_conversations_has_none(self) -> None:
        drawn = [cells.metrics() for _, cells in resamples([made(5, 0.5), []], 1, 20)]
        assert set(intervals(drawn[0], drawn, dict.fromkeys(METRICS, 1)).values()) == {None}


class TestAgreement:
    def test_kappa_takes_chance_off(self) -> None:
        """The example of Cohen 1960's measure as textbooks give it: 20, 5, 10, 15 of 50."""
        verdicts = [(True, True)] * 20 + [(True, False)] * 5 + [(False, True)] * 10 + [(False, False)] * 15
        assert agreement(verdicts).kappa == pytest.approx(0.4)

    @given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1))
    def test_it_lies_between_minus_1_and_1_and_is_symmetric(self, verdicts: list[tuple[bool, bool]]) -> None:
        kappa = agreement(verdicts).kappa
        assert kappa is None or -1 <= kappa <= 1
        assert kappa == agreement([(b, a) for a, b in verdicts]).kappa

    def test_one_word_alone_says_nothing(self) -> None:
        assert agreement([]).kappa is None
        assert agreement([(True, True)] * 9).kappa is None
