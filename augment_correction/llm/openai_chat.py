"""Any OpenAI-compatible chat endpoint, straight over aiohttp.

Not over the openai SDK, which `client: sdk` chooses (`sdk_chat.py`): measured at 256 calls in flight, aiohttp needs
0.23 ms of CPU per request and the SDK 1.58; with a small local model at hundreds of requests per second that is the
difference between a busy and an idle GPU.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import aiohttp
import orjson

from augment_correction.errors import ModelUnusable, TransientError
from augment_correction.llm import given_wire, proxies
from augment_correction.llm.chat_wire import MAX_REPLY, ChatWire
from augment_correction.llm.streaming import Events, listener
from augment_correction.models import without_credentials
from augment_correction.records import Completion, Request


class OpenAIChat:
    """`count` estimates tokens where the server sends no usage; `note_limits` is shown the headers of every reply."""

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str | None,
        timeout: float,
        connections: int,
        count: Callable[[str], int],
        extra_body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        note_limits: Callable[[Mapping[str, str]], None] = lambda _: None,
    ) -> None:
        self._url = base_url.rstrip("/") + "/chat/completions"
        self._given_url = base_url.rstrip("/") + "/completions"
        self._place = without_credentials(self._url)
        self._key = api_key
        self._headers = dict(headers or {})
        self._note_limits = note_limits
        self._timeout = aiohttp.ClientTimeout(total=timeout, sock_connect=min(timeout, 30))
        self._connections = connections
        self._proxy: str | None = None
        self._session: aiohttp.ClientSession | None = None
        self.wire = ChatWire(
            base_url, count=count, extra_body=extra_body, secrets=[api_key or "", *self._headers.values()]
        )

    async def complete(self, request: Request) -> Completion:
        if request.given is not None:
            status, raw, headers = await self._post(self._given_url, given_wire.body(request))
            if status != 200:
                raise given_wire.refusal(self.wire.refusal(status, raw, headers, request))
            return given_wire.completion(raw, request)
        heard = listener()
        streamed = {"stream": True, "stream_options": {"include_usage": True}} if heard else {}
        events = Events(heard) if heard else None
        status, raw, headers = await self._post(self._url, self.wire.body(request) | streamed, events)
        if status != 200:
            raise self.wire.refusal(status, raw, headers, request)
        return self.wire.completion(raw, headers, request)

    async def _post(
        self, url: str, body: Mapping[str, Any], events: Events | None = None
    ) -> tuple[int, bytes, Mapping[str, str]]:
        """Raises: TransientError, ModelUnusable where no answer of the server came."""
        try:
            # A redirect would turn the POST into a GET, or carry the passages to another server.
            async with self._open().post(
                url, data=orjson.dumps(body), allow_redirects=False, proxy=self._proxy
            ) as response:
                raw = await _read(response, events)
                self._note_limits(response.headers)
                return response.status, raw, response.headers
        except aiohttp.ConnectionTimeoutError:
            seconds = self._timeout.sock_connect
            raise TransientError(f"{self._place} did not answer within {seconds:g} s", unreachable=True) from None
        except TimeoutError:
            raise TransientError(f"no reply within {self._timeout.total:g} s") from None
        except aiohttp.ClientHttpProxyError as failure:
            raise self._proxy_refuses(failure.status) from None
        except aiohttp.ClientConnectorError as failure:
            through = f" through the proxy {without_credentials(self._proxy)}" if self._proxy else ""
            said = f"{self._place} cannot be reached{through}: {failure.os_error}"
            raise TransientError(said, unreachable=True) from None
        except (ValueError, aiohttp.NonHttpUrlClientError) as failure:  # aiohttp.InvalidURL is a ValueError
            shown = self.wire.hide(f"{self._place} is not a usable address: {type(failure).__name__}")
            raise ModelUnusable(shown, hint="write base_url as http://host:port/v1") from None
        except (aiohttp.ClientError, ConnectionError) as failure:
            shown = self.wire.hide(f"the connection broke: {type(failure).__name__} {failure}".strip())
            raise TransientError(shown) from None

    def _proxy_refuses(self, status: int) -> ModelUnusable | TransientError:
        said = f"the proxy {without_credentials(self._proxy or '')} answers HTTP {status} for {self._place}"
        if status >= 500:
            return TransientError(said, status=status, unreachable=True)
        hint = "HTTPS_PROXY may contain user:password@host; NO_PROXY lists hosts that are asked directly"
        return ModelUnusable(said, status=status, hint=hint)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            headers = {"Content-Type": "application/json"}
            if self._key:
                headers["Authorization"] = f"Bearer {self._key}"
            self._proxy = proxies.proxy_for(self._url)
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._connections, ttl_dns_cache=300),
                timeout=self._timeout,
                headers={**headers, **self._headers},
            )
        return self._session

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None


async def _read(response: aiohttp.ClientResponse, events: Events | None) -> bytes:
    raw = await response.content.read(MAX_REPLY)
    parts = [raw]
    size = len(raw)
    while raw:
        if events:
            events.feed(raw)
        raw = await response.content.read(MAX_REPLY)
        size += len(raw)
        if size > MAX_REPLY:
            raise aiohttp.ClientPayloadError(f"the reply is larger than {MAX_REPLY // 2**20} MiB")
        parts.append(raw)
    return b"".join(parts)
