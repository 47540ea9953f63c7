"""One row means the same to every command that reads it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from augment_correction.errors import InputError
from augment_correction.evals.gate import read_items as gate_items
from augment_correction.failures import Failure, only_failures, read_files
from augment_correction.failures.curated import read_curated
from augment_correction.monitor.items import read_items as monitor_items
from augment_correction.monitor.manual import answer, from_answers
from augment_correction.project import Project
from augment_correction.records import Conversation
from augment_correction.results.trained import training_rows
from augment_correction.rows import (
    KINDS,
    NAMES,
    RowError,
    answer_of,
    asked,
    chat,
    curated,
    demonstrated,
    each_row,
    fields_of,
    flat,
    item_of,
    read_rows,
    segments_of,
)
from augment_correction.rows.kinds import Kind
from augment_correction.selection.gate import gate_questions
from augment_correction.training.gathering import gather, retention
from augment_correction.worker.rows import check
from tests.monitor.test_manual import config as scripted
from tests.training.making import config as training

ASKED, REFERENCE = "When did the museum close?", "In 1956"
USER, RIGHT = {"role": "user", "content": ASKED}, {"role": "assistant", "content": REFERENCE}
WRONG, DOUBT = {"role": "assistant", "content": "Otto Meier"}, {"role": "user", "content": "Are you sure?"}
FIELDS: dict[str, dict[str, Any]] = {
    **{f"{question}, reference": {question: ASKED, "reference": REFERENCE} for question in NAMES["question"]},
    **{f"question, {name}": {"question": ASKED, name: REFERENCE} for name in NAMES["reference"]},
    "instruction, an empty input, output": {"instruction": ASKED, "input": "", "output": REFERENCE},
    "prompt, completion": {"prompt": ASKED, "completion": REFERENCE},
    "prompt, completion, the latter a message": {"prompt": ASKED, "completion": [RIGHT]},
    "a prompt of messages, answer": {"prompt": [{"role": "system", "content": "s"}, USER], "answer": REFERENCE},
    "an empty question beside the one": {"question": " ", "query": ASKED, "reference": "", "answer": REFERENCE},
    "the same question twice": {"instruction": ASKED, "question": f" {ASKED}", "answer": REFERENCE},
    "a question in parts": {"question": [{"type": "text", "text": ASKED}], "reference": REFERENCE},
    "categories": {"question": ASKED, "reference": REFERENCE, "category": ["a", "b"]},
}
CHATS: dict[str, dict[str, Any]] = {
    "messages": {"messages": [USER, RIGHT]},
    "messages, a system prompt": {"messages": [{"role": "system", "content": "Be short."}, USER, RIGHT]},
    "ShareGPT": {"conversations": [{"from": "human", "value": ASKED}, {"from": "gpt", "value": REFERENCE}]},
    "ShareGPT, a system column": {"conversations": [USER, RIGHT], "system": "Be short."},
    "Gemini": {"contents": [{"role": "user", "parts": [{"text": ASKED}]}, {"role": "model", "parts": [{"text": REFERENCE}]}]},
    "an id called conversation": {"conversation": "c-17", "messages": [USER, RIGHT]},
    "TRL prompt and completion": {"prompt": [USER], "completion": [RIGHT]},
    "parts": {"messages": [{"role": "user", "content": [{"type": "text", "text": ASKED}]}, RIGHT]},
    "our own: the mistake masked": {
        "messages": [USER, {**WRONG, "train": False}, {**DOUBT, "train": False}, {**RIGHT, "train": True}]
    },
    "OpenAI's weights": {"messages": [USER, {**WRONG, "weight": 0}, DOUBT, {**RIGHT, "weight": 1}]},
    "a turn that begins masked": {
        "messages": [USER, {"role": "assistant", "content": f"Otto. {REFERENCE}", "train": True, "masked": 6}]
    },
}  # fmt: skip
PAIRS: dict[str, dict[str, Any]] = {
    "texts": {"question": ASKED, "chosen": REFERENCE, "rejected": "Otto"},
    "answers as messages": {"prompt": ASKED, "chosen": [RIGHT], "rejected": [WRONG]},
    "all as messages": {"prompt": [USER], "chosen": [RIGHT], "rejected": [WRONG]},
    "whole chats": {"chosen": [USER, RIGHT], "rejected": [USER, WRONG]},
    "whole chats and the prompt": {"prompt": ASKED, "chosen": [USER, RIGHT], "rejected": [USER, WRONG]},
    "schema 1": {"instruction": ASKED, "input": "Otto", "output": REFERENCE, "critique": "No."},
    "schema 1, a reference": {"question": ASKED, "wrong_answer": "Otto", "reference_answer": REFERENCE},
}
ROWS = {**FIELDS, **CHATS, **PAIRS}
Found = tuple[str, str]


def write(folder: Path, *rows: object, name: str = "rows.jsonl") -> Path:
    path = folder / name
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    return path


def numbered(*rows: dict[str, Any]) -> list[dict[str, Any]]:
    """Each asks another thing, so that none says the same as one before it."""
    made = []
    for number, row in enumerate(rows):
        text = orjson.dumps(row).decode().replace(ASKED, f"When did museum {number} close?")
        made.append(orjson.loads(text.replace(REFERENCE, f"In {1900 + number}")))
    return made


EXPECTED: list[Found] = [(f"When did museum {number} close?", f"In {1900 + number}") for number in range(len(ROWS))]

# ------------------------------------------------------------------------------- what each command makes of a file


def evaluated(path: Path) -> list[Found]:
    return [(item.asked, item.reference) for item in gate_items(Project(path.parent), [path.name])]


def monitored(path: Path) -> list[Found]:
    return [(item.asked, item.reference) for item in monitor_items(path)]


def answered(path: Path) -> list[Found]:
    target = path.parent / "answers.jsonl"
    answer(scripted(path.parent, {"museum": "Otto"}), path, target, {}, None, None)
    return [(row["prompt"], row["golden"]) for row in map(orjson.loads, target.read_bytes().splitlines())]


def of_failures(path: Path) -> list[Found]:
    asked = [asked for asked, _ in monitored(path)]
    answers = write(path.parent, *({"prompt": each, "answer": "In 7", "model": "m"} for each in asked), name="a.jsonl")
    _, failures = from_answers(scripted(path.parent, {}), path, answers, path.parent / "made.jsonl", 0)
    return [(each.question, each.reference) for each in failures]


def imported(path: Path) -> list[Found]:
    failures = only_failures(read_files([(path, None)]))
    chats = {_of(row.found) for row in read_files([(path, None)]).rows if isinstance(row.found, Conversation)}
    assert len(chats) == len(CHATS)
    return [*((each.question, each.reference) for each in failures), *chats]


def trained(path: Path) -> list[Found]:
    """By the curated pipeline, which makes a conversation of each."""
    made = gather(training(path.parent, data=path.name))
    assert not made.problems
    return [_of(each) for each in made.conversations]


def right_answers(path: Path) -> list[Found]:
    made = gather(training(path.parent, hard_failures_data=path.name))
    assert not made.problems
    return [_of(each) for each in made.conversations]


def kept_back(path: Path) -> list[Found]:
    return [_of(each) for each in retention(training(path.parent, data=path.name, retention=path.name))]


def _of(made: Conversation) -> Found:
    right = made.turns[-1]
    assert right.train
    return next(turn.text for turn in made.turns if turn.role == "user"), right.text[right.masked :].strip()


@pytest.mark.parametrize("read", [evaluated, monitored, answered, of_failures, imported, trained])
def test_every_command_asks_and_trains_the_same(tmp_path: Path, read: Callable[[Path], list[Found]]) -> None:
    path = write(tmp_path, *numbered(*ROWS.values()))
    assert sorted(read(path)) == sorted(EXPECTED)


@pytest.mark.parametrize("read", [evaluated, monitored, right_answers, kept_back])
def test_where_answers_are_said_to_be_right_more_rows_are_read(
    tmp_path: Path, read: Callable[[Path], list[Found]]
) -> None:
    unsaid = {"prompt": ASKED, "response": REFERENCE}
    rows = numbered(*FIELDS.values(), *CHATS.values(), unsaid, {**unsaid, "output": "another", "input": "Otto"})
    assert sorted(read(write(tmp_path, *rows))) == sorted(EXPECTED[: len(rows)])


@pytest.mark.parametrize("kind", [FIELDS, CHATS, PAIRS], ids=["references", "messages", "failures"])
def test_the_worker_takes_each_kind_of_file(tmp_path: Path, kind: dict[str, dict[str, Any]]) -> None:
    entry = write(tmp_path, *numbered(*kind.values()))
    assert check(entry, Project(tmp_path)).rows == len(kind)


def test_gates_know_the_same_questions_and_find_them_where_they_are_trained(tmp_path: Path) -> None:
    path = write(tmp_path, *numbered(*ROWS.values()))
    assert [each["question"] for each in gate_questions(path)] == [asked for asked, _ in EXPECTED]
    assert [each.question.normal for each in training_rows(path)] == [
        f"when did museum {number} close" for number in range(len(ROWS))
    ]


# ------------------------------------------------------------------------------------------------------- refusals


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a misspelt reference": ({"question": ASKED, "refrence": "x"}, "it has 'refrence'"),
    "a misspelt question": ({"Instrution": ASKED, "reference": "x"}, "it has 'Instrution'"),
    "no reference": ({"question": ASKED}, "has no reference"),
    "no question": ({"text": ASKED, "reference": "x"}, "has no question"),
    "two questions": (
        {"instruction": "Be short.", "question": ASKED, "reference": "x"},
        "so that the question is ambiguous",
    ),
    "several answers": ({"question": ASKED, "reference": ["Ida", "Otto"]}, "is not a text: ['Ida', 'Otto']"),
    "several completions": (
        {"question": ASKED, "completion": ["Ida", "Otto"]},
        "completion is not a text: ['Ida', 'Otto']",
    ),
    "true": ({"question": ASKED, "reference": True}, "is not a text: True"),
    "an object": ({"question": {"en": ASKED}, "reference": "x"}, "is not a text: {'en'"),
    "messages that are none": ({"messages": "hello"}, "messages is not a list of messages"),
    "a message that is none": ({"messages": [USER, "hello"]}, "message 2 of 'messages' is 'hello', not an object"),
    "a message of nothing": ({"messages": [{"role": "user", "content": None}, RIGHT]}, ""),
    "a prompt of several turns": ({"prompt": [USER, WRONG, DOUBT], "answer": "x"}, "has several turns"),
    "a pair without an answer": ({"prompt": ASKED, "chosen": [USER], "rejected": [WRONG]}, "holds no answer"),
    "no object": ([1], "is a list instead of a JSON object"),  # type: ignore[dict-item]
}


@pytest.mark.parametrize(("row", "said"), REFUSED.values(), ids=REFUSED)
def test_what_one_command_refuses_all_do_and_say_where(tmp_path: Path, row: object, said: str) -> None:
    path = write(tmp_path, {"question": "A?", "reference": "a"}, row)
    messages = []
    for read in (evaluated, monitored, answered, of_failures):
        with pytest.raises(InputError) as raised:
            read(path)
        messages.append(raised.value.message)
    assert len(set(messages)) == 1 and re.search(r"rows\.jsonl:2:\d", messages[0]) and said in messages[0]
    [problem] = read_files([(path, None)]).problems
    assert (problem.line, said in problem.detail, bool(problem.remedy)) == (2, True, True)
    with pytest.raises(InputError, match=r"line 2, column \d+: ") as refused:
        check(path, Project(tmp_path))
    assert problem.detail in refused.value.message


@pytest.mark.parametrize(
    ("row", "said", "remedy"),
    [
        ({"question": ASKED, "refrence": "x"}, "has no reference; it has 'refrence': did you mean 'reference'?", "call it 'reference'"),
        ({"Instrution": ASKED, "reference": "x"}, "has no question; it has 'Instrution': did you mean 'instruction'?", "call it 'instruction'"),
        ({"Question": ASKED, "Reference": "x"}, "has no question; it has 'Question': did you mean 'question'?", "call it 'question'"),
        ({"question": ASKED, "golden answer": "x"}, "has no reference; it has 'golden answer': did you mean 'golden_answer'?", "call it 'golden_answer'"),
        ({"text": "x"}, "has no question", "write it under one of: question, instruction, prompt, query"),
    ],
)  # fmt: skip
def test_the_key_that_was_meant_is_named(row: dict[str, Any], said: str, remedy: str) -> None:
    with pytest.raises(RowError) as raised:
        item_of(row, "x:1")
    assert (raised.value.message, raised.value.hint) == (f"x:1 {said}", remedy)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"a": 1, "refrence": "x", "question": "Q?"}', "1:10"),
        ('\n  {"question": "Q?", "refrence": "x"}', "2:22"),
        ('{"question": "A?", "answer": "a"} {"question": "Q?", "refrence": "x"}', "1:54"),
        ('[{"question": "A?", "answer": "a"}, {"question": "Q?", "refrence": "x"}]', "1:56"),
        ('[\n {"question": "A?",\n  "answer": "a"},\n {"question": "Q?",\n  "refrence": "x"}\n]', "5:3"),
        ('{"question": {"refrence": 1},\n "refrence": "x"}', "1:2"),
        ('{"question": "Q?", "meta": [{"refrence": 1}],\n\n\t"refrence": "x"}', "3:2"),
    ],
)
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_the_error_names_line_and_column_of_the_key(tmp_path: Path, text: str, place: str, mark: str) -> None:
    path = tmp_path / "rows.json"
    path.write_text(mark + text, encoding="utf-8")
    with pytest.raises(RowError) as raised:
        list(read_rows(path, item_of))
    assert raised.value.message.startswith(f"{path}:{place}")
    [problem] = read_curated(path)[2]
    assert problem.place == f"{path}:{place}"


def test_what_may_be_a_wrong_answer_is_never_trained_unasked(tmp_path: Path) -> None:
    for row, reason in (
        ({"prompt": ASKED, "response": REFERENCE}, "right_or_wrong"),
        ({"prompt": ASKED, "output": REFERENCE}, "right_or_wrong"),
        ({"question": ASKED, "input": "Otto", "reference": REFERENCE}, "input_or_output"),
        ({"question": ASKED, "critique": "No.", "output": REFERENCE}, "missing_bad"),
    ):
        path = write(tmp_path, row)
        assert [each.reason for each in read_curated(path)[2]] == [reason]
        assert evaluated(path) == [(ASKED, REFERENCE)]


SEVERAL = [USER, WRONG, DOUBT]


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": SEVERAL, "chosen": [RIGHT], "rejected": [WRONG]},
        {"prompt": ASKED, "chosen": [*SEVERAL, RIGHT], "rejected": [*SEVERAL, WRONG]},
        {"chosen": [*SEVERAL, RIGHT], "rejected": [*SEVERAL, WRONG]},
    ],
)
def test_a_pair_of_several_turns_is_the_chat_that_was_chosen(tmp_path: Path, row: dict[str, Any]) -> None:
    [read], _, _ = read_curated(write(tmp_path, row))
    assert isinstance(read.found, Conversation)
    assert [(turn.text, turn.train) for turn in read.found.turns] == [
        (ASKED, False), ("Otto Meier", False), ("Are you sure?", False), (REFERENCE, True)
    ]  # fmt: skip
    assert asked(row, "x:1").texts == (ASKED, "Are you sure?")


# -------------------------------------------------------------------------------------------------- any JSON at all

TEXT = st.text(max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from([
    *(name for names in NAMES.values() for name in names), "messages", "conversations", "conversation", "contents", "segments",
    "system", "chosen", "rejected", "role", "from", "content", "value", "parts", "train", "masked", "weight", "label", "text",
    "id", "group", "ended", "finish_reason", "context_kind",
])  # fmt: skip
MESSAGES = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["user", "assistant", "system", "gpt", "robot"]), "content": TEXT | VALUES},
        optional={"train": st.booleans() | VALUES, "weight": st.integers(0, 1), "masked": st.integers(-1, 9) | VALUES},
    ),
    max_size=4,
)
OBJECTS = st.dictionaries(
    KEYS, VALUES | MESSAGES | st.lists(st.dictionaries(KEYS, VALUES, max_size=4), max_size=3), max_size=5
)
ANYTHING = OBJECTS | st.none() | st.integers(0, 9) | TEXT | VALUES


def dump(value: object) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:  # whole numbers beyond 64 bits, half characters
        return orjson.dumps(repr(value).encode("utf-8", "replace").decode())


@given(st.lists(ANYTHING, min_size=1, max_size=4))
@example([{"messages": [{"role": "assistant", "content": "x", "train": True, "masked": 1}]}])
@example([{"messages": [{"role": "assistant", "content": " x ", "train": True, "masked": 2}]}])
def test_any_line_is_read_or_refused_with_its_place_and_the_rest_is_read(
    tmp_path_factory: pytest.TempPathFactory, values: list[Any]
) -> None:
    path = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    path.write_bytes(b"".join(dump(each) + b"\n" for each in values))
    for read in (item_of, asked, answer_of, segments_of, demonstrated):
        found = list(each_row(path, read))
        refused = [each for _, each in found if isinstance(each, RowError)]
        assert all(each.message.startswith(f"{path}:{each.at}") and each.detail for each in refused)
        places = [tuple(map(int, each.at.split(":"))) for each in refused]
        assert all(1 <= line <= len(values) and column >= 1 for line, column in places)
    rows, coverage, problems = read_curated(path)
    assert len(rows) + len(problems) == len(found)
    assert all(each.detail and each.reason and "Error" not in each.detail for each in problems)
    assert coverage.duplicates == sum(each.reason == "duplicate" for each in problems)


FREE = {"messages", "conversations", "conversation", "contents", "segments", "context"}
"""Keys of chats, and of what is asked and never trained."""


@given(st.dictionaries(KEYS.filter(lambda key: key not in FREE), TEXT | VALUES, max_size=5))
@example({"question": "0", "corrected_output": "0", "answer": [None]})
@example({"question": "0", "reference": "0", "input": [None]})
def test_what_a_model_is_asked_is_what_is_trained(row: dict[str, Any]) -> None:
    """A question with a reference is one to `train --hard_failures_data`, and the other way round; what `train` takes besides
    is a question with a reference to those that ask."""
    asked, hard, any_ = (_tried(row, schema) for schema in ("asked", 2, None))
    if isinstance(hard, RowError) and hard.reason != "bad_output":
        assert isinstance(asked, RowError) and asked.reason == hard.reason
    elif not isinstance(hard, RowError):
        assert hard == asked
    if not isinstance(any_, RowError):
        assert not isinstance(asked, RowError) and any_[0] == asked[0]
        assert any_ == asked or _curated_bad(row)


def _curated(row: dict[str, Any], schema: Any) -> Found:
    if schema == "asked":
        item = item_of(row, "x:1")
        return item.question, item.reference
    flattened = flat(row, "x:1")
    assume(not chat(flattened, "x:1"))
    found = curated(flattened, fields_of(flattened), "x:1", schema)
    return found.question, found.reference


def _curated_bad(row: dict[str, Any]) -> str:
    flattened = flat(row, "x:1")
    return curated(flattened, fields_of(flattened), "x:1", None).bad


def _tried(row: dict[str, Any], schema: Any) -> Found | RowError:
    try:
        return _curated(row, schema)
    except RowError as refused:
        return refused


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.title)
def test_every_example_of_the_reference_is_read_as_what_it_says(tmp_path: Path, kind: Kind) -> None:
    for each in kind.examples:
        row = orjson.loads(each)
        if kind.title == "Answers of a model":
            assert answer_of(row, "x:1").answer == "Otto Meier"
            continue
        if kind.title == "Segments":
            assert segments_of(row, "x:1") and asked(row, "x:1").rendered
            continue
        if kind.title == "Demonstrations for self-distillation":
            found_ = demonstrated(row, "x:1")
            assert "Ida Brandt" in found_.context and asked(row, "x:1").texts[-1] == found_.asked[-1].text
            continue
        path = write(tmp_path, row)
        if kind.title == "Probes of corrections":
            assert gate_items(Project(tmp_path), [path.name])[0].probe == row["probe"]
            assert [problem.reason for problem in read_curated(path)[2]] == ["probe"]  # never trained
            continue
        [found], _, problems = read_curated(path)
        assert not problems
        if kind.title in ("Failures", "Preference pairs"):
            assert isinstance(found.found, Failure) and found.found.answer == "Otto Meier"
        assert gate_items(Project(tmp_path), [path.name])[0].reference
