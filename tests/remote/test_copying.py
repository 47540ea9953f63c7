"""What is copied, what is not, and what a copy that fails leaves behind."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from threading import Event, Timer
from typing import Any

import pytest

from augment_correction.errors import InputError
from augment_correction.remote.at_once import AT_ONCE, Stopped
from augment_correction.remote.copying import copy_folder
from augment_correction.remote.push import Push
from augment_correction.remote.storage import Storage
from augment_correction.store import RunFolder
from tests.remote.server import S3

MADE = ["earlier/1/run.json", "exports/openai/train.jsonl", "report.html", "run.json"]
LEFT = (
    *("journal.sqlite", "journal.sqlite-wal", ".lock", "logs/server.txt", "journals/actor.sqlite", "debug_outputs/a.md/1.md"),
    *("prepared/0123/data.arrow", "lora_out/adapter.safetensors", "notes.txt", "exports/.openai.part/train.jsonl"),
)  # fmt: skip


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    root = tmp_path / "run"
    for name in (*MADE, *LEFT):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"this is {name}")
    (tmp_path / "mine.txt").write_text("not of the run")
    (root / "exports/link.txt").symlink_to(tmp_path / "mine.txt")
    return RunFolder(root)


def copy(run: RunFolder, address: str, dry_run: bool = False, stop: Event | None = None) -> Push:
    return copy_folder(
        run.root, run.products(), address, run.copied, sets=run.sets(), last="run.json", dry_run=dry_run, stop=stop
    )


def test_what_is_sent_and_what_is_left(run: RunFolder) -> None:
    assert run.products() == MADE and run.sets() == ["exports/openai"]


def test_only_what_is_another_is_copied_and_nothing_is_lost_there(run: RunFolder, s3: S3) -> None:
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
    assert [name for name, _ in second.files] == ["report.html"] and second.removed == []
    assert s3.asked("PUT") == ["made/report.html"] and s3.asked("DELETE") == []
    assert s3.held("made/")["made/report.html"] == b"another report"
    assert len(s3.held("made/")) == 5


def written(run: RunFolder, *names: str) -> None:
    """The pages of the report, and no others."""
    shutil.rmtree(run.report_data, ignore_errors=True)
    run.report_data.mkdir()
    for name in names:
        (run.report_data / name).write_text(f"page {name}")


def test_the_remains_of_a_set_that_is_made_anew_go_last(run: RunFolder, s3: S3) -> None:
    written(run, "0.js", "1.js", "2.js")
    copy(run, "s3://bucket/made")
    s3.put({"made/report_data/2.js": "page ?.js", "made/report_data/of_somebody_else.js": "stays"})
    written(run, "0.js")
    assert copy(run, "s3://bucket/made").removed == [], "a page that was lost here is not lost there"
    written(run, "0.js", "new.js")
    (run.root / "run.json").write_text("another")
    assert copy(run, "s3://bucket/made", dry_run=True).removed == ["report_data/1.js"]
    s3.requests.clear()
    assert copy(run, "s3://bucket/made").removed == ["report_data/1.js"]
    changes = [(way, path) for way, path in s3.requests if way in ("PUT", "DELETE")]
    assert changes[-2:] == [("PUT", "bucket/made/run.json"), ("DELETE", "bucket/made/report_data/1.js")]
    left = {"0.js", "2.js", "new.js", "of_somebody_else.js"}
    assert set(s3.held("made/report_data/")) == {f"made/report_data/{name}" for name in left}


def test_remains_that_a_stopped_copy_left_go_with_the_next_one(
    run: RunFolder, s3: S3, monkeypatch: pytest.MonkeyPatch, stop: Event
) -> None:
    written(run, "0.js", "1.js", "2.js")
    copy(run, "s3://bucket/made")
    written(run, "new.js")
    remove = Storage.remove

    def last(self: Storage, name: str) -> None:
        remove(self, name)
        stop.set()

    monkeypatch.setattr(Storage, "remove", last)
    with pytest.raises(Stopped):
        copy(run, "s3://bucket/made", stop=stop)
    assert s3.asked("DELETE") == ["made/report_data/0.js"]
    monkeypatch.setattr(Storage, "remove", remove)
    assert copy(run, "s3://bucket/made").removed == ["report_data/1.js", "report_data/2.js"]
    assert set(s3.held("made/report_data/")) == {"made/report_data/new.js"}


def test_a_copy_that_is_stopped_begins_no_other_file(
    run: RunFolder, memory: str, monkeypatch: pytest.MonkeyPatch, stop: Event
) -> None:
    written(run, *map(str, range(12)))
    monkeypatch.setattr("augment_correction.remote.copying.LARGE", 3)  # one after the other
    put, sent = Storage.put, list[str]()

    def stopped(self: Storage, source: Path, name: str, *arguments: Any) -> None:
        put(self, source, name, *arguments)
        sent.append(name)
        time.sleep(0.2)  # the others come to where they wait
        stop.set()

    monkeypatch.setattr(Storage, "put", stopped)
    with pytest.raises(Stopped):
        copy(run, memory, stop=stop)
    assert len(sent) == 1 == len(Storage.at(memory).objects())


@pytest.mark.parametrize("silent", ["put", "mark_of", "remove"])
def test_a_copy_is_stopped_while_a_server_is_silent(
    run: RunFolder, memory: str, monkeypatch: pytest.MonkeyPatch, stop: Event, silent: str
) -> None:
    written(run, "0.js", "1.js")
    copy(run, memory)
    written(run, "0.js", "new.js")
    monkeypatch.setattr(Storage, silent, lambda *_: time.sleep(30))
    Timer(0.5, stop.set).start()
    begun = time.monotonic()
    with pytest.raises(Stopped):
        copy(run, memory, stop=stop)
    assert time.monotonic() - begun < 5


def test_a_copy_that_is_stopped_reads_no_other_file(run: RunFolder, memory: str, stop: Event) -> None:
    stop.set()
    with pytest.raises(Stopped):
        copy(run, memory, dry_run=True, stop=stop)


def test_an_object_of_the_same_size_that_somebody_else_put_there_is_replaced(run: RunFolder, s3: S3) -> None:
    copy(run, "s3://bucket/made")
    s3.put({"made/report.html": "THIS IS REPORT.HTML"[: (run.root / "report.html").stat().st_size]})
    assert [name for name, _ in copy(run, "s3://bucket/made").files] == ["report.html"]
    assert s3.held("made/")["made/report.html"] == b"this is report.html"
    assert copy(run, "s3://bucket/made").unchanged == 4


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
    assert not (tmp_path / "there" / "mine.txt").exists() and not (tmp_path / "there" / "exports/link.txt").exists()


def test_a_failure_in_the_middle_is_gone_on_from(
    run: RunFolder, memory: str, monkeypatch: pytest.MonkeyPatch, stop: Event
) -> None:
    written(run, *map(str, range(40)))
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
    assert len(again.files) + again.unchanged == 44
    assert 20 - AT_ONCE < again.unchanged <= 20, "what others were sending when the failure came is sent again"
    stop.set()
    (run.root / "run.json").write_text("another")
    with pytest.raises(Stopped):
        copy(run, memory, stop=stop)


def test_what_somebody_else_replaces_after_a_copy_that_was_killed_is_sent_again(
    run: RunFolder, s3: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = Storage.put

    def dies(self: Storage, source: Path, name: str, *arguments: Any) -> None:
        if name == "run.json":
            raise KeyboardInterrupt
        put(self, source, name, *arguments)

    monkeypatch.setattr(Storage, "put", dies)
    with pytest.raises(KeyboardInterrupt):
        copy(run, "s3://bucket/made")
    monkeypatch.setattr(Storage, "put", put)
    s3.put({"made/report.html": "THIS IS REPORT.HTML"[: (run.root / "report.html").stat().st_size]})
    again = copy(run, "s3://bucket/made")
    assert [name for name, _ in again.files] == ["report.html", "run.json"] and again.unchanged == 2
    assert s3.held("made/")["made/report.html"] == b"this is report.html"


def test_a_storage_that_tells_no_mark_of_one_object_is_listed_for_it(
    run: RunFolder, s3: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Storage, "mark_of", lambda *_: None)
    copy(run, "s3://bucket/made")
    s3.put({"made/report.html": "THIS IS REPORT.HTML"[: (run.root / "report.html").stat().st_size]})
    assert [name for name, _ in copy(run, "s3://bucket/made").files] == ["report.html"]


def test_a_bucket_that_is_not_there(run: RunFolder, s3: S3) -> None:
    before = {name: (run.root / name).read_bytes() for name in run.products()}
    with pytest.raises(InputError, match="there is no s3://nobody/made"):
        copy(run, "s3://nobody/made")
    assert before == {name: (run.root / name).read_bytes() for name in run.products()}
