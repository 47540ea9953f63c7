"""What is wrong with an address or on the way to it is told in one sentence, with what to do and without a secret."""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from augment_correction.errors import InputError
from augment_correction.remote.at_once import Stopped, unless_stopped
from augment_correction.remote.mirror import Mirror
from augment_correction.remote.storage import _S3, Storage, _callback, check_address
from tests.cli.program import program
from tests.projects import MadeProject
from tests.remote.server import S3, SECRET


@pytest.mark.parametrize(
    ("address", "told", "remedy"),
    [
        ("s3://KEY:verysecret@bucket/docs", "holds credentials", "AWS_PROFILE"),
        ("s3://KEY:abc/verysecret@bucket", "s3://***@bucket holds credentials", "AWS_PROFILE"),
        ("https://verysecret@host/docs/", "https://***@host/docs/ holds credentials", "take them out"),
        ("ftp://verysecret@host/docs", "ftp://***@host/docs holds credentials", "take them out"),
        ("http://host/a.txt?X-Amz-Signature=verysecret", "http://host/a.txt holds a query", "take it out"),
        ("s3://bucket/a?sig=KEY:verysecret@x", "s3://bucket/a holds", "take them out"),
        ("reference://some/where", "reference://some/where cannot be used:", "look at the address"),
        ("filecache://some/where", "filecache://some/where cannot be used:", "look at the address"),
        (
            "ftp://127.0.0.1:1/x",
            "ftp://127.0.0.1:1/x cannot be reached: Connection refused",
            "when the server is there",
        ),
        ("xyz://bucket", "'xyz' in xyz://bucket is no protocol", "s3://BUCKET/FOLDER"),
        ("s3://", "names no bucket", "s3://BUCKET/FOLDER"),
        ("outputs/mine", "is no address", "s3://BUCKET/FOLDER"),
        ("oci://bucket/docs", "oci://bucket/docs needs a package", "pip install ocifs"),
        ("az://bucket/docs", "az://bucket/docs needs a package", "pip install adlfs"),
    ],
)
def test_an_address_that_cannot_be_used(address: str, told: str, remedy: str) -> None:
    with pytest.raises(InputError) as caught:
        check_address(address)
    assert told in caught.value.message and remedy in str(caught.value.hint)
    assert "verysecret" not in f"{caught.value.message} {caught.value.hint}"


def test_an_environment_that_cannot_be_used(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "abc")  # has no say
    Storage.at("s3://bucket/docs").check()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "localhost:9000")
    with pytest.raises(InputError, match=r"s3://bucket/docs cannot be used: .*localhost:9000") as caught:
        Storage.at("s3://bucket/docs").check()
    assert "http://HOST:PORT" in str(caught.value.hint)


def test_a_name_before_the_host_is_no_secret_elsewhere() -> None:
    with pytest.raises(InputError, match="needs a package"):
        check_address("abfs://container@account.dfs.core.windows.net/docs")


