"""Arms with as many rows and as many trained tokens."""

from __future__ import annotations

import random

import pytest

from augment_correction.errors import InputError
from augment_correction.experiment.matching import WITHIN, matched
from augment_correction.experiment.operations import Example
from augment_correction.records import Conversation


def examples(name: str, sizes: list[int]) -> list[Example]:
    return [Example(Conversation(f"{name}{at}", "plain", (), False), name, at, size) for at, size in enumerate(sizes)]


@pytest.mark.parametrize("rows", [6, 30, 150])
def test_tokens_agree_within_a_hundredth_and_rows_exactly(rows: int) -> None:
    for draw in range(5):
        rng = random.Random(draw)
        arms = {
            name: examples(name, [max(3, round(rng.gauss(mean, 6))) for _ in range(rows + extra)])
            for name, mean, extra in (("targeted", 24, 0), ("random", 21, rows // 2))
        }
        made = matched(arms, draw)
        sums = [sum(each.tokens for each in chosen) for chosen in made.values()]
        assert len({len(chosen) for chosen in made.values()}) == 1
        assert max(sums) - min(sums) <= WITHIN * min(sums)
        assert len(made["targeted"]) >= (0.9 * rows if rows > 6 else 2)
        assert all(
            [arms[name].index(each) for each in chosen] == sorted(arms[name].index(each) for each in chosen)
            for name, chosen in made.items()
        )
        assert made == matched(arms, draw)


def test_an_empty_arm_and_one_that_cannot_be_matched_are_told() -> None:
    with pytest.raises(InputError, match="no generated example remains for the arm random"):
        matched({"targeted": examples("t", [5]), "random": []}, 1)
    with pytest.raises(InputError, match="targeted has 2 rows, random has 1 rows"):
        matched({"targeted": examples("t", [10, 12]), "random": examples("r", [50])}, 1)
