"""What it has cost and what it may still cost. Unknown is never nothing."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augment_correction.errors import BudgetExhausted, ConfigError
from augment_correction.ledger import Ledger, Totals, price_of
from augment_correction.usage import CallTotals, Price, Usage
from tests.projects import MadeProject, prices

ROLES = ("small", "large")
BOTH = prices(1, 2, 10, 20)


def paid(role: str, requests: int, input_: int, output: int, **more: int | None) -> CallTotals:
    known = {"cached_input": None, "reasoning": None, "estimated": 0, "failures": 0, **more}
    return CallTotals(role, role, "stage", requests, input_, output, **known)  # type: ignore[arg-type]


def test_what_another_model_was_paid_stands_apart(project: MadeProject) -> None:
    other = CallTotals("small", "yesterdays", "stage", 5, 500, 50, None, None, 0, 0)
    ledger = Ledger.open(project.load(cost=BOTH), ROLES, [paid("small", 1, 10, 2), other])
    made = ledger.as_json("small")
    assert (made["requests"], made["input_tokens"]) == (1, 10)
    assert made["earlier_models"] == {"yesterdays": {"requests": 5, "input_tokens": 500, "output_tokens": 50}}


class TestPrices:
    def test_the_configs_own_come_first(self, project: MadeProject) -> None:
        config = project.load(api={"small_mode": "api", "small_model": "gpt-4o"}, cost=BOTH)
        assert price_of(config, "small") == Price(Decimal(1), Decimal(2))
        assert price_of(config, "large") == Price(Decimal(10), Decimal(20))  # although it runs here

    @pytest.mark.parametrize("mode", ["scripted", "embedded", "vllm", "hf"])
    def test_a_model_on_this_machine_costs_nothing(self, project: MadeProject, mode: str) -> None:
        price = price_of(project.load(api={"small_mode": mode}), "small")
        assert price is not None
        assert (price.input, price.output) == (0, 0)

    def test_known_hosted_models_have_the_tables_price_and_say_so(self, project: MadeProject) -> None:
        config = project.load(
            api={"small_mode": "api", "small_model": "gpt-4o-mini", "small_base_url": "https://api.openai.com/v1"}
        )
        price = price_of(config, "small")
        assert price is not None
        assert 0 < price.input < price.output
        assert price.cached_input is not None and price.cached_input < price.input
        assert price.source == "genai-prices, OpenAI"

    @pytest.mark.parametrize(
        ("model", "url"),
        [
            ("gpt-4o-mini", "http://127.0.0.1:8000/v1"),  # a namesake on a server of one's own
            ("a-model-of-tomorrow", "https://api.openai.com/v1"),
            ("m", "https://nobody.example/v1"),
        ],
    )
    def test_what_the_table_does_not_know_is_unknown(self, project: MadeProject, model: str, url: str) -> None:
        config = project.load(api={"small_mode": "api", "small_model": model, "small_base_url": url})
        assert price_of(config, "small") is None

    def test_half_a_price_is_a_mistake(self, project: MadeProject) -> None:
        config = project.load(cost={"cost_per_million_small_input": 1})
        with pytest.raises(ConfigError, match="small_output is missing") as raised:
            price_of(config, "small")
        assert raised.value.hint == "set both or neither"


@pytest.mark.parametrize(
    ("model", "url", "price", "source"),
    [
        ("gpt-5-nano", "https://api.openai.com/v1", "0.025", "batch"),
        ("llama-3.3-70b-versatile", "https://api.groq.com/openai/v1", "0.59", "full price"),
    ],
)
def test_of_a_batch_the_price_is_the_batch_price_where_it_is_known(
    project: MadeProject, model: str, url: str, price: str, source: str
) -> None:
    api = {"small_mode": "batch", "small_model": model, "small_base_url": url}
    found = price_of(project.load(api=api), "small")
    assert found is not None
    assert str(found.input.normalize()) == price
    assert source in found.source


def test_of_a_batch_a_price_in_the_config_counts_as_it_is_written(project: MadeProject) -> None:
    api = {"small_mode": "batch", "small_model": "gpt-5-nano", "small_base_url": "https://api.openai.com/v1"}
    cost = {"cost_per_million_small_input": 3, "cost_per_million_small_output": 5}
    found = price_of(project.load(api=api, cost=cost), "small")
    assert found is not None
    assert (found.input, found.output) == (3, 5)


class TestCosts:
    def test_cached_input_lies_inside_the_input(self) -> None:
        price = Price(Decimal(10), Decimal(20), Decimal(1))
        assert price.cost(Usage(100, 0, cached_input=80)) == Decimal(20 * 10 + 80 * 1) / 1_000_000

    def test_reasoning_lies_inside_the_output(self) -> None:
        price = Price(Decimal(10), Decimal(20))
        assert price.cost(Usage(0, 100, reasoning=90)) == price.cost(Usage(0, 100))

    @given(st.lists(st.builds(
        Usage, st.integers(0, 10**6), st.integers(0, 10**6),
        st.none() | st.just(0), st.none() | st.integers(0, 100), st.booleans(),
    ), max_size=8))  # fmt: skip
    def test_the_sum_of_calls_costs_what_the_calls_cost(self, usages: list[Usage]) -> None:
        price = Price(Decimal("0.15"), Decimal("0.6"), Decimal("0.07"))
        ledger = Ledger({"small": "m"}, {"small": price})
        for usage in usages:
            ledger.of("small").add(usage)
        assert ledger.cost() == sum((price.cost(usage) for usage in usages), Decimal(0))
        assert ledger.of("small").requests == len(usages)

    def test_what_no_call_told_stays_unknown_and_what_some_told_is_their_sum(self) -> None:
        totals = Totals()
        totals.add(Usage(1, 1))
        assert totals.cached_input is None
        totals.add(Usage(1, 1, cached_input=5, reasoning=0))
        totals.add(Usage(1, 1, cached_input=2))
        assert (totals.cached_input, totals.reasoning) == (7, 0)

    def test_one_unknown_price_makes_the_whole_unknown_but_only_once_it_is_used(self) -> None:
        ledger = Ledger({}, {"small": Price(Decimal(1), Decimal(1)), "large": None})
        ledger.of("small").add(Usage(10**6, 0))
        assert ledger.cost() == 1
        ledger.of("large").add(Usage(1, 1))
        assert ledger.cost() is None
        assert ledger.cost("small") == 1

    def test_it_goes_on_from_what_the_folder_has_paid_for(self, project: MadeProject) -> None:
        earlier = [paid("small", 2, 10**6, 0, cached_input=4, failures=3), paid("small", 1, 10**6, 0, estimated=1)]
        ledger = Ledger.open(project.load(cost=BOTH), ROLES, earlier)
        assert ledger.cost() == 2
        small = ledger.of("small")
        assert (small.requests, small.failures, small.cached_input, small.estimated) == (3, 3, 4, 1)
        assert ledger.cost_of_this_run() == 0
        small.add(Usage(10**6, 10**6))
        assert (ledger.cost_of_this_run(), ledger.cost()) == (3, 5)

    def test_what_an_unknown_price_was_paid_for_earlier_leaves_this_run_known(self) -> None:
        ledger = Ledger({}, {"small": Price(Decimal(1), Decimal(1)), "large": None}, before={"large": Usage(5, 5)})
        ledger.totals = {"large": Totals(1, 5, 5), "small": Totals(1, 10**6, 0)}
        assert (ledger.cost(), ledger.cost_of_this_run()) == (None, 1)
        ledger.of("large").add(Usage(1, 1))
        assert ledger.cost_of_this_run() is None

    def test_some_calls_cost_what_they_cost(self, project: MadeProject) -> None:
        ledger = Ledger.open(project.load(cost=BOTH), ROLES, [])
        rows = [paid("small", 1, 10**6, 0), paid("large", 1, 10**6, 0)]
        assert ledger.cost_of(rows) == 11
        assert ledger.cost_of([*rows, CallTotals("small", "yesterdays", "s", 1, 9, 9, None, None, 0, 0)]) == 11
        assert Ledger({"small": "small"}, {"small": None}).cost_of(rows[:1]) is None


class TestFiles:
    def test_augmentoolkits_keys_and_what_was_missing(self, project: MadeProject) -> None:
        ledger = Ledger.open(project.load(cost=BOTH), ROLES, [paid("large", 3, 1000, 500, reasoning=400, failures=2)])
        assert ledger.as_json("large") == {
            "input_tokens": 1000,
            "input_cost": 0.01,
            "output_tokens": 500,
            "output_cost": 0.01,
            "name": "large",
            "requests": 3,
            "retries": 2,
            "cached_input_tokens": None,
            "reasoning_tokens": 400,
            "estimated_requests": 0,
            "total_cost": 0.02,
            "price_source": "config",
        }

    def test_an_unknown_price_is_null(self) -> None:
        ledger = Ledger({"small": "m"}, {"small": None})
        ledger.of("small").add(Usage(1, 1))
        made = ledger.as_json("small")
        assert (made["input_cost"], made["output_cost"], made["total_cost"], made["price_source"]) == (None,) * 4


class TestTheCap:
    PRICE = Price(Decimal(0), Decimal(1_000_000))  # a dollar a token of output

    def ledger(self, cap: int) -> Ledger:
        return Ledger({"small": "m"}, {"small": self.PRICE}, Decimal(cap))

    def test_it_cannot_be_kept_where_a_price_is_unknown(self, project: MadeProject) -> None:
        api = {"small_mode": "api", "small_base_url": "http://127.0.0.1:1/v1"}
        with pytest.raises(ConfigError, match="no price is known for small") as raised:
            Ledger.open(project.load(api=api, cost={"max_usd": 1}), ROLES, [])
        assert raised.value.hint is not None and "cost_per_million_small_input" in raised.value.hint

    async def test_without_one_nothing_is_set_aside(self) -> None:
        ledger = Ledger({}, {"small": None})
        assert await ledger.reserve("small", 10**9, None) == 0

    async def test_the_reply_is_taken_to_be_as_long_as_it_may_be(self) -> None:
        assert await self.ledger(100).reserve("small", 5, 100) == 100
        with pytest.raises(BudgetExhausted):
            await self.ledger(99).reserve("small", 5, 100)

    @pytest.mark.parametrize(("calls", "amount"), [(7, 4096), (8, 20)])
    async def test_eight_calls_are_experience(self, calls: int, amount: int) -> None:
        ledger = self.ledger(10_000)
        for _ in range(calls):
            ledger.of("small").add(Usage(0, 10))
        assert await ledger.reserve("small", 5, None) == amount

    async def test_with_experience_twice_the_mean_is_enough(self) -> None:
        ledger = self.ledger(1000)
        for _ in range(8):
            ledger.of("small").add(Usage(0, 10))
        assert await ledger.reserve("small", 5, 16_000) == 20

    async def test_what_is_spent_counts_from_earlier_runs_too(self) -> None:
        ledger = self.ledger(100)
        ledger.of("small").add(Usage(0, 95))
        with pytest.raises(BudgetExhausted, match=r"95\.0000 spent, the next call may cost 10\.0000"):
            await ledger.reserve("small", 0, 10)

    async def test_calls_in_flight_are_waited_for_before_giving_up(self) -> None:
        ledger = self.ledger(100)
        first = await ledger.reserve("small", 0, 60)
        second = asyncio.create_task(ledger.reserve("small", 0, 60))
        await asyncio.sleep(0)
        assert not second.done()
        ledger.of("small").add(Usage(0, 10))  # it was shorter than feared
        ledger.release(first)
        assert await second == 60

    async def test_and_given_up_when_they_leave_too_little(self) -> None:
        ledger = self.ledger(100)
        first = await ledger.reserve("small", 0, 60)
        waiting = [asyncio.create_task(ledger.reserve("small", 0, 60)) for _ in range(3)]
        await asyncio.sleep(0)
        ledger.of("small").add(Usage(0, 60))
        ledger.release(first)
        made = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(each) for each in made] == [BudgetExhausted] * 3

    async def test_a_role_of_an_earlier_pipeline_without_a_price_does_not_break_it(self, project: MadeProject) -> None:
        config = project.load(
            cost={"cost_per_million_large_input": 0, "cost_per_million_large_output": 0, "max_usd": 1}
        )
        ledger = Ledger.open(config, ["large"], [paid("small", 3, 100, 100)])
        assert await ledger.reserve("large", 10, 10) == 0


async def test_what_an_earlier_run_has_asked_is_set_aside_whatever_the_cap_and_given_back() -> None:
    ledger = TestTheCap().ledger(100)
    amount = ledger.set_aside("small", 0, 70)
    assert (amount, ledger.set_aside("small", 0, 80)) == (70, 80)  # beyond the cap: it has been asked already
    ledger.release(Decimal(80))
    with pytest.raises(BudgetExhausted):
        ledger.of("small").add(Usage(0, 31))
        ledger.release(amount)
        await ledger.reserve("small", 0, 70)
    assert ledger.set_aside("nobody", 0, 70) == 0


def test_costs_in_the_files_have_eight_digits_and_add_up() -> None:
    ledger = Ledger({"small": "m"}, {"small": Price(Decimal("0.123456789"), Decimal("0.3"))})
    ledger.of("small").add(Usage(1, 2))
    made = ledger.as_json("small")
    assert (made["input_cost"], made["output_cost"], made["total_cost"]) == (1.2e-07, 6e-07, 7.2e-07)
    ledger.of("small").add(Usage(999_999, 0))
    assert ledger.as_json("small")["input_cost"] == 0.12345679
    unknown = Ledger({"large": "m"}, {"large": None})
    unknown.of("large").add(Usage(1, 2))
    assert {name: value for name, value in unknown.as_json("large").items() if name.endswith("_cost")} == dict.fromkeys(
        ("input_cost", "output_cost", "total_cost")
    )


def test_requests_whose_usage_was_estimated_are_counted() -> None:
    ledger = Ledger({"small": "m"}, {"small": None})
    for estimated in (True, False, True):
        ledger.of("small").add(Usage(1, 1, estimated=estimated))
    assert ledger.as_json("small")["estimated_requests"] == 2
