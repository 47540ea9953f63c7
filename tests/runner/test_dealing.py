"""Words dealt to the passages of a file: shares that are kept, and what they hang on."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augment_correction.runner.dealing import SPAN, Dealer, Dealing

KINDS = {"correct": 5, "stand_by": 3, "user_wrong": 2, "partial": 2, "noticed": 2}
PUSHBACK = {"neutral": 4, "terse": 2, "emotional": 1, "correcting": 2, "wrong_hint": 1}
WEIGHTS = st.dictionaries(st.text(min_size=1, max_size=3), st.floats(0, 9), min_size=1, max_size=9).filter(
    lambda weights: max(weights.values()) > 0.01
)


def dealt(weights: Mapping[str, float], seed: object, count: int) -> list[str]:
    words = Dealing(weights, str(seed))
    return [words[number] for number in range(count)]


def off(weights: Mapping[str, float], words: list[str]) -> float:
    """How far the worst word is from what its weight says."""
    counts, total = Counter(words), sum(weights.values())
    return max(abs(counts[word] - len(words) * weight / total) for word, weight in weights.items())


class TestShares:
    @settings(max_examples=150)
    @given(WEIGHTS, st.integers())
    def test_any_20_passages_in_a_row_are_within_one_of_their_weights(
        self, weights: dict[str, float], seed: int
    ) -> None:
        words = dealt(weights, seed, 130)
        assert max(off(weights, words[at : at + SPAN]) for at in range(len(words) - SPAN + 1)) <= 1 + 1e-6
        assert not any(weights[word] == 0 for word in words)

    @settings(max_examples=30)
    @given(WEIGHTS, st.integers())
    def test_a_long_file_is_no_further_off_than_a_short_one(self, weights: dict[str, float], seed: int) -> None:
        """A thousand passages in blocks of 20, each within one: 50 if they added up. The worst that was found is 2.52, of seven words."""
        assert off(weights, dealt(weights, seed, 1000)) < 3

    def test_a_file_of_14_passages_has_every_kind(self) -> None:
        worst = [off(KINDS, dealt(KINDS, seed, 14)) for seed in range(300)]
        assert statistics.mean(each <= 1 for each in worst) > 0.85
        assert max(worst) <= 2
        assert all(len({*dealt(KINDS, seed, 14)}) >= 4 for seed in range(300))

    @pytest.mark.parametrize("number", [0, 3, 19])
    def test_every_place_of_short_files_gets_a_word_as_often_as_its_weight_says(self, number: int) -> None:
        counts = Counter(Dealing(KINDS, str(seed))[number] for seed in range(4000))
        for word, weight in KINDS.items():
            share = weight / 14
            assert abs(counts[word] / 4000 - share) < 4 * math.sqrt(share * (1 - share) / 4000)

    @given(st.integers())
    def test_a_grown_share_moves_only_to_the_word_that_grew(self, seed: int) -> None:
        pairs = zip(dealt({"a": 2, "b": 1}, seed, SPAN), dealt({"a": 1, "b": 2}, seed, SPAN), strict=True)
        assert {pair for pair in pairs if pair[0] != pair[1]} == {("a", "b")}


class TestTwoFields:
    @pytest.mark.parametrize("count", [20, 60, 400])
    def test_they_do_not_go_hand_in_hand_in_one_file(self, count: int) -> None:
        """Chi-square of the pairs against independence; 16 degrees of freedom have a mean of 16."""
        found = []
        for seed in range(20):
            dealer = Dealer(seed, {"kind": KINDS, "pushback": PUSHBACK})
            pairs = Counter(tuple(dealer.words("a.md", number).values()) for number in range(count))
            expected = {(one, two): count * KINDS[one] * PUSHBACK[two] / 140 for one in KINDS for two in PUSHBACK}
            found.append(sum((pairs[pair] - each) ** 2 / each for pair, each in expected.items()))
        assert statistics.mean(found) < 22


class TestWhatItHangsOn:
    def test_seed_field_and_file_and_nothing_else(self) -> None:
        draws = {"kind": KINDS, "manner": KINDS}
        one = [Dealer(1, draws).words("a.md", number) for number in range(40)]
        backwards = Dealer(1, {"kind": KINDS})
        for number in reversed(range(40)):
            backwards.words(f"other {number}", 3)
            assert backwards.words("a.md", number) == {"kind": one[number]["kind"]}
        assert one != [Dealer(2, draws).words("a.md", number) for number in range(40)]
        assert one != [Dealer(1, draws).words("b.md", number) for number in range(40)]
        assert any(each["kind"] != each["manner"] for each in one)

    def test_files_that_were_put_away_are_dealt_the_same_again(self) -> None:
        dealer = Dealer(1, {"kind": KINDS})
        before = [dealer.words("0", number) for number in range(30)]
        for file in range(1, 100):
            dealer.words(str(file), 25)
        assert [dealer.words("0", number) for number in range(30)] == before
