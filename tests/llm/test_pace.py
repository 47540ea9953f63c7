from __future__ import annotations

import pytest

from augment_correction.llm.pace import Pace, seconds_of


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("6m0s", 360), ("1.5s", 1.5), ("20ms", 0.02), ("1h2m3s", 3723), ("7", 7), ("", 1), ("soon", 1)],
)
def test_durations_as_servers_spell_them(text: str, seconds: float) -> None:
    assert seconds_of(text) == pytest.approx(seconds)


def test_without_caps_nothing_waits() -> None:
    pace = Pace()
    for _ in range(1000):
        pace.started(10_000)
    assert pace.delay() == 0


def test_requests_per_minute_are_a_steady_pace_with_a_second_at_once() -> None:
    pace = Pace(rpm=600)
    for _ in range(10):
        assert pace.delay() == 0
        pace.started(0)
    pace.started(0)
    assert 0.05 < pace.delay() <= 0.1


def test_tokens_count_by_their_number() -> None:
    pace = Pace(tpm=60_000)
    pace.started(3000)
    assert 1.9 < pace.delay() <= 2.0


def test_a_cap_that_is_not_set_costs_nothing() -> None:
    by_requests, by_tokens = Pace(rpm=600), Pace(tpm=60_000)
    by_requests.started(10_000)
    for _ in range(100):
        by_tokens.started(0)
    assert by_requests.delay() == by_tokens.delay() == 0
