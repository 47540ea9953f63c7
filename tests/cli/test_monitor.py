"""`answers`, `from-failures`, `import-failures`, `demo`, `codes` and `monitor` as a user calls them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from augment_correction.grading import CATALOGUE
from tests.cli.program import program
from tests.monitor.making import Stage, rows, write_lines
from tests.servers import ModelServer
from tests.training.making import critiqued, hard


@pytest.fixture
def root(tmp_path: Path) -> Path:
    qa = [{"prompt": "What is 2+2?", "response": "4"}, {"prompt": "Capital of France?", "response": "Paris."}]
    write_lines(tmp_path / "qa.jsonl", qa)
    said = {"2+2": "5", "France": "Paris.", "mayor": "Hugo Pommer."}
    rules = [{"contains": asked, "text": text} for asked, text in said.items()]
    (tmp_path / "script.yaml").write_text(yaml.safe_dump({"rules": rules}))
    return tmp_path


ASKED = ("--model", "tiny", "--mode", "scripted", "--set", "api.target_script=script.yaml")
STAMPED = {"step": 50, "timestamp": "20250101_000000", "stats": {}}


def test_an_address_alone_means_a_server_whatever_the_config_runs(root: Path) -> None:
    (root / "config.yaml").write_text(
        yaml.safe_dump(
            {
                "pipeline": "from_failures",
                "api": {"target": {"model": "tiny", "mode": "hf"}},
                "path": {"input_dir": ".", "output_dir": "out"},
            }
        )
    )
    with ModelServer() as server:
        asked = ("--model", "small", "--base-url", server.url, "--config", "config.yaml")
        done = program("answers", "--input", "qa.jsonl", "--output", "answers.jsonl", *asked, cwd=root)
    assert done.code == 0, done.err
    assert server.count("small") == 2


def test_the_three_commands_of_the_manual_way(root: Path) -> None:
    (root / "failures.yaml").write_text(
        yaml.safe_dump({"pipeline": "from_failures", "api": {}, "path": {"input_dir": ".", "output_dir": "out"}})
    )
    named = ("--config", "failures.yaml")
    done = program("answers", "--input", "qa.jsonl", "--output", "answers.jsonl", *ASKED, *named, cwd=root)
    assert done.code == 0 and "2 answers, 0 refused -> answers.jsonl" in done.out, done.err
    assert [row["answer"] for row in rows(root / "answers.jsonl")] == ["5", "Paris."]
    arguments = ("--input", "qa.jsonl", "--answers", "answers.jsonl", "--output", "training.jsonl")
    done = program("from-failures", *arguments, *named, cwd=root)
    assert done.code == 0, done.err
    assert "2 answers graded: 1 right, 1 wrong; 0 undecided, 0 questions unanswered" in done.out
    assert "api.judge_model" not in done.out
    assert len(rows(root / "training.jsonl")) == json.loads((root / "training.json").read_text())["num_examples"]


class TestImport:
    @pytest.fixture(autouse=True)
    def curated(self, tmp_path: Path) -> None:
        write_lines(tmp_path / "a.jsonl", [*critiqued([1, 2]), {"instruction": "Q", "input": "bad"}, *hard([3])])

    def test_a_dry_run_says_which_lines_cannot_be_used_and_writes_nothing(self, tmp_path: Path) -> None:
        done = program("import-failures", "a.jsonl", "--dry-run", cwd=tmp_path)
        assert done.code == 0, done.err
        assert "4 rows read, 3 kept" in done.out and "question 4 of 4, bad 3 of 4, corrected 2 of 4" in done.out
        assert "a.jsonl:3:1: it has no corrected output" in done.out and not (tmp_path / "outputs").exists()

    def test_the_rows_become_a_runs_folder(self, tmp_path: Path) -> None:
        done = program(
            "import-failures", "a.jsonl", "--output", "out", "--set", "system.prompt_template=llama3", cwd=tmp_path
        )
        assert done.code == 0, done.err
        assert "kept      3 (2 correct_after_mistake, 1 plain)" in done.out
        made = json.loads((tmp_path / "out" / "axolotl_correction_conversations.json").read_text())
        trained = [[each["text"] for each in row["segments"] if each["label"]] for row in made]
        assert trained[2] == ["Dora does.<|eot_id|>"] and all(
            "lays" in last and "hive" not in last for [last] in trained[:2]
        )
        [unusable] = rows(tmp_path / "out" / "import_rejected.jsonl")
        assert (unusable["line"], unusable["reason"]) == (3, "missing_corrected")

    def test_a_schema_may_be_demanded(self, tmp_path: Path) -> None:
        done = program("import-failures", "--hard_failures_data", "a.jsonl", "--dry-run", cwd=tmp_path)
        assert done.code == 0 and "4 rows read, 1 kept" in done.out

    def test_nothing_to_import_is_said(self, tmp_path: Path) -> None:
        done = program("import-failures", cwd=tmp_path)
        assert done.code == 2 and "none was named" in done.err and "Traceback" not in done.err


def test_the_demo_needs_nothing(tmp_path: Path) -> None:
    done = program("demo", "--output", str(tmp_path / "demo"), cwd=tmp_path)
    assert done.code == 0, done.err
    assert "masked   assistant  Carmen was written by Giuseppe Verdi." in done.out
    assert "trained  assistant  Carmen was written by Giuseppe Verdi." not in done.out
    assert (tmp_path / "demo" / "training.jsonl").is_file()


@pytest.mark.parametrize("columns", ["80", "200"])
def test_codes_prints_the_catalogue(columns: str) -> None:
    done = program("codes", COLUMNS=columns)
    assert done.code == 0 and max(map(len, done.out.splitlines())) <= 160
    assert all(
        text in done.out for code in CATALOGUE for text in (code.name, code.meaning, code.threshold, code.example)
    )


def test_stats_finish_and_impact_of_what_a_killed_training_left(root: Path) -> None:
    stage = Stage(root, {"self_correction": {"generation_interval": 10_000}})
    observer = stage.observer()
    stage.evaluate(observer, 50, 4)
    plan = {"step": 50, "timestamp": "20250101_000000", "stand_by_share": 0, "seed": 1, "queue": None, "stats": {}}
    observer._keep.close_buffer("self_correction_step50_20250101_000000", plan)
    observer.end()
    before = program("monitor", "stats", "--data-dir", "data", cwd=root)
    assert before.code == 0 and "self_correction_step50_20250101_000000: not written yet" in before.out, before.err
    done = program("monitor", "finish", "--data-dir", "data", cwd=root)
    assert done.out.startswith("Self-Correction: Generated 12 examples -> "), done.err
    after = program("monitor", "stats", "--data-dir", "data", "--json", cwd=root)
    assert json.loads(after.out)["files"][0]["num_examples"] == 12
    shown = program("monitor", "stats", "--data-dir", "data", "--limit", "1", cwd=root)
    assert "examples_generated 12" in shown.out and '"initial_attempts"' not in shown.out
    impact = program(
        "monitor", "impact", "--data-dir", "data", *ASKED[:4], "--set", f"api.target_script={root}/script.yaml", cwd=root,
        COLUMNS="40",
    )  # fmt: skip
    assert impact.code == 0 and "neutral" in impact.out, impact.err
    assert " p " in impact.out and " 1.000 " in impact.out
    assert "self_correction_step50_20250101_000000 " in impact.out and "PRIMARY_ANSWER_MISSING " in impact.out
    [written] = (root / "data" / "impact").glob("impact_*.json")
    assert json.loads(written.read_text())["impacts"][0]["asked"] == 4


def test_a_batch_without_a_row_is_closed_and_shown(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    observer = stage.observer()
    stage.evaluate(observer, 50, 0)
    observer._keep.close_buffer("self_correction_step50_20250101_000000", observer._plan() | STAMPED)
    observer.end()
    done = program("monitor", "finish", "--data-dir", "data", cwd=tmp_path)
    assert done.code == 0 and "it holds no wrong answer" in done.out and "Queued" not in done.out, done.err
    again = program("monitor", "finish", "--data-dir", "data", cwd=tmp_path)
    assert (again.code, again.out) == (0, "")
    shown = program("monitor", "stats", "--data-dir", "data", "--limit", "3", cwd=tmp_path)
    assert shown.code == 0 and "0 rows (it holds no wrong answer)" in shown.out and "files_generated 0" in shown.out


def test_what_is_in_the_buffer_becomes_a_file_when_it_is_asked_for(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    observer = stage.observer()
    stage.evaluate(observer, 50, 1)
    held = program("monitor", "finish", "--all", "--data-dir", "data", cwd=tmp_path)
    assert held.code == 2 and "wait for the other training" in held.err
    observer.end()
    done = program("monitor", "finish", "--all", "--data-dir", "data", cwd=tmp_path)
    assert done.out.startswith("Self-Correction: Generated ") and "self_correction_step50_" in done.out, done.err
    assert "Queued for training" in done.out
    again = program("monitor", "finish", "--all", "--data-dir", "data", cwd=tmp_path)
    assert again.code == 0 and again.out.startswith("every wrong answer in the buffer is already in a file"), again.err


@pytest.mark.parametrize("command", ["stats", "finish"])
def test_a_folder_that_is_not_there_is_one_line(tmp_path: Path, command: str) -> None:
    done = program("monitor", command, "--data-dir", "nowhere", cwd=tmp_path)
    assert done.code == 2 and "is not the data folder of a monitor" in done.err and "Traceback" not in done.err
