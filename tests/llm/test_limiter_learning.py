"""When the capacity falls and when it grows again, step by step against a clock that stands still."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from augment_correction.errors import TransientError
from augment_correction.llm import limiter as limiting
from augment_correction.llm.limiter import Limiter, SharedLimiter


class Clock:
    def __init__(self) -> None:
        self.now = 1024.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(limiting, "time", SimpleNamespace(monotonic=lambda: made.now))
    return made


def made(maximum: int = 64, *, refused: int = 0, of: int = 0, in_flight: int = 40) -> Limiter:
    """A limiter that has seen so many calls, the refused ones last."""
    limiter = Limiter(maximum)
    limiter.in_flight = in_flight
    limiter._outcomes.extend([False] * (of - refused) + [True] * refused)
    return limiter


def refuse(limiter: Limiter, times: int = 1) -> None:
    """What a refused call does before it waits."""
    for _ in range(times):
        limiter._outcomes.append(True)
        limiter._learn(1.0)
        limiter._idle += 1


class TestBursts:
    def test_sixteen_refusals_are_one_and_each_further_one_says_how_few_are_worked_on(self, clock: Clock) -> None:
        limiter = made(in_flight=64)
        refuse(limiter, 15)
        assert (limiter.capacity, limiter._bursting) == (64, False)
        for capacity in (48, 47, 46):
            refuse(limiter)
            assert limiter.capacity == limiter._ceiling == capacity
        assert limiter._probe_every == 0.5

    @pytest.mark.parametrize(("refused", "bursts"), [(6, False), (7, True)])
    def test_more_than_three_in_ten_are_one(self, clock: Clock, refused: int, bursts: bool) -> None:
        limiter = made(refused=refused, of=20)
        limiter._learn(1.0)
        assert limiter._bursting is bursts
        assert limiter.capacity == (39 if bursts else 64)

    def test_an_answer_ends_it_and_what_was_learned_with_it(self, clock: Clock) -> None:
        limiter = made(in_flight=64)
        refuse(limiter, 16)
        limiter.answered()
        assert list(limiter._outcomes) == [False] and not limiter._bursting
        refuse(limiter, 3)
        assert limiter.capacity == 48

    @pytest.mark.parametrize(("idle", "held"), [(38, 0.0), (39, 1.0), (40, 1.0)])
    def test_only_where_nothing_is_worked_on_nobody_starts(self, clock: Clock, idle: int, held: float) -> None:
        limiter = made()
        limiter._idle = idle
        limiter._learn(1.0)
        assert limiter.held_for == held

    @pytest.mark.parametrize(("maximum", "floor"), [(4, 1), (8, 1), (32, 2), (64, 4)])
    def test_it_ends_at_a_sixteenth(self, clock: Clock, maximum: int, floor: int) -> None:
        limiter = made(maximum, in_flight=1)
        refuse(limiter, 20)
        assert limiter.capacity == floor


class TestFalling:
    @pytest.mark.parametrize(("refused", "of", "capacity"), [(10, 63, 64), (10, 64, 57), (15, 100, 64), (16, 100, 57)])
    def test_by_a_tenth_where_more_than_fifteen_in_a_hundred_are_refused(
        self, clock: Clock, refused: int, of: int, capacity: int
    ) -> None:
        limiter = made(refused=refused, of=of)
        limiter._answered_since_growth = 3
        limiter._learn(1.0)
        assert limiter.capacity == capacity
        if capacity < 64:
            assert (len(limiter._outcomes), limiter._answered_since_growth, limiter._grown_at) == (0, 0, clock.now)
        else:
            assert (len(limiter._outcomes), limiter._answered_since_growth) == (of, 3)

    @pytest.mark.parametrize(("every", "then"), [(0.5, 1.0), (2.0, 4.0), (4.0, 5.0)])
    def test_a_probe_too_many_is_taken_back_and_the_next_comes_later(
        self, clock: Clock, every: float, then: float
    ) -> None:
        limiter = made()
        limiter.capacity, limiter._ceiling, limiter._probe_every = 12, 10, every
        limiter._learn(1.0)
        assert (limiter.capacity, limiter._ceiling, limiter._probe_every) == (10, 10, then)

    @pytest.mark.parametrize(("after", "capacity", "every"), [(0.5, 10, 1.0), (0.501, 9, 2.0)])
    def test_below_what_was_found_once_in_the_time_of_two_calls(
        self, clock: Clock, after: float, capacity: int, every: float
    ) -> None:
        limiter = made()
        limiter.capacity = limiter._ceiling = 10
        limiter._probe_every, limiter._shrunk_at = 1.0, clock.now
        clock.now += after
        limiter._learn(1.0)
        assert (limiter.capacity, limiter._ceiling, limiter._probe_every) == (capacity, capacity, every)

    def test_probes_are_never_rarer_than_each_five_seconds(self, clock: Clock) -> None:
        limiter = made()
        assert limiter._probe_every == 5.0
        limiter.capacity = limiter._ceiling = 10
        limiter._learn(1.0)
        assert limiter.capacity == 9 and limiter._probe_every == 5.0


class TestGrowing:
    def test_what_it_has_seen_are_twice_as_many_calls_as_may_be_in_flight(self) -> None:
        assert [Limiter(maximum)._outcomes.maxlen for maximum in (4, 16, 17, 64)] == [32, 32, 34, 128]
        assert Limiter(4)._share() == 0.0

    @pytest.mark.parametrize(("refused", "of", "grows"), [(3, 40, False), (2, 40, True), (0, 0, True)])
    def test_below_what_was_found_while_few_are_refused(self, clock: Clock, refused: int, of: int, grows: bool) -> None:
        limiter = made(refused=refused, of=of)
        limiter.capacity, limiter._answered_since_growth = 10, 10
        limiter._grow()
        assert limiter.capacity == 10 + grows
        assert limiter._answered_since_growth == (0 if grows else 10)
        assert limiter._ceiling == 64 and limiter._probe_every == 5.0

    @pytest.mark.parametrize(("after", "every", "capacity", "then"), [
        (2.0, 2.0, 10, 2.0), (2.001, 2.0, 11, 1.0), (9.0, 0.75, 11, 0.5),
    ])  # fmt: skip
    def test_at_what_was_found_by_a_probe_now_and_then(
        self, clock: Clock, after: float, every: float, capacity: int, then: float
    ) -> None:
        limiter = made(refused=40, of=40)
        limiter.capacity = limiter._ceiling = 10
        limiter._grown_at, limiter._probe_every = clock.now - after, every
        limiter._grow()
        assert (limiter.capacity, limiter._ceiling, limiter._probe_every) == (capacity, 10, then)
        assert limiter._grown_at == (clock.now if capacity == 11 else clock.now - after)

    def test_a_probe_that_is_answered_raises_what_is_taken_for_found(self, clock: Clock) -> None:
        limiter = made()
        limiter.capacity, limiter._ceiling = 11, 10
        limiter._grow()
        assert (limiter.capacity, limiter._ceiling) == (12, 11)

    def test_never_above_its_most(self, clock: Clock) -> None:
        limiter = made(4)
        for _ in range(20):
            limiter.answered()
        assert limiter.capacity == 4

    async def test_the_slot_more_is_given_to_who_waits(self) -> None:
        limiter = Limiter(4)
        limiter.capacity = limiter.in_flight = 1
        waiting = asyncio.create_task(limiter._enter())
        await asyncio.sleep(0)
        limiter._grow()
        await asyncio.wait_for(waiting, 1)
        assert limiter.in_flight == 2


def test_how_long_a_call_takes_is_learned_slowly() -> None:
    limiter = Limiter(4)
    limiter.answered()
    assert (limiter._typical(9.0), limiter._typical(0.1)) == (0.25, 0.1)
    limiter.answered(2.0)
    assert limiter._typical(9.0) == 2.0
    limiter.answered()
    limiter.answered(4.0)
    assert limiter._typical(9.0) == pytest.approx(2.2)


async def test_a_refused_call_counts_as_idle_only_while_it_keeps_its_slot(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, int, float]] = []

    async def sleep(_: asyncio.Event, seconds: float) -> None:
        seen.append((limiter.in_flight, limiter._idle, seconds))

    monkeypatch.setattr(limiting, "sleep_unless", sleep)
    limiter = Limiter(4)
    limiter.in_flight = 3
    await limiter.refused(TransientError("429", status=429))
    assert seen == [(3, 1, 0.25), (2, 0, 0.75)]
    assert (limiter.in_flight, limiter._idle, list(limiter._outcomes)) == (3, 0, [True])


@pytest.mark.parametrize(("seconds", "said"), [(30.0, 0), (30.5, 1)])
async def test_only_a_long_pause_is_said(seconds: float, said: int) -> None:
    stopped, notices = asyncio.Event(), list[str]()
    stopped.set()
    await Limiter(4, stopped, notice=notices.append).refused(TransientError("429", status=429, retry_after=seconds))
    assert len(notices) == said


def test_an_outage_holds_everybody_and_the_calls_own_error_nobody() -> None:
    limiter = Limiter(4)
    limiter.answered()
    assert [limiter.failed(TransientError("500", status=500)) for _ in range(8)] == [False] * 7 + [True]
    assert 0.5 < limiter.held_for <= 1.0


async def test_one_call_alone_asks_whether_the_server_is_back() -> None:
    limiter = Limiter(4)
    limiter.outage.since = 1.0
    await limiter._may_start(0)
    assert limiter.outage.probing
    second = asyncio.create_task(limiter._may_start(0))
    await asyncio.sleep(0.01)
    assert not second.done()
    limiter.outage.answered()
    await asyncio.wait_for(second, 1)
    assert not limiter.outage.probing


@pytest.mark.parametrize("what", ["requests", "tokens"])
def test_a_limit_without_a_time_is_waited_out_for_a_second(clock: Clock, what: str) -> None:
    limiter = Limiter(4)
    limiter.note_limits({f"x-ratelimit-remaining-{what}": "0"})
    assert limiter.held_for == 1.0


async def test_a_call_costs_the_tokens_that_it_is_said_to_and_none_else() -> None:
    for shared in (False, True):
        server = Limiter(4)
        limiter = SharedLimiter(2, server, tpm=60_000) if shared else Limiter(2, tpm=60_000)
        pace = limiter._own.pace if isinstance(limiter, SharedLimiter) else limiter.pace
        async with limiter.slot():
            assert pace._free_at[1] == pace._free_at[0]
        async with limiter.slot(500):
            assert pace._free_at[1] - pace._free_at[0] == pytest.approx(0.5, abs=0.1)


async def test_a_role_that_is_refused_leaves_its_own_slot_at_once() -> None:
    server = Limiter(4)
    role = SharedLimiter(1, server)
    async with role.slot():
        waiting = asyncio.create_task(role.refused(TransientError("429", status=429, retry_after=0.05)))
        await asyncio.sleep(0)
        assert (role._own.in_flight, server.in_flight, role.maximum) == (0, 1, 1)
        await waiting
        assert (role._own.in_flight, server.in_flight) == (1, 1)
    assert (role._own.in_flight, server.in_flight) == (0, 0)
