"""An OpenAI-compatible server on 127.0.0.1 that answers the shipped prompts from the passage they hold, misbehaves on
demand, and remembers everything it was asked."""

from __future__ import annotations

import asyncio
import contextlib
import re
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from types import TracebackType
from typing import Any, Self

import orjson
from aiohttp import web

# ------------------------------------------------------------------------------------------------ replies


def passage_in(messages: list[dict[str, str]]) -> str:
    """The passage that is asked about: the last one, since examples come before it."""
    found: list[str] = re.findall(r"<passage>\n(.*?)\n</passage>", messages[-1]["content"], re.DOTALL)
    if not found:  # the small prompts put it between paragraphs of their own
        found = re.findall(r"^The bridge of Ander.*$", "\n".join(each["content"] for each in messages), re.MULTILINE)
    return found[-1] if found else messages[-1]["content"]


def conversation_about(passage: str) -> dict[str, str]:
    """Four fields made from the passage alone, as an able model would fill them."""
    sentences = [part.strip() for part in re.split(r"(?<=[.!?])\s+", passage) if part.strip()]
    subject = " ".join(passage.split()[:5]).strip(".,")
    return {
        "initial_question": f"What is known about this: {subject}?",
        "flawed_answer": f"{subject} is a legend; none of it can be shown.",
        "followup_confirmation": f"Are you sure? I have heard otherwise about {subject}.",
        "correct_answer": f"I was wrong. {sentences[0]} {sentences[-1]}",
    }


def defended(fields: dict[str, str]) -> dict[str, str]:
    """The same answer as one that needs no correction."""
    right = fields["correct_answer"].removeprefix("I was wrong. ")
    return {"standing_answer": f"Yes, I am sure. {right}", "reference_answer": right}


def tagged(fields: dict[str, str]) -> str:
    return "\n".join(f"<{name}>{text}</{name}>" for name, text in fields.items())


def able_reply(body: dict[str, Any]) -> str:
    """What a good model says: a verdict to the filter, tags or JSON to the rest."""
    passage = passage_in(body["messages"])
    verdict = {"reason": "It states facts.", "verdict": "suitable"}
    if "table of contents" in passage.lower():
        verdict = {"reason": "It states no facts.", "verdict": "unsuitable"}
    fields = conversation_about(passage)
    fields |= defended(fields)
    everything = "\n".join(message["content"] for message in body["messages"])
    if "response_format" in body or '{"' in everything:
        if '"right" or "wrong"' in everything:
            verdict = {"reason": "It is compared.", "verdict": ("right", "wrong")[sum(passage.encode()) % 2]}
        fields |= verdict | {"correct_answer_draft": fields["correct_answer"]}
        fields |= {"evidence": passage.split(". ")[0], "supported": "yes", "right_span": passage.split(". ")[0]}
        fields |= {"wrong_span": "none of it can be shown", "error_type": "other"}
        fields |= {"question": "good", "first": "yes", "rest": "yes", "doubt": "nothing"}
        schema = body.get("response_format", {}).get("json_schema", {}).get("schema", {})
        return orjson.dumps({name: fields[name] for name in schema.get("properties", fields)}).decode()
    if names := re.findall(r"^<(\w+)>\.\.\.</\1>$", everything, re.MULTILINE):
        return tagged({name: fields[name] for name in names})
    if body["messages"][0]["role"] != "system":
        return "As far as I know none of it can be shown."
    return f"Reason: {verdict['reason']}\nVerdict: {verdict['verdict']}"


def usage_of(body: dict[str, Any], text: str) -> dict[str, Any]:
    """Plausible and exact: words, so that a test can add them up."""
    asked = sum(len(message["content"].split()) for message in body["messages"])
    return {"prompt_tokens": asked, "completion_tokens": len(text.split()), "total_tokens": asked + len(text.split())}


# ------------------------------------------------------------------------------------------------- faults

Reply = Callable[[web.Request, dict[str, Any]], Awaitable[web.StreamResponse]]


