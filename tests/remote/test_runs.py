"""The real program with its documents and its copies on an S3 server."""

from __future__ import annotations

import json
import shutil
import signal
import time
from dataclasses import replace
from typing import Any

import pytest

from augment_correction.errors import ConfigError, ExitCode, InputError
from augment_correction.remote.at_once import AT_ONCE
from augment_correction.remote.failures import ObjectFailure
from augment_correction.remote.mirror import copy_of
from augment_correction.remote.storage import Storage
from augment_correction.results.decisions import Decisions, ReviewDecision
from augment_correction.runner import estimate, run_async
from augment_correction.runner.checking import check_run
from augment_correction.runner.previewing import preview
from augment_correction.store import RunFolder
from tests.cli.program import program
from tests.projects import MadeProject
from tests.remote.server import S3, SECRET
from tests.servers import ModelServer

DOCS = "s3://bucket/docs"
AT_DOCS = {"input_dir": DOCS}
COPIED = {"copy_to": "s3://bucket/made"}
DATASET = "axolotl_correction_conversations.json"


def texts(count: int) -> dict[str, str]:
    return {
        f"{'sub/' * (n % 2)}doc{n}.md": f"# Bridge {n}\n\nThe bridge of Halmstett number {n} was built in {1800 + n}."
        for n in range(count)
    }


def stored(s3: S3, count: int) -> dict[str, str]:
    made = texts(count)
    s3.put({f"docs/{name}": text for name, text in made.items()})
    return made


def without_place(files: dict[str, bytes]) -> dict[str, bytes]:
    """`run.json` and what is made from it name where the documents were and the files are."""
    return {name: data for name, data in files.items() if not name.startswith(("run.json", "axolotl_lora", "report"))}


async def test_the_same_documents_give_the_same_run_here_and_there(s3: S3, project: MadeProject) -> None:
    for name, text in stored(s3, 6).items():
        project.write(f"inputs/{name}", text)
    project.write("inputs/film.mp4", "x" * 100)
    project.write("inputs/sub/_settings.yaml", "language: Danish")
    s3.put({"docs/film.mp4": "x" * 100, "docs/sub/_settings.yaml": "language: Danish"})
    here = await run_async(project.load())
    local = without_place(project.files())
    there = await run_async(project.load(path={**AT_DOCS, "output_dir": "./there"}))
    assert here.counts == there.counts and there.kept == 6 and there.counts["unread"] == 1
    assert local == without_place(project.files(project.root / "there"))
    assert "docs/film.mp4" not in s3.asked("GET")
    again = await run_async(project.load(path={**AT_DOCS, "output_dir": "./there"}))
    assert again.counts == there.counts and len(s3.asked("GET")) == 7


async def test_everything_that_reads_fetches_first(s3: S3, project: MadeProject) -> None:
    stored(s3, 3)
    made = await estimate(project.load(path=AT_DOCS))
    assert made.chunks == 3
    found = {finding.what: finding.ok for finding in await check_run(project.config(path=AT_DOCS))}
    assert all(found.values()) and found[f"input folder {copy_of(DOCS)}: 3 .md"] and found["3 passages"]
    assert len(s3.asked("GET")) == 3


def test_a_preview_fetches_first(s3: S3, project: MadeProject) -> None:
    stored(s3, 3)
    assert preview(project.load(path=AT_DOCS), 2).kept == 2


