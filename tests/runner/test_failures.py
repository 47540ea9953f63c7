"""The pipeline that turns a model's graded answers into rows, without a model."""

from __future__ import annotations

import json
from typing import Any

from tests.projects import MadeProject

ROWS = [
    {
        "question": "What is 2+2?",
        "reference": "2+2 equals 4.",
        "answer": "5",
        "verdict": "wrong",
        "codes": ["TOO_BRIEF"],
    },
    {"question": "Capital of France?", "reference": "Paris.", "answer": "Paris", "verdict": "right", "codes": []},
]


def run(project: MadeProject, rows: list[dict[str, Any]]) -> Any:
    lines = [
        {"text": f"{row['question']}\n\n{row['reference']}\n\n{row['answer']}", "origin": "target_model", **row}
        for row in rows
    ]
    project.write("inputs/failures.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
    return project.run(pipeline="from_failures", api={})


def test_a_wrong_answer_is_context_only_and_a_right_one_is_defended(project: MadeProject) -> None:
    result = run(project, ROWS)
    rows = {row["kind"]: row for row in project.dataset()}
    assert set(rows) == {
        "correct_after_mistake", "self_evaluation_wrong", "plain", "stand_by", "self_evaluation_right"
    }  # fmt: skip
    assert result.kept == 5
    assert all(row["origin"] == "target_model" for row in rows.values())
    for kind in ("correct_after_mistake", "self_evaluation_wrong"):
        masked = [part["text"] for part in rows[kind]["segments"] if not part["label"]]
        assert masked == ["5<|im_end|>\n"]
    assert "".join(part["text"] for part in rows["plain"]["segments"]).count("2+2 equals 4.") == 1
    assert all(part["label"] for part in rows["stand_by"]["segments"])


def test_a_long_row_is_never_cut(project: MadeProject) -> None:
    long = {**ROWS[0], "reference": "It equals four. " * 2000}
    assert run(project, [long]).kept == 3


def test_a_row_without_a_field_is_a_counted_reject(project: MadeProject) -> None:
    bare = {name: value for name, value in ROWS[0].items() if name != "verdict"}
    strange = {**ROWS[0], "verdict": "perhaps", "answer": "6"}
    result = run(project, [bare, strange, ROWS[1]])
    assert result.kept == 2
    assert sorted((row["stage"], row["reason"]) for row in project.rejected()) == [
        ("read", "missing_field"),
        ("rows", "no_kind"),
    ]
