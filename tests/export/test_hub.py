"""`export --push` against a Hub of our own, and what it says where there is none."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from tests.cli.program import Made, program
from tests.projects import MadeProject

pytest.importorskip("huggingface_hub")


@dataclass
class Hub:
    """What it was asked for, and what it holds."""

    url: str = ""
    status: int = 200
    created: list[dict[str, Any]] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    files: dict[str, bytes] = field(default_factory=dict)


@pytest.fixture
def hub() -> Iterator[Hub]:
    held = Hub()

    class Handler(BaseHTTPRequestHandler):
        def _reply(self, body: Any, status: int = 200) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            held.tokens.add(self.headers.get("Authorization", ""))
            if held.status != 200:
                self._reply({"error": "not yours"}, held.status)
            elif self.path == "/api/repos/create":
                held.created.append(json.loads(body))
                self._reply({"url": f"{held.url}/datasets/ida/bridges", "name": "ida/bridges", "id": "1"})
            elif "/preupload/" in self.path:
                wanted = json.loads(body)["files"]
                self._reply(
                    {
                        "files": [
                            {"path": each["path"], "uploadMode": "regular", "shouldIgnore": False} for each in wanted
                        ]
                    }
                )
            elif "/commit/" in self.path:
                for line in map(json.loads, body.splitlines()):
                    if line["key"] == "file":
                        held.files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
                commit = f"{held.url}/datasets/ida/bridges/commit/1"
                self._reply({"success": True, "commitOid": "1" * 40, "commitUrl": commit})
            else:
                self._reply({"valid": True})

        def do_GET(self) -> None:
            self._reply({"id": "ida/bridges", "sha": "1" * 40, "siblings": []})

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        held.url = f"http://127.0.0.1:{server.server_port}"
        Thread(target=server.serve_forever, daemon=True).start()
        yield held
        server.shutdown()


@pytest.fixture
def made(project: MadeProject) -> MadeProject:
    project.facts(range(3))
    project.run(output={"licence": "cc-by-4.0"})
    return project


def pushed(made: MadeProject, *arguments: str, **environment: str) -> Made:
    return program("export", str(made.output), "--push", *arguments, cwd=made.root, **environment)


def test_the_dataset_and_its_card_come_to_the_hub(made: MadeProject, hub: Hub) -> None:
    online = {"HF_ENDPOINT": hub.url, "HF_TOKEN": "hf_secret_of_ida", "HF_HUB_OFFLINE": "0", "HF_HUB_DISABLE_XET": "1"}
    done = pushed(made, "ida/bridges", **online)
    assert done.code == 0, done.err
    assert f"pushed        {hub.url}/datasets/ida/bridges" in done.out
    assert hub.created[0].get("visibility", hub.created[0].get("private")) in ("private", True), hub.created
    assert hub.created[0]["type"] == "dataset"
    assert set(hub.files) == {"README.md", "data/train.jsonl"}
    assert b"license: cc-by-4.0" in hub.files["README.md"] and hub.files["data/train.jsonl"].count(b"\n") == 3
    assert hub.tokens == {"Bearer hf_secret_of_ida"} and "hf_secret_of_ida" not in done.out + done.err


def test_without_a_token_it_says_what_would_be_sent(made: MadeProject, hub: Hub) -> None:
    done = pushed(made, "ida/bridges", "--public", HF_ENDPOINT=hub.url, HF_HUB_OFFLINE="0")
    assert done.code == 0, done.err
    assert "nothing was uploaded: no token" in done.out and "public dataset ida/bridges" in done.out
    assert "README.md" in done.out and "data/train.jsonl" in done.out and not hub.created
    dry = pushed(made, "ida/bridges", "--dry-run", HF_ENDPOINT=hub.url, HF_TOKEN="hf_secret_of_ida")
    assert dry.code == 0 and "nothing was uploaded: --dry-run" in dry.out and not hub.created


@pytest.mark.parametrize("flag", ["--dry-run", "--public", "--journal"])
def test_what_says_how_to_push_is_refused_without_a_push(made: MadeProject, flag: str) -> None:
    """A dry run that wrote the export would be none."""
    done = program("export", str(made.output), "--format", "openai", flag, cwd=made.root)
    assert done.code == 2 and "--push" in done.err and not (made.output / "exports" / "openai").exists()


def test_without_a_network_it_says_so_and_the_export_is_there(made: MadeProject) -> None:
    nobody = {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_TOKEN": "hf_secret_of_ida", "HF_HUB_OFFLINE": "0"}
    done = pushed(made, "ida/bridges", **nobody)
    assert done.code == 2 and "the Hugging Face Hub" in done.err and "Traceback" not in done.err
    assert (made.output / "exports" / "hf" / "README.md").is_file()
    offline = pushed(made, "ida/bridges", HF_TOKEN="hf_secret_of_ida", HF_HUB_OFFLINE="1")
    assert offline.code == 2 and "HF_HUB_OFFLINE is set" in offline.err


def test_a_token_that_may_not_and_a_name_that_is_none(made: MadeProject, hub: Hub) -> None:
    hub.status = 403
    done = pushed(made, "other/bridges", HF_ENDPOINT=hub.url, HF_TOKEN="hf_secret_of_ida", HF_HUB_OFFLINE="0")
    assert done.code == 2 and "this token may not write to other/bridges" in done.err
    for name in ("bridges", "a/b/c", "a b/c"):
        done = pushed(made, name)
        assert done.code == 2 and "is not the name of a dataset" in done.err
    assert program("export", str(made.output), cwd=made.root).code == 2
