"""The selection of real runs: derived, made anew from the same journal, and seen by everything that a run writes."""

from __future__ import annotations

import random
import shutil
import sqlite3
from typing import Any

import orjson
import pytest

from augment_correction.errors import ConfigError, ExitCode, InputError
from augment_correction.results.finished import open_run
from augment_correction.results.reexport import export_run, run_conversations
from augment_correction.runner import run
from augment_correction.selection import check_selection, overlap, read_gate
from tests.cli.program import program
from tests.projects import MadeProject, adds_up
from tests.report.reports import Page

META = {"do_meta_datagen": True}


@pytest.fixture
def made(project: MadeProject) -> MadeProject:
    """Forty documents of a passage each, half of them in pairs that lead to nearly the same question."""
    rng = random.Random(3)
    for number in range(40):
        if number < 20 or number % 2:
            place = "".join(rng.choice("abdegiklmnorstu") for _ in range(24)).capitalize()
        text = f"The {place} bridge was finished in {1700 + number}. It stands on {number} arches of sandstone."
        project.write(f"inputs/{number:02}.txt", text)
    return project


def gate_ids(project: MadeProject) -> list[str]:
    return [item["id"] for item in read_gate(project.output / "gate.jsonl")]


def trained_ids(project: MadeProject) -> list[str]:
    return [row["id"] for row in project.dataset()]


class TestGate:
    def test_it_is_kept_apart_from_everything_that_is_trained(self, made: MadeProject) -> None:
        result = made.run(gate={"share": 0.3}, meta_datagen=META, output={"formats": ["openai"]})
        counts = result.counts
        assert result.exit_code == ExitCode.DONE and adds_up(result)
        assert counts["gate"] == counts["classes"]["gate"] == len(gate_ids(made)) > 4
        assert counts["kept"] == len(trained_ids(made)) == 40 - counts["gate"] - counts["left_out"]
        assert result.files["gate"] == made.output / "gate.jsonl"
        items = list(read_gate(made.output / "gate.jsonl"))
        with open_run(made.output) as opened:
            rows = list(run_conversations(opened))
        assert [row.id for row in rows] == trained_ids(made) and overlap(items, rows) == []
        sources = {item["source"] for item in items}
        for name in ("exports/openai/conversations.jsonl", "meta_datagen/meta_dataset.jsonl"):
            text = (made.output / name).read_text()
            assert not any(item["passage"] in text or item["flawed"] in text for item in items)
        assert not any(row["source"] in sources and row["reason"] != "in_gate" for row in made.rejected())

    def test_reports_and_stories_tell_it(self, made: MadeProject) -> None:
        result = made.run(gate={"share": 0.3})
        page = Page(made.output)
        assert page.statuses().count("gate") == result.counts["gate"]
        assert sum(step["gate"] for step in page.index["funnel"]) == result.counts["gate"]
        stories = [path.read_text() for path in (made.output / "debug_outputs").rglob("*.md")]
        assert (
            sum("gate at selection: drawn" in text and "## Conversation" in text for text in stories)
            == result.counts["gate"]
        )
        shown = program("inspect", str(made.output), "--id", gate_ids(made)[0])
        assert shown.code == 0 and "gate at selection: drawn" in shown.out

    def test_again_it_is_the_same_and_a_smaller_share_takes_nothing_out(self, made: MadeProject) -> None:
        made.run(gate={"share": 0.3}, meta_datagen=META)
        before, frozen = made.files(), (made.output / "gate.jsonl").read_bytes()
        assert made.again().exit_code == ExitCode.DONE
        assert made.files() == before
        result = made.run(gate={"share": 0.0}, meta_datagen=META)
        assert (made.output / "gate.jsonl").read_bytes() == frozen
        assert made.files()["gate.jsonl"] == frozen and result.counts["gate"] == len(gate_ids(made))
        larger = made.run(gate={"share": 0.5}, meta_datagen=META)
        assert (made.output / "gate.jsonl").read_bytes().startswith(frozen) and larger.counts["gate"] > result.counts[
            "gate"
        ]

    def test_items_of_vanished_documents_stay(self, made: MadeProject) -> None:
        made.run(gate={"share": 0.3})
        before = list(read_gate(made.output / "gate.jsonl"))
        (made.root / "inputs" / before[0]["source"]).rename(made.root / "inputs" / "another name of it.txt")
        (made.root / "inputs" / before[1]["source"]).unlink()
        result = made.again()
        assert list(read_gate(made.output / "gate.jsonl")) == before
        assert result.counts["gate"] == len(before) - 1, "the renamed one is known by its passage"
        assert any("holds 1 items" in notice for notice in result.notices)

    def test_earlier_exports_that_may_hold_it_are_moved_aside(self, made: MadeProject) -> None:
        made.run()
        with open_run(made.output) as opened:
            list(export_run(opened, ["sharegpt"], None))
        result = made.run(gate={"share": 0.3})
        assert any("sharegpt (of an earlier run with other rows" in notice for notice in result.notices)
        assert not (made.output / "exports" / "sharegpt").exists()

    def test_no_document_drawn_is_said(self, project: MadeProject) -> None:
        project.facts(range(1))
        result = project.run(gate={"share": 0.001})
        assert any("none of the documents was drawn" in notice for notice in result.notices)
        assert not (project.output / "gate.jsonl").exists()

    def test_what_is_marked_by_a_stage(self, made: MadeProject) -> None:
        made.run()
        with sqlite3.connect(made.output / "journal.sqlite") as journal:
            sql = (
                "UPDATE outcomes SET body = json_set(body, '$.conversation.provenance', json('{\"split\": \"gate\"}'))"
            )
            journal.execute(f"{sql} WHERE chunk_id IN (SELECT id FROM chunks WHERE seq < 3)")
        result = made.again()
        assert result.counts["gate"] == len(gate_ids(made)) == 3
        assert all(row["id"] not in gate_ids(made) for row in made.dataset())


