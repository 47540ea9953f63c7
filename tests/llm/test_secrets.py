"""Keys and passwords of addresses: for the server they belong to, and in no file, message, command line or other server."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from augment_correction.errors import ModelError, ModelUnusable
from augment_correction.llm.batch_endpoint import BatchEndpoint
from augment_correction.llm.probing import probe
from augment_correction.llm.vllm import VARIABLE, vllm_server
from augment_correction.models import ModelConfig
from augment_correction.records import Message, Request

KEY = "sk-very-secret-0123"


@asynccontextmanager
async def redirecting(to: str) -> AsyncIterator[str]:
    async def reply(request: web.Request) -> web.Response:
        return web.Response(status=307, headers={"Location": f"{to}{request.path}"})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", reply)
    async with TestServer(app) as server:
        yield str(server.make_url("/v1"))


@asynccontextmanager
async def listening(heard: list[str]) -> AsyncIterator[str]:
    async def reply(request: web.Request) -> web.Response:
        heard.append(f"{request.method} {request.path} {request.headers.get('Authorization')}")
        return web.json_response({"id": "x", "data": []})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", reply)
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")


async def test_no_call_of_a_batch_is_redirected_with_the_key(tmp_path: Path) -> None:
    heard: list[str] = []
    (tmp_path / "up.jsonl").write_bytes(b"{}\n")
    async with listening(heard) as other, redirecting(other) as url:
        endpoint = BatchEndpoint(url, "m", api_key=KEY, timeout=10, count=len)
        calls = (
            lambda: endpoint.upload(tmp_path / "up.jsonl", "name"),
            lambda: endpoint.find_file("name", 0.0),
            lambda: endpoint.download("file-1", tmp_path / "down.jsonl"),
            lambda: endpoint.forget_file("file-1"),
            lambda: endpoint.create("file-1", "name"),
            lambda: endpoint.find_batch("name", 0.0),
            lambda: endpoint.read_batch("batch-1"),
        )
        for call in calls:
            with pytest.raises(ModelUnusable, match="redirects to"):
                await call()
        await endpoint.close()
    assert heard == []


async def test_the_list_of_models_is_not_asked_for_elsewhere_with_the_key() -> None:
    heard: list[str] = []
    async with listening(heard) as other, redirecting(other) as url:
        await probe(url, "m", KEY)
    assert heard == []


def test_a_line_of_a_batchs_file_holds_no_key() -> None:
    endpoint = BatchEndpoint(
        "http://me:pass-word@host/v1", "m", api_key=KEY, timeout=1, count=len, headers={"x": "gate-way"}
    )
    line = endpoint.line(Request((Message("user", "Which town?"),), "m")).decode()
    assert "Which town?" in line
    assert not any(secret in line for secret in (KEY, "pass-word", "gate-way"))


def test_credentials_of_every_replica_are_left_out_of_what_is_written() -> None:
    addresses = [f"http://me:pass-word-{number}@host{number}:8000/v1" for number in range(3)]
    model = ModelConfig.model_validate(
        {"model": "m", "base_url": addresses, "api_key": KEY, "headers": {"x-gateway": "gate-way"}}
    )
    written = json.dumps(model.without_secrets())
    assert not any(secret in written for secret in ("pass-word", "me:", KEY, "gate-way"))
    assert all(f"http://host{number}:8000/v1" in written for number in range(3))


def read(*paths: Path) -> bytes:
    return b"".join(path.read_bytes() for path in paths)


async def test_a_server_that_is_started_has_its_key_on_no_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = tmp_path / "seen.json"
    program = tmp_path / "vllm"
    program.write_text(
        "#!/bin/sh\n"
        f'cat /proc/*/cmdline 2>/dev/null | tr "\\000" " " > {seen}.lines; echo "$VLLM_API_KEY" > {seen}; exit 1\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv(VARIABLE, str(program))
    with pytest.raises(ModelError):
        async with vllm_server("some/model", log=tmp_path / "logs" / "vllm.log", api_key=KEY):
            pass
    assert read(seen).decode().strip() == KEY
    everything = read(Path(f"{seen}.lines"), tmp_path / "logs" / "vllm.log")
    assert b"some/model" in everything and KEY.encode() not in everything
    assert KEY not in os.environ.values()
