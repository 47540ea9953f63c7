"""The one layer that every call passes: journal, limits, retries, ledger."""

from __future__ import annotations

import asyncio
import gc
from decimal import Decimal

import pytest

from augment_correction.errors import (
    BudgetExhausted,
    ConfigError,
    ModelUnusable,
    RequestRefused,
    TransientError,
)
from augment_correction.llm import limiter, metered, outage
from augment_correction.llm.metered import Halted, MeteredModel, prompt_tokens
from augment_correction.llm.refusals import PartRefused
from augment_correction.records import Completion, Message, Request
from tests.llm.metering import FINE, Backend, Bench, question
from tests.projects import until


class TestTheJournal:
    async def test_a_reply_is_in_it_when_the_stage_gets_it(self, bench: Bench) -> None:
        await bench.model(Backend()).complete(question(), "judge")
        stored = bench.journal.read(question().key)
        assert stored is not None
        assert (stored.stage, stored.role, stored.completion.text) == ("judge", "small", "fine")

    async def test_what_is_in_it_is_not_asked(self, bench: Bench) -> None:
        await bench.model(Backend()).complete(question(), "judge")
        backend = Backend(RequestRefused("must not be asked"))
        again = await bench.model(backend).complete(question(), "judge")
        assert (again.text, again.cached) == ("fine", True)
        assert not backend.asked
        assert bench.ledger.of("small").requests == 1

    async def test_it_answers_where_even_a_halted_run_would_not_ask(self, bench: Bench) -> None:
        await bench.model(Backend()).complete(question(), "judge")
        bench.halt.because(ConfigError("stop"))
        assert (await bench.model(Backend()).complete(question(), "judge")).cached
        with pytest.raises(Halted):
            await bench.model(Backend()).complete(question("another"), "judge")

    async def test_a_reply_that_cannot_be_stored_is_not_handed_out_nor_counted(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def full(*_: object, **__: object) -> None:
            raise ConfigError("disk full")

        monkeypatch.setattr(bench.journal, "add", full)
        with pytest.raises(ConfigError, match="disk full"):
            await bench.model(Backend()).complete(question(), "judge")
        assert bench.ledger.of("small").requests == 0
        assert bench.limiter.in_flight == 0


class TestIdenticalRequests:
    async def test_in_flight_at_once_are_asked_once(self, bench: Bench) -> None:
        backend = Backend()
        backend.gate.clear()
        model = bench.model(backend, capacity=50)
        calls = [asyncio.create_task(model.complete(question(), "judge")) for _ in range(200)]
        await asyncio.sleep(0.01)
        backend.gate.set()
        assert {completion.text for completion in await asyncio.gather(*calls)} == {"fine"}
        assert len(backend.asked) == bench.ledger.of("small").requests == 1

    async def test_share_a_failure_and_the_next_one_asks_anew(self, bench: Bench) -> None:
        backend = Backend(RequestRefused("no"), FINE)
        backend.gate.clear()
        model = bench.model(backend)
        calls = [asyncio.create_task(model.complete(question(), "j")) for _ in range(3)]
        await asyncio.sleep(0.01)
        backend.gate.set()
        made = await asyncio.gather(*calls, return_exceptions=True)
        assert [type(each) for each in made] == [RequestRefused] * 3
        assert len(backend.asked) == 1
        assert (await model.complete(question(), "j")).text == "fine"

    async def test_one_that_gives_up_waiting_takes_nothing_from_the_others(self, bench: Bench) -> None:
        backend = Backend()
        backend.gate.clear()
        model = bench.model(backend)
        first, second, third = (asyncio.create_task(model.complete(question(), "j")) for _ in range(3))
        await asyncio.sleep(0.01)
        second.cancel()
        await asyncio.sleep(0)
        backend.gate.set()
        assert (await first).text == (await third).text == "fine"
        assert second.cancelled()

    async def test_another_draw_of_the_same_question_is_another_request(self, bench: Bench) -> None:
        backend = Backend()
        model = bench.model(backend)
        await asyncio.gather(model.complete(question(), "j"), model.complete(question(sample=1), "j"))
        assert len(backend.asked) == 2


class TestRetries:
    async def test_transient_errors_are_tried_again_and_counted(self, bench: Bench) -> None:
        backend = Backend(TransientError("500", status=500), TransientError("dropped"), FINE)
        assert (await bench.model(backend, retries=2).complete(question(), "j")).text == "fine"
        totals = bench.ledger.of("small")
        assert (totals.requests, totals.failures) == (1, 2)
        await bench.database.flush()
        (row,) = bench.journal.totals()
        assert (row.requests, row.failures) == (1, 2)

    async def test_one_more_than_allowed_is_too_many(self, bench: Bench) -> None:
        backend = Backend(TransientError("500", status=500))
        with pytest.raises(TransientError, match="500"):
            await bench.model(backend, retries=2).complete(question(), "j")
        assert len(backend.asked) == 3

    async def test_a_rate_limit_does_not_count_against_them(self, bench: Bench) -> None:
        limited = [TransientError("429", status=429)] * 20
        backend = Backend(*limited, TransientError("500", status=500), FINE)
        assert (await bench.model(backend, retries=1).complete(question(), "j")).text == "fine"

    async def test_a_rate_limit_that_never_ends_does(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(metered, "EXCUSED_AT_MOST", 5)
        backend = Backend(TransientError("429", status=429))
        with pytest.raises(TransientError):
            await bench.model(backend).complete(question(), "j")
        assert len(backend.asked) == 6

    @pytest.mark.parametrize("failure", [RequestRefused("400", status=400), ModelUnusable("401", status=401)])
    async def test_what_will_not_get_better_is_not_tried_again(self, bench: Bench, failure: Exception) -> None:
        backend = Backend(failure)
        with pytest.raises(type(failure)):
            await bench.model(backend).complete(question(), "j")
        assert len(backend.asked) == 1

    async def test_a_server_that_stays_away_is_unusable_for_all(self, bench: Bench) -> None:
        backend = Backend(TransientError("cannot be reached", unreachable=True))
        with pytest.raises(ModelUnusable, match="tiny: cannot be reached") as raised:
            await bench.model(backend, retries=2).complete(question(), "j")
        assert raised.value.hint is not None and "check that the server is running" in raised.value.hint
        assert len(backend.asked) == 3

    async def test_an_outage_pauses_everybody_and_uses_up_nobodys_retries(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(outage, "FIRST_PAUSE", 0.01)
        monkeypatch.setattr(outage, "LONGEST_PAUSE", 0.02)
        down = [TransientError("cannot be reached", unreachable=True)] * 12
        backend = Backend(FINE, *down, FINE)
        model = bench.model(backend, retries=1)
        await model.complete(question("first"), "j")
        answers = await asyncio.gather(*(model.complete(question(str(number)), "j") for number in range(5)))
        assert [answer.text for answer in answers] == ["fine"] * 5
        waiting, back = bench.limiter_notices
        assert waiting.startswith("waiting for the server: cannot be reached")
        assert back.startswith("the server answers again after")

    async def test_a_request_that_always_fails_is_no_outage(self, bench: Bench) -> None:
        backend = Backend(FINE, *[TransientError("500", status=500)] * 9)
        model = bench.model(backend, retries=5)
        await model.complete(question("first"), "j")
        with pytest.raises(TransientError):
            await model.complete(question("poison"), "j")
        assert len(backend.asked) == 7

    async def test_retry_after_holds_the_others_too(self, bench: Bench) -> None:
        backend = Backend(TransientError("503", status=503, retry_after=0.2), FINE)
        model = bench.model(backend)
        asked = asyncio.create_task(model.complete(question(), "j"))
        await until(lambda: bench.limiter.held_for)
        other = asyncio.create_task(model.complete(question("another"), "j"))
        await asyncio.sleep(0.05)
        assert len(backend.asked) == 1
        await asyncio.gather(asked, other)
        assert len(backend.asked) == 3

    async def test_a_wish_for_an_hour_is_not_granted(self, bench: Bench) -> None:
        backend = Backend(TransientError("503", status=503, retry_after=3600), FINE)
        task = asyncio.create_task(bench.model(backend).complete(question(), "j"))
        await until(lambda: bench.limiter.held_for)
        assert bench.limiter.held_for <= limiter.LONGEST_HOLD
        bench.halt.because(ConfigError("stop"))
        with pytest.raises(Halted):
            await task


class TestForbidden:
    async def test_after_an_answer_it_is_about_the_passage(self, bench: Bench) -> None:
        backend = Backend(FINE, ModelUnusable("403", status=403), FINE)
        model = bench.model(backend)
        await model.complete(question("one"), "j")
        with pytest.raises(RequestRefused):
            await model.complete(question("two"), "j")
        assert (await model.complete(question("three"), "j")).text == "fine"


class TestHalting:
    async def test_calls_in_flight_come_home_and_no_other_starts(self, bench: Bench) -> None:
        backend = Backend()
        backend.gate.clear()
        model = bench.model(backend, capacity=1)
        calls = [asyncio.create_task(model.complete(question(str(number)), "j")) for number in range(3)]
        await asyncio.sleep(0.01)
        bench.halt.because(ConfigError("stop"))
        backend.gate.set()
        first, *others = await asyncio.gather(*calls, return_exceptions=True)
        assert isinstance(first, Completion)
        assert [type(other) for other in others] == [Halted, Halted]
        assert len(backend.asked) == 1

    async def test_a_retry_does_not_start_either(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(metered, "_backoff", lambda _: 60)
        backend = Backend(TransientError("500"))
        task = asyncio.create_task(bench.model(backend).complete(question(), "j"))
        await until(lambda: backend.asked)
        await asyncio.sleep(0.01)
        bench.halt.because(ConfigError("stop"))
        with pytest.raises(Halted):
            await asyncio.wait_for(task, 5)
        assert len(backend.asked) == 1


class TestTheCap:
    async def test_a_call_that_could_pass_it_does_not_start(self, bench: Bench) -> None:
        bench.ledger.max_usd = Decimal("0.0001")
        backend = Backend()
        with pytest.raises(BudgetExhausted, match=r"stopped at the spending cap of 0\.0001 USD"):
            await bench.model(backend).complete(question(), "j")
        assert not backend.asked

    async def test_many_at_once_wait_for_each_other_instead_of_stopping_the_run(self, bench: Bench) -> None:
        # 3 + 100 tokens are set aside for each, 15 are used: one call at a time fits below the cap, ten do not.
        bench.ledger.max_usd = Decimal("0.0005")
        backend = Backend()
        model = bench.model(backend, capacity=10)
        made = await asyncio.gather(*(model.complete(question(f"{number:09}"), "j") for number in range(10)))
        assert len(made) == len(backend.asked) == 10
        assert bench.ledger.cost() == Decimal("0.0002")

    async def test_what_was_set_aside_for_a_failed_call_is_free_again(self, bench: Bench) -> None:
        bench.ledger.max_usd = Decimal("0.00025")
        backend = Backend(RequestRefused("no"), FINE)
        model = bench.model(backend)
        with pytest.raises(RequestRefused):
            await model.complete(question(), "j")
        assert (await model.complete(question(), "j")).text == "fine"

    async def test_and_free_once_not_twice(self, bench: Bench) -> None:
        """Money set free twice is money that the cap does not know of: here a call of 0.0004."""
        bench.ledger.max_usd = Decimal("0.00025")
        with pytest.raises(RequestRefused):
            await bench.model(Backend(RequestRefused("no"))).complete(question(), "j")
        with pytest.raises(BudgetExhausted):
            await bench.ledger.reserve("small", 0, 200)


class TestStructuredOutput:
    def request_of(self, model: MeteredModel, text: str = "?") -> Request:
        return model.request((Message("user", text),), {}, {"type": "object"}, "json")

    async def test_a_refused_schema_is_left_out_from_then_on(self, bench: Bench) -> None:
        backend = Backend(PartRefused("no response_format", "schema", status=400), FINE)
        model = bench.model(backend)
        early = self.request_of(model, "made before the refusal")
        await model.complete(self.request_of(model), "j")
        await model.complete(early, "j")
        await model.complete(self.request_of(model, "later"), "j")
        assert [request.structured for request in backend.asked] == [True, False, False, False]
        assert len(bench.notices) == 1
        totals = bench.ledger.of("small")
        assert totals.requests + totals.failures == len(backend.asked)

    async def test_always_means_always(self, bench: Bench) -> None:
        backend = Backend(PartRefused("no response_format", "schema", status=400))
        model = bench.model(backend, structured_output="always")
        with pytest.raises(ModelUnusable) as raised:
            await model.complete(self.request_of(model), "j")
        assert raised.value.hint == "set api.small_structured_output: auto"

    async def test_never_means_never(self, bench: Bench) -> None:
        model = bench.model(Backend(), structured_output="never")
        assert not self.request_of(model).structured

    async def test_only_json_is_enforced(self, bench: Bench) -> None:
        model = bench.model(Backend())
        assert self.request_of(model).structured
        assert not model.request((), {}, {"type": "object"}, "tags").structured

    async def test_whether_it_is_enforced_does_not_make_it_another_question(self, bench: Bench) -> None:
        enforced, plain = bench.model(Backend()), bench.model(Backend(), structured_output="never")
        assert self.request_of(enforced).key == self.request_of(plain).key


def test_a_prompt_is_taken_for_a_third_of_its_characters_in_tokens() -> None:
    assert prompt_tokens(Request((Message("system", "x" * 20), Message("user", "x" * 11)), "tiny", {})) == 10


def test_what_is_sent_with_every_request_is_part_of_the_question() -> None:
    plain = Request((Message("user", "q"),), "m")
    assert plain.key == Request((Message("user", "q"),), "m", extra={}).key
    assert plain.key != Request((Message("user", "q"),), "m", extra={"chat_template_kwargs": {"thinking": False}}).key


async def test_a_failure_that_only_one_call_waits_for_is_not_reported_as_unseen(bench: Bench) -> None:
    unseen: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unseen.append(context))
    with pytest.raises(RequestRefused):
        await bench.model(Backend(RequestRefused("no"))).complete(question(), "j")
    gc.collect()
    assert not unseen


async def test_a_refused_question_is_an_answer_of_the_server(bench: Bench) -> None:
    model = bench.model(Backend(RequestRefused("no")))
    bench.limiter._outcomes.append(True)
    with pytest.raises(RequestRefused):
        await model.complete(question(), "j")
    assert list(bench.limiter._outcomes) == [True, False]


@pytest.mark.parametrize(
    ("status", "named", "waited"), [(429, None, 0.0), (429, 3.0, 0.0), (503, 3.0, 0.0), (503, None, 7.0)]
)
def test_what_the_limiter_has_held_back_waits_no_second_time(
    bench: Bench, status: int, named: float | None, waited: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metered, "_backoff", lambda _: 7.0)
    failure = TransientError("busy", status=status, retry_after=named)
    assert bench.model(Backend())._wait(failure, 1) == waited


def test_tries_that_failed_together_come_back_at_different_times_within_a_bound_that_doubles() -> None:
    for tries, bound in ((1, 0.5), (2, 1.0), (5, 8.0), (7, 30.0), (2000, 30.0)):
        pauses = [metered._backoff(tries) for _ in range(200)]
        assert 0 <= min(pauses) < bound / 4 and bound / 2 < max(pauses) <= bound