class TestRules:
    def test_duplicates_of_this_run_and_of_another(self, made: MadeProject) -> None:
        everything = made.run().kept
        ids = trained_ids(made)
        result = made.run(selection={"duplicates": 0.8})
        assert result.exit_code == ExitCode.DONE and adds_up(result)
        out = result.counts["reasons"]["selection/duplicate"]
        assert result.kept == everything - out == len(made.dataset()) and out == 10
        assert result.counts["classes"]["filtered"] == out == result.counts["left_out"]
        row = next(row for row in made.rejected() if row["reason"] == "duplicate")
        assert row["stage"] == "selection" and any(id_ in row["detail"] for id_ in trained_ids(made))
        shutil.copytree(made.output, made.root / "earlier")
        other = made.run(selection={"duplicates": 1.0, "across": ["earlier"]}, path={"output_dir": "./other"})
        assert other.counts["reasons"] == {"selection/duplicate": everything}
        assert made.run().kept == everything and trained_ids(made) == ids, "without the rule all rows are back"

    def test_a_benchmark(self, made: MadeProject) -> None:
        made.run()
        known = made.dataset()[4]["segments"][-1]["text"].split("assistant\n")[-1].split("<|im_end|>")[0]
        made.write("bench.jsonl", orjson.dumps({"answer": known}).decode())
        result = made.run(selection={"benchmarks": ["bench.jsonl"], "benchmark_ngram": 13}, meta_datagen=META)
        told = orjson.loads(result.files["decontamination"].read_bytes())
        [row] = [row for row in made.rejected() if row["reason"] == "in_benchmark"]
        assert "bench.jsonl, line 1 answer" in row["detail"]
        assert (told["compared"], len(told["removed"]), told["removed"][0]["file"]) == (40, 1, "bench.jsonl")
        assert row["passage"] not in (made.output / "meta_datagen" / "meta_dataset.jsonl").read_text()
        made.run(meta_datagen=META)
        assert not (made.output / "decontamination.json").exists()

    def test_a_balance(self, made: MadeProject) -> None:
        result = made.run(selection={"at_most": {"kind": 7, "document": 3}})
        assert (result.kept, result.counts["reasons"]) == (7, {"selection/over_kind": 33})
        result = made.run(selection={"at_most": {"kind": 0.4}})
        assert result.kept == 40 and any("kind: 0.4} was not applied" in notice for notice in result.notices)

    def test_what_the_selection_leaves_out_is_no_failure_and_not_asked_again(self, made: MadeProject) -> None:
        first = made.run(selection={"at_most": {"kind": 7}}, limits={"max_rejected": 0.1})
        assert first.exit_code == ExitCode.DONE
        config = made.load(selection={"at_most": {"kind": 7}})
        again = run(config, retry=["filtered"])
        assert (again.kept, again.counts["left_out"]) == (7, 33)
        assert again.tokens == first.tokens and "asking again about 0 passages" in again.notices


