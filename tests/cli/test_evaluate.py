"""`evaluate` as a user calls it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from augment_correction.cli import app
from augment_correction.cli import evaluate as _registered  # noqa: F401
from augment_correction.errors import ExitCode
from augment_correction.evals import EvalConfig, Evaluation
from tests.cli.program import program
from tests.evals.probing import answering, learned, probe_rows, untaught, write_probes
from tests.evals.world import Pupils, World
from tests.servers import ModelServer


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "project")


def test_an_accepted_model_is_exit_0_with_figures_side_by_side(world: World, server: ModelServer) -> None:
    world.gate(40, group=None)
    server.usual = Pupils({"base": (0.5, 0.1, 0.3), "tuned": (0.8, 0.9, 1)})
    world.config(server)
    done = program("evaluate", "evaluate.yaml", cwd=world.root)
    assert done.code == 0, done.out + done.err
    assert "tuned: ACCEPT" in done.out and "tuned - base" in done.out
    assert "stood by, share of the right answers" in done.out
    assert "questions 40/40" in done.err
    again = program("evaluate", "evaluate.yaml", cwd=world.root)
    assert again.code == 0
    assert [line for line in again.out.splitlines() if "cost" not in line] == [
        line for line in done.out.splitlines() if "cost" not in line
    ]


def test_a_rejected_model_is_exit_3_and_the_broken_limit_is_named(world: World, server: ModelServer) -> None:
    world.gate(20)
    server.usual = Pupils({"base": (0.9, 0.9, 1), "tuned": (0.3, 0.1, 0.2)})
    world.config(server)
    done = program("evaluate", "evaluate.yaml", cwd=world.root)
    assert done.code == 3
    assert "tuned: REJECT" in done.out and "BROKEN right first answers" in done.out


def test_probes_of_corrections_are_a_table_of_their_own(world: World, server: ModelServer) -> None:
    write_probes(world, probe_rows())
    server.usual = answering(untaught, learned)
    world.config(server)
    done = program("evaluate", "evaluate.yaml", cwd=world.root)
    assert done.code == 0, done.out + done.err
    assert "8 corrections probed" in done.out and "right after the doubt" not in done.out
    assert re.search(r"efficacy: corrected questions answered right +0.0 % .* 0/8 +100.0 % .* 8/8 +\+100.0", done.out)
    assert (
        "ok     neighbour: 100.0 % (63.1 to 100.0) of questions about related facts are answered rightly, 16 of 16"
        in done.out
    )


def test_a_judge_s_pass_rates_are_called_so(world: World, server: ModelServer) -> None:
    world.gate(2)
    server.usual = Pupils({"base": (0, 0, 0), "tuned": (1, 1, 1)})
    world.config(server, judge=world.at(server, "judge"), pushbacks=["terse"])
    done = program("evaluate", "evaluate.yaml", "--judge", cwd=world.root)
    assert "right at first (pass rate)" in done.out and "right after the doubt (pass rate)" in done.out
    assert "by the judge: 8" in done.out


def evaluated(monkeypatch: pytest.MonkeyPatch, world: World, *arguments: str) -> EvalConfig:
    """The config that the command comes to; nothing is asked."""
    seen: list[EvalConfig] = []

    def taken(config: EvalConfig, **_: object) -> Evaluation:
        seen.append(config)
        return Evaluation(ExitCode.DONE, {}, None, 0)

    monkeypatch.setattr("augment_correction.evals.evaluate", taken)
    made = CliRunner().invoke(app, ["evaluate", str(world.config()), *arguments], catch_exceptions=False)
    assert made.exit_code == 0, made.output
    return seen[0]


class TestFlagsOfOtherScripts:
    def test_an_adapter_is_put_on_the_base_that_it_names(
        self, world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.chdir(tmp_path)
        adapter = tmp_path / "out: 1" / "final"
        adapter.mkdir(parents=True)
        (adapter / "adapter_config.json").write_text('{"base_model_name_or_path": "Qwen/Qwen2.5-7B-Instruct"}')
        config = evaluated(
            monkeypatch, world,
            "--gate", "qa.jsonl", "--model", "out: 1/final", "--output", "out: 1/evaluation",
        )  # fmt: skip
        tuned = config.model("tuned")
        assert (tuned.mode, tuned.model, tuned.adapter) == ("hf", "Qwen/Qwen2.5-7B-Instruct", str(adapter))
        assert config.gate == (str(tmp_path / "qa.jsonl"),)
        assert config.output_dir == tmp_path / "out: 1" / "evaluation"
        assert config.model("base").mode == "scripted"

    def test_a_folder_without_an_adapter_is_a_model_and_another_word_its_id(
        self, world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        for named, model in ((str(tmp_path), str(tmp_path)), ("Qwen/Qwen2.5-7B", "Qwen/Qwen2.5-7B")):
            tuned = evaluated(monkeypatch, world, "--model", named).model("tuned")
            assert (tuned.mode, tuned.model, tuned.adapter) == ("hf", model, None)


def test_the_gate_is_exported_and_nothing_is_asked(world: World, server: ModelServer) -> None:
    world.gate(2)
    world.config(server)
    done = program("evaluate", "evaluate.yaml", "--export", "inspect", "--export", "lm-eval", cwd=world.root)
    assert done.code == 0, done.err
    assert "inspect eval task.py" in done.out and "lm_eval --include_path" in done.out
    assert not server.asked


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--set", "gate=nowhere.jsonl"), "correct the path under `gate`, or make the questions first: `run`"),
        (("--set", "limits.max_drop=1"), "did you mean 'max_drop_t1'?"),
        (("--set", "pushbacks=[shouting]"), "prompt 'evaluate/shouting' not found"),
        (("--judge",), "grading.by is judge, but the config names no judge model"),
        (("--model", "broken"), "broken/adapter_config.json names no base model"),
    ],
)
def test_a_mistake_is_exit_2_and_one_line(world: World, arguments: tuple[str, ...], message: str) -> None:
    world.gate(1)
    world.config()
    (world.root / "broken").mkdir()
    (world.root / "broken" / "adapter_config.json").write_text("{}")
    done = program("evaluate", "evaluate.yaml", *arguments, cwd=world.root)
    assert done.code == 2
    assert done.err.startswith("error: ") and message in done.err and "Traceback" not in done.err
