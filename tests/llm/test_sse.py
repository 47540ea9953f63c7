from __future__ import annotations

import orjson
import pytest

from augment_correction.llm import sse


def stream(*chunks: object, end: bytes = b"data: [DONE]\n\n") -> bytes:
    return b": keep alive\n\n" + b"".join(b"data: " + orjson.dumps(chunk) + b"\n\n" for chunk in chunks) + end


def delta(finish: str | None = None, **said: str) -> dict[str, object]:
    return {"choices": [{"index": 0, "delta": said, "finish_reason": finish}]}


def test_chunks_become_one_reply() -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 2}
    raw = stream(
        delta(role="assistant"), delta(reasoning_content="Hm."), delta(content="An"), delta(content="der"), delta("stop"),
        {"choices": [], "usage": usage},
    )  # fmt: skip
    assert sse.is_stream(raw)
    body = orjson.loads(sse.whole(raw))
    (choice,) = body["choices"]
    assert choice["message"]["content"] == "Ander"
    assert choice["message"]["reasoning_content"] == "Hm."
    assert (choice["finish_reason"], body["usage"]) == ("stop", usage)


def test_a_whole_reply_in_one_event() -> None:
    made = {"choices": [{"message": {"content": "Ander"}, "finish_reason": "stop"}]}
    assert orjson.loads(sse.whole(stream(made))) == made


def test_an_error_in_the_stream_is_handed_on() -> None:
    error = {"error": {"code": 502, "message": "upstream gone"}}
    assert orjson.loads(sse.whole(stream(delta(content="An"), error))) == error


def test_a_stream_that_was_cut_is_no_reply() -> None:
    with pytest.raises(ValueError, match="ended before its last chunk"):
        sse.whole(stream(delta(content="An"), end=b""))


@pytest.mark.parametrize("raw", [b'{"choices": []}', b"  \n\n{}", b"<html>", b"", b"[]"])
def test_what_is_no_stream(raw: bytes) -> None:
    assert not sse.is_stream(raw)
