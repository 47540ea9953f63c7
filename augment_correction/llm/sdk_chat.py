"""Chat completions through the openai SDK (`client: sdk`): for Azure, for gateways with ways of their own to sign in, and
where the SDK's own behaviour is wanted. `openai_chat.py` is the fast way, with the same answers and errors."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from augment_correction.errors import ModelError, TransientError
from augment_correction.llm import given_wire
from augment_correction.llm.chat_wire import ChatWire
from augment_correction.llm.sdk import errors_told, open_client
from augment_correction.records import Completion, Request

if TYPE_CHECKING:
    from openai import AsyncOpenAI


class SdkChat:
    """`api_version` means Azure; the rest is as for `OpenAIChat`."""

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
        api_version: str | None = None,
        note_limits: Callable[[Mapping[str, str]], None] = lambda _: None,
    ) -> None:
        self._base_url = base_url
        self._new_client = partial(
            open_client, base_url, api_key=api_key, timeout=timeout, connections=connections, headers=headers,
            api_version=api_version,
        )  # fmt: skip
        self._timeout = timeout
        self._note_limits = note_limits
        self._client: AsyncOpenAI | None = None
        self.wire = ChatWire(
            base_url, count=count, extra_body=extra_body, secrets=[api_key or "", *(headers or {}).values()]
        )

    async def complete(self, request: Request) -> Completion:
        if request.given is not None:
            return await self._given(request)
        body = self.wire.body(request)
        model, messages = body.pop("model"), body.pop("messages")
        answer = await self._answer(
            request, lambda client: client.chat.completions.with_raw_response.create(
                model=model, messages=messages, extra_body=body
            )
        )  # fmt: skip
        return self.wire.completion(answer.content, answer.headers, request)

    async def _given(self, request: Request) -> Completion:
        body = given_wire.body(request)
        try:
            answer = await self._answer(request, lambda client: client.completions.with_raw_response.create(**body))
        except ModelError as failure:
            raise given_wire.refusal(failure) from None
        return given_wire.completion(answer.content, request)

    async def _answer(self, request: Request, ask: Callable[[AsyncOpenAI], Awaitable[Any]]) -> Any:
        """Raises: TransientError, RequestRefused, ModelUnusable."""
        try:
            async with asyncio.timeout(self._timeout):
                with errors_told(self._base_url, self.wire, request):
                    answer = await ask(self._open())
        except TimeoutError:
            raise TransientError(f"no reply within {self._timeout:g} s") from None
        self._note_limits(answer.headers)
        return answer

    def _open(self) -> AsyncOpenAI:
        if self._client is None:
            self._client = self._new_client()
        return self._client

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()
            self._client = None
