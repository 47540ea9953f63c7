"""A reply that comes as server-sent events though nobody asked for a stream: some gateways know no other form."""

from __future__ import annotations

from typing import Any

import orjson


def is_stream(raw: bytes) -> bool:
    """Events, or the comments that keep a connection alive, in front of what should be JSON."""
    return raw.lstrip()[:6].startswith((b"data:", b"event:", b"id:", b"retry:", b": ", b":\n"))


def whole(raw: bytes) -> bytes:
    """The chunks put together as the body of a plain reply; the error's chunk where one came.

    Raises: ValueError where the stream ends before its last chunk, or holds none.
    """
    content, reasoning = [], []
    finish_reason: str | None = None
    usage: Any = None
    done = False
    for line in raw.splitlines():
        if not line.startswith(b"data:"):
            continue
        data = line[5:].strip()
        if data == b"[DONE]":
            done = True
            continue
        chunk = orjson.loads(data)
        if not isinstance(chunk, dict) or chunk.get("error") or not isinstance(chunk.get("choices"), list):
            return data
        usage = chunk.get("usage") or usage
        for choice in chunk["choices"][:1]:
            if isinstance(choice.get("message"), dict):
                return data  # the whole reply in one event
            delta = choice.get("delta") or {}
            content.append(delta.get("content") or "")
            reasoning.append(delta.get("reasoning_content") or delta.get("reasoning") or "")
            finish_reason = choice.get("finish_reason") or finish_reason
    if not done and finish_reason is None:
        raise ValueError("the stream ended before its last chunk")
    message = {"role": "assistant", "content": "".join(content), "reasoning_content": "".join(reasoning) or None}
    return orjson.dumps({"choices": [{"message": message, "finish_reason": finish_reason}], "usage": usage})