def says(
    text: str | None = None,
    *,
    finish_reason: str = "stop",
    usage: Any = ...,
    draft: str = "",
    **message: Any,
) -> Reply:
    """A well-formed reply; without `text` what an able model says. `draft` goes before it inside <think>, `usage=None`
    leaves the usage out, other names go into the message (reasoning_content=...)."""

    async def reply(_: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        said = able_reply(body) if text is None else text
        content = f"<think>{draft}</think>\n{said}" if draft else said
        choice = {"index": 0, "message": {"role": "assistant", "content": content, **message}}
        made = {"id": "x", "object": "chat.completion", "choices": [choice | {"finish_reason": finish_reason}]}
        counted = usage_of(body, said) if usage is ... else usage
        if counted is not None:
            made["usage"] = counted
        return web.json_response(made, dumps=lambda value: orjson.dumps(value).decode())

    return reply


def fails(status: int, message: str = "no", **headers: str) -> Reply:
    """An error in OpenAI's form; headers with _ for -."""

    async def reply(_: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.json_response({"error": {"message": message, "type": "test"}}, status=status, headers=named)

    return reply


def too_many(seconds: float, *, as_date: bool = False) -> Reply:
    """A 429 that asks to wait; a date has whole seconds, so it is at least this long."""

    async def reply(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        value = formatdate(time.time() + seconds + 1, usegmt=True) if as_date else str(seconds)
        return await fails(429, "slow down", Retry_After=value)(request, body)

    return reply


def sends(
    body: bytes, *, content_type: str = "application/json", status: int = 200, headers: Mapping[str, str] | None = None
) -> Reply:
    """These bytes, whatever they are."""

    async def reply(_: web.Request, __: dict[str, Any]) -> web.StreamResponse:
        return web.Response(body=body, status=status, content_type=content_type, headers=headers)

    return reply


async def drops(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    """The connection is cut before a byte of the answer."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def sends_half(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    """The connection is cut in the middle of the answer."""
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "5000"})
    await response.prepare(request)
    await response.write(b'{"choices": [{"message": {"content": "Verd')
    assert request.transport is not None
    request.transport.abort()
    return response


def stalls(seconds: float) -> Reply:
    """Nothing for this long, then the answer that nobody waits for any more."""

    async def reply(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        await asyncio.sleep(seconds)
        return await says()(request, body)

    return reply


# ------------------------------------------------------------------------------------------------- server


@dataclass
class Asked:
    """One request as it came in; `answered` once the whole reply was handed to the system."""

    at: float
    body: dict[str, Any]
    headers: dict[str, str]
    answered: bool = False
    path: str = ""

    @property
    def model(self) -> str:
        return str(self.body["model"])

    @property
    def passage(self) -> str:
        return passage_in(self.body["messages"])


class InThread:
    """An application on 127.0.0.1 in a thread of its own, for as long as the `with` lasts; `url` is its base_url."""

    def application(self) -> web.Application:
        raise NotImplementedError

    def __enter__(self) -> Self:
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        assert self._ready.wait(20)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(20)

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        runner = web.AppRunner(self.application(), handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.port = runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{self.port}/v1"
        self._ready.set()
        await self._stop.wait()
        await runner.cleanup()


@dataclass
class ModelServer(InThread):
    """`with ModelServer() as server:` runs it in a thread; `server.url` is the base_url."""

    delay: float = 0.0
    usual: Reply = field(default_factory=says)
    """How a request is answered that no fault is meant for."""
    asked: list[Asked] = field(default_factory=list)
    in_flight: int = 0
    most_in_flight: int = 0
    _next: list[Reply] = field(default_factory=list)
    _where: list[tuple[Callable[[Asked], bool], list[Reply]]] = field(default_factory=list)

    def then(self, *replies: Reply) -> None:
        """The next requests are answered so, one reply each in order of arrival."""
        self._next += replies

    def where(self, words: str, *replies: Reply, model: str | None = None) -> None:
        """Requests whose passage holds `words` are answered so: one reply each, the last one for all that follow."""
        self._where.append((lambda asked: words in asked.passage and model in (None, asked.model), list(replies)))

    def per_passage(self, *replies: Reply, model: str | None = None) -> None:
        """The first requests about each passage (to `model`) are answered so, the later ones as usual."""
        seen: Counter[tuple[str, str]] = Counter()

        async def reply(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
            key = (body["model"], passage_in(body["messages"]))
            seen[key] += 1
            if model in (None, body["model"]) and seen[key] <= len(replies):
                return await replies[seen[key] - 1](request, body)
            return await says()(request, body)

        self.usual = reply

    # ---------------------------------------------------------------------------------------- what it saw

    def count(self, model: str | None = None) -> int:
        return sum(model in (None, asked.model) for asked in self.asked)

    def passages(self, model: str | None = None) -> Counter[str]:
        """How often each passage was asked about."""
        return Counter(asked.passage for asked in self.asked if model in (None, asked.model))

    def questions(self) -> Counter[bytes]:
        """How often each body was sent."""
        return Counter(orjson.dumps(asked.body, option=orjson.OPT_SORT_KEYS) for asked in self.asked)

    def unanswered(self) -> list[Asked]:
        """What was in flight when its asker died."""
        return [asked for asked in self.asked if not asked.answered]

    def forget(self) -> None:
        self.asked.clear()

    def wait_for(self, requests: int, process: subprocess.Popen[str], seconds: float = 60) -> None:
        """Until so many requests have come in from `process`."""
        end = time.monotonic() + seconds
        while len(self.asked) < requests:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < end, f"only {len(self.asked)} of {requests} requests came in {seconds} s"
            time.sleep(0.005)

    def application(self) -> web.Application:
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_post("/v1/chat/completions", self._chat)
        app.router.add_post("/openai/deployments/{model}/chat/completions", self._chat)  # Azure's
        app.router.add_get("/v1/models", self._models)
        return app

    async def _models(self, _: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{"id": "small"}, {"id": "large"}]})

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        asked = Asked(time.monotonic(), await request.json(), dict(request.headers), path=request.path_qs)
        self.asked.append(asked)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await asyncio.sleep(self.delay)
            response = await self._reply_to(asked)(request, asked.body)
            with contextlib.suppress(ConnectionError):
                await response.prepare(request)
                await response.write_eof()
            asked.answered = request.transport is not None and not request.transport.is_closing()
            return response
        finally:
            self.in_flight -= 1

    def _reply_to(self, asked: Asked) -> Reply:
        if self._next:
            return self._next.pop(0)
        for fits, replies in self._where:
            if fits(asked):
                return replies.pop(0) if len(replies) > 1 else replies[0]
        return self.usual


def facts(numbers: Iterable[int]) -> list[str]:
    """Passages that differ, each with something to ask about."""
    return [
        f"The bridge of Ander{number} was built in {1700 + number} by the guild of masons of that town. "
        f"It stands on {number + 3} arches of sandstone, and its keeper rang a bell at dusk until {1800 + number}."
        for number in numbers
    ]