ALL: dict[str, Any] = {"gate": {"share": 0.2}, "selection": {"duplicates": 0.8, "at_most": {"kind": 20}}}


class TestKilled:
    def test_before_and_after_the_selection_is_stored(self, made: MadeProject, monkeypatch: pytest.MonkeyPatch) -> None:
        made.run(**ALL)
        whole = made.files()
        for place in (
            "store.results.Results.set_apart",
            "results.selecting._write_gate",
            "results.outputs.write_stories",
        ):
            shutil.rmtree(made.output)

            def die(*_: object) -> None:
                raise RuntimeError("killed")

            monkeypatch.setattr(f"augment_correction.{place}", die)
            with pytest.raises(RuntimeError):
                made.again()
            monkeypatch.undo()
            assert not (made.output / "run.json").exists()
            made.again()
            assert made.files() == whole

    def test_half_a_selection_is_none(self, made: MadeProject) -> None:
        made.run(**ALL)
        with open_run(made.output) as opened:
            before = opened.results.counts()

            def rows() -> Any:
                yield from ()
                raise RuntimeError("killed")

            with pytest.raises(RuntimeError):
                opened.results.set_apart(rows())
            assert opened.results.counts() == before

    def test_a_run_that_was_killed_exports_no_row_of_the_gate(
        self, made: MadeProject, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made.run(**ALL)
        trained, gate = trained_ids(made), read_gate(made.output / "gate.jsonl")
        (made.output / "report.html").unlink()  # else a finished run has nothing to write
        monkeypatch.setattr("augment_correction.runner.running.write_outputs", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            made.again()
        with open_run(made.output) as opened:
            rows = list(run_conversations(opened))
            assert [row.id for row in rows] == trained and overlap([*gate], rows) == []


def test_a_journal_of_an_earlier_version(made: MadeProject) -> None:
    made.run()
    with sqlite3.connect(made.output / "journal.sqlite") as journal:
        journal.execute("DROP TABLE apart")
    manifest = orjson.loads((made.output / "run.json").read_bytes())
    del manifest["counts"]["gate"], manifest["counts"]["left_out"]
    (made.output / "run.json").write_bytes(orjson.dumps(manifest))
    with open_run(made.output) as opened:
        assert [exported.name for exported in export_run(opened, ["openai"], None)] == ["openai"]


class TestChecked:
    @pytest.mark.parametrize(
        ("selection", "message"),
        [
            ({"benchmarks": ["gone.jsonl"]}, "No such file"),
            ({"benchmarks": ["empty.txt"]}, "holds no text"),
            ({"benchmarks": ["bad.jsonl"]}, "after 'line 1 q'"),
            ({"across": ["nowhere"]}, "not the output folder of a run"),
            ({"across": ["out"]}, "of this run itself"),
            ({"at_most": {"kind": 0}}, "at most 0"),
        ],
    )
    def test_what_cannot_be_used_is_said_with_its_line(
        self, project: MadeProject, selection: dict[str, Any], message: str
    ) -> None:
        project.write("empty.txt", "\n\n")
        project.write("bad.jsonl", '{"q": "x"}\n{')
        with pytest.raises(ConfigError, match=message) as raised:
            check_selection(project.load(selection=selection))
        assert raised.value.file == project.root / "config.yaml" and raised.value.line

    def test_a_damaged_gate(self, project: MadeProject) -> None:
        project.write("out/gate.jsonl", "{")
        with pytest.raises(InputError, match=r"gate\.jsonl:1"):
            check_selection(project.load())
