"""What a server does not take is asked otherwise, once it has said so, and the question stays the same."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from augment_correction.errors import RequestRefused, TransientError
from augment_correction.llm import adapting, outage
from augment_correction.llm.metered import MeteredModel
from augment_correction.llm.refusals import PartRefused, Within
from augment_correction.records import Completion, Message, Request
from augment_correction.usage import Usage
from tests.llm.metering import FINE, Backend, Bench, Breaking, Taking, question


class TestWhatAServerDoesNotTake:
    async def test_a_parameter_is_left_out_from_then_on_and_that_is_said_once(self, bench: Bench) -> None:
        backend = Backend(PartRefused("temperature: unsupported value", "temperature", status=400), FINE)
        model = bench.model(backend)
        warm = Request((Message("user", "?"),), "tiny", {"temperature": 0.0, "max_tokens": 9})
        await model.complete(warm, "j")
        assert [request.sampling for request in backend.asked] == [
            {"temperature": 0.0, "max_tokens": 9}, {"max_tokens": 9},
        ]  # fmt: skip
        await model.complete(Request((Message("user", "!"),), "tiny", {"temperature": 0.0}), "j")
        assert backend.asked[-1].sampling == {}
        assert len(bench.notices) == 1
        assert bench.journal.find(warm.key) is not None, "found again under what was meant to be asked"

    async def ask(self, bench: Bench, taken: Callable[[Request], str | None], sampling: dict[str, Any]) -> Taking:
        """Two questions to a server that refuses in these words what it does not take."""
        backend = Taking(taken)
        model = bench.model(backend, reasoning_tokens=0)
        for text in ("one", "another"):
            asked = Request((Message("system", "Brief."), Message("user", text)), "tiny", sampling)
            await model.complete(asked, "j")
            assert bench.journal.find(asked.key) is not None, "found again under what was meant to be asked"
        assert len(bench.notices) == 1
        assert len(backend.asked) == 3, "refused once, and remembered"
        return backend

    async def test_a_value_out_of_range_becomes_the_nearest(self, bench: Bench) -> None:
        def taken(request: Request) -> str | None:
            return None if request.sampling["temperature"] > 0 else "temperature must be in (0, 1]"

        backend = await self.ask(bench, taken, {"temperature": 0.0})
        assert [request.sampling["temperature"] for request in backend.asked] == [0.0, 0.01, 0.01]

    async def test_the_limit_under_the_name_that_is_wanted(self, bench: Bench) -> None:
        def taken(request: Request) -> str | None:
            return (
                "Unsupported 'max_tokens'. Use 'max_completion_tokens' instead"
                if "max_tokens" in request.sampling
                else None
            )

        backend = await self.ask(bench, taken, {"max_tokens": 50})
        assert backend.asked[-1].sampling == {"max_completion_tokens": 50}

    async def test_a_limit_above_the_servers_own(self, bench: Bench) -> None:
        def taken(request: Request) -> str | None:
            asked = request.sampling["max_tokens"]
            return None if asked <= 8192 else f"max_tokens: {asked} > 8192, which is the maximum allowed"

        backend = await self.ask(bench, taken, {"max_tokens": 64_000})
        assert backend.asked[-1].sampling == {"max_tokens": 8192}

    async def test_two_that_are_not_taken_together(self, bench: Bench) -> None:
        def taken(request: Request) -> str | None:
            both = {"temperature", "top_p"} <= set(request.sampling)
            return "`temperature` and `top_p` cannot both be specified" if both else None

        backend = await self.ask(bench, taken, {"temperature": 0.5, "top_p": 0.9})
        assert backend.asked[-1].sampling == {"temperature": 0.5}

    async def test_the_system_message_opens_the_users(self, bench: Bench) -> None:
        def taken(request: Request) -> str | None:
            return "System role not supported" if request.messages[0].role == "system" else None

        backend = await self.ask(bench, taken, {})
        assert backend.asked[-1].messages == (Message("user", "Brief.\n\nanother"),)

    async def test_a_context_that_prompt_and_reply_share(self, bench: Bench) -> None:
        def taken(request: Request) -> str | None:
            read = sum(len(message.content) for message in request.messages)
            asked = request.sampling["max_tokens"]
            if read + asked <= 1000:
                return None
            return (f"maximum context length is 1000 tokens. However, you requested {read + asked} tokens ({read} in the "
                    f"messages, {asked} in the completion)")  # fmt: skip

        backend = await self.ask(bench, taken, {"max_tokens": 990})
        assert 900 < backend.asked[-1].sampling["max_tokens"] < 990

    async def test_what_helps_nothing_is_a_refusal_and_no_endless_loop(self, bench: Bench) -> None:
        backend = Backend(
            PartRefused("temperature must be in (0, 1]", "temperature", instead=Within(0, 1, open_low=True))
        )
        asked = Request((Message("user", "u"),), "tiny", {"temperature": 0.0})
        with pytest.raises(RequestRefused):
            await bench.model(backend).complete(asked, "j")
        assert [request.sampling for request in backend.asked] == [{"temperature": 0.0}, {"temperature": 0.01}, {}]

    async def test_many_calls_refused_at_once_learn_it_once(self, bench: Bench) -> None:
        backend = Taking(lambda request: "temperature is deprecated" if "temperature" in request.sampling else None)
        backend.gate.clear()
        model = bench.model(backend, capacity=20)
        asked = [Request((Message("user", str(number)),), "tiny", {"temperature": 0.0}) for number in range(20)]
        calls = [asyncio.create_task(model.complete(each, "j")) for each in asked]
        await asyncio.sleep(0.01)
        backend.gate.set()
        assert {each.text for each in await asyncio.gather(*calls)} == {"fine"}
        assert len(bench.notices) == 1
        assert len(backend.asked) == 40


class TestThinking:
    CUT = Completion("", "Hm.", "length", Usage(5, 100, reasoning=100))

    async def test_a_reply_that_was_cut_while_thinking_makes_room(self, bench: Bench) -> None:
        backend = Backend(self.CUT, FINE)
        model = bench.model(backend)
        assert (await model.complete(question("one"), "j")).finish_reason == "length", "paid for, and kept"
        other = question("two")
        await model.complete(other, "j")
        assert [request.sampling["max_tokens"] for request in backend.asked] == [100, 100 + adapting.THINKING_ROOM]
        assert bench.journal.find(other.key) is not None
        (notice,) = bench.notices
        assert "max_tokens 100" in notice and "reasoning_tokens" in notice

    async def test_the_config_says_how_much_from_the_start(self, bench: Bench) -> None:
        backend = Backend(self.CUT, FINE)
        model = bench.model(backend, reasoning_tokens=500)
        for text in ("one", "two"):
            await model.complete(question(text), "j")
        assert [request.sampling["max_tokens"] for request in backend.asked] == [600, 600]
        assert not bench.notices

    async def test_a_long_answer_without_thoughts_is_no_reason(self, bench: Bench) -> None:
        backend = Backend(Completion("and so on", None, "length", Usage(5, 100)), FINE)
        model = bench.model(backend)
        for text in ("one", "two"):
            await model.complete(question(text), "j")
        assert [request.sampling["max_tokens"] for request in backend.asked] == [100, 100]


class TestServersThatBreakOnSchemas:
    def request_of(self, model: MeteredModel, text: str = "?") -> Request:
        return model.request((Message("user", text),), {}, {"type": "object"}, "json")

    async def test_a_server_that_breaks_on_schemas_is_asked_without(self, bench: Bench) -> None:
        backend = Breaking()
        model = bench.model(backend, retries=5)
        for number in range(4):
            await model.complete(self.request_of(model, str(number)), "j")
        structured = [request.structured for request in backend.asked]
        assert structured == [True, True, True, False, True, False, False, False]
        assert len(bench.notices) == 1 and "accepts no JSON schema" in bench.notices[0]

    async def test_also_where_it_has_answered_other_questions(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(outage, "FIRST_PAUSE", 0.01)
        backend = Breaking(502)
        model = bench.model(backend, retries=1, capacity=12)
        await model.complete(question("plain"), "j")
        asked = [model.complete(self.request_of(model, str(number)), "j") for number in range(12)]
        assert {each.text for each in await asyncio.gather(*asked)} == {"fine"}
        assert any("accepts no JSON schema" in notice for notice in bench.notices)

    async def test_an_outage_is_not_blamed_on_the_schema(self, bench: Bench) -> None:
        backend = Breaking(plain=False)
        model = bench.model(backend, retries=9)
        with pytest.raises(TransientError):
            await model.complete(self.request_of(model), "j")
        backend.plain = backend.schemas = True
        await model.complete(self.request_of(model, "later"), "j")
        assert not bench.notices
        await model.complete(self.request_of(model, "and later"), "j")
        assert backend.asked[-1].structured

    async def test_who_insists_on_schemas_gets_no_answer_without(self, bench: Bench) -> None:
        backend = Breaking()
        model = bench.model(backend, retries=8, structured_output="always")
        with pytest.raises(TransientError):
            await model.complete(self.request_of(model), "j")
        assert all(request.structured for request in backend.asked)
