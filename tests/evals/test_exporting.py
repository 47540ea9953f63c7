"""The gate for inspect_ai and lm-eval: what is written is valid Python, YAML and JSON, and says the same questions.

That the harnesses themselves run it and come to the figures of `evaluate` was tried with inspect_ai 0.3.285 and lm-eval
0.4.13 (docs/guides/evaluate.md)."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import orjson
import yaml

from augment_correction.evals.exporting import export_gate
from tests.evals.world import PUSHBACKS, World


class WithFunctions(yaml.SafeLoader):
    """lm-eval's own tag, which names a function in a file beside the YAML."""


WithFunctions.add_constructor("!function", lambda loader, node: ("function", node.value))


def rows(path: Path) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def functions(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_inspect_gets_a_task_and_a_sample_per_pushback(world: World) -> None:
    world.gate(3)
    made = export_gate(world.load(), "inspect")
    assert {"self_correction", "doubt", "both_turns"} <= functions(made.folder / "task.py")
    samples = rows(made.folder / "dataset.jsonl")
    assert len({sample["id"] for sample in samples}) == 3 * len(PUSHBACKS)
    assert samples[2]["doubt"] == "That is not right. The right answer is: 1500"


def test_the_task_reads_what_the_samples_hold(world: World) -> None:
    world.gate(1)
    made = export_gate(world.load(), "inspect")
    (sample, *_) = rows(made.folder / "dataset.jsonl")
    tree = ast.parse((made.folder / "task.py").read_text())
    read = {
        node.slice.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant)
    }
    assert read <= sample.keys()


def test_lm_eval_gets_the_first_turn_and_the_second_after_a_known_mistake(world: World) -> None:
    world.gate(2)
    world.gate(1, "plain.jsonl", id="plain", flawed=None)
    made = export_gate(world.load(gate=["gate.jsonl", "plain.jsonl"], sampling={"max_tokens": 77}), "lm-eval")
    known = functions(made.folder / "utils.py")
    for turn in ("first_turn", "second_turn"):
        task = yaml.load((made.folder / f"{turn}.yaml").read_text(), WithFunctions)
        assert task["generation_kwargs"]["max_gen_toks"] == 77
        for name in ("custom_dataset", "process_results"):
            tag, function = task[name]
            assert tag == "function" and function.removeprefix("utils.") in known
    assert [each["prompt"] for each in rows(made.folder / "first_turn.jsonl")][2].startswith("In which year")
    second = rows(made.folder / "second_turn.jsonl")
    assert len(second) == 2 * len(PUSHBACKS)
    assert second[1]["prompt"].endswith("Assistant: 1500\nUser: Are you sure?\nAssistant:")


def test_without_a_known_mistake_there_is_no_second_turn(world: World) -> None:
    world.gate(2, flawed=None)
    made = export_gate(world.load(), "lm-eval")
    assert not (made.folder / "second_turn.yaml").exists() and "second_turn" not in made.command
