"""What a server says of itself before it is asked for anything that costs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from augment_correction.llm.probing import probe

Handler = Callable[[web.Request], Any]


def answers(status: int = 200, body: Any = None, text: str | None = None) -> Handler:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(status=status, text=text) if text is not None else web.json_response(body, status=status)

    return handler


async def chat(_: web.Request) -> web.Response:
    raise AssertionError("nobody is to be asked")


@asynccontextmanager
async def serving(models: Handler | None, *, chats: bool = True) -> AsyncIterator[str]:
    app = web.Application()
    if models:
        app.router.add_get("/v1/models", models)
    if chats:
        app.router.add_post("/v1/chat/completions", chat)
    async with TestServer(app) as server:
        yield str(server.make_url("/v1"))


def listing(*names: str, **more: str) -> Handler:
    return answers(body={"object": "list", "data": [{"id": name, **more} for name in names]})


@pytest.mark.parametrize(
    ("model", "listed", "ok"),
    [
        ("gpt-5", ["gpt-5", "gpt-5-nano"], True),
        ("gpt-6", ["gpt-5", "gpt-5-nano"], False),
        ("llama3", ["llama3:latest"], True),
        ("deepseek/deepseek-r1:free", ["deepseek/deepseek-r1"], True),
        ("gemini-2.5-pro", ["models/gemini-2.5-pro"], True),
        ("adapter", ["base", "adapter"], True),
        ("llama", ["llama3:latest"], False),
    ],
)
async def test_a_model_that_is_not_listed_is_found_out(model: str, listed: list[str], ok: bool) -> None:
    async with serving(listing(*listed)) as url:
        assert (await probe(url, model, None)).ok is ok


async def test_the_remedy_names_close_ones_or_those_that_there_are() -> None:
    async with serving(listing("gpt-5-nano", "o3")) as url:
        probed = await probe(url, "gpt5-nano", None)
        assert (probed.said, probed.remedy) == ("it does not list the model gpt5-nano", "did you mean gpt-5-nano?")
    async with serving(listing(*"fedcba")) as url:
        assert (await probe(url, "qwen", None)).remedy == "it has a, b, c, d, e and 1 more"


async def test_a_bare_list_is_one_and_llama_cpp_takes_any_name() -> None:
    async with serving(answers(body=[{"id": "x"}])) as url:
        assert not (await probe(url, "y", None)).ok
    async with serving(listing("/models/some.gguf", owned_by="llamacpp")) as url:
        assert (await probe(url, "whatever", None)).ok


@pytest.mark.parametrize("models", [None, answers(404, {}), answers(text="<html>hello</html>")])
async def test_an_address_without_an_api_is_wrong(models: Handler | None) -> None:
    async with serving(models, chats=False) as url:
        probed = await probe(url, "m", None)
        assert not probed.ok and "there is no OpenAI-compatible API at this address" in probed.said
        assert "/v1" in (probed.remedy or "")
        wrong_path = await probe(url.removesuffix("/v1"), "m", None)
        assert not wrong_path.ok and wrong_path.said.startswith("HTTP 404 from ")


@pytest.mark.parametrize("models", [None, answers(405, {}), answers(body={"object": "list", "data": []})])
async def test_a_gateway_that_lists_no_models_may_still_serve_one(models: Handler | None) -> None:
    async with serving(models) as url:
        probed = await probe(url, "m", None)
        assert probed.ok and "cannot be checked" in probed.said


@pytest.mark.parametrize(
    ("status", "ok", "said"),
    [
        (401, False, "refuses the API key"),
        (403, False, "refuses the API key"),
        (429, True, "busy"),
        (503, False, "server fails"),
    ],
)
async def test_what_a_status_means(status: int, ok: bool, said: str) -> None:
    async with serving(answers(status, {})) as url:
        probed = await probe(url, "m", "sk-1")
        assert (probed.ok, said in probed.said) == (ok, True)


async def test_nobody_there_and_no_answer_in_time() -> None:
    assert not (await probe("http://127.0.0.1:9/v1", "m", None)).ok

    over = asyncio.Event()

    async def never(_: web.Request) -> web.Response:
        await over.wait()
        return web.Response()

    async with serving(never) as url:
        probed = await probe(url, "m", None, seconds=0.2)
        over.set()
    assert (probed.ok, probed.said) == (False, "no answer within 0.2 seconds")


async def test_a_gateways_own_header_goes_along_and_deployments_are_not_looked_for() -> None:
    seen: list[str | None] = []

    async def heard(request: web.Request) -> web.Response:
        seen.append(request.headers.get("x-gateway"))
        return web.json_response({"object": "list", "data": [{"id": "gpt-5"}]})

    async with serving(heard) as url:
        assert (await probe(url, "gpt-5", None, headers={"x-gateway": "g-1"})).ok
    assert seen == ["g-1"]
    app = web.Application()
    app.router.add_get("/openai/models", heard)
    async with TestServer(app) as server:
        probed = await probe(str(server.make_url("/")), "my-deployment", "k", api_version="2024-10-21")
    assert probed.ok and "deployments" in probed.said
