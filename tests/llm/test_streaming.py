"""A reply is heard while it is made, and comes back whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from augment_correction.llm.streaming import Events, heard_by, listener
from augment_correction.records import Message, Request
from tests.llm.test_openai_chat import chat
from tests.servers import ModelServer, says

QUESTION = Request((Message("user", "Which town?"),), "small", {"max_tokens": 8})


class Heard:
    def __init__(self) -> None:
        self.parts: list[str] = []
        self.begun = 0

    def begin(self) -> None:
        self.begun += 1
        self.parts = []

    def add(self, text: str) -> None:
        self.parts.append(text)


def event(delta: dict[str, Any], finish: str | None = None) -> bytes:
    return b"data: " + orjson.dumps({"choices": [{"delta": delta, "finish_reason": finish}]}) + b"\n\n"


WHOLE = b"".join(
    [
        b": alive\n\n", event({"role": "assistant", "content": ""}), event({"reasoning_content": "hm"}),
        event({"content": "Halm"}), event({"content": "stett\u00e9".encode().decode()}), event({}, "stop"),
        b'data: {"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 2}}\n\n', b"data: [DONE]\n\n",
    ]
)  # fmt: skip


def streams(data: bytes) -> Any:
    async def reply(request: web.Request, _: dict[str, Any]) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for start in range(0, len(data), 7):
            await response.write(data[start : start + 7])
        return response

    return reply


async def test_the_parts_are_heard_and_the_whole_is_returned(server: ModelServer) -> None:
    server.then(streams(WHOLE))
    heard = Heard()
    async with chat(server) as opened:
        with heard_by(heard):
            completion = await opened.complete(QUESTION)
    assert heard.parts == ["Halm", "stett\u00e9"]
    assert (completion.text, completion.reasoning, completion.finish_reason) == ("Halmstett\u00e9", "hm", "stop")
    assert (completion.usage.input, completion.usage.output) == (5, 2)
    assert server.asked[-1].body["stream"] is True


async def test_nobody_is_told_where_nobody_listens(server: ModelServer) -> None:
    server.then(says("Halmstett."))
    async with chat(server) as opened:
        await opened.complete(QUESTION)
    assert "stream" not in server.asked[-1].body and listener() is None


async def test_a_server_that_does_not_stream_is_read_whole(server: ModelServer) -> None:
    server.then(says("Halmstett."))
    heard = Heard()
    async with chat(server) as opened:
        with heard_by(heard):
            assert (await opened.complete(QUESTION)).text == "Halmstett."
    assert heard.parts == []


@given(st.lists(st.integers(1, 40), min_size=1))
def test_events_may_be_cut_anywhere(sizes: list[int]) -> None:
    heard, at = Heard(), 0
    events = Events(heard)
    for size in sizes:
        events.feed(WHOLE[at : at + size])
        at += size
    events.feed(WHOLE[at:])
    assert "".join(heard.parts) == "Halmstett\u00e9"


async def test_a_model_in_this_process_is_heard(tiny_model: Path, one_torch_thread: None) -> None:
    pytest.importorskip("torch")
    from augment_correction.llm.local_hf import LocalModels

    backend = LocalModels().open(tiny_model, None, {})
    heard = Heard()
    try:
        with heard_by(heard):
            completion = await backend.complete(QUESTION)
    finally:
        await backend.close()
    assert heard.begun == 1 and heard.parts
    assert completion.text.startswith("".join(heard.parts)[:20])
