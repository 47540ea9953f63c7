"""Adapters of versions on a vLLM server that runs already: loaded and unloaded through its API while it serves.

vLLM wants `--enable-lora` and VLLM_ALLOW_RUNTIME_LORA_UPDATING=True, and reads the adapter's folder itself: it runs on this machine, or
sees the storage folder at the same place."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import suppress
from typing import Any

import aiohttp
import orjson

from augment_correction.errors import ModelUnusable

PATIENCE = aiohttp.ClientTimeout(total=120, connect=5)
"""An adapter is read from a disk before vLLM answers."""
KEY = "vLLM was started with an API key: set LL_VLLM_API_KEY to it"
START = "start it with --enable-lora, --max-lora-rank 32 and VLLM_ALLOW_RUNTIME_LORA_UPDATING=True, where it can read the storage folder"


def name_of(adapter: str) -> str:
    """Of the folder alone: no other weights ever get this name, since vLLM keeps what it computed under a name."""
    return f"workspace-{hashlib.sha256(adapter.encode()).hexdigest()[:16]}"


class VllmAdapters:
    """`url` ends in /v1."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._loading = asyncio.Lock()

    async def ensure(self, adapter: str, key: str = "") -> None:
        """Served under `name_of` it, also where vLLM was restarted since. `key` is the one that its answers are asked for with.

        Raises: ModelUnusable with what vLLM says."""
        name = name_of(adapter)
        async with self._loading:
            if name in await self._served(key):
                return
            wanted = {"lora_name": name, "lora_path": adapter}
            status, said = await self._ask("POST", "/load_lora_adapter", key, wanted)
            if status != 200 and "already" not in said:
                raise ModelUnusable(f"vLLM at {self._url} does not load the version: {status} {said[:300]}", hint=START)

    async def unload(self, adapter: str, key: str = "") -> None:
        """What is not there, or a server that is away, is no failure: there is nothing to unload."""
        with suppress(ModelUnusable):
            await self._ask("POST", "/unload_lora_adapter", key, {"lora_name": name_of(adapter)})

    async def _served(self, key: str) -> set[str]:
        status, said = await self._ask("GET", "/models", key)
        try:
            listed = orjson.loads(said)["data"] if status == 200 else []
            return {str(each["id"]) for each in listed}
        except (ValueError, KeyError, TypeError):
            raise ModelUnusable(f"{self._url}/models does not answer as vLLM does", hint=START) from None

    async def _ask(self, method: str, path: str, key: str, body: dict[str, Any] | None = None) -> tuple[int, str]:
        """Raises: ModelUnusable where it is away, or does not know the key."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        try:
            async with (
                aiohttp.ClientSession(timeout=PATIENCE, headers=headers) as session,
                session.request(method, self._url + path, json=body, allow_redirects=False) as answer,
            ):
                if answer.status in (401, 403):
                    raise ModelUnusable(f"vLLM at {self._url} refuses the API key ({answer.status})", hint=KEY)
                return answer.status, (await answer.content.read(2**20)).decode("utf-8", "replace")
        except (aiohttp.ClientError, TimeoutError, OSError) as failure:
            raise ModelUnusable(f"vLLM at {self._url} cannot be reached: {failure}", hint=START) from None
