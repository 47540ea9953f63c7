"""The contract of both ways to a server: our own HTTP client and the openai SDK, against the same faults."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
from aiohttp import web

from augment_correction.errors import ModelError, ModelUnusable, RequestRefused, TransientError
from augment_correction.llm.openai_chat import OpenAIChat
from augment_correction.llm.refusals import Moderated, PartRefused
from augment_correction.llm.sdk_chat import SdkChat
from augment_correction.records import Completion, Message, Request
from augment_correction.usage import Usage
from tests.servers import ModelServer, Reply, drops, fails, says, sends, sends_half, stalls, too_many

Client = type[OpenAIChat] | type[SdkChat]
KEY = "sk-very-secret"
QUESTION = Request((Message("system", "Be brief."), Message("user", "Which town?")), "small", {"temperature": 0.5})
STRUCTURED = Request(QUESTION.messages, "small", {"max_tokens": 7}, schema={"type": "object"}, structured=True)
both = pytest.mark.parametrize("client", [OpenAIChat, SdkChat])


@asynccontextmanager
async def opened(client: Client, base_url: str, **settings: Any) -> AsyncIterator[OpenAIChat | SdkChat]:
    defaults = {"api_key": KEY, "timeout": 20.0, "connections": 4, "count": lambda text: len(text.split())}
    chat = client(base_url, **{**defaults, **settings})
    try:
        yield chat
    finally:
        await chat.close()


async def ask(
    client: Client, server: ModelServer, reply: Reply | None = None, request: Request = QUESTION, **settings: Any
) -> Completion:
    if reply is not None:
        server.then(reply)
    async with opened(client, settings.pop("base_url", server.url), **settings) as chat:
        return await chat.complete(request)


async def test_both_send_the_same(server: ModelServer) -> None:
    for client in (OpenAIChat, SdkChat):
        for request in (QUESTION, STRUCTURED):
            await ask(
                client, server, says("{}"), request, extra_body={"chat_template_kwargs": {"enable_thinking": False}}
            )
    bodies = [asked.body for asked in server.asked]
    assert bodies[:2] == bodies[2:]
    assert {asked.headers["Authorization"] for asked in server.asked} == {f"Bearer {KEY}"}


@both
@pytest.mark.parametrize(
    "reply",
    [
        says(
            "Ander.",
            finish_reason="length",
            reasoning_content="Hm.",
            usage={"prompt_tokens": 9, "completion_tokens": 4},
        ),
        sends(
            b'data: {"choices": [{"delta": {"content": "Ander.", "reasoning_content": "Hm."}, "finish_reason": "length"}],'
            b' "usage": {"prompt_tokens": 9, "completion_tokens": 4}}\n\ndata: [DONE]\n\n',
            content_type="text/event-stream",
        ),
    ],
    ids=["plain", "a stream that nobody asked for"],
)
async def test_what_is_read(client: Client, server: ModelServer, reply: Reply) -> None:
    assert await ask(client, server, reply) == Completion("Ander.", "Hm.", "length", Usage(9, 4))


@both
@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (fails(400, "context too long"), RequestRefused),
        (fails(400, "`temperature` is deprecated for this model."), PartRefused),
        (fails(422, "bad value"), RequestRefused),
        (fails(401), ModelUnusable),
        (fails(403), ModelUnusable),
        (fails(403, "flagged by the moderation"), Moderated),
        (fails(404, "no such model"), ModelUnusable),
        (fails(402), ModelUnusable),
        (fails(307, Location="http://127.0.0.1:9/v1"), ModelUnusable),
        (sends(b'{"error": {"code": "insufficient_quota", "message": "no"}}', status=429), ModelUnusable),
        (fails(429, "exceeded your current quota", Retry_After="2"), TransientError),
        (fails(408), TransientError),
        (fails(409), TransientError),
        (fails(500), TransientError),
        (fails(503), TransientError),
        (drops, TransientError),
        (sends_half, TransientError),
        (sends(b""), TransientError),
        (sends(b"[]"), TransientError),
        (sends(b"<html>", content_type="text/html"), TransientError),
        (sends(b'{"choices": null}'), TransientError),
        (sends(b'{"error": {"code": 429, "message": "busy"}}'), TransientError),
        (sends(b'{"error": {"code": 401, "message": "no"}}'), ModelUnusable),
        (says("half", finish_reason="error"), TransientError),
    ],
)
async def test_each_fault_means_the_same_and_is_tried_once(
    client: Client, server: ModelServer, reply: Reply, kind: type[ModelError]
) -> None:
    with pytest.raises(ModelError) as raised:
        await ask(client, server, reply)
    assert type(raised.value) is kind
    assert server.count() == 1, "the retries are ours alone"


@both
async def test_the_servers_words_and_wait_come_along(client: Client, server: ModelServer) -> None:
    with pytest.raises(RequestRefused, match="small: HTTP 400: test the prompt is too long"):
        await ask(client, server, fails(400, "the prompt is too long"))
    with pytest.raises(TransientError) as raised:
        await ask(client, server, too_many(30))
    assert raised.value.rate_limited and raised.value.retry_after == 30
    with pytest.raises(ModelUnusable, match=r"redirects to http://127\.0\.0\.1:9/v1"):
        await ask(client, server, fails(307, Location="http://127.0.0.1:9/v1"))


@both
async def test_the_headers_of_a_reply_are_heeded(client: Client, server: ModelServer) -> None:
    heard: list[str] = []

    async def limited(_: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        text = orjson.dumps({"choices": [{"message": {"content": "x"}, "finish_reason": "stop"}]})
        return web.Response(body=text, content_type="application/json", headers={"x-ratelimit-remaining-requests": "0"})

    await ask(
        client, server, limited, note_limits=lambda headers: heard.append(headers["X-RateLimit-Remaining-Requests"])
    )
    assert heard == ["0"]


@both
async def test_a_server_that_is_not_there_or_stalls(client: Client, server: ModelServer) -> None:
    with pytest.raises(TransientError, match=r"127\.0\.0\.1:9/v1.* cannot be reached") as raised:
        await ask(client, server, base_url="http://127.0.0.1:9/v1")
    assert raised.value.unreachable
    with pytest.raises(TransientError, match=r"no reply within 0\.3 s") as raised:
        await ask(client, server, stalls(20), timeout=0.3)
    assert not raised.value.unreachable


@both
@pytest.mark.parametrize("address", ["127.0.0.1:8000/v1", "http://", "htp://127.0.0.1/v1", "", "http://[::1"])
async def test_an_address_that_is_none(client: Client, server: ModelServer, address: str) -> None:
    with pytest.raises(ModelUnusable, match="is not a usable address"):
        await ask(client, server, base_url=address)


def packed(size: int) -> Reply:
    """Spaces, a thousand to a byte."""
    return sends(gzip.compress(b" " * size), headers={"Content-Encoding": "gzip"})


@both
@pytest.mark.parametrize(
    "reply",
    [packed(400 << 20), sends(b" " * (33 << 20)), sends(b"x", headers={"Content-Encoding": "br"})],
    ids=["packed", "long", "packed otherwise"],
)
async def test_a_reply_that_is_too_long_is_not_read_to_its_end(
    client: Client, server: ModelServer, reply: Reply
) -> None:
    with pytest.raises(TransientError, match=r"larger than|packed as br|Content-Encoding|content-encoding"):
        await ask(client, server, reply)


@both
async def test_a_packed_reply_of_ordinary_length_is_read(client: Client, server: ModelServer) -> None:
    body = orjson.dumps({"choices": [{"message": {"content": "Ander"}, "finish_reason": "stop"}]})
    made = await ask(client, server, sends(gzip.compress(body), headers={"Content-Encoding": "gzip"}))
    assert made.text == "Ander"


@both
@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("body", [b"[" * 2_000_000, b'{"error":' * 200_000, b'{"choices":[{"message":' * 100_000])
async def test_a_reply_of_endless_depth_is_an_error_of_the_server(
    client: Client, server: ModelServer, status: int, body: bytes
) -> None:
    with pytest.raises(ModelError):
        await ask(client, server, sends(body, status=status))


@both
async def test_a_redirect_is_not_followed_with_the_key(client: Client, server: ModelServer) -> None:
    with ModelServer() as other:
        for status in (301, 302, 303, 307, 308):
            with pytest.raises(ModelUnusable, match="redirects"):
                await ask(
                    client, server, sends(b"", status=status, headers={"Location": f"{other.url}/chat/completions"})
                )
        assert other.asked == []


@both
async def test_the_key_is_never_in_a_message(client: Client, server: ModelServer) -> None:
    for reply in (
        fails(400, "x" * 490 + KEY),
        sends(KEY.encode(), status=500),
        fails(401, f"bad key {KEY}, pass-word"),
    ):
        with pytest.raises(ModelError) as raised:
            await ask(client, server, reply, headers={"X-Gateway": "pass-word"})
        assert "sk-" not in str(raised.value) and "pass-word" not in str(raised.value)


@both
async def test_without_a_key_none_is_sent_not_even_one_of_the_environment(
    client: Client, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, "sk-somebody-elses")
    await ask(client, server, api_key=None)
    assert "Authorization" not in server.asked[0].headers
    assert "sk-somebody-elses" not in str(server.asked[0].headers)


@both
async def test_a_gateways_own_header_signs_in(client: Client, server: ModelServer) -> None:
    await ask(client, server, api_key=None, headers={"api-key": "gateway-1"})
    await ask(client, server, headers={"Authorization": "Basic abc"})
    first, second = (asked.headers for asked in server.asked)
    assert (first["api-key"], first.get("Authorization")) == ("gateway-1", None)
    assert second["Authorization"] == "Basic abc"


@both
async def test_a_proxy_but_never_for_loopback(
    client: Client, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.port}")
    await ask(client, server, base_url="http://models.example/v1")
    assert server.asked[0].headers["Host"] == "models.example"
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    await ask(client, server)
    with pytest.raises(TransientError, match=r"through the proxy http://127\.0\.0\.1:9") as raised:
        await ask(client, server, base_url="http://models.example/v1")
    assert raised.value.unreachable


class TestAzure:
    @pytest.fixture
    def resource(self, server: ModelServer) -> str:
        """Azure's paths lead to the same replies."""
        return server.url.removesuffix("/v1")

    @pytest.mark.parametrize(
        ("key", "token", "header", "value"),
        [("azure-1", None, "api-key", "azure-1"), (None, "token-1", "Authorization", "Bearer token-1")],
    )
    async def test_deployment_version_and_credentials(
        self, server: ModelServer, resource: str, monkeypatch: pytest.MonkeyPatch, key: str | None, token: str | None,
        header: str, value: str,
    ) -> None:  # fmt: skip
        if token:
            monkeypatch.setenv("AZURE_OPENAI_AD_TOKEN", token)
        made = await ask(SdkChat, server, base_url=resource, api_key=key, api_version="2024-10-21")
        assert made.text
        (asked,) = server.asked
        assert asked.path == "/openai/deployments/small/chat/completions?api-version=2024-10-21"
        assert asked.headers[header] == value

    async def test_without_any_credentials_it_is_told(
        self, server: ModelServer, resource: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("AZURE_OPENAI_AD_TOKEN", raising=False)
        monkeypatch.delenv("AZURE_OPENAI_API_KEY", raising=False)
        with pytest.raises(ModelUnusable, match="AZURE_OPENAI_API_KEY"):
            await ask(SdkChat, server, base_url=resource, api_key=None, api_version="2024-10-21")

    async def test_its_content_filter_is_the_passages_matter(self, server: ModelServer, resource: str) -> None:
        filtered = {
            "error": {"code": "content_filter", "message": "triggering Azure OpenAI's content management policy"}
        }
        with pytest.raises(Moderated):
            await ask(
                SdkChat, server, sends(orjson.dumps(filtered), status=400), base_url=resource, api_version="2024-10-21"
            )
