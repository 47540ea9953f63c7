"""One try at one request: what is sent, what is read, and which error says what is to be done."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augment_correction.errors import ModelError, ModelUnusable, RequestRefused, TransientError
from augment_correction.llm.chat_wire import _retry_after
from augment_correction.llm.openai_chat import OpenAIChat
from augment_correction.llm.refusals import Moderated, PartRefused
from augment_correction.records import Completion, Message, Request
from augment_correction.usage import Usage
from tests.servers import ModelServer, Reply, drops, fails, says, sends, sends_half, stalls, too_many

QUESTION = Request((Message("system", "Be brief."), Message("user", "Which town?")), "small", {"temperature": 0.5})
KEY = "sk-very-secret"
GOOGLE = orjson.dumps(
    [
        {
            "error": {
                "code": 429,
                "message": "You exceeded your current quota, please check your plan and billing details.",
                "status": "RESOURCE_EXHAUSTED",
                "details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "36s"}],
            }
        }
    ]
)
NAMES = ("choices", "message", "content", "usage", "prompt_tokens", "completion_tokens", "error", "code")
BODIES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=12,
)


def words(text: str) -> int:
    return len(text.split())


@asynccontextmanager
async def chat(server: ModelServer, **settings: Any) -> AsyncIterator[OpenAIChat]:
    settings = {"api_key": KEY, "timeout": 20.0, "connections": 4, "count": words, **settings}
    opened = OpenAIChat(settings.pop("base_url", server.url), **settings)
    try:
        yield opened
    finally:
        await opened.close()


async def ask(
    server: ModelServer, reply: Reply | None = None, request: Request = QUESTION, **settings: Any
) -> Completion:
    if reply is not None:
        server.then(reply)
    async with chat(server, **settings) as opened:
        return await opened.complete(request)


class TestSent:
    async def test_messages_sampling_key_and_extra_body(self, server: ModelServer) -> None:
        await ask(server, extra_body={"chat_template_kwargs": {"enable_thinking": False}})
        (asked,) = server.asked
        assert asked.body == {
            "model": "small",
            "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Which town?"}],
            "temperature": 0.5,
            "chat_template_kwargs": {"enable_thinking": False},
        }
        assert asked.headers["Authorization"] == f"Bearer {KEY}"

    async def test_without_a_key_none_is_sent(self, server: ModelServer) -> None:
        await ask(server, api_key=None)
        assert "Authorization" not in server.asked[0].headers

    async def test_a_schema_goes_along_only_where_it_is_to_be_enforced(self, server: ModelServer) -> None:
        schema = {"type": "object", "properties": {"verdict": {"type": "string"}}}
        asked = Request(QUESTION.messages, "small", schema=schema, structured=True)
        await ask(server, says("{}"), asked)
        await ask(server, says("{}"), Request(QUESTION.messages, "small", schema=schema))
        assert server.asked[0].body["response_format"] == {
            "type": "json_schema",
            "json_schema": {"name": "reply", "strict": True, "schema": schema},
        }
        assert "response_format" not in server.asked[1].body

    @pytest.mark.parametrize(
        ("url", "name"),
        [("https://api.openai.com/v1", "max_completion_tokens"), ("http://127.0.0.1:8000/v1", "max_tokens")],
    )
    async def test_openai_takes_the_limit_under_another_name(self, server: ModelServer, url: str, name: str) -> None:
        async with chat(server, base_url=url) as opened:
            body = opened.wire.body(Request(QUESTION.messages, "small", {"max_tokens": 7}))
        assert [body.get("max_tokens"), body.get("max_completion_tokens")].count(7) == 1
        assert body[name] == 7

    async def test_a_slash_at_the_end_of_base_url_makes_no_difference(self, server: ModelServer) -> None:
        assert (await ask(server, base_url=server.url + "/")).text


class TestRead:
    async def test_text_finish_reason_and_reasoning(self, server: ModelServer) -> None:
        made = await ask(server, says("Ander.", finish_reason="length", reasoning_content="Hm."))
        assert (made.text, made.finish_reason, made.reasoning) == ("Ander.", "length", "Hm.")

    async def test_openrouter_calls_the_reasoning_by_another_name(self, server: ModelServer) -> None:
        assert (await ask(server, says("x", reasoning="Hm."))).reasoning == "Hm."

    @pytest.mark.parametrize(
        ("content", "text"),
        [
            (None, ""),
            ("", ""),
            ([{"type": "text", "text": "An"}, {"type": "text", "text": "der"}], "Ander"),
            ([{"type": "image"}, "stray", {"type": "text", "text": None}], ""),
            (42, ""),
        ],
    )
    async def test_content_in_every_shape_that_servers_send(self, server: ModelServer, content: Any, text: str) -> None:
        assert (await ask(server, says("", usage=None, content=content))).text == text

    async def test_usage_with_its_details(self, server: ModelServer) -> None:
        usage = {
            "prompt_tokens": 100,
            "completion_tokens": 50,
            "prompt_tokens_details": {"cached_tokens": 80},
            "completion_tokens_details": {"reasoning_tokens": 40},
        }
        assert (await ask(server, says("x", usage=usage))).usage == Usage(100, 50, 80, 40)

    async def test_what_the_usage_does_not_tell_is_unknown_and_not_nothing(self, server: ModelServer) -> None:
        usage = {"prompt_tokens": 1, "completion_tokens": 0, "prompt_tokens_details": None}
        assert (await ask(server, says("", usage=usage))).usage == Usage(1, 0, None, None)

    @pytest.mark.parametrize(
        "usage",
        [
            None,
            [],
            {},
            {"prompt_tokens": None, "completion_tokens": None},
            {"prompt_tokens": "12", "completion_tokens": "3"},
            {"prompt_tokens": 12, "completion_tokens": "3"},
            {"prompt_tokens": -1, "completion_tokens": 3},
            {"prompt_tokens": 2**63, "completion_tokens": 3},
            {"prompt_tokens": True, "completion_tokens": 3},
        ],
    )
    async def test_a_usage_that_says_nothing_is_replaced_by_an_estimate(self, server: ModelServer, usage: Any) -> None:
        made = await ask(server, says("one two three", usage=usage, reasoning_content="four five"))
        # 2 + 2 words and 4 tokens around each message; the reasoning is output.
        assert made.usage == Usage(12, 5, estimated=True)

    @pytest.mark.parametrize("counted", [(0, 0), (0, 3), (12, 0)])
    async def test_a_server_that_counts_nothing_is_counted_for(
        self, server: ModelServer, counted: tuple[int, int]
    ) -> None:
        usage = dict(zip(("prompt_tokens", "completion_tokens"), counted, strict=True))
        assert (await ask(server, says("one two three", usage=usage))).usage == Usage(12, 3, estimated=True)

    async def test_a_stream_that_nobody_asked_for(self, server: ModelServer) -> None:
        chunks = [
            {"choices": [{"delta": {"content": "An"}}]},
            {"choices": [{"delta": {"content": "der."}, "finish_reason": "stop"}]},
            {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 4}},
        ]
        events = b": OPENROUTER PROCESSING\n\n" + b"".join(b"data: " + orjson.dumps(each) + b"\n\n" for each in chunks)
        made = await ask(server, sends(events + b"data: [DONE]\n\n", content_type="text/event-stream"))
        assert (made.text, made.finish_reason, made.usage) == ("Ander.", "stop", Usage(9, 4))

    async def test_details_of_another_shape_do_no_harm(self, server: ModelServer) -> None:
        usage = {"prompt_tokens": 1, "completion_tokens": 2, "prompt_tokens_details": ["?"],
                 "completion_tokens_details": {"reasoning_tokens": "many"}}  # fmt: skip
        assert (await ask(server, says("x", usage=usage))).usage == Usage(1, 2, None, None)


class TestErrors:
    @pytest.mark.parametrize(
        ("reply", "kind"),
        [
            (fails(400, "context too long"), RequestRefused),
            (fails(413), RequestRefused),
            (fails(422, "bad value"), RequestRefused),
            (fails(401), ModelUnusable),
            (fails(403), ModelUnusable),
            (fails(404, "no such model"), ModelUnusable),
            (fails(402), ModelUnusable),
            (fails(429, "insufficient_quota"), ModelUnusable),
            (fails(429, "slow down"), TransientError),
            (
                fails(
                    429, "You exceeded your current quota, please check your plan and billing details.", Retry_After="2"
                ),
                TransientError,
            ),
            (fails(429, "You exceeded your current quota, check your billing. Please retry in 36.5s."), TransientError),
            (fails(429, "You exceeded your current quota, please check your plan and billing details."), ModelUnusable),
            (sends(b'{"error": {"code": "insufficient_quota", "message": "no"}}', status=429), ModelUnusable),
            (sends(GOOGLE, status=429), TransientError),
            (fails(403, "Your input was flagged by the moderation"), Moderated),
            (fails(400, "The prompt triggered our content management policy"), Moderated),
            (fails(407), ModelUnusable),
            (says("half an ans", finish_reason="error"), TransientError),
            (says("half an ans", finish_reason="abort"), TransientError),
            (
                sends(b'data: {"choices": [{"delta": {"content": "An"}}]}\n\n', content_type="text/event-stream"),
                TransientError,
            ),
            (sends(b'data: {"error": {"code": 401, "message": "no"}}\n\n'), ModelUnusable),
            (fails(408), TransientError),
            (fails(409), TransientError),
            (fails(500), TransientError),
            (fails(502), TransientError),
            (fails(503), TransientError),
            (fails(529), TransientError),
            (drops, TransientError),
            (sends_half, TransientError),
            (sends(b""), TransientError),
            (sends(b"null"), TransientError),
            (sends(b"[]"), TransientError),
            (sends(b'{"choices": null}'), TransientError),
            (sends(b'{"choices": [{"message": null}]}'), TransientError),
            (sends(b'{"choices": [{"message": {"content": "\xff"}}]}'), TransientError),
            (sends(b"<html>", content_type="text/html"), TransientError),
            (sends(b'{"error": {"code": 429, "message": "busy"}}'), TransientError),
            (sends(b'{"error": {"code": 401, "message": "no"}}'), ModelUnusable),
            (sends(b'{"error": "overloaded"}'), TransientError),
        ],
    )
    async def test_each_says_what_is_to_be_done(
        self, server: ModelServer, reply: Reply, kind: type[ModelError]
    ) -> None:
        with pytest.raises(ModelError) as raised:
            await ask(server, reply)
        assert type(raised.value) is kind

    async def test_a_refused_schema_is_known_from_other_refusals(self, server: ModelServer) -> None:
        structured = Request(QUESTION.messages, "small", schema={"type": "object"}, structured=True)
        with pytest.raises(PartRefused):
            await ask(server, fails(400, "'response_format.type' must be 'text'"), structured)
        with pytest.raises(RequestRefused) as plain:
            await ask(server, fails(400, "the prompt is too long"), structured)
        assert not isinstance(plain.value, PartRefused)

    @pytest.mark.parametrize(
        ("words", "part"),
        [
            ("Unsupported value: 'temperature' does not support 0 with this model.", "temperature"),
            ("Unrecognized request argument supplied: top_p", "top_p"),
            ("temperature: 9 is too high", None),
            ("the prompt is too long", None),
        ],
    )
    async def test_a_parameter_that_is_not_taken_is_named(
        self, server: ModelServer, words: str, part: str | None
    ) -> None:
        request = Request(QUESTION.messages, "small", {"temperature": 0.0, "top_p": 0.9})
        with pytest.raises(RequestRefused) as raised:
            await ask(server, fails(400, words), request)
        assert getattr(raised.value, "part", None) == part

    async def test_the_servers_own_words_are_in_the_message(self, server: ModelServer) -> None:
        with pytest.raises(RequestRefused, match="small: HTTP 400: test the prompt is too long"):
            await ask(server, fails(400, "the prompt is too long"))
        with pytest.raises(TransientError, match="upstream gone"):
            await ask(server, sends(b"upstream gone", status=502, content_type="text/plain"))
        with pytest.raises(RequestRefused, match="field required"):
            await ask(server, sends(b'{"detail": "field required"}', status=422))

    async def test_a_stall_ends_at_the_timeout(self, server: ModelServer) -> None:
        with pytest.raises(TransientError, match=r"no reply within 0\.2 s"):
            await ask(server, stalls(20), timeout=0.2)

    async def test_a_server_that_is_not_there(self, server: ModelServer) -> None:
        with pytest.raises(TransientError, match=r"127\.0\.0\.1:9/v1/chat/completions cannot be reached") as raised:
            await ask(server, base_url="http://127.0.0.1:9/v1")
        assert raised.value.unreachable

    @pytest.mark.parametrize("address", ["127.0.0.1:8000/v1", "http://", "htp://127.0.0.1/v1", "", "http://[::1"])
    async def test_an_address_that_is_none(self, server: ModelServer, address: str) -> None:
        with pytest.raises(ModelUnusable, match="is not a usable address"):
            await ask(server, base_url=address)

    async def test_a_redirect_is_not_followed_with_the_passage_in_hand(self, server: ModelServer) -> None:
        with pytest.raises(ModelUnusable, match="redirects to"):
            await ask(server, fails(307, Location=server.url + "/chat/completions"))
        assert server.count() == 1

    async def test_a_reply_without_end_is_cut(self, server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("augment_correction.llm.openai_chat.MAX_REPLY", 10_000)
        with pytest.raises(TransientError, match="larger than"):
            await ask(server, sends(b" " * 50_000))

    @pytest.mark.parametrize("before", [0, 470, 490])
    async def test_the_key_is_never_in_a_message_not_even_half_of_it(self, server: ModelServer, before: int) -> None:
        for reply in (fails(400, "x" * before + KEY), sends(b"x" * before + KEY.encode(), status=500)):
            with pytest.raises(ModelError) as raised:
                await ask(server, reply)
            assert "sk-" not in str(raised.value)

    @given(body=BODIES)
    def test_no_body_whatever_it_holds_escapes_the_errors_that_the_runner_knows(self, body: Any) -> None:
        chat = OpenAIChat("http://127.0.0.1/v1", api_key=None, timeout=1, connections=1, count=words)
        try:
            made = chat.wire.completion(orjson.dumps(body), {}, QUESTION)
        except ModelError:
            return
        assert isinstance(made.text, str)
        assert isinstance(made.finish_reason, str)
        assert 0 <= made.usage.input < 2**48 and 0 <= made.usage.output < 2**48


class TestRetryAfter:
    @pytest.mark.parametrize("as_date", [False, True])
    async def test_seconds_and_dates(self, server: ModelServer, as_date: bool) -> None:
        with pytest.raises(TransientError) as raised:
            await ask(server, too_many(30, as_date=as_date))
        assert raised.value.rate_limited
        assert raised.value.retry_after == pytest.approx(30, abs=3)

    @pytest.mark.parametrize(
        ("words", "seconds"),
        [
            ("Please retry in 36.5s.", 36.5),
            ("Rate limit reached. Please try again in 1m2.5s. Visit", 62.5),
            ("Please try again in 20ms.", 0.02),
            ("Please retry after 20 seconds.", 20),
            ("please wait 2 minutes", 120),
            ("slow down", None),
            ("try again later", None),
        ],
    )
    async def test_what_a_sentence_means(self, server: ModelServer, words: str, seconds: float | None) -> None:
        with pytest.raises(TransientError) as raised:
            await ask(server, fails(429, words))
        assert raised.value.retry_after == (seconds if seconds is None else pytest.approx(seconds))

    @pytest.mark.parametrize(
        ("headers", "seconds"),
        [
            ({}, None),
            ({"Retry-After": "2"}, 2),
            ({"Retry-After": "-3"}, 0),
            ({"Retry-After": "soon"}, None),
            ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0),
            ({"retry-after-ms": "1500", "Retry-After": "9"}, 1.5),
            ({"retry-after-ms": "-1"}, 0),
        ],
    )
    def test_what_the_header_means(self, headers: dict[str, str], seconds: float | None) -> None:
        assert _retry_after(headers) == seconds


class TestProxies:
    async def test_a_proxy_is_asked_for_what_is_not_on_this_machine(
        self, server: ModelServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.port}")
        assert (await ask(server, base_url="http://models.example/v1")).text
        assert server.asked[0].headers["Host"] == "models.example"

    async def test_loopback_is_asked_directly(self, server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
        assert (await ask(server)).text

    async def test_a_proxy_that_is_not_there_is_named(
        self, server: ModelServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("http_proxy", "http://someone:secret@127.0.0.1:9")
        with pytest.raises(TransientError, match=r"through the proxy http://127\.0\.0\.1:9") as raised:
            await ask(server, base_url="http://models.example/v1")
        assert raised.value.unreachable and "secret" not in str(raised.value)


def test_tests_cannot_leave_this_machine() -> None:
    import socket

    for address in (("192.0.2.1", 80), ("93.184.216.34", 443)):
        with socket.socket() as plain, pytest.raises(ConnectionRefusedError, match="tests may not talk to"):
            plain.connect(address)
    with pytest.raises(socket.gaierror, match="may not look up"):
        socket.getaddrinfo("huggingface.co", 443)
