"""An inbox that anybody can write to: one bad entry is refused with its reason, and the next one is taken."""

from __future__ import annotations

import json
import os
import re
import socket
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augment_correction.text import printable
from augment_correction.worker import intake
from augment_correction.worker.entries import LONGEST_NAME, is_regular, storable
from augment_correction.worker.intake import retry
from augment_correction.worker.log import Log
from tests.disks import fill, small_disk
from tests.worker.world import World, rows, until

UMLAUTS = "ü" * 120  # 240 bytes in 120 characters


def put(folder: Path, name: str | bytes, data: bytes) -> Path:
    path = folder / os.fsdecode(name)
    path.write_bytes(data)
    return path


class TestNames:
    @pytest.mark.parametrize(
        "name",
        [
            "x" * 249 + ".jsonl",
            f"{UMLAUTS}.jsonl",
            b"caf\xe9.jsonl",
            "line\nbreak.jsonl",
            "\x1b[2Jcleared.jsonl",
            "\u202egnp.jsonl",
            "." * 3 + "hidden",
        ],
    )
    def test_any_name_that_the_disk_allows_is_taken_or_left_in_peace(self, world: World, name: str | bytes) -> None:
        put(world.inbox, name, rows("a").encode())
        put(world.inbox, "good.jsonl", rows("b").encode())
        hidden = os.fsdecode(name).startswith(".")
        world.work(until_=lambda: len(world.lies("done")) == 2 - hidden)
        for job in world.context.jobs.all():
            assert job.state == "done" and job.original == storable(job.original)
            assert (world.queue / "done" / job.name).is_file()
        assert "\x1b" not in world.log() and len(world.context.jobs.all()) == 2 - hidden

    def test_a_second_worker_begins_on_what_such_a_name_left(self, world: World) -> None:
        put(world.inbox, "x" * 249 + ".jsonl", b"{}\n")
        world.work(until_=lambda: world.lies("failed"))
        world.work(until_=lambda: True)
        reason = next(each for each in world.lies("failed") if each.endswith(".reason.txt"))
        assert "it has no question" in (world.queue / "failed" / reason).read_text()

    def test_rows_and_their_metadata_keep_one_stem(self, world: World) -> None:
        put(world.inbox, "x" * 240 + ".json", b'{"step": 5}')
        put(world.inbox, "x" * 240 + ".jsonl", rows("a").encode())
        world.work(until_=lambda: not list(world.inbox.iterdir()) and world.lies("done"))
        assert len(list((world.places / "jobs" / "000001").glob("xxx*.json"))) == 1

    @given(st.binary(min_size=1, max_size=255).filter(lambda name: b"/" not in name and b"\0" not in name))
    def test_what_is_storable_is_short_printable_and_stays_so(self, name: bytes) -> None:
        made = storable(os.fsdecode(name))
        assert len(made.encode()) <= LONGEST_NAME and storable(made) == made == printable(made).replace("\n", "_")
        assert made and "/" not in made

    @given(st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=100))
    def test_two_names_of_one_beginning_stay_two(self, name: str) -> None:
        long = name * (300 // len(name.encode()) + 1)
        assert storable(f"{long}a.jsonl") != storable(f"{long}b.jsonl")

    def test_control_characters_of_a_file_do_not_reach_the_terminal(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        Log(tmp_path).say("a\x1b[31mb\u202ec\ud800d\n\te\u3000f é 東")
        said = capsys.readouterr().err
        assert said.endswith("a\\u001b[31mb\\u202ec\\ud800d\n\te\u3000f é 東\n")
        assert next(tmp_path.iterdir()).read_text().endswith(said[19:])


SPECIAL: dict[str, Callable[[Path], object]] = {
    "a symbolic link": lambda path: path.symlink_to("/dev/zero"),
    "a symbolic link to the root": lambda path: path.symlink_to("/"),
    "a symbolic link to nothing": lambda path: path.symlink_to("nowhere"),
    "a named pipe": os.mkfifo,
    "a socket": lambda path: socket.socket(socket.AF_UNIX).bind(path.name),
}


@pytest.mark.parametrize("folder", ["inbox", "queue/high"])
@pytest.mark.parametrize("kind", SPECIAL)
def test_what_is_no_regular_file_is_refused_unopened(
    world: World, kind: str, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(world.places / folder)  # a socket's path may have 107 bytes
    SPECIAL[kind](world.places / folder / "evil.jsonl")
    put(world.inbox, "good.jsonl", rows("a").encode())
    world.work(until_=lambda: world.lies("done") and len(world.context.jobs.all()) == 2)
    job = next(job for job in world.context.jobs.all() if job.original == "evil.jsonl")
    assert job.state == "failed" and f"evil.jsonl is {kind.partition(' to ')[0]}" in (job.reason or "")
    assert "copy the file itself" in (world.queue / "failed" / f"{job.name}.reason.txt").read_text()
    assert os.path.lexists(world.queue / "failed" / job.name) and not os.path.lexists(
        world.places / folder / "evil.jsonl"
    )
    world.work(until_=lambda: True)  # and the next worker begins beside it
    assert "is back in the inbox" in retry(world.context, world.job(job.id))


def test_a_run_whose_dataset_is_a_link_is_refused(world: World) -> None:
    run = world.inbox / "run"
    run.mkdir()
    for name in ("run.json", "journal.sqlite"):
        (run / name).write_text("{}")
    (run / "axolotl_correction_conversations.json").symlink_to("/etc/passwd")
    (run / "loop").symlink_to("..")
    world.work(until_=lambda: len(world.context.jobs.all()) == 1)
    assert "is a symbolic link" in (world.job().reason or "")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("nul.txt", b"a\0b"),
        ("long.txt", b"x" * 5000),
        ("huge.txt", b"\xff" * 2**20),
        ("nul.jsonl", b"\0"),
        ("deep.jsonl", b"[" * 100_000),
        ("deep.json", b'{"a":' * 100_000),
        ("surrogate.jsonl", b'{"messages": "\\ud800"}'),
        ("utf16.jsonl", '{"a": 1}'.encode("utf-16")),
        ("infinite.json", b"NaN"),
        ("picture.png", b"\x89PNG"),
    ],
)
def test_any_content_is_refused_with_its_reason(world: World, name: str, data: bytes) -> None:
    put(world.inbox, name, data)
    put(world.inbox, "good.jsonl", rows("a").encode())
    world.work(until_=lambda: world.lies("done") and world.lies("failed"))
    job = next(job for job in world.context.jobs.all() if job.original == name)
    assert job.reason and "Error:" not in job.reason
    assert job.reason.splitlines()[0] in printable((world.queue / "failed" / f"{job.name}.reason.txt").read_text())


def test_what_a_reader_throws_is_said_of_that_file(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def check(path: Path, *_: object, **__: object) -> object:
        raise RecursionError("too deep")

    monkeypatch.setattr(intake, "check", check)
    put(world.inbox, "a.jsonl", rows("a").encode())
    world.work(until_=lambda: world.lies("failed"))
    assert world.job().reason == "cannot be read: RecursionError: too deep"


def test_an_entry_that_cannot_be_moved_is_one_job_and_said_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    move = intake.move

    def stuck(source: Path, target: Path) -> None:
        if source == world.inbox / "a.jsonl":
            raise PermissionError(1, "Operation not permitted", str(source))
        move(source, target)

    monkeypatch.setattr(intake, "move", stuck)
    put(world.inbox, "a.jsonl", b"{}\n")
    put(world.inbox, "good.jsonl", rows("b").encode())
    world.work(until_=lambda: world.lies("done"))
    assert len(world.context.jobs.all()) == 2 and world.log().count("a.jsonl in ") == 1
    monkeypatch.undo()
    world.work(until_=lambda: not list(world.inbox.iterdir()))
    assert "000001-a.jsonl" in world.lies("failed") or "000002-a.jsonl" in world.lies("failed")


def test_metadata_that_waits_for_its_rows_is_read_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[bytes] = []
    loads = orjson.loads
    monkeypatch.setattr(intake.orjson, "loads", lambda data: read.append(data) or loads(data))
    put(world.inbox, "a.json", json.dumps({"step": 1, "more": "x" * 1000}).encode())
    looks = iter(range(50))
    world.work(until_=lambda: next(looks) == 49)
    assert len(read) == 1
    put(world.inbox, "a.json", b'{"step": 2}')
    put(world.inbox, "a.jsonl", rows("a").encode())
    world.work(until_=lambda: not list(world.inbox.iterdir()))
    assert (world.places / "jobs/000001/a.json").read_bytes() == b'{"step": 2}'


class TestFullDisk:
    def test_a_worker_waits_until_there_is_room(self, world: World) -> None:
        held = {name: world.places / name for name in ("inbox", "queue")}
        with small_disk(world.places) as mounted:
            if not mounted:
                pytest.skip("no tmpfs may be mounted here")
            for path in held.values():
                path.mkdir()
            process = world.start()
            until(lambda: "started on" in world.log(), "the worker began")
            world.drop("a.jsonl", rows("a"))
            until(lambda: world.lies("done"), "the first file was trained on")
            (world.places / ".b.jsonl.part").write_text(rows("b"))
            ballast = fill(world.places)
            (world.places / ".b.jsonl.part").rename(world.inbox / "b.jsonl")
            stderr = world.root / "stderr"
            until(lambda: "waits until there is free space" in stderr.read_text(), "it said that it waits")
            assert process.poll() is None
            ballast.unlink()
            until(lambda: len(world.lies("done")) == 2, "the second file was trained on")
            assert "there is free space on the disk again" in stderr.read_text()
            assert [job.state for job in world.context.jobs.all()] == ["done", "done"]
            fill(world.places)
            process.terminate()
            assert process.wait(30) == 0, "it also ends on a full disk"


def test_a_name_that_is_stored_has_room_for_what_is_put_behind_it() -> None:
    long = "n" * 300
    assert len(storable(long + ".jsonlines").encode()) == LONGEST_NAME  # an ending of ten bytes is kept
    assert storable(long + ".jsonlines").endswith(".jsonlines")
    assert "." not in storable(long + ".jsonlines2")
    assert storable("a" * LONGEST_NAME) == "a" * LONGEST_NAME
    assert re.fullmatch(r"n+-[0-9a-f]{8}\.jsonlines", storable(long + ".jsonlines"))


def test_what_is_gone_or_a_link_is_no_regular_file(tmp_path: Path) -> None:
    file, link = tmp_path / "file", tmp_path / "link"
    file.write_text("")
    link.symlink_to(file)
    assert [is_regular(each) for each in (file, link, tmp_path, tmp_path / "gone")] == [True, False, False, False]
