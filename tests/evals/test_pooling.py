"""Differences of arms over seeds and documents: how often they are wrong, and what they cannot know."""

from __future__ import annotations

import random

import pytest

from augment_correction.evals.pooling import detectable, pooled, student


@pytest.mark.parametrize(
    ("probability", "freedom", "quantile"),
    [(0.975, 4, 2.776), (0.95, 2, 2.920), (0.99, 10, 2.764), (0.95, 1e4, 1.645), (0.5, 3, 0.0), (0.05, 2, -2.920)],
)
def test_students_quantiles_are_those_of_the_tables(probability: float, freedom: float, quantile: float) -> None:
    assert student(probability, freedom) == pytest.approx(quantile, abs=2e-3)


def arms(
    draw: int, seeds: int, groups: int, effect: float = 0.0
) -> tuple[list[dict[str, float]], list[dict[str, float]], dict[str, str]]:
    rng = random.Random(draw)
    held = {f"{group}-{item}": f"g{group}" for group in range(groups) for item in range(2)}
    own = {item: rng.gauss(0, 1) for item in held}
    shared = {group: rng.gauss(0, 0.2) for group in held.values()}

    def trained(gain: float) -> dict[str, float]:
        luck = rng.gauss(gain, 0.2)
        return {item: own[item] + luck + rng.gauss(0, 0.4) + gain * shared[group] for item, group in held.items()}

    return [trained(effect) for _ in range(seeds)], [trained(0) for _ in range(seeds)], held


@pytest.mark.parametrize(("seeds", "groups"), [(3, 8), (2, 20), (5, 30)])
def test_arms_without_a_difference_are_rarely_told_apart(seeds: int, groups: int) -> None:
    wrong = 0
    for draw in range(200):
        one, other, held = arms(draw, seeds, groups)
        found = pooled(one, other, held, 0.05, 1, times=150)
        assert found is not None and found.low is not None
        wrong += found.low > 0
    assert wrong <= 200 * 0.05 + 2 * (200 * 0.05 * 0.95) ** 0.5


def test_a_real_difference_is_found_and_its_interval_holds_it() -> None:
    one, other, held = arms(3, 4, 30, effect=1.0)
    found = pooled(one, other, held, 0.05, 1)
    assert found is not None and found.low is not None and found.high is not None
    assert 0 < found.low < 1.0 < found.high
    assert (found.seeds, found.groups) == (4, 30)


def test_what_is_not_measured_in_every_model_is_left_out_everywhere() -> None:
    held = {"a": "x", "b": "y", "c": "z"}
    found = pooled([{"a": 1.0, "b": 1.0}], [{"a": 0.0, "b": 1.0, "c": 5.0}], held, 0.05, 1)
    assert found is not None and found.value == 0.5 and found.groups == 2
    assert pooled([{"a": 1.0}], [{"b": 0.0}], held, 0.05, 1) is None
    single = pooled([{"a": 1.0}], [{"a": 0.0}], held, 0.05, 1)
    assert single is not None and single.low is single.high is None


def test_more_questions_and_seeds_show_a_smaller_effect() -> None:
    few, many = detectable(40, 20, 3, 0.05, 0.45, 0.02), detectable(1000, 500, 3, 0.05, 0.45, 0.02)
    assert many < few / 2
    assert detectable(1000, 500, 3, 0.05, 0.45, 0.05) > detectable(1000, 500, 10, 0.05, 0.45, 0.05)
    assert 0.02 < detectable(1000, 1000, 5, 0.05, 0.45, 0.0) < 0.04, "three points take about a thousand questions"
    assert detectable(0, 0, 3, 0.05, 0.45, 0.02) == float("inf")
