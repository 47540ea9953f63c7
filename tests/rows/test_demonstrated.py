"""Rows of self-distillation: what is asked, what the teacher sees besides it, and what a right answer holds."""

from __future__ import annotations

from typing import Any

import pytest

from augment_correction.rows import RowError, demonstrated

USER = {"role": "user", "content": "Who opened it?"}
SAID = {"role": "assistant", "content": "Otto Meier"}
RIGHT = {"role": "assistant", "content": "Ida Brandt"}
SHOWN = "Ida Brandt opened it."


@pytest.mark.parametrize("name", ["context", "demonstration", "privileged_context"])
@pytest.mark.parametrize("answer", ["answer", "reference", "expected", "completion"])
def test_the_fields_have_many_names(name: str, answer: str) -> None:
    found = demonstrated({"question": "Who opened it?", name: SHOWN, answer: "Ida Brandt"}, "x:1")
    assert ([turn.text for turn in found.asked], found.context, found.answer) == (
        ["Who opened it?"],
        SHOWN,
        "Ida Brandt",
    )
    assert found.shown == "demonstration" and not any(turn.train for turn in found.asked)


@pytest.mark.parametrize(
    ("row", "asked", "answer"),
    [
        ({"messages": [USER]}, ["Who opened it?"], ""),
        ({"messages": [USER, RIGHT]}, ["Who opened it?"], "Ida Brandt"),
        ({"messages": [USER, RIGHT], "answer": "Ida"}, ["Who opened it?"], "Ida"),
        (
            {"messages": [USER, SAID, {"role": "user", "content": "Sure?"}]},
            ["Who opened it?", "Otto Meier", "Sure?"],
            "",
        ),
        ({"prompt": [USER, SAID, {"role": "user", "content": "Sure?"}]}, ["Who opened it?", "Otto Meier", "Sure?"], ""),
        (
            {"conversations": [{"from": "human", "value": "Who opened it?"}], "system": "Short."},
            ["Short.", "Who opened it?"],
            "",
        ),
        ({"prompt": "Who opened it?", "answer": None}, ["Who opened it?"], ""),
    ],
)
def test_the_question_may_be_a_chat(row: dict[str, Any], asked: list[str], answer: str) -> None:
    found = demonstrated({**row, "context": SHOWN}, "x:1")
    assert ([turn.text for turn in found.asked], found.answer) == (asked, answer)
    assert found.asked[-1].role == "user"


def test_a_follow_up_is_told_by_its_name_or_by_its_kind() -> None:
    rows = [{"follow_up": "No."}, {"context": "No.", "context_kind": "follow_up"}]
    assert {demonstrated({"question": "Q?", **row}, "x:1").shown for row in rows} == {"follow_up"}


@pytest.mark.parametrize(
    ("row", "said", "reason"),
    [
        ({"question": "Q?"}, "has no context for the teacher", "missing_demonstration"),
        ({"question": "Q?", "context": " "}, "has an empty context for the teacher", "empty_demonstration"),
        ({"question": "Q?", "contxt": "x"}, "did you mean 'context'?", "missing_demonstration"),
        ({"question": "Q?", "context": ["a", "b"]}, "is not a text", "not_text"),
        ({"context": "x"}, "has no question", "missing_question"),
        ({"question": "Q?", "context": "x", "answer": ["a", "b"]}, "is not a text", "not_text"),
        ({"question": "Q?", "context": "x", "context_kind": "hint"}, "is 'hint'", "unknown_context_kind"),
        ({"messages": [RIGHT], "context": "x"}, "does not end with a user message", "not_messages"),
        (
            {"messages": [{"role": "robot", "content": "x"}, USER], "context": "x"},
            "has the role 'robot'",
            "not_messages",
        ),
        ({"messages": [{"role": "user", "content": " "}], "context": "x"}, "has no content", "not_messages"),
    ],
)
def test_what_cannot_be_used_is_named(row: dict[str, Any], said: str, reason: str) -> None:
    with pytest.raises(RowError) as raised:
        demonstrated(row, "x:1")
    assert said in raised.value.message and raised.value.reason == reason
