"""What is taken, what is waited for, and what is refused with its line and remedy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from augment_correction import register_rows
from augment_correction.errors import InputError
from augment_correction.project import Project
from augment_correction.worker import arrivals
from augment_correction.worker.arrivals import Arrivals
from augment_correction.worker.intake import retry
from augment_correction.worker.rows import check
from tests.export.models import QWEN, save
from tests.projects import MadeProject
from tests.worker.world import World, row, rows, until

SEGMENTS = {"segments": [{"label": False, "text": "Q 5"}, {"label": True, "text": "No, 4."}]}
FAILURE = {"instruction": "2 + 2?", "input": "5", "output": "4", "meta": "Add."}
REFERENCE = {"instruction": "2 + 2?", "reference_answer": "4", "category": "sums"}


class TestFormats:
    @pytest.mark.parametrize(
        ("value", "format_"),
        [(SEGMENTS, "segments"), (row("4"), "messages"), (FAILURE, "failures"), (REFERENCE, "references")],
    )
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
    def test_each_accepted_one(self, tmp_path: Path, value: dict[str, Any], format_: str, encoding: str) -> None:
        lines, whole = tmp_path / "rows.jsonl", tmp_path / "rows.json"
        lines.write_text(f"{json.dumps(value)}\n\n{json.dumps(value)}", encoding)
        whole.write_text(json.dumps([value]), encoding)
        assert (check(lines, Project(tmp_path)).format, check(lines, Project(tmp_path)).rows) == (format_, 2)
        assert (check(whole, Project(tmp_path)).format, check(whole, Project(tmp_path)).rows) == (format_, 1)

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("", "is empty"),
            (rows("a") + '{"messages": [', "line 2: it is not valid JSON: cut off"),
            ("[1]\n", "line 1, column 1: it is a list instead of a JSON object"),
            (
                '{"prompt": "2+2?", "response": "5"}\n',
                "line 1, column 20: it has 'prompt' and 'response', which do not tell whether",
            ),
            ('{"messages": []}\n', "it has no message that is trained"),
            ('{"messages": [{"role": "user"}]}\n', "message 1 has no content"),
            (
                '{"messages": [{"role": "user", "content": "a", "train": "false"}]}\n',
                "train is 'false', not true or false",
            ),
            ('{"messages": [{"role": "user", "content": "a", "train": true}]}\n', "it has no message that is trained"),
            ('{"segments": [{"label": false, "text": "a"}]}\n', "it has no segment that is trained"),
            ('{"instruction": "a", "input": "b", "output": " "}\n', "it has an empty corrected output"),
            (
                rows("a") + json.dumps(REFERENCE) + "\n",
                "rows of several formats: messages (line 1), references (line 2)",
            ),
        ],
    )
    def test_each_refused_one_names_line_and_remedy(self, tmp_path: Path, text: str, says: str) -> None:
        path = tmp_path / "rows.jsonl"
        path.write_text(text)
        with pytest.raises(InputError) as caught:
            check(path, Project(tmp_path))
        assert says in caught.value.message and caught.value.hint

    def test_of_many_bad_lines_the_first_are_shown_and_all_are_counted(self, tmp_path: Path) -> None:
        path = tmp_path / "rows.jsonl"
        path.write_text(rows("a") + "{}\n" * 20)
        with pytest.raises(InputError, match="20 of 21 rows cannot be used") as caught:
            check(path, Project(tmp_path))
        assert caught.value.message.count("it has no question") == 5 and "and 15 more" in caught.value.message


class TestRuns:
    @pytest.fixture
    def run(self, project: MadeProject) -> Path:
        project.facts(range(2))
        project.run()
        return project.output

    def test_a_text_file_names_one(self, world: World, run: Path) -> None:
        world.drop("mine.txt", f"{run}\n")
        world.work()
        job = world.job()
        assert (job.state, job.rows, job.format, job.run) == ("done", 2, "segments", str(run))
        assert world.starts()[0]["--data"] == str(run) and run.is_dir()

    def test_a_folder_is_moved_through_the_queue(self, world: World, run: Path) -> None:
        run.rename(world.inbox / "run")
        world.work()
        assert world.job().state == "done" and (world.queue / "done/000001-run/journal.sqlite").is_file()
        assert world.starts()[0]["--data"] == str(world.queue / "processing/000001-run")

    @pytest.mark.parametrize("right", [True, False])
    def test_it_must_verify(self, world: World, run: Path, right: bool, tmp_path: Path) -> None:
        """The real `verify`, on a dataset whose mask was turned round."""
        save(QWEN, tmp_path / "model")
        if not right:
            dataset = run / "axolotl_correction_conversations.json"
            dataset.write_text(dataset.read_text().replace('"label":false', '"label":true', 1))
        verify = f"{{python}} -m augment_correction verify {{run}} --tokenizer '{tmp_path / 'model'}'"
        world.config.write_text(world.config.read_text() + f'check:\n  run: "{verify}"\n')
        world.drop("mine.txt", str(run) + "\n")
        world.work()
        assert world.job().state == ("done" if right else "failed") and bool(world.starts()) is right
        assert right or "WRONG (mask): 1 of 2 rows" in (world.job().reason or ""), "the end of the check's log"

    @pytest.mark.parametrize(
        ("text", "says"), [("/nowhere\n", "is not the output folder of a finished run"), ("a\nb\n", "has 2 lines")]
    )
    def test_a_name_that_leads_nowhere_is_refused(self, world: World, text: str, says: str) -> None:
        world.drop("mine.txt", text)
        world.work()
        assert says in (world.job().reason or "") and world.lies("failed")[0] == "000001-mine.txt"


class TestWholeness:
    def whole(self, made: Arrivals, folder: Path) -> list[str]:
        return [path.name for path in made.whole(folder.iterdir())]

    def test_it_waits_until_nothing_moves(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        now = [0.0]
        monkeypatch.setattr(arrivals.time, "monotonic", lambda: now[0])
        made, path = Arrivals(2), tmp_path / "a.jsonl"
        path.write_text(rows("a"))
        assert self.whole(made, tmp_path) == []
        now[0] = 1.9
        path.write_text(rows("a", "b"))
        assert self.whole(made, tmp_path) == []
        now[0] = 3.8
        assert self.whole(made, tmp_path) == []
        now[0] = 4.0
        assert self.whole(made, tmp_path) == ["a.jsonl"]

    def test_what_looks_cut_off_is_given_longer(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        now = [0.0]
        monkeypatch.setattr(arrivals.time, "monotonic", lambda: now[0])
        made = Arrivals(2)
        (tmp_path / "a.jsonl").write_text('{"messages": [{"ro')
        self.whole(made, tmp_path)
        now[0] = 19.0
        assert self.whole(made, tmp_path) == []
        now[0] = 20.0
        assert self.whole(made, tmp_path) == ["a.jsonl"]

    @pytest.mark.parametrize("name", [".a.jsonl", "a.jsonl.part", "a.jsonl.tmp", "a.jsonl~"])
    def test_a_name_that_says_not_yet_is_left(self, tmp_path: Path, name: str) -> None:
        made = Arrivals(0)
        (tmp_path / name).write_text(rows("a"))
        assert self.whole(made, tmp_path) == self.whole(made, tmp_path) == []

    def test_a_file_that_somebody_still_writes_to_is_left(self, tmp_path: Path) -> None:
        made, path = Arrivals(0), tmp_path / "a.jsonl"
        path.write_text(rows("a"))
        if not hasattr(arrivals.fcntl, "F_SETLEASE"):
            pytest.skip("this system does not tell who has a file open")
        with path.open("a"):
            self.whole(made, tmp_path)
            assert self.whole(made, tmp_path) == []
        assert self.whole(made, tmp_path) == ["a.jsonl"]


def test_a_bad_file_is_in_failed_with_its_reason_and_stops_nothing(world: World) -> None:
    world.drop("bad.jsonl", rows("a") + '{"prompt": "2+2?", "response": "5"}\n')
    world.drop("good.jsonl", rows("b"))
    world.work()
    until(lambda: len(world.context.jobs.all()) == 2, "both came in")
    bad = next(job for job in world.context.jobs.all() if job.original == "bad.jsonl")
    assert (bad.state, bad.rows, len(world.starts())) == ("failed", None, 1)
    reason = (world.queue / "failed" / f"{bad.name}.reason.txt").read_text()
    assert (
        "it has 'prompt' and 'response', which do not tell" in reason
        and "remedy: write one JSON object per line" in reason
    )


def test_a_refused_file_that_was_mended_is_looked_at_anew(world: World) -> None:
    world.drop("a.jsonl", "{}\n")
    world.work()
    (world.queue / "failed" / "000001-a.jsonl").write_text(rows("a"))
    assert retry(world.context, world.job()) == "job 1: a.jsonl is back in the inbox"
    world.work(until_=lambda: len(world.context.jobs.all()) == 2 and world.job(2).state == "done")
    assert not (world.queue / "failed" / "000001-a.jsonl.reason.txt").exists()


def test_a_refused_file_that_was_mended_and_moved_is_looked_at_anew(world: World) -> None:
    world.drop("a.jsonl", "{}\n")
    world.work()
    (world.queue / "failed" / "000001-a.jsonl").write_text(rows("a"))
    (world.queue / "failed" / "000001-a.jsonl").rename(world.queue / "high" / "000001-a.jsonl")
    world.work(until_=lambda: world.lies("done") == ["000002-a.jsonl"])


def test_the_same_rows_twice_are_one_training(world: World) -> None:
    for name in ("a", "b"):
        world.drop(f"{name}.jsonl", rows("the same"))
        world.work()
    assert world.job(2).state == "failed" and "came in as job 1" in (world.job(2).reason or "")
    assert "worker retry 1" in (world.queue / "failed/000002-b.jsonl.reason.txt").read_text()


def test_the_same_name_twice_is_two_files(world: World) -> None:
    for text in ("a", "b"):
        world.drop("rows.jsonl", rows(text))
        world.work()
    assert world.lies("done") == ["000001-rows.jsonl", "000002-rows.jsonl"]


@pytest.mark.parametrize("spelled", [REFERENCE, {"question": "2 + 2?", "reference": "4"}, row("4"), SEGMENTS])
def test_a_single_row_is_no_metadata(world: World, spelled: dict[str, Any]) -> None:
    world.drop("one.json", json.dumps(spelled, indent=1))
    world.work()
    assert (world.job().state, world.job().rows) == ("done", 1)


def test_metadata_without_rows_waits_and_follows_them(world: World) -> None:
    world.drop("a.json", '{"step": 50}')
    world.work(until_=lambda: True)
    assert [path.name for path in world.inbox.iterdir()] == ["a.json"]
    world.drop("a.jsonl", rows("a"))
    world.work(until_=lambda: not list(world.inbox.iterdir()))
    assert (world.places / "jobs/000001/a.json").is_file()


@pytest.mark.parametrize("folder", ["inbox", "queue/high"])
def test_a_copy_of_a_done_file_is_a_file_of_its_own(world: World, folder: str) -> None:
    world.drop("a.jsonl", rows("a"))
    world.work()
    world.drop("000001-a.jsonl", rows("b"), folder)
    world.work(until_=lambda: len(world.lies("done")) == 2)
    assert (world.queue / "done" / "000001-a.jsonl").read_text() == rows("a")
    assert (world.queue / "done" / "000002-a.jsonl").read_text() == rows("b")


@pytest.mark.usefixtures("registered_for_now")
@pytest.mark.parametrize("name", ["one.json", "many.jsonl"])
def test_rows_of_a_registered_format_are_trained_as_those_that_every_trainer_knows(world: World, name: str) -> None:
    def read_ticket(ticket: Mapping[str, Any]) -> dict[str, Any]:
        return {"question": ticket["title"], "reference": ticket["solution"]}

    register_rows("tickets", read_ticket, recognises=lambda row: "ticket" in row)
    world.drop(name, '{"ticket": 1, "title": "2 + 2?", "solution": "4"}')
    world.work()
    assert (world.job().state, world.job().rows, world.job().format) == ("done", 1, "references")
    trained = world.places / "jobs/000001/rows.jsonl"
    assert json.loads(trained.read_text()) == {"question": "2 + 2?", "reference": "4"}
    starts = [json.loads(line) for line in (world.control / "starts").read_text().splitlines()]
    assert [start["--data"] for start in starts if start["what"] == "train"] == [str(trained)]


@pytest.mark.usefixtures("registered_for_now")
def test_a_bug_in_a_row_format_is_said_of_the_file(world: World) -> None:
    register_rows("tickets", lambda ticket: {"question": ticket["nope"]}, recognises=lambda row: "ticket" in row)
    world.drop("a.jsonl", '{"ticket": 1}')
    world.work()
    assert world.job().state == "failed"
    assert (world.job().reason or "").startswith("row format 'tickets' (tests.worker.test_intake.")
    assert "KeyError: 'nope'" in (world.job().reason or "")
