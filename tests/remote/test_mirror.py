"""What is fetched and what is not, and that what a fetch leaves is whole whenever it ends."""

from __future__ import annotations

import fcntl
import shutil
from collections import namedtuple
from contextlib import ExitStack
from pathlib import Path
from threading import Event

import fsspec
import pytest

from augment_correction.errors import InputError
from augment_correction.remote.at_once import Stopped
from augment_correction.remote.failures import ObjectFailure
from augment_correction.remote.mirror import Mirror, Mirrored, copy_of
from augment_correction.remote.storage import Storage, Stored
from tests.remote.server import S3

Usage = namedtuple("Usage", "total used free")


def is_read(name: str) -> bool:
    return name.endswith(".md") or name == "_settings.yaml"


def fetch(address: str, stop: Event | None = None) -> Mirrored:
    return Mirror(address, is_read).fetch(stop=stop)


def files(folder: Path) -> dict[str, str]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text() for path in found}


def counted(made: Mirrored) -> tuple[int, int, int, int]:
    return made.files, made.fetched, made.removed, len(made.refused)


class TestAnS3Server:
    def test_only_what_has_changed_is_fetched(self, s3: S3) -> None:
        s3.put({f"docs/sub/{n}.md": f"text {n}" for n in range(5)} | {"docs/film.mp4": "x" * 9, "docsother/z.md": "no"})
        first = fetch("s3://bucket/docs")
        assert counted(first) == (6, 5, 0, 0) and first.size == 30
        assert files(first.path) == {**{f"sub/{n}.md": f"text {n}" for n in range(5)}, "film.mp4": ""}
        assert s3.asked("GET") == [f"docs/sub/{n}.md" for n in range(5)]
        s3.requests.clear()
        assert counted(fetch("s3://bucket/docs/")) == (6, 0, 0, 0)
        assert s3.asked("GET") == []
        s3.put({"docs/sub/2.md": "text Z", "docs/new.md": "new"})  # the same length
        s3.client.delete_object(Bucket="bucket", Key="docs/sub/0.md")
        assert counted(fetch("s3://bucket/docs")) == (6, 2, 1, 0)
        assert s3.asked("GET") == ["docs/new.md", "docs/sub/2.md"]
        assert files(first.path)["sub/2.md"] == "text Z" and "sub/0.md" not in files(first.path)

    def test_the_same_content_put_again_is_not_fetched(self, s3: S3) -> None:
        s3.put({"docs/a.md": "text"})
        fetch("s3://bucket/docs")
        s3.put({"docs/a.md": "text"})
        assert counted(fetch("s3://bucket/docs")) == (1, 0, 0, 0)

    def test_one_object_and_a_whole_bucket(self, s3: S3) -> None:
        s3.put({"docs/a.md": "text", "b.md": "other"})
        one = fetch("s3://bucket/docs/a.md")
        assert one.path.name == "a.md" and one.path.read_text() == "text"
        assert files(fetch("s3://bucket").path) == {"docs/a.md": "text", "b.md": "other"}

    def test_hostile_names_are_refused_and_stay_inside(self, s3: S3, cache: Path) -> None:
        bad = {"docs/../up.md": "1", "docs//etc/passwd.md": "2", "docs/./dot.md": "3", f"docs/{'l' * 300}.md": "4"}
        s3.put(
            bad | {"docs/a.md": "good", "docs/A.md": "also", "docs/dir": "5", "docs/dir/c.md": "6", "docs/.h.md": "7"}
        )
        made = fetch("s3://bucket/docs")
        assert files(made.path) == {"a.md": "good", "A.md": "also", "dir/c.md": "6"}
        assert [name[:12] for name, _ in made.refused] == [
            "../up.md",
            "./dot.md",
            "/etc/passwd.",
            "dir",
            "llllllllllll",
        ]
        outside = {path.name for path in cache.rglob("*") if path.is_file() and not path.is_relative_to(made.path)}
        assert outside == {"fetched.jsonl", "lock", "readers"}

    def test_an_object_that_is_gone_is_refused_alone_and_its_older_copy_goes(
        self, s3: S3, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        s3.put({"docs/a.md": "old", "docs/b.md": "text"})
        fetch("s3://bucket/docs")
        s3.put({"docs/a.md": "newer"})
        mirror = Mirror("s3://bucket/docs", is_read)
        listed = mirror._storage.objects()
        monkeypatch.setattr(type(mirror._storage), "objects", lambda self: listed)  # between the listing and the fetch
        s3.client.delete_object(Bucket="bucket", Key="docs/a.md")
        made = mirror.fetch()
        assert made.refused == (("a.md", "The specified key does not exist."),)
        assert files(made.path) == {"b.md": "text"}

    def test_credentials_that_end_in_the_middle_end_it(self, s3: S3) -> None:
        s3.put({f"docs/{n}.md": "text" for n in range(40)})
        s3.refuse_after(20)
        with pytest.raises(InputError, match="these credentials may not read s3://bucket/docs: The AWS Access Key Id"):
            fetch("s3://bucket/docs")
        here = len(files(copy_of("s3://bucket/docs")))
        s3.refuse_after(float("inf"))
        assert 0 < here < 40 and fetch("s3://bucket/docs").fetched == 40 - here

    def test_where_no_object_can_be_had_that_is_no_matter_of_each(
        self, s3: S3, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        s3.put({f"docs/{n}.md": "text" for n in range(3)})

        def refuse(*_: object) -> None:
            raise ObjectFailure("Access Denied")

        monkeypatch.setattr(Storage, "fetch", refuse)
        with pytest.raises(InputError, match="none of the 3 files of s3://bucket/docs can be fetched: Access Denied"):
            fetch("s3://bucket/docs")

    def test_a_server_that_goes_away_ends_it_with_what_to_do(self, s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
        s3.put({"docs/a.md": "text"})
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        with pytest.raises(InputError, match="cannot be reached") as caught:
            fetch("s3://bucket/docs")
        assert "goes on where this one stopped" in str(caught.value.hint)


class TestAnyFilesystem:
    def put(self, address: str, files: dict[str, str]) -> None:
        for name, text in files.items():
            with fsspec.open(f"{address}/{name}", "w", auto_mkdir=True) as file:
                file.write(text)

    def test_in_memory(self, memory: str, cache: Path) -> None:
        self.put(memory, {"a.md": "one", "sub/b.md": "two"})
        made = fetch(memory)
        assert files(made.path) == {"a.md": "one", "sub/b.md": "two"}
        assert counted(fetch(memory)) == (2, 0, 0, 0)
        self.put(memory, {"a.md": "ONE"})
        assert counted(fetch(memory)) == (2, 1, 0, 0)

    def test_in_a_folder(self, tmp_path: Path, cache: Path) -> None:
        self.put(f"file://{tmp_path}/docs", {"a.md": "one"})
        assert files(fetch(f"file://{tmp_path}/docs").path) == {"a.md": "one"}
        assert counted(fetch(f"file://{tmp_path}/docs")) == (1, 0, 0, 0)

    def test_a_file_that_becomes_a_folder_and_back(self, memory: str, cache: Path) -> None:
        self.put(memory, {"a.md": "one"})
        fetch(memory)
        storage = fsspec.filesystem("memory")
        storage.rm(memory, recursive=True)
        self.put(memory, {"a.md/b.md": "two"})
        assert files(fetch(memory).path) == {"a.md/b.md": "two"}
        storage.rm(memory, recursive=True)
        self.put(memory, {"a.md": "three"})
        assert files(fetch(memory).path) == {"a.md": "three"}

    def test_a_copy_that_was_damaged_is_fetched_again(self, memory: str, cache: Path) -> None:
        self.put(memory, {"a.md": "one", "b.md": "two"})
        (fetch(memory).path / "a.md").write_text("")
        (copy_of(memory).parents[1] / "part").mkdir()
        (copy_of(memory).parents[1] / "part" / "1").write_text("left by a process that was killed")
        made = fetch(memory)
        assert counted(made) == (2, 1, 0, 0) and files(made.path)["a.md"] == "one"
        assert not (copy_of(memory).parents[1] / "part").exists()

    def test_a_record_that_was_torn(self, memory: str, cache: Path) -> None:
        self.put(memory, {"a.md": "one", "b.md": "two"})
        fetch(memory)
        record = copy_of(memory).parents[1] / "fetched.jsonl"
        record.write_bytes(record.read_bytes()[:-5])
        assert counted(fetch(memory)) == (2, 1, 0, 0)
        assert counted(fetch(memory)) == (2, 0, 0, 0)

    def test_settings_of_folders_come_along(self, memory: str, cache: Path) -> None:
        self.put(memory, {"sub/_settings.yaml": "language: French", "sub/a.md": "un"})
        assert "sub/_settings.yaml" in files(fetch(memory).path)

    def test_a_disk_that_is_too_small(self, memory: str, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.put(memory, {"a.md": "one"})
        monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1, 1, 50_000_000))
        with pytest.raises(InputError, match="50 MB free, 100 MB are needed"):
            fetch(memory)
        assert files(copy_of(memory)) == {}

    def test_a_cache_that_cannot_be_written(self, memory: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.put(memory, {"a.md": "one"})
        (tmp_path / "file").write_text("no folder")
        monkeypatch.setenv("AUGMENT_CORRECTION_CACHE", str(tmp_path / "file"))
        with pytest.raises(InputError, match="cannot be written: Not a directory") as caught:
            fetch(memory)
        assert "AUGMENT_CORRECTION_CACHE" in str(caught.value.hint)

    def test_one_process_fetches_at_a_time(self, memory: str, cache: Path, stop: Event) -> None:
        self.put(memory, {"a.md": "one"})
        fetch(memory)
        said = list[str]()

        def report(what: str, done: int, total: int) -> None:
            said.append(what)
            stop.set()

        with (copy_of(memory).parents[1] / "lock").open("a+") as other:
            fcntl.flock(other, fcntl.LOCK_EX)
            with pytest.raises(Stopped):
                Mirror(memory, is_read).fetch(report, stop)
        assert said == ["another process is fetching the same documents"]

    def test_what_another_process_reads_is_left_as_it_is(self, memory: str, cache: Path) -> None:
        self.put(memory, {"a.md": "one", "b.md": "two", "film.mp4": "x"})
        with ExitStack() as first:
            made = Mirror(memory, is_read).fetch(read=first)
            self.put(memory, {"a.md": "ONE", "c.md": "three"})
            fsspec.filesystem("memory").rm(f"{memory}/b.md")
            with ExitStack() as second:
                left = Mirror(memory, is_read).fetch(read=second)
            assert left.left == 3 and counted(left) == (3, 0, 0, 0)
            assert "3 have changed there and are not fetched, since another run reads the copy" in str(left)
            assert files(made.path) == {"a.md": "one", "b.md": "two", "film.mp4": ""}
        assert counted(fetch(memory)) == (3, 2, 1, 0)
        assert files(made.path) == {"a.md": "ONE", "c.md": "three", "film.mp4": ""}

    def test_room_is_looked_for_as_bytes_come_where_no_size_is_told(
        self, memory: str, cache: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.put(memory, {"a.md": "one"})
        monkeypatch.setattr(Storage, "_stored", lambda self, path, info: Stored(path, None, None))
        monkeypatch.setattr(Storage, "fetch", lambda self, stored, target, came: came(target.write_bytes(b"one")))
        assert Mirror(memory, is_read).look(Event()).unsized == 1
        assert fetch(memory).size == 3
        monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1, 1, 50_000_000))
        with pytest.raises(InputError, match="50 MB free, 100 MB are needed"):
            fetch(memory)

    def test_nothing_there(self, memory: str, cache: Path) -> None:
        with pytest.raises(InputError, match="holds no documents"):
            fetch(memory)

    def test_it_stops_when_it_is_told_to(self, memory: str, cache: Path, stop: Event) -> None:
        self.put(memory, {f"{n}.md": "text" for n in range(50)})
        mirror = Mirror(memory, is_read)

        def report(what: str, done: int, total: int) -> None:
            if ", 3 of 50 files" in what:
                stop.set()

        with pytest.raises(Stopped):
            mirror.fetch(report, stop)
        here = len(files(copy_of(memory)))
        assert 3 <= here < 50
        assert fetch(memory).fetched == 50 - here

    def test_a_last_name_that_can_be_no_folder(self, memory: str, cache: Path) -> None:
        self.put(f"{memory}/..x", {"a.md": "one"})
        assert fetch(f"{memory}/..x").path.name == "input"
        assert copy_of("s3://bucket/..").name == "input"
        assert copy_of("s3://bucket/a").parent != copy_of("s3://bucket/b").parent
