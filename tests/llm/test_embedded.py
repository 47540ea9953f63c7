"""llm/embedded.py with SmolLM2 for real; what does not need a model is not marked."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from augment_correction.errors import InputError, MissingExtra, ModelUnusable, installing
from augment_correction.llm import embedded
from augment_correction.llm.embedded import default_concurrency, embedded_server

MODEL = "smollm2-135m"
SCHEMA = {
    "type": "object",
    "properties": {"colour": {"type": "string"}, "verdict": {"enum": ["suitable", "unsuitable"]}},
    "required": ["colour", "verdict"],
    "additionalProperties": False,
}


async def test_without_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra) as caught:
        async with embedded_server(MODEL, log=tmp_path / "log"):
            pass
    assert caught.value.hint == installing("embedded")


@pytest.mark.parametrize(("cores", "requests"), [(1, 1), (2, 1), (4, 1), (8, 2), (64, 4)])
def test_requests_at_once_follow_the_cores(monkeypatch: pytest.MonkeyPatch, cores: int, requests: int) -> None:
    monkeypatch.setattr(embedded, "cores", lambda: cores)
    assert default_concurrency() == requests


async def test_a_file_that_is_no_model_is_told(tmp_path: Path) -> None:
    pytest.importorskip("xllamacpp")
    (tmp_path / "bad.gguf").write_bytes(b"GGUF" + bytes(1000))
    with pytest.raises(ModelUnusable, match="before it was ready"):
        async with embedded_server(str(tmp_path / "bad.gguf"), log=tmp_path / "log"):
            pass
    with pytest.raises(InputError):
        async with embedded_server(str(tmp_path / "absent.gguf"), log=tmp_path / "log"):
            pass


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def base_url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    pytest.importorskip("xllamacpp")
    async with embedded_server(MODEL, log=tmp_path_factory.mktemp("logs") / "log", context=2048) as url:
        yield url


async def ask(base_url: str, *texts: str, **options: Any) -> tuple[int, dict[str, Any]]:
    roles = ["user", "assistant"] * len(texts)
    messages = [{"role": role, "content": text} for role, text in zip(roles, texts, strict=False)]
    body = {"model": MODEL, "messages": messages, "temperature": 0, "max_tokens": 40, **options}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{base_url}/chat/completions", json=body) as reply,
    ):
        return reply.status, await reply.json()


@pytest.mark.embedded
@pytest.mark.asyncio(loop_scope="module")
class TestServer:
    async def test_a_reply_follows_its_schema_and_repeats_at_temperature_0(self, base_url: str) -> None:
        wanted = {"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": SCHEMA}}
        replies = []
        for _ in range(2):
            status, body = await ask(base_url, "What colour is the sky?", response_format=wanted)
            assert status == 200
            replies.append(body["choices"][0]["message"]["content"])
        assert replies[0] == replies[1]
        parsed = json.loads(replies[0])
        assert set(parsed) == {"colour", "verdict"} and parsed["verdict"] in ("suitable", "unsuitable")

    async def test_calls_of_two_chunks_that_alternate_keep_their_prefixes(self, base_url: str) -> None:
        examples = "This is said in front of every passage. " * 100
        chunks = [examples + f"The bridge of town {n} was built in {1800 + n}. " * 4 for n in (1, 2)]
        for chunk in chunks:
            await ask(base_url, chunk, max_tokens=1)
        for chunk in chunks:
            _, body = await ask(base_url, chunk, "Suitable.", "When was it built?", max_tokens=1)
            usage = body["usage"]
            new = usage["prompt_tokens"] - usage["prompt_tokens_details"]["cached_tokens"]
            assert new < 40 < 800 < usage["prompt_tokens"]

    async def test_a_prompt_longer_than_the_context_is_a_400_that_says_so(self, base_url: str) -> None:
        status, body = await ask(base_url, "word " * 3000)
        assert status == 400
        assert body["error"]["type"] == "exceed_context_size_error"
        assert body["error"]["n_ctx"] == 2048 < body["error"]["n_prompt_tokens"]

    async def test_a_reply_that_reaches_the_limit_says_length(self, base_url: str) -> None:
        _, body = await ask(base_url, "Count from one to a hundred.", max_tokens=5)
        assert body["choices"][0]["finish_reason"] == "length"
        assert body["usage"]["completion_tokens"] == 5


PARENT = f"""
import asyncio, sys
from pathlib import Path
from augment_correction.llm.embedded import embedded_server

async def main():
    async with embedded_server({MODEL!r}, log=Path(sys.argv[1]), context=512) as url:
        print(url, flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""


@pytest.mark.embedded
async def test_the_model_dies_with_a_parent_killed_by_9(tmp_path: Path) -> None:
    pytest.importorskip("xllamacpp")
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PARENT, str(tmp_path / "log")), stdout=subprocess.PIPE
    )
    assert parent.stdout is not None
    url = (await parent.stdout.readline()).decode().strip()
    status, _ = await ask(url, "Hello", max_tokens=2)
    assert status == 200
    parent.send_signal(signal.SIGKILL)
    await parent.wait()
    async with aiohttp.ClientSession() as session:
        for _ in range(100):
            try:
                async with session.get(url.replace("/v1", "/health")):
                    pass
            except aiohttp.ClientConnectionError:
                return
            await asyncio.sleep(0.1)
    raise AssertionError("the model's server outlived its parent")
