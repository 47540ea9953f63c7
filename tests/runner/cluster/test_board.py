from __future__ import annotations

import pickle
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from augment_correction.errors import BudgetExhausted, MissingExtra, ModelUnusable, installing
from augment_correction.ledger import Ledger
from augment_correction.runner.cluster.allowance import leased
from augment_correction.runner.cluster.board import Board, packed
from augment_correction.usage import Price, Usage


class TestBoard:
    def test_a_restarted_actor_has_its_old_share(self) -> None:
        board = Board(actors=2, budget=None)
        assert [board.join(name) for name in ("a", "b", "a", "c")] == [0, 1, 0, 0]

    def test_whoever_began_a_batch_before_is_named(self) -> None:
        board = Board(actors=2, budget=None)
        assert board.begin(7, "a-1") == []
        assert board.begin(8, "b-1") == []
        assert board.begin(7, "a-2") == ["a-1"]
        assert board.begin(7, "b-1") == ["a-1", "a-2"]

    def test_the_first_cause_stays_and_reaches_everybody(self) -> None:
        board = Board(actors=2, budget=None)
        assert not board.beat("a", {})
        board.halt(packed(ModelUnusable("first", hint="do this")))
        board.halt(packed(ModelUnusable("second")))
        assert board.beat("a", {})
        look = board.look()
        assert look.cause is not None
        cause = pickle.loads(look.cause)
        assert (type(cause), cause.message, cause.hint) == (ModelUnusable, "first", "do this")

    def test_what_all_actors_say_is_said_once(self) -> None:
        board = Board(actors=2, budget=None)
        board.say("takes no schema")
        assert board.look().notices == ["takes no schema"]
        board.say("takes no schema")
        board.say("other")
        assert board.look().notices == ["other"]

    def test_passages_under_way_are_summed(self) -> None:
        board = Board(actors=2, budget=None)
        board.beat("a", {"judge": 2, "ask": 1})
        board.beat("b", {"judge": 3})
        board.beat("a", {"judge": 1})
        assert board.look().in_flight == {"judge": 4}

    def test_a_cause_that_cannot_be_pickled_keeps_its_words(self) -> None:
        cause = pickle.loads(packed(MissingExtra("this", "ray")))
        assert "this needs an optional dependency" in cause.message
        assert cause.hint == installing("ray")


@given(st.integers(1, 20), st.decimals("0.01", "100", places=2), st.lists(st.decimals("0.001", "3", places=3)))
def test_leases_never_pass_the_budget(actors: int, budget: Decimal, amounts: list[Decimal]) -> None:
    board = Board(actors, budget)
    granted = [board.lease(amount) for amount in amounts]
    assert sum(granted) <= budget
    assert all(given in (Decimal(0),) or given >= amount for given, amount in zip(granted, amounts, strict=True))


class TestLeasedLedger:
    """A call costs one USD here: a million tokens in, none out."""

    def ledger(self, board: Board) -> Ledger:
        async def lease(amount: Decimal) -> Decimal:
            return board.lease(amount)

        paid_before = Ledger({"small": "m"}, {"small": Price(Decimal(1), Decimal(0))}, Decimal(100))
        paid_before.of("small").add(Usage(10_000_000, 0))
        return leased(paid_before, lease)

    async def call(self, ledger: Ledger) -> None:
        reserved = await ledger.reserve("small", 1_000_000, 1)
        ledger.of("small").add(Usage(1_000_000, 0))
        ledger.release(reserved)

    async def test_two_actors_spend_one_budget(self) -> None:
        board = Board(actors=2, budget=Decimal(20))
        ledgers = [self.ledger(board), self.ledger(board)]
        calls = [0, 0]
        for each in (0, 1, 0, 0):
            for _ in range(10):
                try:
                    await self.call(ledgers[each])
                    calls[each] += 1
                except BudgetExhausted:
                    break
        assert 17 <= sum(calls) <= 20

    async def test_without_a_cap_it_is_the_ledger_itself(self) -> None:
        async def lease(amount: Decimal) -> Decimal:
            raise AssertionError

        ledger = Ledger({"small": "m"}, {"small": None})
        assert leased(ledger, lease) is ledger
        assert await ledger.reserve("small", 10**9, None) == 0
