from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import pytest

from augment_correction.errors import InputError
from augment_correction.failures import Failure
from augment_correction.failures.curated import CuratedRow, read_curated
from augment_correction.records import Conversation
from tests.training.making import critiqued, failures, hard

PAIR = {"instruction": "Q", "input": "bad", "output": "good"}


def failure(row: CuratedRow) -> Failure:
    assert isinstance(row.found, Failure)
    return row.found


def said(row: CuratedRow) -> Conversation:
    assert isinstance(row.found, Conversation)
    return row.found


def test_both_schemas_are_read_and_told_apart(tmp_path: Path) -> None:
    rows, coverage, problems = read_curated(failures(tmp_path / "f.jsonl", critiqued([1]) + hard([2])))
    assert not problems and dict(coverage.schemas) == {1: 1, 2: 1}
    one, two = map(failure, rows)
    assert one.answer == "The queen of hive 1 lays 8 eggs." and one.critique.startswith("The number")
    assert (one.verdict, one.origin, one.item) == ("wrong", "imported", f"{tmp_path / 'f.jsonl'}:1")
    assert (two.question, two.reference, two.category) == ("Who keeps hive 2?", "Carl does.", "bees")
    assert (two.verdict, two.answer) == ("unanswered", "")


def test_a_json_list_is_read_by_items(tmp_path: Path) -> None:
    path = tmp_path / "f.json"
    path.write_text("﻿" + json.dumps([*critiqued([1]), 5], indent=1), encoding="utf-8")
    rows, _, [problem] = read_curated(path)
    assert len(rows) == 1 and (problem.line, problem.reason) == (2, "not_an_object")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"instruction": "Q", "input": "bad"', "not_json"),
        ("[1]", "not_an_object"),
        ('{"instruction": "Q", "input": "bad", "output": ["good"]}', "not_text"),
        ('{"instruction": " ", "input": "bad", "output": "good"}', "empty_question"),
        ('{"instruction": "Q", "output": "good", "critique": "No."}', "missing_bad"),
        ('{"instruction": "Q", "input": "", "output": "good", "critique": "No."}', "empty_bad"),
        ('{"instruction": "Q", "input": "bad"}', "missing_corrected"),
        ('{"instruction": "Q"}', "missing_reference"),
        ('{"instruction": "Q", "input": "same", "output": "same "}', "nothing_corrected"),
        ('{"prompt": "Q", "response": "perhaps a wrong one"}', "right_or_wrong"),
    ],
)
def test_a_bad_row_is_a_problem_with_its_line_and_the_rest_is_read(tmp_path: Path, line: str, reason: str) -> None:
    path = tmp_path / "f.jsonl"
    path.write_text(f"{json.dumps(PAIR)}\n\n{line}\r\n{json.dumps({**PAIR, 'input': 'worse'})}")
    rows, _, [problem] = read_curated(path)
    assert [row.line for row in rows] == [1, 4]
    assert (problem.file, problem.line, problem.reason) == (str(path), 3, reason) and problem.detail and problem.remedy


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"question": "Q", "wrong_answer": "bad", "reference": "good", "feedback": "Off by one."}, ("bad", "good", "Off by one.")),
        ({"instruction": "Q", "input": "bad", "output": 5, "critique": ["No.", "Count again."]}, ("bad", "5", "No. Count again.")),
        ({"instruction": "Q", "input": "bad", "output": "good", "meta": {"tags": ["x"]}}, ("bad", "good", "")),
    ],
)  # fmt: skip
def test_a_bad_output_is_never_lost(tmp_path: Path, row: dict[str, object], told: tuple[str, ...]) -> None:
    [read], _, _ = read_curated(failures(tmp_path / "f.jsonl", [row]))
    found = failure(read)
    assert (found.answer, found.reference, found.critique) == told


@pytest.mark.parametrize(
    ("row", "schema", "reason"),
    [
        ({"instruction": "Q", "input": "context, perhaps", "reference_answer": "good"}, None, "input_or_output"),
        ({"instruction": "Q", "input": "bad", "output": False}, None, "not_text"),
        ({"instruction": "Answer.", "question": "Q", "input": "bad", "output": "good"}, None, "two_questions"),
        ({"messages": [{"role": "assistant", "content": "bad, perhaps"}]}, 1, "conversation"),
    ],
)
def test_what_may_be_either_is_not_guessed(
    tmp_path: Path, row: dict[str, object], schema: Literal[1, 2] | None, reason: str
) -> None:
    _, _, [problem] = read_curated(failures(tmp_path / "f.jsonl", [row]), schema)
    assert problem.reason == reason and problem.remedy


def test_bad_outputs_have_codes(tmp_path: Path) -> None:
    row = {"instruction": "As JSON.", "input": '{"a": 1', "output": '{"a": 1}'}
    [read], _, _ = read_curated(failures(tmp_path / "f.jsonl", [row]))
    assert "INVALID_JSON" in failure(read).codes


