"""What is copied, what is not, and what a copy that fails leaves behind."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import pytest

from augment_correction.errors import InputError
from augment_correction.remote.at_once import Stopped
from augment_correction.remote.copying import copy_folder
from augment_correction.remote.push import Push
from augment_correction.remote.storage import Storage
from augment_correction.store import RunFolder
from tests.remote.server import S3


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    root = tmp_path / "run"
    for name in ("run.json", "exports/openai/train.jsonl", "report.html", "debug_outputs/a.md/1.md"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"this is {name}")
    for name in ("journal.sqlite", "journal.sqlite-wal", ".lock", "logs/server.txt", "earlier/1/run.json"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("of this machine alone")
    (tmp_path / "mine.txt").write_text("not of the run")
    (root / "link.txt").symlink_to(tmp_path / "mine.txt")
    return RunFolder(root)


def copy(run: RunFolder, address: str, dry_run: bool = False, stop: Event | None = None) -> Push:
    return copy_folder(run.root, run.made(), address, run.copied, last="run.json", dry_run=dry_run, stop=stop)


MADE = ["debug_outputs/a.md/1.md", "exports/openai/train.jsonl", "report.html", "run.json"]


def test_what_a_run_has_made(run: RunFolder) -> None:
    assert run.made() == MADE


def test_only_what_is_another_is_copied_and_what_is_gone_goes(run: RunFolder, s3: S3) -> None:
    s3.put({"made/of_somebody_else.txt": "stays"})
    first = copy(run, "s3://bucket/made/")
    assert [name for name, _ in first.files] == MADE and first.url == "s3://bucket/made"
    assert set(s3.held("made/")) == {f"made/{name}" for name in MADE} | {"made/of_somebody_else.txt"}
    s3.requests.clear()
    assert copy(run, "s3://bucket/made").unchanged == 4 and s3.asked("PUT") == []
    (run.root / "report.html").write_text("another report")
    (run.root / "run.json").write_text("this is run.json")  # written again, the same
    (run.root / "exports/openai/train.jsonl").unlink()
    second = copy(run, "s3://bucket/made")
    assert [name for name, _ in second.files] == ["report.html"] and second.removed == ["exports/openai/train.jsonl"]
    assert s3.asked("PUT") == ["made/report.html"] and s3.asked("DELETE") == ["made/exports/openai/train.jsonl"]
    assert s3.held("made/")["made/report.html"] == b"another report"
    assert set(s3.held("made/")) == {
        *("made/debug_outputs/a.md/1.md", "made/report.html", "made/run.json", "made/of_somebody_else.txt")
    }


def test_what_was_deleted_or_replaced_there_is_copied_again(run: RunFolder, s3: S3) -> None:
    copy(run, "s3://bucket/made")
    s3.client.delete_object(Bucket="bucket", Key="made/report.html")
    s3.put({"made/run.json": "of another run"})
    assert [name for name, _ in copy(run, "s3://bucket/made").files] == ["report.html", "run.json"]


def test_the_manifest_arrives_last(run: RunFolder, s3: S3) -> None:
    copy(run, "s3://bucket/made")
    puts = [path for way, path in s3.requests if way == "PUT" and path.startswith("bucket/made")]
    assert len(puts) == 4 and puts[-1] == "bucket/made/run.json"


def test_a_dry_run_sends_nothing(run: RunFolder, s3: S3) -> None:
    told = copy(run, "s3://bucket/made", dry_run=True)
    assert told.url is None and told.withheld == "--dry-run" and [name for name, _ in told.files] == MADE
    assert s3.asked("PUT") == [] and s3.held("made/") == {}


def test_two_addresses_are_told_apart(run: RunFolder, tmp_path: Path, memory: str) -> None:
    assert len(copy(run, memory).files) == len(copy(run, f"file://{tmp_path}/there").files) == 4
    assert copy(run, memory).unchanged == copy(run, f"file://{tmp_path}/there").unchanged == 4
    assert (tmp_path / "there" / "exports/openai/train.jsonl").read_text() == "this is exports/openai/train.jsonl"
    assert not (tmp_path / "there" / "mine.txt").exists() and not (tmp_path / "there" / "link.txt").exists()


def test_a_failure_in_the_middle_is_gone_on_from(
    run: RunFolder, memory: str, monkeypatch: pytest.MonkeyPatch, stop: Event
) -> None:
    for number in range(40):
        (run.root / f"{number}.txt").write_text(str(number))
    put, count = Storage.put, [0]

    def failing(self: Storage, *arguments: object) -> None:
        count[0] += 1
        if count[0] > 20:
            raise InputError("the server is gone")
        put(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Storage, "put", failing)
    with pytest.raises(InputError, match="gone"):
        copy(run, memory)
    assert "run.json" not in Storage.at(memory).objects()
    monkeypatch.setattr(Storage, "put", put)
    again = copy(run, memory)
    assert len(again.files) + again.unchanged == 44 and again.unchanged == 20
    stop.set()
    (run.root / "run.json").write_text("another")
    with pytest.raises(Stopped):
        copy(run, memory, stop=stop)


def test_a_bucket_that_is_not_there(run: RunFolder, s3: S3) -> None:
    before = {name: (run.root / name).read_bytes() for name in run.made()}
    with pytest.raises(InputError, match="there is no s3://nobody/made"):
        copy(run, "s3://nobody/made")
    assert before == {name: (run.root / name).read_bytes() for name in run.made()}
