"""What speaks against a correction is found, and what nobody can know is no evidence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augment_correction.corrections.correction import Statement
from augment_correction.corrections.evidence import PROMPT, Witness, arithmetic, nearest, read_evidence
from augment_correction.errors import RequestRefused
from augment_correction.project import Project
from augment_correction.prompts import PromptLibrary
from augment_correction.records import Chunk
from tests.stages.making import Says

SAID = Statement("Who opened the museum of Halmstett?", "Otto Meier", "Ida Brandt")


@pytest.mark.parametrize(
    ("question", "right", "verdict"),
    [
        ("What is 2+2?", "5", "contradicts"),
        ("What is 2+2?", "4", "supports"),
        ("How much is 12 x 12?", "It is 144.", "supports"),
        ("What is 7 / 2?", "3.5", "supports"),
        ("What is 2 + 3 * 4?", "20", "contradicts"),
    ],
)
def test_sums_are_worked_out(question: str, right: str, verdict: str) -> None:
    found = arithmetic(Statement(question, "0", right))
    assert found is not None and found.verdict == verdict


@pytest.mark.parametrize(
    "question",
    [
        "Who won 1914?",
        "What is 1/0?",
        "Is 2+2 more than 3+3?",
        "Call 555-1234?",
        "When was 2024-05-06?",
        "1" + "+1" * 1900,
    ],
)
def test_what_is_no_sum_is_left_alone(question: str) -> None:
    found = arithmetic(Statement(question, "0", "Ida Brandt"))
    assert found is None


@given(st.integers(0, 999), st.integers(1, 999), st.sampled_from("+-*"))
def test_any_sum_supports_its_own_value(one: int, other: int, sign: str) -> None:
    value = {"+": one + other, "-": one - other, "*": one * other}[sign]
    found = arithmetic(Statement(f"What is {one} {sign} {other}?", "x", str(value)))
    assert found is not None and found.verdict == "supports"


def chunk(text: str, index: int = 0) -> Chunk:
    return Chunk(str(index), "document", index, text, 0, len(text), len(text) // 4)


def test_the_nearest_passages_come_first() -> None:
    passages = [
        ("a", chunk("Cheese is made of milk.", 0)),
        ("b", chunk("The museum of Halmstett has nine rooms.", 1)),
        ("c", chunk("The museum of Halmstett was opened by Otto Meier.", 2)),
    ]
    assert [place for place, _ in nearest(SAID, passages)] == ["c", "b"]


class TestWitness:
    def witness(self, model: Says, **more: Any) -> Witness:
        prompt = PromptLibrary(Project(Path.cwd()), ("prompts",)).load(PROMPT)
        model.config = type("Config", (), {"model": "wise"})()  # type: ignore[attr-defined]
        return Witness(model, prompt, **more)  # type: ignore[arg-type]

    async def test_a_document_that_contradicts_is_named(self) -> None:
        passages = [("history.md, page 3", chunk("The museum of Halmstett was opened by Otto Meier."))]
        model = Says('{"reason": "It names Otto Meier.", "verdict": "contradicts"}')
        (found,) = await self.witness(model, passages=passages, is_corrected=True).evidence(SAID)
        assert (found.by, found.verdict) == ("the document history.md, page 3", "contradicts")
        assert "<passage>" in model.heard[0]

    async def test_the_corrected_model_is_no_witness_of_its_own(self) -> None:
        assert await self.witness(Says(), is_corrected=True).evidence(SAID) == []

    async def test_another_model_is_asked_without_a_passage(self) -> None:
        model = Says('{"reason": "It is so.", "verdict": "supports"}')
        (found,) = await self.witness(model).evidence(SAID)
        assert (found.by, found.verdict) == ("the model wise", "supports")
        assert "<passage>" not in model.heard[0]

    @pytest.mark.parametrize("reply", ["", "no idea", '{"verdict": "maybe"}', RequestRefused("too long")])
    async def test_what_cannot_be_read_is_no_evidence(self, reply: Any) -> None:
        assert await self.witness(Says(reply)).evidence(SAID) == []


def test_a_reason_is_cut() -> None:
    found = read_evidence('{"reason": "' + "x" * 900 + '", "verdict": "supports"}', "a model")
    assert len(found.reason) == 500