def test_a_json_document_is_read_whatever_its_name_and_its_lines(tmp_path: Path) -> None:
    (tmp_path / "list.jsonl").write_text(json.dumps([PAIR], indent=2))
    (tmp_path / "one.json").write_text(json.dumps(PAIR, indent=2))
    assert [len(read_curated(tmp_path / name)[0]) for name in ("list.jsonl", "one.json")] == [1, 1]


def test_the_same_file_twice_gives_its_rows_once(tmp_path: Path) -> None:
    path, seen = failures(tmp_path / "f.jsonl", [PAIR]), dict[str, str]()
    assert len(read_curated(path, seen=seen)[0]) == 1
    rows, coverage, _ = read_curated(path, seen=seen)
    assert not rows and coverage.duplicates == 1


def test_bytes_that_are_no_text_are_a_problem_of_their_line(tmp_path: Path) -> None:
    path = tmp_path / "f.jsonl"
    path.write_bytes(b'{"instruction": "\xff"}\n' + json.dumps(PAIR).encode())
    rows, _, [problem] = read_curated(path)
    assert len(rows) == 1 and problem.line == 1


class TestControlStrings:
    """Spelled apart, since a trainer would read them as control tokens; that is counted and said."""

    def test_what_an_assistant_thinks_is_kept(self, tmp_path: Path) -> None:
        said = "<think>\nIs it <|im_end|>?\n</think>\n\nIda."
        messages = [{"role": "user", "content": "Who?"}, {"role": "assistant", "content": said}]
        [row], coverage, _ = read_curated(failures(tmp_path / "f.jsonl", [{"messages": messages}]))
        assert isinstance(row.found, Conversation)
        assert row.found.turns[1].text == said.replace("<|im_end|>", "< |im_end|>")
        assert coverage.spaced == 1 and "in 1 rows control strings" in str(coverage)

    def test_a_row_of_thoughts_alone_is_not_changed(self, tmp_path: Path) -> None:
        said = "<think>Hm.</think> Ida."
        messages = [
            {"role": "user", "content": "Who?"},
            {"role": "assistant", "content": said, "masked": 18, "train": True},
        ]
        [row], coverage, _ = read_curated(failures(tmp_path / "f.jsonl", [{"messages": messages}]))
        assert isinstance(row.found, Conversation)
        assert (row.found.turns[1].text, row.found.turns[1].masked) == (said, 18)
        assert coverage.spaced == 0 and "control strings" not in str(coverage)

    @pytest.mark.parametrize("role", ["user", "system"])
    def test_nobody_else_thinks(self, tmp_path: Path, role: str) -> None:
        messages = [{"role": role, "content": "<think>"}, {"role": "assistant", "content": "Ida."}]
        [row], coverage, _ = read_curated(failures(tmp_path / "f.jsonl", [{"messages": messages}]))
        assert isinstance(row.found, Conversation) and row.found.turns[0].text == "< think>"
        assert coverage.spaced == 1

    def test_other_schemas_are_counted_too(self, tmp_path: Path) -> None:
        rows = [{**PAIR, "output": "<think>Hm.</think> good"}, {**PAIR, "input": "bad [INST]"}, PAIR]
        _, coverage, _ = read_curated(failures(tmp_path / "f.jsonl", rows))
        assert coverage.spaced == 2


def test_coverage_counts_fields_and_duplicates(tmp_path: Path) -> None:
    rows = [*critiqued([1, 1, 2]), {**critiqued([3])[0], "meta": {"critique": ""}}, PAIR]
    read, coverage, [twice] = read_curated(failures(tmp_path / "f.jsonl", rows))
    assert len(read) == 4 and coverage.rows == 5 and coverage.duplicates == 1
    assert (coverage.filled["critique"], coverage.empty["critique"], coverage.filled["bad"]) == (3, 1, 5)
    assert twice.reason == "duplicate" and twice.detail == f"says the same as {tmp_path / 'f.jsonl'}:1"


def test_a_schema_that_is_named_is_demanded(tmp_path: Path) -> None:
    _, _, [problem] = read_curated(failures(tmp_path / "f.jsonl", hard([1])), 1)
    assert problem.reason == "missing_bad" and "schema 1" in problem.detail


def test_prompt_and_response_are_read_where_the_answers_are_said_to_be_right(tmp_path: Path) -> None:
    path = failures(tmp_path / "f.jsonl", [{"prompt": "Q", "response": "A"}])
    assert [failure(row).reference for row in read_curated(path, 2)[0]] == ["A"]
    assert read_curated(path)[0] == []


