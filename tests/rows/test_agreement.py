"""One row means the same to every command that reads it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augment_correction.errors import InputError
from augment_correction.evals.gate import read_items as gate_items
from augment_correction.failures import Failure
from augment_correction.failures.reading import read_curated
from augment_correction.monitor.items import read_items as monitor_items
from augment_correction.project import Project
from augment_correction.records import Conversation
from augment_correction.rows import KINDS, NAMES, RowError, asked, chat, item_of, pair, segments_problem
from augment_correction.rows.kinds import Kind
from augment_correction.selection.gate import gate_questions

ASKED, REFERENCE = "Who closed the museum?", "Ida Brandt"
USER, RIGHT = {"role": "user", "content": ASKED}, {"role": "assistant", "content": REFERENCE}
WRONG, DOUBT = {"role": "assistant", "content": "Otto Meier"}, {"role": "user", "content": "Are you sure?"}
SPELLINGS: dict[str, dict[str, Any]] = {
    **{f"{question}, reference": {question: ASKED, "reference": REFERENCE} for question in NAMES["question"]},
    **{f"question, {name}": {"question": ASKED, name: REFERENCE} for name in NAMES["reference"]},
    "messages": {"messages": [USER, RIGHT]},
    "messages, a system prompt": {"messages": [{"role": "system", "content": "Be short."}, USER, RIGHT]},
    "ShareGPT": {"conversations": [{"from": "human", "value": ASKED}, {"from": "gpt", "value": REFERENCE}]},
    "TRL prompt and completion": {"prompt": [USER], "completion": [RIGHT]},
    "parts": {"messages": [{"role": "user", "content": [{"type": "text", "text": ASKED}]}, RIGHT]},
    "our own: the mistake masked": {
        "messages": [USER, {**WRONG, "train": False}, {**DOUBT, "train": False}, {**RIGHT, "train": True}]
    },
    "OpenAI's weights": {"messages": [USER, {**WRONG, "weight": 0}, DOUBT, {**RIGHT, "weight": 1}]},
    "a turn that begins masked": {
        "messages": [USER, {"role": "assistant", "content": f"Otto. {REFERENCE}", "train": True, "masked": 6}]
    },
}


def write(folder: Path, *rows: object) -> Path:
    path = folder / "rows.jsonl"
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    return path


@pytest.mark.parametrize("row", SPELLINGS.values(), ids=SPELLINGS)
def test_a_question_and_its_reference_are_the_same_to_all(tmp_path: Path, row: dict[str, Any]) -> None:
    path = write(tmp_path, row)
    [evaluated], [watched], [gate] = (
        gate_items(Project(tmp_path), [path.name]),
        monitor_items(path),
        gate_questions(path),
    )
    assert evaluated == watched == item_of(row, "x:1")
    assert (evaluated.question, evaluated.reference, gate["question"]) == (ASKED, REFERENCE, ASKED)
    assert asked(row, "x:1").texts[0] == ASKED


@pytest.mark.parametrize("row", SPELLINGS.values(), ids=SPELLINGS)
def test_it_is_trained_as_that_question_and_that_answer(tmp_path: Path, row: dict[str, Any]) -> None:
    rows, _, problems = read_curated(write(tmp_path, row), schema=2 if "messages" not in row else None)
    if {"output"} & row.keys():  # beside a question it is a corrected output, whose bad one is missing
        rows, _, problems = read_curated(write(tmp_path, {**row, "input": "Otto"}))
    if problems and problems[0].reason == "conversation":
        rows, _, problems = read_curated(write(tmp_path, row))
    assert not problems
    [found] = [each.found for each in rows]
    if isinstance(found, Conversation):
        right = found.turns[-1]
        said = (next(turn.text for turn in found.turns if turn.role == "user"), right.text[right.masked :].strip())
        assert right.train
    else:
        said = found.question, found.reference
    assert said == (ASKED, REFERENCE)


@pytest.mark.parametrize(
    "row",
    [
        {"question": ASKED, "chosen": REFERENCE, "rejected": "Otto"},
        {"prompt": ASKED, "chosen": [RIGHT], "rejected": [{"role": "assistant", "content": "Otto"}]},
        {"prompt": [USER], "chosen": [RIGHT], "rejected": [{"role": "assistant", "content": "Otto"}]},
        {"chosen": [USER, RIGHT], "rejected": [USER, {"role": "assistant", "content": "Otto"}]},
    ],
)
def test_a_preference_pair_is_a_mistake_and_its_correction(tmp_path: Path, row: dict[str, Any]) -> None:
    [found], _, problems = read_curated(write(tmp_path, row))
    assert not problems and isinstance(found.found, Failure)
    assert (found.found.question, found.found.answer, found.found.reference) == (ASKED, "Otto", REFERENCE)


@pytest.mark.parametrize(
    ("row", "said", "remedy"),
    [
        ({"question": ASKED, "refrence": "x"}, "x:1 has no reference; it has 'refrence'", "did you mean 'reference'?"),
        ({"Instrution": ASKED, "reference": "x"}, "x:1 has no question; it has 'Instrution'", "did you mean 'instruction'?"),
        ({"text": "x"}, "x:1 has no question", "write it under one of: question, instruction, prompt, query"),
    ],
)  # fmt: skip
def test_the_key_that_was_meant_is_named(row: dict[str, Any], said: str, remedy: str) -> None:
    with pytest.raises(RowError) as raised:
        item_of(row, "x:1")
    assert (raised.value.message, raised.value.hint) == (said, remedy)


TEXT = st.text(max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from([
    *(name for names in NAMES.values() for name in names), "messages", "conversations", "segments", "system", "chosen", "rejected",
    "role", "content", "train", "masked", "weight", "label", "text", "id", "group",
])  # fmt: skip
OBJECTS = st.dictionaries(KEYS, VALUES | st.lists(st.dictionaries(KEYS, VALUES, max_size=4), max_size=3), max_size=5)


@given(OBJECTS)
def test_any_object_is_read_or_refused_with_a_reason(row: dict[str, Any]) -> None:
    for read in (item_of, asked, chat, pair):
        try:
            read(row, "x:1")
        except InputError as refused:
            assert refused.message.startswith("x:1")
    assert isinstance(segments_problem(row), str)


@given(st.lists(OBJECTS | st.none() | st.integers(0, 9) | TEXT, min_size=1, max_size=4))
def test_any_line_of_a_curated_file_is_a_row_or_a_counted_problem(
    tmp_path_factory: pytest.TempPathFactory, values: list[Any]
) -> None:
    path = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    path.write_text("".join(f"{json.dumps(each)}\n" for each in values))
    rows, _, problems = read_curated(path)
    assert len(rows) + len(problems) == len(values)
    assert all(each.detail and "Error" not in each.detail for each in problems)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.title)
def test_every_example_of_the_reference_is_read_as_what_it_says(tmp_path: Path, kind: Kind) -> None:
    for example in kind.examples:
        row = orjson.loads(example)
        if kind.title == "Segments":
            assert segments_problem(row) == "" and asked(row, "x:1").rendered
            continue
        path = write(tmp_path, row)
        [found], _, problems = read_curated(path)
        assert not problems
        if kind.title in ("Failures", "Preference pairs"):
            assert isinstance(found.found, Failure) and found.found.answer == "Otto Meier"
        else:
            assert gate_items(Project(tmp_path), [path.name])[0].reference
