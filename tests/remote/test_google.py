"""Google's storage, by an emulator on 127.0.0.1: what differs from S3 is what its filesystem says, and when it says nothing."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import fsspec
import pytest
from aiohttp import ClientTimeout
from gcp_storage_emulator.server import create_server

from augment_correction.errors import ConfigError, ExitCode, InputError
from augment_correction.remote import storage
from augment_correction.remote.failures import ObjectFailure
from augment_correction.remote.storage import Storage, Stored
from augment_correction.runner import run_async
from tests.cli.program import program
from tests.projects import MadeProject

AT_DOCS = {"input_dir": "gs://bucket/docs"}
COPIED = {"copy_to": "gs://bucket/made"}


@pytest.fixture(autouse=True)
def no_credentials(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    monkeypatch.setenv("NO_GCE_CHECK", "true")  # else it asks whether this is one of Google's machines


@pytest.fixture(scope="module")
def emulator() -> Iterator[str]:
    server = create_server("127.0.0.1", 0, in_memory=True)
    with server:
        yield f"http://127.0.0.1:{server._api._httpd.server_port}"


@pytest.fixture
def bucket(emulator: str, monkeypatch: pytest.MonkeyPatch) -> fsspec.AbstractFileSystem:
    """Google's filesystem, with an empty bucket named `bucket`; this process and those that it starts talk to it."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", emulator)
    files = fsspec.filesystem("gs", skip_instance_cache=True, use_listings_cache=False)
    files.call("GET", f"{emulator}/wipe")
    files.mkdir("bucket")
    return files


def stored(bucket: fsspec.AbstractFileSystem, count: int) -> None:
    for n in range(count):
        text = f"# Bridge {n}\n\nThe bridge of Halmstett number {n} was built in {1800 + n}."
        bucket.pipe_file(f"bucket/docs/{'sub/' * (n % 2)}doc{n}.md", text.encode())


async def test_a_run_with_its_documents_and_its_copy_there(
    bucket: fsspec.AbstractFileSystem, project: MadeProject
) -> None:
    stored(bucket, 4)
    config = project.load(path=AT_DOCS, output=COPIED)
    made = await run_async(config)
    assert made.exit_code is ExitCode.DONE and made.kept == 4
    assert bucket.cat_file("bucket/made/run.json") == (project.output / "run.json").read_bytes()
    again = await run_async(config)
    assert any("nothing new to fetch" in notice for notice in again.notices)
    assert any("copied to gs://bucket/made: nothing new" in notice for notice in again.notices)
    pushed = program("export", str(project.output), "--push", "gs://bucket/two")
    assert pushed.code == 0 and pushed.out.startswith("pushed        gs://bucket/two\n"), pushed.err
    assert "Traceback" not in pushed.err and "credentials" not in pushed.err


async def test_a_bucket_that_is_not_there(bucket: fsspec.AbstractFileSystem, project: MadeProject) -> None:
    for path in ("gs://nobody/docs", "gs://nobody"):
        for asked in (Storage.at(path).check, Storage.at(path).objects):
            with pytest.raises(InputError, match=f"there is no {path}: no bucket or container is named nobody"):
                asked()
    Storage.at("gs://bucket/nothing").check()
    assert Storage.at("gs://bucket/nothing").objects() == {}
    project.facts(range(1))
    with pytest.raises(ConfigError, match="there is no gs://nobody/made"):
        await run_async(project.load(output={"copy_to": "gs://nobody/made"}))


def test_an_address_of_one_object(bucket: fsspec.AbstractFileSystem, tmp_path: Path) -> None:
    stored(bucket, 1)
    bucket.pipe_file("bucket/docs/doc0.md.old", b"another")
    one = Storage.at("gs://bucket/docs/doc0.md")
    assert list(one.objects()) == [""] and one.objects()[""].mark
    counted = list[int]()
    one.fetch(one.objects()[""], tmp_path / "here", counted.append)
    assert (tmp_path / "here").read_bytes() == bucket.cat_file("bucket/docs/doc0.md")
    assert sum(counted) == one.objects()[""].size
    with pytest.raises(ObjectFailure, match="No such file"):
        one.fetch(Stored("bucket/docs/gone.md", 1, None), tmp_path / "here", counted.append)


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """A server in the place of Google's, which answers with the status that the list holds; with none where it is 0."""
    status = [401]

    class Refusing(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if not status[0]:
                time.sleep(2)
                return
            body = json.dumps({"error": {"code": status[0], "message": "ida may not list this bucket."}}).encode()
            self.send_response(status[0])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{server.server_port}")
        yield status
        server.shutdown()


def test_credentials_that_are_refused_are_told_without_a_traceback(refusing: list[int]) -> None:
    ended = program("check", "smoke", "--set", "path.input_dir=gs://bucket/docs")
    assert ended.code == 2 and "these credentials may not read gs://bucket/docs: ida may not list" in ended.out
    assert "GOOGLE_APPLICATION_CREDENTIALS" in ended.out and "Traceback" not in ended.out + ended.err
    refusing[0] = 403
    with pytest.raises(InputError, match="these credentials may not read gs://bucket/docs: ida may not list"):
        Storage.at("gs://bucket/docs").objects()


def test_a_server_that_never_answers_is_given_up(refusing: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    refusing[0] = 0
    assert storage._options("gs", "gs://bucket/docs")["requests_timeout"].sock_read == 15
    monkeypatch.setattr(storage, "_options", lambda *_: {"requests_timeout": ClientTimeout(sock_read=0.1)})
    monkeypatch.setattr("gcsfs.retry.min", lambda *_: 0, raising=False)  # its pauses: half a minute
    begun = time.monotonic()
    with pytest.raises(InputError, match="gs://bucket/docs cannot be reached: Timeout on reading"):
        Storage.at("gs://bucket/docs").check()
    assert time.monotonic() - begun < 15
