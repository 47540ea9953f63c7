"""`run`, `check` and `inspect` as a user calls them, with the scripted model."""

from __future__ import annotations

import errno
import json
import os
import re
from pathlib import Path

import pytest

from augment_correction.cli import main
from augment_correction.project import bundled
from tests.cli.program import program
from tests.projects import MadeProject

BEES = """# Bees

Bees fly at 24 km per hour. A colony holds 50,000 bees in summer. The queen lays 1,500 eggs a day.

# Contents

All rights reserved. Table of contents.
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A user's folder with one document and the smoke config on it."""
    (tmp_path / "inputs").mkdir()
    (tmp_path / "inputs" / "bees.md").write_text(BEES)
    (tmp_path / "prompts").mkdir()
    text = (bundled() / "configs" / "smoke.yaml").read_text()
    text = text.replace("./inputs/examples", "./inputs").replace("chunk_size: 400", "chunk_size: 40")
    (tmp_path / "config.yaml").write_text(text)
    return tmp_path


def test_a_run_ends_with_a_dataset_a_summary_and_the_next_command(project: Path) -> None:
    made = program("run", "config.yaml", cwd=project)
    assert made.code == 0, made.err
    folder = project / "outputs" / "smoke"
    rows = json.loads((folder / "axolotl_correction_conversations.json").read_text())
    assert [[segment["label"] for segment in row["segments"]] for row in rows] == [[True, False, True]]
    assert "kept      1" in made.out
    assert "judgement/unsuitable" in made.out
    assert f"axolotl train {folder / 'axolotl_lora.yaml'}" in made.out
    assert "passages 2/2" in made.err
    assert "\x1b" not in made.err, "a log is not a terminal: plain lines"


def test_a_second_run_asks_nothing_again(project: Path) -> None:
    program("run", "config.yaml", cwd=project)
    before = (project / "outputs" / "smoke" / "small_model_tokens.json").read_text()
    made = program("run", "config.yaml", cwd=project)
    assert "2 reused" in made.err
    assert (project / "outputs" / "smoke" / "small_model_tokens.json").read_text() == before


