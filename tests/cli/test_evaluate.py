"""`evaluate` as a user calls it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.program import program
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
    assert "stands by, of the right ones" in done.out
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
        (("--set", "gate=nowhere.jsonl"), "there is no gate at"),
        (("--set", "limits.max_drop=1"), "did you mean 'max_drop_t1'?"),
        (("--set", "pushbacks=[shouting]"), "prompt 'evaluate/shouting' not found"),
    ],
)
def test_a_mistake_is_exit_2_and_one_line(world: World, arguments: tuple[str, ...], message: str) -> None:
    world.gate(1)
    world.config()
    done = program("evaluate", "evaluate.yaml", *arguments, cwd=world.root)
    assert done.code == 2
    assert done.err.startswith("error: ") and message in done.err and "Traceback" not in done.err
