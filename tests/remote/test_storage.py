"""What is wrong with an address or on the way to it is told in one sentence, with what to do and without a secret."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import fsspec
import pytest

from augment_correction.errors import InputError
from augment_correction.remote.storage import Storage, check_address
from tests.cli.program import program
from tests.remote.server import S3, SECRET


@pytest.mark.parametrize(
    ("address", "told", "remedy"),
    [
        ("s3://KEY:verysecret@bucket/docs", "holds credentials", "AWS_PROFILE"),
        ("xyz://bucket", "'xyz' in xyz://bucket is no protocol", "s3://BUCKET/FOLDER"),
        ("s3://", "names no bucket", "s3://BUCKET/FOLDER"),
        ("outputs/mine", "is no address", "s3://BUCKET/FOLDER"),
        ("gs://bucket/docs", "gs://bucket/docs needs a package", "pip install gcsfs"),
        ("az://bucket/docs", "az://bucket/docs needs a package", "pip install adlfs"),
    ],
)
def test_an_address_that_cannot_be_used(address: str, told: str, remedy: str) -> None:
    with pytest.raises(InputError) as caught:
        check_address(address)
    assert told in caught.value.message and remedy in str(caught.value.hint)
    assert "verysecret" not in f"{caught.value.message} {caught.value.hint}"


def test_a_bucket_that_is_not_there(s3: S3) -> None:
    with pytest.raises(InputError, match="there is no s3://nobody/docs: The specified bucket does not exist"):
        Storage.at("s3://nobody/docs").objects()
    with pytest.raises(InputError, match="there is no s3://nobody/docs"):
        Storage.at("s3://nobody/docs").check()
    assert Storage.at("s3://bucket/nothing").objects() == {}
    Storage.at("s3://bucket/nothing").check()


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