def test_a_disk_that_is_full_is_no_bug(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever command meets it, and where it writes what no module of its own looks after."""
    project = MadeProject(tmp_path / "made")
    project.facts([1])
    project.run()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("augment_correction.report.duplicates.QuestionGroups.add", full)
    monkeypatch.setattr("sys.argv", ["augment-correction", "report", str(project.output)])
    assert main() == 2
    said = capsys.readouterr().err
    assert "the disk is full" in said and "free some space" in said and "Traceback" not in said


def test_a_dry_run_asks_nothing_and_writes_nothing(project: Path) -> None:
    made = program("run", "config.yaml", "--dry-run", cwd=project)
    assert made.code == 0, made.err
    assert "1 document, 2 passages" in made.out
    assert "masked_conversation" in made.out
    told = json.loads(program("run", "config.yaml", "--dry-run", "--json", *PRICES, cwd=project).out)
    assert (told["documents"], told["passages"], told["done"], told["remaining"]["requests"]) == (1, 2, 0, 4)
    assert 0 < told["remaining"]["usd"] < told["remaining"]["usd_at_most"]
    assert not (project / "outputs").exists()


PRICES = [
    *("--set", "cost.cost_per_million_small_input=10", "--set", "cost.cost_per_million_small_output=20"),
    *("--set", "cost.cost_per_million_large_input=100", "--set", "cost.cost_per_million_large_output=200"),
]


def test_a_dry_run_names_the_cap_what_is_paid_and_what_remains(project: Path) -> None:
    before = program("run", "config.yaml", "--dry-run", cwd=project, COLUMNS="80")
    [row] = [line for line in before.out.splitlines() if line.startswith("masked_conversation")]
    assert "scripted-large" in row and "(assumed)" in row, "a row is a line"
    assert "cap: none is set (cost.max_usd)" in before.out
    assert "reading: 1 document, 2 passages" in before.err
    program("run", "config.yaml", *PRICES, cwd=project)
    (project / "inputs" / "more.md").write_text("The mill of Orm was built in 1688. It has three wheels and a pond.")
    capped = program("run", "config.yaml", "--dry-run", *PRICES, "--set", "cost.max_usd=0.2", cwd=project)
    paid = sum(
        json.loads((project / "outputs" / "smoke" / f"{role}_model_tokens.json").read_text())["total_cost"]
        for role in ("small", "large")
    )
    assert f"already paid for this folder: {paid:.4f} USD; 2 of 3 passages are done" in capped.out
    assert re.search(r"remaining cost: about 0\.\d{4} USD; at most", capped.out)
    assert f"spending cap: 0.2000 USD (cost.max_usd), of which {0.2 - paid:.4f} USD is left; " in capped.out


def test_the_summary_parts_the_cost(project: Path) -> None:
    first = program("run", "config.yaml", *PRICES, cwd=project).out
    assert (
        found := re.search(r"cost +(\S+) USD in this run, (\S+) USD by all runs into this folder\n +(\S+) USD", first)
    )
    assert found[1] == found[2]
    assert (parts := re.search(r"(\S+) USD for kept conversations \(\S+ USD each\), (\S+) USD for rejected", first))
    assert float(parts[1]) + float(parts[2]) == pytest.approx(float(found[1]), abs=2e-4)
    assert float(parts[2]) > 0, "the judge's call about the contents page"
    again = program("run", "config.yaml", *PRICES, cwd=project).out
    assert f"cost      0.00 USD in this run, {found[2]} USD by all runs into this folder" in again
    other = program("run", "config.yaml", *PRICES, "--set", "system.chunk_size=20", cwd=project).out
    assert "USD for calls under other settings and for unfinished passages" in other


def test_an_unknown_price_is_said_once(project: Path) -> None:
    said = program("run", "config.yaml", "--dry-run", "--set", "api.large_mode=api", "--set", "api.large_api_key=x",
                   "--set", "api.large_base_url=http://127.0.0.1:9/v1", cwd=project)  # fmt: skip
    assert "total cost: unknown, because a price is unknown" in said.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", "system.chunk_sise=3"], "did you mean 'chunk_size'?"),
        (["--set", "path.input_dir=nowhere"], "the input folder not found; looked for"),
        (["--set", "path.input_dir=nowhere"], "remedy: your own are looked for in the project"),
        (["--set", "pipeline=nothing"], "the pipeline 'nothing' not found"),
        (
            ["--set", "system.prompt_template={{ messages[0].content }}"],
            "system.prompt_template drops messages: 1 of 4",
        ),
        (["--set", "sampling.nobody.temperature=1"], "no stage is named 'nobody'"),
        (["--set", "api.large_mode=embeded"], "large_mode|api.large.mode"),
    ],
)
def test_a_users_mistake_is_a_clear_line_and_exit_code_2(project: Path, arguments: list[str], message: str) -> None:
    made = program("run", "config.yaml", *arguments, cwd=project)
    assert made.code == 2
    assert made.err.startswith("error: ")
    assert any(part in made.err for part in message.split("|"))
    assert "Traceback" not in made.err


class TestCheck:
    def test_a_good_config_passes(self, project: Path) -> None:
        made = program("check", "config.yaml", cwd=project)
        assert made.code == 0, made.out
        assert made.out.endswith("all good\n")

    def test_each_broken_prompt_is_told_with_its_file_and_line(self, project: Path) -> None:
        (project / "prompts" / "filter.jinja").write_text("{% user %}{{ pasage }}{% enduser %}")
        made = program("check", "config.yaml", cwd=project)
        assert made.code == 2
        assert "prompt 'filter' reads pasage, which no earlier stage writes" in made.out

    def test_a_missing_key_and_an_unreachable_server_are_told_with_a_remedy(self, project: Path) -> None:
        made = program(
            "check", "config.yaml", "--set", "api.small_mode=api", "--set", "api.large_mode=api",
            "--set", "api.large_base_url=http://127.0.0.1:9/v1", cwd=project, OPENAI_API_KEY="",
        )  # fmt: skip
        assert made.code == 2
        assert "no API key for api.openai.com" in made.out
        assert "export OPENAI_API_KEY=..." in made.out
        assert "at 127.0.0.1: " in made.out


class TestInspect:
    def test_the_masked_part_and_the_rejects_are_shown(self, project: Path) -> None:
        program("run", "config.yaml", cwd=project)
        made = program("inspect", "outputs/smoke", cwd=project)
        assert made.code == 0, made.err
        assert "MASKED: no loss on this turn" in made.out
        assert "judgement/unsuitable" in made.out
        assert "bees.md" in made.out

    def test_one_is_found_by_the_beginning_of_its_id(self, project: Path) -> None:
        program("run", "config.yaml", cwd=project)
        rows = json.loads((project / "outputs" / "smoke" / "axolotl_correction_conversations.json").read_text())
        made = program("inspect", "outputs/smoke", "--id", rows[0]["id"][:8], cwd=project)
        assert rows[0]["id"] in made.out
        assert program("inspect", "outputs/smoke", "--id", "zzz", cwd=project).code == 2

    def test_a_folder_that_is_no_run_is_refused(self, project: Path) -> None:
        made = program("inspect", ".", cwd=project)
        assert made.code == 2
        assert "is not the output folder of a run" in made.err


@pytest.mark.parametrize("command", ["run", "check", "init", "list", "copy", "inspect"])
def test_every_command_has_help_with_an_example(command: str) -> None:
    made = program(command, "--help")
    assert made.code == 0
    assert f"python -m augment_correction {command}" in made.out


class TestWithoutAKey:
    HOSTED = (
        "--set", "api={small: {model: gpt-5-nano}, large: {model: r1, base_url: 'https://openrouter.ai/api/v1'}}",
        "--set", "cost={max_usd: 5, cost_per_million_large_input: 1, cost_per_million_large_output: 1}",
    )  # fmt: skip

    def test_a_run_stops_before_it_asks_and_names_every_missing_key(self, project: Path) -> None:
        made = program("run", "config.yaml", *self.HOSTED, cwd=project)
        assert made.code == 2
        assert made.err.startswith(
            "error: 2 mistakes\n  --set api: small model gpt-5-nano: no API key for api.openai.com"
        )
        assert "large model r1: no API key for openrouter.ai" in made.err
        assert "export OPENROUTER_API_KEY=..." in made.err
        assert not (project / "outputs").exists()

    def test_a_dry_run_needs_none(self, project: Path) -> None:
        made = program("run", "config.yaml", *self.HOSTED, "--dry-run", cwd=project)
        assert made.code == 0, made.err
        assert "1 document, 2 passages" in made.out

    def test_a_dry_run_of_a_config_that_names_its_variables(self, project: Path) -> None:
        keys = ("--set", "api.small_api_key=${NONE_1}", "--set", "api.large_api_key=${NONE_2}")
        modes = ("--set", "api.small_mode=api", "--set", "api.large_mode=api")
        assert program("run", "config.yaml", *keys, *modes, "--dry-run", cwd=project).code == 0
        made = program("run", "config.yaml", *keys, *modes, cwd=project)
        assert made.code == 2
        assert "${NONE_1}, which is not set" in made.err and "${NONE_2}, which is not set" in made.err


def test_a_run_that_kept_nothing_suggests_no_training(project: Path) -> None:
    program("run", "config.yaml", cwd=project)
    (project / "inputs" / "bees.md").write_text("# Contents\n\nAll rights reserved. Table of contents.\n")
    made = program("run", "config.yaml", cwd=project)
    assert made.code == 3
    assert "axolotl train" not in made.out
    assert "moved to " in made.err


def test_a_preview_shows_conversations_and_names_the_run(project: Path) -> None:
    made = program("preview", "config.yaml", "-n", "1", "--html", "--set", "system.seed=3", cwd=project)
    assert made.code == 0, made.err
    assert "MASKED: no loss on this turn" in made.out and "1 conversations of" in made.out
    assert (
        "next: python -m augment_correction run config.yaml --set system.seed=3 (the calls of this preview are reused)"
        in made.out
    )
    folder = project / "outputs" / "smoke"
    assert sorted(path.name for path in folder.iterdir() if path.name[0] != ".") == ["journal.sqlite", "preview"]
    assert f"page {folder / 'preview' / 'report.html'}" in made.out