def test_an_unreadable_file_is_the_users_mistake(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no file"):
        read_curated(tmp_path / "nowhere.jsonl")
    (tmp_path / "f.json").write_text("[{")
    with pytest.raises(InputError, match=r"no line of .*f\.json is JSON: line 1 .* not closed"):
        read_curated(tmp_path / "f.json")
    (tmp_path / "f.csv").write_text("instruction,input,output\nQ,bad,good\n")
    with pytest.raises(InputError, match=r"no line of .*f\.csv is JSON: line 1 is") as refused:
        read_curated(tmp_path / "f.csv")
    assert "CSV is not supported" in str(refused.value.hint)
    (tmp_path / "f.jsonl").write_text("\n")
    with pytest.raises(InputError, match="is empty"):
        read_curated(tmp_path / "f.jsonl")


class TestMessages:
    SAID = [  # noqa: RUF012
        {"role": "user", "content": "Q", "train": True},
        {"role": "assistant", "content": "It is 5. No, 6.", "train": True, "masked": 8},
    ]

    def test_flags_are_the_mask(self, tmp_path: Path) -> None:
        [row], coverage, _ = read_curated(failures(tmp_path / "f.jsonl", [{"messages": self.SAID}]))
        made = said(row)
        assert [(turn.train, turn.masked) for turn in made.turns] == [(True, 0), (True, 8)]
        assert dict(coverage.schemas) == {3: 1}

    def test_the_mask_moves_with_what_is_made_harmless(self, tmp_path: Path) -> None:
        messages = [{"role": "assistant", "content": " <|x|> No. Yes.", "train": True, "masked": 10}]
        [row], _, _ = read_curated(failures(tmp_path / "f.jsonl", [{"messages": messages}]))
        [turn] = said(row).turns
        assert (turn.text[: turn.masked], turn.text[turn.masked :]) == ("< |x|> No.", " Yes.")

    def test_weights_are_flags(self, tmp_path: Path) -> None:
        messages = [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "bad", "weight": 0},
                {"role": "user", "content": "No."}, {"role": "assistant", "content": "good", "weight": 1}]  # fmt: skip
        [row], _, _ = read_curated(failures(tmp_path / "f.jsonl", [{"messages": messages}]))
        assert [turn.train for turn in said(row).turns] == [False, False, False, True]

    def test_without_flags_the_last_answer_alone_is_trained(self, tmp_path: Path) -> None:
        messages = [{"role": role, "content": role} for role in ("user", "assistant", "user", "assistant")]
        [row], _, _ = read_curated(failures(tmp_path / "f.jsonl", [{"messages": messages}]))
        assert [turn.train for turn in said(row).turns] == [False, False, False, True]

    @pytest.mark.parametrize(
        ("messages", "reason"),
        [
            ("text", "not_messages"),
            ([{"role": "robot", "content": "x"}], "not_messages"),
            ([{"role": "user", "content": None}], "not_messages"),
            ([{"role": "assistant", "content": "x", "train": True, "masked": 9}], "not_messages"),
            ([{"role": "user", "content": "x"}], "nothing_trained"),
            ([{"role": "assistant", "content": "x", "train": False}], "nothing_trained"),
            ([], "nothing_trained"),
            ([{"role": "assistant", "content": "bad", "train": "false"}], "not_messages"),
            ([{"role": "assistant", "content": "No. Yes.", "train": True, "masked": -3}], "not_messages"),
            (
                [{"role": "user", "content": "Q", "train": True}, {"role": "assistant", "content": "x"}],
                "nothing_trained",
            ),
        ],
    )
    def test_what_is_none_is_a_problem(self, tmp_path: Path, messages: object, reason: str) -> None:
        _, _, [problem] = read_curated(failures(tmp_path / "f.jsonl", [{"messages": messages}]))
        assert problem.reason == reason and problem.remedy


def test_null_beside_a_message_says_nothing(tmp_path: Path) -> None:
    def row(*flags: dict[str, object]) -> str:
        roles = ("user", "assistant", "user", "assistant")
        said = zip(roles, flags, strict=True)
        return json.dumps(
            {"messages": [{"role": role, "content": f"m{n}"} | flag for n, (role, flag) in enumerate(said)]}
        )

    nothing: dict[str, object] = {"train": None, "weight": None, "masked": None}
    path = tmp_path / "f.jsonl"
    path.write_text(f"{row(*[nothing] * 4)}\n{row(nothing, {'train': None, 'weight': 1}, nothing, nothing)}\n")
    rows, _, problems = read_curated(path)
    assert not problems
    trained = [[turn.train for turn in each.found.turns] for each in rows if isinstance(each.found, Conversation)]
    assert trained == [[False, False, False, True], [False, True, False, False]]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_any_encoding_and_what_python_writes(tmp_path: Path, encoding: str) -> None:
    lines = ['{"instruction": "Für wen?", "input": "Müller", "output": "Möller", "meta": "größer", "loss": NaN}'] * 2
    path = tmp_path / "f.jsonl"
    path.write_bytes("\n".join(lines).replace("Für wen", "Für wen wohl", 1).encode(encoding))
    rows, _, problems = read_curated(path)
    assert not problems
    assert [failure(row).question for row in rows] == ["Für wen wohl?", "Für wen?"]


def test_alpacas_plain_input_gets_a_notice(tmp_path: Path) -> None:
    path = tmp_path / "f.json"
    path.write_text(json.dumps([{"instruction": "Translate.", "input": "Hello", "output": "Bonjour"}]))
    assert "in 1 rows 'input' is read as a bad output" in str(read_curated(path)[1])
    path.write_text(json.dumps([{"instruction": "Q", "input": "bad", "output": "good", "critique": "why"}]))
    assert "note" not in str(read_curated(path)[1])