@pytest.fixture
def mute(s3: S3, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A server in the place of S3's, which accepts and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.getsockname()[1]}")
        yield server


def test_a_server_that_never_answers_is_told_of(mute: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(_S3, "config_kwargs", {**_S3["config_kwargs"], "read_timeout": 0.2})
    begun = time.monotonic()
    with pytest.raises(InputError, match="s3://bucket/docs cannot be reached"):
        Storage.at("s3://bucket/docs").objects()
    assert time.monotonic() - begun < 15  # five times of 0.2 s, and pauses between them


def test_a_server_that_never_answers_does_not_keep_whoever_stops(mute: socket.socket, cache: Path) -> None:
    stop = threading.Event()
    threading.Timer(0.5, stop.set).start()
    begun = time.monotonic()
    for work in (Storage.at("s3://bucket/docs").check, Storage.at("s3://bucket/docs").objects):
        with pytest.raises(Stopped):
            unless_stopped(work, stop)
    with pytest.raises(Stopped):
        Mirror("s3://bucket/docs", lambda _: True).fetch(stop=stop)
    assert time.monotonic() - begun < 3


@pytest.mark.parametrize("key", ["path.input_dir", "output.copy_to"])
def test_a_command_is_interrupted_that_waits_for_such_a_server(
    mute: socket.socket, project: MadeProject, key: str
) -> None:
    project.facts(range(1))
    section, name = key.split(".")
    project.config(**{section: {name: "s3://bucket/docs"}})
    running = project.start()
    mute.settimeout(60)
    # Another test beside this one may look for a server at the same port, long before the command is there to be interrupted.
    while b"/bucket" not in mute.accept()[0].recv(4096):
        pass
    time.sleep(0.2)
    running.send_signal(signal.SIGINT)
    begun = time.monotonic()
    _, told = running.communicate(timeout=60)
    assert (running.returncode, "Traceback" in told) == (130, False), told
    assert time.monotonic() - begun < 8


def test_a_bucket_that_is_not_there(s3: S3) -> None:
    with pytest.raises(InputError, match="there is no s3://nobody/docs: The specified bucket does not exist"):
        Storage.at("s3://nobody/docs").objects()
    with pytest.raises(InputError, match="there is no s3://nobody/docs"):
        Storage.at("s3://nobody/docs").check()
    assert Storage.at("s3://bucket/nothing").objects() == {}


def test_a_filesystem_that_only_names_an_address_of_one_object(memory: str, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = Storage.at(f"{memory}/a.md")
    fsspec.filesystem("memory").pipe_file(storage.root, b"text")
    monkeypatch.setattr(MemoryFileSystem, "find", lambda self, path, **_: [path])  # as adlfs does
    assert {name: stored.size for name, stored in storage.objects().items()} == {"": 4}


def test_bytes_are_counted_however_a_filesystem_tells_them() -> None:
    counted = list[int]()
    callback = _callback(counted.append)
    callback.absolute_update(5)
    callback.relative_update(3)
    callback.absolute_update(20)
    assert counted == [5, 3, 12]


def test_who_may_use_one_folder_alone_is_not_asked_for_the_bucket(s3: S3) -> None:
    Storage.at("s3://bucket/nothing/here").check()
    assert "HEAD" not in {way for way, _ in s3.requests}


def test_what_can_be_asked_is_one_request(s3: S3, memory: str, tmp_path: Path) -> None:
    s3.put({f"docs/sub/{n}.md": "text" for n in range(3)})
    s3.requests.clear()
    Storage.at("s3://bucket/docs").check()
    assert len(s3.requests) == 1
    Storage.at(memory).check()
    Storage.at(f"file://{tmp_path}/nothing").check()


def test_credentials_that_are_missing_or_refused(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    with pytest.raises(InputError, match="cannot be used without credentials: Unable to locate credentials") as caught:
        Storage.at("s3://bucket/docs").objects()
    assert "aws configure" in str(caught.value.hint)


def test_credentials_that_the_server_refuses(s3: S3) -> None:
    s3.put({"docs/a.md": "text"})
    s3.refuse_after(0)
    with pytest.raises(
        InputError, match="these credentials may not read s3://bucket/docs: The AWS Access Key Id"
    ) as caught:
        Storage.at("s3://bucket/docs").objects()
    assert "AWS_PROFILE" in str(caught.value.hint)


def test_a_public_bucket_needs_none(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    s3.put({"docs/a.md": "text"})
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setitem(fsspec.config.conf, "s3", {"anon": True})
    assert list(Storage.at("s3://bucket/docs").objects()) == ["a.md"]


def test_without_s3fs(s3: S3) -> None:
    ended = program("check", "smoke", "--set", "path.input_dir=s3://bucket/docs", TESTS_WITHOUT="s3fs")
    assert ended.code == 2
    assert "s3://bucket/docs needs an optional dependency" in ended.out and "[s3]" in ended.out
    without = program("check", "smoke", "--set", "path.input_dir=s3://bucket/docs", TESTS_WITHOUT="fsspec")
    assert without.code == 2 and "[s3]" in without.out


def test_no_secret_is_told(s3: S3, cache: Path) -> None:
    ended = program("check", "smoke", "--set", "path.input_dir=s3://nobody/docs")
    assert ended.code == 2 and "there is no s3://nobody/docs" in ended.out
    assert SECRET not in ended.out + ended.err


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    (tmp_path / "web" / "docs" / "sub").mkdir(parents=True)
    (tmp_path / "web" / "docs" / "a b.md").write_text("one")
    (tmp_path / "web" / "docs" / "sub" / "c.md").write_text("two")
    (tmp_path / "web" / "other.md").write_text("three")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "web"))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_web_server_that_lists_its_folders(web: str, tmp_path: Path) -> None:
    storage = Storage.at(f"{web}/docs/")
    found = storage.objects()
    assert {name: stored.size for name, stored in found.items()} == {"a b.md": 3, "sub/c.md": 3}
    assert all(stored.mark for stored in found.values())
    storage.fetch(found["a b.md"], tmp_path / "here", lambda _: None)
    assert (tmp_path / "here").read_text() == "one"