async def test_a_check_fetches_no_more_than_it_would_read(
    s3: S3, project: MadeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(s3, 3)
    monkeypatch.setattr("augment_correction.runner.checking.READ_BYTES", 100)
    found = [finding.what for finding in await check_run(project.config(path=AT_DOCS))]
    assert f"note: {DOCS}: 3 of 3 files are still to be fetched (0 MB), and were not read" in " ".join(found)
    assert s3.asked("GET") == []


async def test_a_check_fetches_nothing_whose_size_is_not_told(
    s3: S3, project: MadeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(s3, 3)
    listed = Storage._stored
    monkeypatch.setattr(Storage, "_stored", lambda *each: replace(listed(*each), size=None))
    found = [finding.what for finding in await check_run(project.config(path=AT_DOCS))]
    assert "3 of 3 files are still to be fetched (0 MB and 3 of unknown size), and were not read" in " ".join(found)
    assert s3.asked("GET") == []


async def test_what_is_made_cannot_be_copied_to_a_page(project: MadeProject) -> None:
    project.facts(range(1))
    with pytest.raises(
        ConfigError, match="http://host/made is a page of the web, where nothing can be written"
    ) as caught:
        await run_async(project.load(output={"copy_to": "http://host/made?sig=verysecret"}))
    assert "verysecret" not in str(caught.value)


async def test_mistakes_are_told_where_they_stand(s3: S3, project: MadeProject) -> None:
    path = {"input_dir": "s3://nobody/docs", "output_dir": "s3://bucket/out"}
    wrong = [each for each in await check_run(project.config(path=path, output={"copy_to": "made"})) if not each.ok]
    assert [each.what.partition("config.yaml:")[2].partition(": ")[2][:32] for each in wrong] == [
        "'s3://bucket/out' is an address,",
        "'made' is no address",
    ]
    assert "output.copy_to" in str(wrong[0].remedy)
    with pytest.raises(ConfigError) as caught:
        await run_async(project.load(path={"input_dir": "s3://nobody/docs", "output_dir": "out"}))
    assert "config.yaml:" in str(caught.value) and "there is no s3://nobody/docs" in str(caught.value)


async def test_what_cannot_be_fetched_is_counted_and_tried_again(
    s3: S3, project: MadeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(s3, 4)
    s3.put({"docs/../up.md": "This name leads out of every folder."})
    first = await run_async(project.load(path=AT_DOCS))
    assert (first.kept, first.counts["unread"]) == (4, 1)
    [row] = [row for row in project.rejected() if row["source"] == "../up.md"]
    assert row["stage"] == "read" and "rename the object" in row["detail"]
    s3.put({"docs/new.md": "The bridge of Oberau has one arch and was built in 1890."})
    fetch = Storage.fetch

    def refusing(self: Storage, stored: Any, *arguments: Any) -> None:
        if stored.path.endswith("new.md"):
            raise ObjectFailure("Access Denied")
        fetch(self, stored, *arguments)

    monkeypatch.setattr(Storage, "fetch", refusing)
    second = await run_async(project.load(path=AT_DOCS))
    assert (second.kept, second.counts["unread"]) == (4, 2)
    assert {row["source"]: row["detail"] for row in project.rejected()}["new.md"] == "Access Denied"
    monkeypatch.setattr(Storage, "fetch", fetch)
    third = await run_async(project.load(path=AT_DOCS))
    assert (third.kept, third.counts["unread"]) == (5, 1)


def fetched(address: str) -> int:
    record = copy_of(address).parents[1] / "fetched.jsonl"
    return record.read_bytes().count(b"\n") if record.exists() else 0


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_fetch_that_is_ended_goes_on(s3: S3, project: MadeProject, number: signal.Signals) -> None:
    count = 100
    stored(s3, count)
    project.config(path=AT_DOCS)
    running = project.start()
    deadline = time.monotonic() + 60
    while fetched(DOCS) < 5 and time.monotonic() < deadline:
        time.sleep(0.005)
    running.send_signal(number)
    _, err = running.communicate(timeout=60)
    assert running.returncode == {signal.SIGKILL: -9, signal.SIGINT: 130}[number]
    here = fetched(DOCS)
    assert 5 <= here < count
    assert number == signal.SIGKILL or "run the same command again" in err
    ended = project.command()
    assert ended.code == 0, ended.err
    assert f"{DOCS}: {count} files, {count - here} fetched" in ended.err
    assert count <= len(s3.asked("GET")) <= count + AT_ONCE  # what was under way
    assert len(project.dataset()) == count


async def test_what_is_made_is_copied(s3: S3, project: MadeProject) -> None:
    stored(s3, 3)
    made = await run_async(project.load(path=AT_DOCS, output=COPIED))
    assert made.exit_code is ExitCode.DONE
    there = {key.removeprefix("made/"): data for key, data in s3.held("made/").items()}
    on_disk = (".", "debug_outputs/")
    assert there == {name: data for name, data in project.files().items() if not name.startswith(on_disk)}
    assert json.loads(there["run.json"])["counts"]["kept"] == 3
    assert not [name for name in there if "journal" in name or name.startswith("logs")]
    s3.requests.clear()
    again = await run_async(project.load(path=AT_DOCS, output=COPIED))
    assert s3.asked("PUT") == [] and s3.asked("GET") == []
    assert f"copied to s3://bucket/made: nothing new, {len(there)} unchanged" in again.notices


async def test_a_run_that_keeps_nothing_copies_nothing(s3: S3, project: MadeProject) -> None:
    project.facts(range(4))
    assert (await run_async(project.load(output=COPIED))).kept == 4
    there = s3.held("made/")
    (project.root / "inputs/facts.jsonl").unlink()
    project.write("inputs/contents.txt", "Table of contents. All rights reserved.")
    s3.requests.clear()
    empty = await run_async(project.load(output=COPIED))
    assert empty.kept == 0 and DATASET not in project.files()
    assert empty.notices[-1] == "nothing was copied to s3://bucket/made: the run has kept nothing"
    pushed = program("export", str(project.output), "--push", "s3://bucket/made")
    assert pushed.code == 0 and "not pushed    nothing was uploaded: the run has kept nothing" in pushed.out
    assert s3.asked("PUT") == s3.asked("DELETE") == [] and s3.held("made/") == there


async def test_what_another_run_moves_aside_is_not_lost_there(s3: S3, project: MadeProject) -> None:
    project.facts(range(3))
    await run_async(project.load(output={**COPIED, "formats": ["openai"]}))
    there = s3.held("made/")
    project.facts(range(2))
    await run_async(project.load(output=COPIED, system={"seed": 7}))
    now = s3.held("made/")
    assert now[f"made/earlier/1/{DATASET}"] == there[f"made/{DATASET}"] != now[f"made/{DATASET}"]
    assert there.keys() - now.keys() == {name for name in there if name.startswith("made/report_data/")} - now.keys()
    assert "made/earlier/1/exports/openai/conversations.jsonl" in now


async def test_a_copy_is_no_input_of_the_next_run(s3: S3, project: MadeProject) -> None:
    stored(s3, 3)
    inside = {"copy_to": f"{DOCS}/made"}
    first = await run_async(project.load(path=AT_DOCS, output=inside))
    second = await run_async(project.load(path=AT_DOCS, output=inside))
    assert first.kept == second.kept == 3 and first.counts["documents"] == second.counts["documents"]


async def test_a_copy_that_fails_loses_nothing_and_names_the_command(
    s3: S3, project: MadeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(s3, 3)
    put = Storage.put

    def failing(self: Storage, *_: object) -> None:
        raise InputError("these credentials may not write to it", hint="ask for the right to")

    monkeypatch.setattr(Storage, "put", failing)
    made = await run_async(project.load(path=AT_DOCS, output=COPIED))
    assert made.exit_code is ExitCode.USER and made.kept == 3 == len(project.dataset())
    assert made.stopped == "the files were not copied: these credentials may not write to it"
    command = str(made.hint).partition("python -m augment_correction ")[2].split()
    assert command == ["export", str(project.output), "--push", "s3://bucket/made"]
    monkeypatch.setattr(Storage, "put", put)
    ended = program(*command)
    assert ended.code == 0, ended.err
    assert ended.out.startswith("pushed        s3://bucket/made\n")
    assert "made/run.json" in s3.held("made/")
    assert (await run_async(project.load(path=AT_DOCS, output=COPIED))).exit_code is ExitCode.DONE


def test_a_copy_that_is_interrupted_is_told_with_the_command(s3: S3, project: MadeProject) -> None:
    stored(s3, 3)
    project.config(path=AT_DOCS, output=COPIED)
    slow = (
        "import time; from augment_correction.remote.storage import Storage; Storage.put = lambda *_: time.sleep(600)"
    )
    running = project.start(before=slow)
    deadline = time.monotonic() + 60
    while not (project.output / ".copied.jsonl").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.3)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=60)
    assert running.returncode == 130, err
    assert "stopped: the files were not copied: interrupted" in out and "--push s3://bucket/made" in out
    assert len(project.dataset()) == 3 and s3.held("made/") == {}


async def test_a_file_that_cannot_be_read_is_a_failure_of_the_copy_alone(
    s3: S3, project: MadeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(s3, 1)
    monkeypatch.setattr(RunFolder, "products", lambda self: ["exports/gone.txt", "run.json"])
    made = await run_async(project.load(path=AT_DOCS, output=COPIED))
    assert made.exit_code is ExitCode.USER and made.kept == 1
    assert "the files were not copied" in str(made.stopped) and "gone.txt" in str(made.stopped)


async def test_a_place_that_cannot_be_copied_to_is_told_before_anything_is_asked(s3: S3, project: MadeProject) -> None:
    stored(s3, 1)
    with pytest.raises(ConfigError, match=r"config\.yaml:\d+:\d+: there is no s3://nobody/made"):
        await run_async(project.load(path=AT_DOCS, output={"copy_to": "s3://nobody/made"}))
    assert s3.asked("GET") == [] and not (project.output / "run.json").exists()


def test_a_run_that_is_stopped_before_it_keeps_anything_copies_nothing(
    s3: S3, project: MadeProject, server: ModelServer
) -> None:
    stored(s3, 3)
    prices = {f"cost_per_million_{role}_{side}": 1000 for role in ("small", "large") for side in ("input", "output")}
    made = project.run(server, path=AT_DOCS, output=COPIED, cost={**prices, "max_usd": 1.5})
    assert made.exit_code is ExitCode.BUDGET and made.kept == 0 and s3.held("made/") == {}
    assert made.notices[-1] == "nothing was copied to s3://bucket/made: the run has kept nothing"


class TestTheCommand:
    def test_pushes_what_is_new(self, s3: S3, project: MadeProject) -> None:
        project.facts(range(2))
        project.run()
        planned = program("export", str(project.output), "--push", "s3://bucket/one", "--dry-run")
        assert planned.code == 0 and "nothing was uploaded: --dry-run" in planned.out and "run.json" in planned.out
        assert s3.held("one/") == {}
        first = program("export", str(project.output), "--push", "s3://bucket/one", "--format", "openai")
        assert first.code == 0 and "one/exports/openai/conversations.jsonl" in s3.held("one/")
        again = program("export", str(project.output), "--push", "s3://bucket/one")
        assert "nothing new" in again.out and SECRET not in first.out + first.err

    def test_with_its_journal_a_run_goes_on_elsewhere(self, s3: S3, project: MadeProject, server: ModelServer) -> None:
        project.facts(range(3))
        made = project.run(server)
        asked = len(server.asked)
        [first, *_] = made.conversations()
        decision = ReviewDecision(first.id, first.provenance["chunk_id"], "reject")
        Decisions(project.output / "decisions.jsonl").add(decision)
        ended = program("export", str(project.output), "--push", "s3://bucket/one", "--journal")
        assert ended.code == 0, ended.err
        shutil.rmtree(project.output)
        project.output.mkdir()
        there = s3.held("one/")
        for name in ("journal.sqlite", "decisions.jsonl"):
            (project.output / name).write_bytes(there[f"one/{name}"])
        assert made.kept == 3 and project.again().kept == 2 and len(server.asked) == asked

    def test_a_journal_that_is_not_whole_is_not_copied(self, s3: S3, project: MadeProject) -> None:
        project.facts(range(1))
        project.run()
        (project.output / "journals").mkdir()
        (project.output / "journals/actor.sqlite").touch()
        ended = program("export", str(project.output), "--push", "s3://bucket/one", "--journal")
        assert ended.code == 2 and "what the actors of a run that was killed have left in" in ended.err
        assert s3.held("one/") == {}

    def test_refuses_what_makes_no_sense(self, s3: S3, project: MadeProject) -> None:
        project.facts(range(1))
        project.run()
        public = program("export", str(project.output), "--push", "s3://bucket/one", "--public")
        assert public.code == 2 and "--public is for a dataset on the Hugging Face Hub" in public.err
        dataset = program("export", str(project.output), "--push", "ida/bridges", "--journal")
        assert dataset.code == 2 and "a journal is no dataset" in dataset.err
        nobody = program("export", str(project.output), "--push", "s3://nobody/one")
        assert nobody.code == 2 and "error: there is no s3://nobody/one" in nobody.err
