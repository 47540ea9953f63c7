"""The prompts of prompts/small share their beginning byte for byte: what makes the prefix cache of a small local model
read each passage once and not four times."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "prompts" / "small"


def body(name: str) -> str:
    return re.sub(r"\A\{#.*?#\}\s*", "", (FOLDER / f"{name}.jinja").read_text(encoding="utf-8"), flags=re.DOTALL)


@pytest.mark.parametrize("name", ["question", "mistake", "doubt"])
def test_each_prompt_continues_the_one_that_judges(name: str) -> None:
    judge = body("judge")
    assert "{{ passage }}" in judge
    assert body(name).startswith(judge) and body(name) != judge


def test_each_prompt_continues_the_one_before() -> None:
    for shorter, longer in (("question", "mistake"), ("mistake", "doubt")):
        assert body(longer).startswith(body(shorter))
