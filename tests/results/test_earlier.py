"""What an earlier state of an output folder left for a trainer does not pass for this run's, and is never lost."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from augment_correction.config import load_config
from augment_correction.errors import ExitCode
from augment_correction.results.earlier import Earlier
from augment_correction.runner import RunResult, make_plan
from tests.projects import MadeProject

DATASET = "axolotl_correction_conversations.json"
CONFIGS = ("axolotl_lora.yaml", "axolotl_lora_multi_gpu.yaml")
OTHER: dict[str, Any] = {"system": {"seed": 7}}


@pytest.fixture
def made(project: MadeProject) -> MadeProject:
    """A finished run of three rows, with an export."""
    project.facts(range(3))
    project.run(output={"formats": ["openai"]})
    return project


def earlier(project: MadeProject, number: int = 1) -> Path:
    return project.output / "earlier" / str(number)


def moved(result: RunResult) -> list[str]:
    return [notice for notice in result.notices if notice.startswith("moved to ")]


class TestMoved:
    def test_what_a_run_with_another_configuration_replaces(self, made: MadeProject) -> None:
        before = (made.output / DATASET).read_bytes()
        manifest = (made.output / "run.json").read_bytes()
        result = made.run(**OTHER)
        assert (earlier(made) / DATASET).read_bytes() == before
        assert (earlier(made) / "run.json").read_bytes() == manifest
        assert (earlier(made) / "exports" / "openai").is_dir() and not (made.output / "exports").exists()
        assert (made.output / DATASET).exists() and (made.output / "run.json").exists()
        [told] = moved(result)
        assert str(earlier(made)) in told and DATASET in told and "another configuration" in told

    def test_the_moved_axolotl_configs_train_on_the_moved_rows(self, made: MadeProject) -> None:
        made.run(**OTHER)
        for name in CONFIGS:
            text = (earlier(made) / name).read_text()
            assert yaml.safe_load(text)["datasets"][0]["path"] == str(earlier(made) / DATASET)
            assert f"axolotl train {earlier(made) / name}" in text
            now = yaml.safe_load((made.output / name).read_text())
            assert now["datasets"][0]["path"] == str(made.output / DATASET)

    def test_what_a_run_that_keeps_nothing_leaves_alone(self, made: MadeProject) -> None:
        shutil.rmtree(made.root / "inputs")
        made.write("inputs/contents.txt", "Table of contents. All rights reserved.")
        result = made.again()
        assert result.kept == 0 and result.exit_code is ExitCode.REJECTS
        left = {path.name for path in made.output.iterdir()}
        assert not left & {DATASET, *CONFIGS, "exports"}
        assert {DATASET, *CONFIGS, "exports", "run.json"} == {path.name for path in earlier(made).iterdir()}
        assert moved(made.again()) == [], "there is nothing to move a second time"

    def test_a_second_time_into_a_second_folder(self, made: MadeProject) -> None:
        first = (made.output / DATASET).read_bytes()
        made.run(**OTHER)
        made.run()
        assert (earlier(made, 1) / DATASET).read_bytes() == first == (made.output / DATASET).read_bytes()
        assert (earlier(made, 2) / DATASET).exists()

    @pytest.mark.parametrize(("kept", "complete", "moves"), [(2, False, True), (3, False, False), (2, True, False)])
    def test_the_rows_of_a_run_that_was_stopped_before_it_came_to_as_many(
        self, made: MadeProject, kept: int, complete: bool, moves: bool
    ) -> None:
        look = Earlier(make_plan(load_config(made.root / "config.yaml")))
        look.move_products(kept, complete=complete)
        assert (earlier(made) / DATASET).exists() is moves
        assert [" (of an earlier run with more rows; this one was stopped early)" in told for told in look.notices] == (
            [True] if moves else []
        )

    def test_exports_of_other_rows(self, made: MadeProject) -> None:
        made.facts(range(5))
        result = made.run()
        assert not (made.output / "exports" / "openai").exists()
        assert (earlier(made) / "exports" / "openai").is_dir()
        assert (made.output / DATASET).exists() and not (earlier(made) / DATASET).exists()
        assert "openai (of an earlier run with other rows: export again)" in moved(result)[0]


class TestStays:
    def test_all_of_the_same_run_once_more(self, made: MadeProject) -> None:
        before = made.files()
        assert moved(made.again()) == []
        assert made.files() == before

    def test_an_export_of_the_same_rows(self, made: MadeProject) -> None:
        made.run()
        assert (made.output / "exports" / "openai").is_dir()

    def test_a_dataset_that_grows(self, made: MadeProject) -> None:
        made.facts(range(5))
        made.run(output={"formats": ["openai"]})
        assert len(made.dataset()) == 5
        assert not earlier(made).exists()


class TestGate:
    @pytest.fixture
    def made(self, project: MadeProject) -> MadeProject:
        project.facts(range(12))
        return project

    def test_of_other_documents_moves(self, made: MadeProject) -> None:
        made.run(gate={"share": 0.5})
        frozen = (made.output / "gate.jsonl").read_bytes()
        made.write("others/b.jsonl", (made.root / "inputs" / "facts.jsonl").read_text())
        result = made.run(gate={"share": 0.5}, path={"input_dir": "./others"})
        assert (earlier(made) / "gate.jsonl").read_bytes() == frozen
        assert "it was drawn from other documents" in moved(result)[0]

    def test_stays_where_one_of_its_documents_is(self, made: MadeProject) -> None:
        made.run(gate={"share": 0.5})
        frozen = (made.output / "gate.jsonl").read_bytes()
        shutil.copytree(made.root / "inputs", made.root / "copied")
        made.run(gate={"share": 0.5}, path={"input_dir": "./copied"})
        assert (made.output / "gate.jsonl").read_bytes() == frozen

    def test_stays_under_another_prompt_or_seed(self, made: MadeProject) -> None:
        made.run(gate={"share": 0.5})
        frozen = (made.output / "gate.jsonl").read_bytes()
        made.run(gate={"share": 0.5}, **OTHER)
        assert (made.output / "gate.jsonl").read_bytes().startswith(frozen)
