"""A fake `vllm` program proves what is ours: the command line, the wait, the key, the log, the end."""

from __future__ import annotations

import sys
from pathlib import Path

import aiohttp
import pytest

from augment_correction.errors import ModelUnusable, UserError
from augment_correction.llm.vllm import VARIABLE, vllm_command, vllm_server

FAKE = f"""#!{sys.executable}
import argparse, json, os
from http.server import BaseHTTPRequestHandler, HTTPServer

parser = argparse.ArgumentParser()
parser.add_argument("command", choices=["serve"])
parser.add_argument("model")
parser.add_argument("--host")
parser.add_argument("--port", type=int)
parser.add_argument("--max-model-len", type=int)
asked = parser.parse_args()
print("serving", asked.model, asked.max_model_len, flush=True)
if asked.model == "broken":
    raise SystemExit("ValueError: no config.json")

class Server(BaseHTTPRequestHandler):
    def do_GET(self):
        key = os.environ.get("VLLM_API_KEY")
        allowed = self.path == "/health" or self.headers["Authorization"] == f"Bearer {{key}}"
        self.send_response(200 if allowed else 401)
        self.end_headers()
        self.wfile.write(json.dumps({{"data": [{{"id": asked.model}}]}}).encode())

    def log_message(self, *_):
        pass

HTTPServer((asked.host, asked.port), Server).serve_forever()
"""


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "bin" / "vllm"
    path.parent.mkdir()
    path.write_text(FAKE)
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(path.parent))
    monkeypatch.delenv(VARIABLE, raising=False)
    return path


async def test_it_serves_the_model_with_our_arguments_and_key(fake: Path, tmp_path: Path) -> None:
    log = tmp_path / "vllm.log"
    arguments = ["--max-model-len", "2048"]
    async with vllm_server("org/model", log=log, arguments=arguments, api_key="s3cret") as base_url:
        assert base_url.startswith("http://127.0.0.1:") and base_url.endswith("/v1")
        header = {"Authorization": "Bearer s3cret"}
        async with aiohttp.ClientSession(headers=header) as session, session.get(f"{base_url}/models") as got:
            assert got.status == 200
            assert (await got.json(content_type=None))["data"] == [{"id": "org/model"}]
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientConnectionError):
            await session.get(f"{base_url}/models")
    assert log.read_text().strip() == "serving org/model 2048"


async def test_a_model_that_cannot_be_served(fake: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelUnusable, match=r"vLLM with broken ended with exit code 1(.|\n)*no config\.json"):
        async with vllm_server("broken", log=tmp_path / "log"):
            pass


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        (None, ["vllm", "serve", "m"]),
        ("vllm", ["vllm", "serve", "m"]),
        ("vllm serve", ["vllm", "serve", "m"]),
        (
            "vllm -m vllm.entrypoints.openai.api_server",
            ["vllm", "-m", "vllm.entrypoints.openai.api_server", "--model", "m"],
        ),
    ],
)
def test_both_spellings_of_the_command(
    fake: Path, monkeypatch: pytest.MonkeyPatch, words: str | None, asked: list[str]
) -> None:
    if words:
        monkeypatch.setenv(VARIABLE, words)
    assert vllm_command("m") == [str(fake), *asked[1:]]


@pytest.mark.parametrize("words", ["vllm", "vllm -m vllm.entrypoints.openai.api_server"])
@pytest.mark.parametrize("named", [["--model", "base"], ["--model=base"]])
def test_an_adapter_is_asked_and_its_base_model_served(
    fake: Path, monkeypatch: pytest.MonkeyPatch, words: str, named: list[str]
) -> None:
    monkeypatch.setenv(VARIABLE, words)
    command = vllm_command("mine", ["--enable-lora", *named, "--lora-modules", "mine=./lora_out"])
    before = ["serve"] if words == "vllm" else ["-m", "vllm.entrypoints.openai.api_server", "--model"]
    assert command == [str(fake), *before, "base", "--enable-lora", "--lora-modules", "mine=./lora_out"]


def test_where_there_is_no_vllm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(UserError, match="vLLM is not installed") as caught:
        vllm_command("m")
    assert VARIABLE in (caught.value.hint or "") and "base_url" in (caught.value.hint or "")
