"""The openai SDK's client, set up as this house asks: one try (the retries are `metered.py`'s), no redirect, a key for the
host it belongs to and nobody else, the environment's proxy but for loopback. Its errors become ours.

Imported where it is used: the SDK takes a second and a half to load.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from augment_correction.errors import ModelError, ModelUnusable, TransientError
from augment_correction.llm import proxies
from augment_correction.llm.chat_wire import MAX_REPLY, ChatWire
from augment_correction.models import without_credentials
from augment_correction.records import Request

if TYPE_CHECKING:
    from openai import AsyncOpenAI

CONNECT_SECONDS = 30.0
OPENAI = "api.openai.com"
_PACKED = ("gzip", "deflate")
MAX_PACKED = MAX_REPLY // 128
"""Bytes of a packed reply, of which both ways make a thousand times as much at most."""


async def load() -> None:
    """Beside the event loop, before anything waits for it."""
    for name in ("", ".resources.chat", ".resources.files", ".resources.batches", ".resources.models"):
        await asyncio.to_thread(import_module, f"openai{name}")


def open_client(
    base_url: str,
    *,
    api_key: str | None,
    timeout: float,
    connections: int,
    headers: Mapping[str, str] | None = None,
    api_version: str | None = None,
) -> AsyncOpenAI:
    """`timeout` is seconds of silence; `api_version` means Azure, whose `base_url` is the resource's endpoint.

    Raises: ModelUnusable where it cannot be set up.
    """
    import openai

    try:
        silence = openai.Timeout(None, connect=min(timeout, CONNECT_SECONDS), read=timeout)
        sent: dict[str, Any] = {"Accept-Encoding": "identity", **(headers or {})}
        if urlsplit(base_url).hostname != OPENAI:  # OPENAI_ORG_ID and its like are OpenAI's to know
            sent |= {"OpenAI-Organization": openai.Omit(), "OpenAI-Project": openai.Omit()}
        unsigned = not api_key and not api_version and not any(name.lower() == "authorization" for name in sent)
        http = openai.DefaultAsyncHttpxClient(
            proxy=proxies.proxy_for(base_url), trust_env=False, follow_redirects=False, timeout=silence,
            limits=_limits(connections),
            event_hooks={"request": [_unsign] if unsigned else [], "response": [_bound]},
        )  # fmt: skip
        shared: dict[str, Any] = {"max_retries": 0, "timeout": silence, "default_headers": sent, "http_client": http}
        if api_version:
            return openai.AsyncAzureOpenAI(azure_endpoint=base_url, api_version=api_version, api_key=api_key, **shared)
        return openai.AsyncOpenAI(base_url=base_url, api_key=api_key or "none", **shared)
    except openai.OpenAIError as failure:
        raise ModelUnusable(
            f"{without_credentials(base_url)} cannot be asked: {failure}", hint="set the api_key of the model"
        ) from None
    except ModelUnusable:
        raise
    except Exception as failure:  # an address that httpx cannot read raises its own kind
        raise ModelUnusable(
            f"{without_credentials(base_url)} is not a usable address: {type(failure).__name__}",
            hint="write base_url as http://host:port/v1",
        ) from None


async def _unsign(request: Any) -> None:
    """The SDK wants a key and would else take OPENAI_API_KEY, whoever is asked."""
    del request.headers["Authorization"]


async def _bound(response: Any) -> None:
    """The SDK reads a reply to its end, however long it is and whatever it unpacks to. The file of a batch, which is as long
    as its questions are many, goes to the disk in pieces."""
    encoding = response.headers.get("Content-Encoding", "identity").lower()
    if encoding not in ("identity", *_PACKED):
        raise TransientError(f"the reply is packed as {encoding[:20]}, which was not requested")
    if encoding in _PACKED:
        response.stream = _bounded(response, MAX_PACKED)
    elif not response.request.url.path.endswith("/content"):
        response.stream = _bounded(response, MAX_REPLY)


def _bounded(response: Any, most: int) -> Any:
    stream = response.stream

    class Bounded(import_module(type(response).__module__.partition(".")[0]).AsyncByteStream):  # type: ignore[misc]
        """Of whichever httpx the SDK is built on."""

        async def __aiter__(self) -> AsyncIterator[bytes]:
            size = 0
            async for piece in stream:
                size += len(piece)
                if size > most:
                    raise TransientError(f"the reply is larger than {most:,} bytes")
                yield piece

        async def aclose(self) -> None:
            await stream.aclose()

    return Bounded()


def _limits(connections: int) -> Any:
    """Of whichever httpx the SDK is built on."""
    import openai

    kind = type(openai.DEFAULT_CONNECTION_LIMITS)
    return kind(max_connections=connections, max_keepalive_connections=connections)


@contextmanager
def errors_told(base_url: str, wire: ChatWire, request: Request, what: str = "") -> Iterator[None]:
    """The SDK's errors as ours; `what` was asked opens the message.

    Raises: TransientError, RequestRefused, ModelUnusable.
    """
    import openai

    try:
        yield
    except openai.APIStatusError as failure:
        response = failure.response
        raise wire.refusal(response.status_code, response.content, response.headers, request, what) from None
    except openai.APIConnectionError as failure:  # timeouts are among them
        raise _unconnected(base_url, wire, failure) from None
    except openai.OpenAIError as failure:
        raise TransientError(wire.hide(f"{what}{failure}")[:500]) from None
    except ValueError:
        raise TransientError(f"{what}the answer is not JSON") from None


def _unconnected(base_url: str, wire: ChatWire, failure: Exception) -> ModelError:
    """By the names of httpx's exceptions, whichever of its versions the SDK is built on."""
    place, cause = without_credentials(base_url), failure.__cause__
    kind = type(cause).__name__
    proxy = proxies.proxy_for(base_url)
    through = f" through the proxy {without_credentials(proxy)}" if proxy else ""
    said = wire.hide(str(cause or failure))
    if kind == "ProxyError":
        hint = "HTTPS_PROXY may contain user:password@host; NO_PROXY lists hosts that are asked directly"
        return ModelUnusable(f"{place} cannot be reached{through}: {said}", hint=hint)
    if kind in ("ConnectError", "ConnectTimeout"):
        return TransientError(f"{place} cannot be reached{through}: {said or kind}", unreachable=True)
    if kind in ("UnsupportedProtocol", "InvalidURL", "LocalProtocolError"):
        return ModelUnusable(f"{place} is not a usable address: {kind}", hint="write base_url as http://host:port/v1")
    if kind.endswith("Timeout"):
        return TransientError(f"no reply from {place}")
    return TransientError(f"the connection broke: {kind} {said}".strip())
