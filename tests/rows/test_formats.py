"""A row format that is registered is read by every command that reads rows, as the row that it makes of each object."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from augment_correction import EvalConfig, InputError, Reject, evaluate, register_rows
from augment_correction.corrections.importing import read_remarks
from augment_correction.errors import PluginFailure
from augment_correction.failures import read_files
from augment_correction.failures.curated import read_curated
from augment_correction.failures.report import source_lines
from augment_correction.project import Project
from augment_correction.rows import each_row, item_of, read_rows
from augment_correction.selection.gate import gate_questions
from augment_correction.worker.rows import check
from tests.rows.test_agreement import Found, answered, evaluated, monitored, of_failures, trained, write

pytestmark = pytest.mark.usefixtures("registered_for_now")
CLOSED = {"ticket": 1, "title": "When did the museum close?", "reply": "In 1950", "solution": "In 1956"}
OPEN = {"ticket": 2, "title": "Who opened it?"}
READ: list[Found] = [("When did the museum close?", "In 1956")]


def read_ticket(ticket: Mapping[str, Any]) -> dict[str, Any] | None:
    if "solution" not in ticket:
        return None
    if not ticket["solution"]:
        raise Reject(
            "no_solution", f"Ticket {ticket['ticket']} is closed without a solution", hint="write the solution"
        )
    return {"question": ticket["title"], "bad_output": ticket["reply"], "reference": ticket["solution"]}


def is_ticket(row: Mapping[str, Any]) -> bool:
    return "ticket" in row


def failing(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"question": row["nope"]}


@pytest.fixture
def tickets() -> None:
    register_rows("tickets", read_ticket, recognises=is_ticket)


@pytest.mark.usefixtures("tickets")
@pytest.mark.parametrize("read", [evaluated, monitored, answered, of_failures, trained])
def test_every_command_reads_the_same(tmp_path: Path, read: Callable[[Path], list[Found]]) -> None:
    assert read(write(tmp_path, CLOSED, OPEN)) == READ


@pytest.mark.usefixtures("tickets")
def test_rows_of_ours_beside_them_are_read_as_ever(tmp_path: Path) -> None:
    path = write(tmp_path, {"question": "A?", "reference": "a"}, OPEN, CLOSED)
    assert [(place, item.question) for place, item in read_rows(path, item_of)] == [
        (f"{path}:1", "A?"), (f"{path}:3", "When did the museum close?"),
    ]  # fmt: skip
    assert [each["question"] for each in gate_questions(path)] == ["A?", "When did the museum close?"]


@pytest.mark.usefixtures("tickets")
def test_the_worker_takes_a_file_of_them(tmp_path: Path) -> None:
    found = check(write(tmp_path, CLOSED, OPEN), Project(tmp_path))
    assert (found.format, found.rows) == ("failures", 1)


def test_chat_logs_are_searched_for_corrections(tmp_path: Path) -> None:
    def read_log(log: Mapping[str, Any]) -> dict[str, Any]:
        return {"messages": [{"role": who, "content": text} for who, text in log["lines"]]}

    register_rows("chat_log", read_log, recognises=lambda row: "lines" in row)
    path = write(tmp_path, {"lines": [["user", "Who?"], ["bot", "Otto."], ["user", "No, Ida."]]}, {"lines": [["user"]]})
    with pytest.raises(
        PluginFailure, match=r"row format 'chat_log' .* failed on .*rows\.jsonl:2: ValueError: not enough"
    ):
        read_remarks([path])
    [remark], problems = read_remarks(
        [write(tmp_path, {"lines": [["user", "Who?"], ["bot", "Otto."], ["user", "No."]]})]
    )
    assert (remark.text, remark.place, problems) == ("No.", f"{path}:1 message 3", [])


def test_a_files_name_chooses_the_format(tmp_path: Path) -> None:
    register_rows("tickets", read_ticket)
    with pytest.raises(InputError, match="has no question"):
        list(read_rows(write(tmp_path, CLOSED), item_of))
    for name in ("week.tickets.jsonl", "000007-week.tickets-2.jsonl", "week.tickets.json"):
        assert evaluated(write(tmp_path, CLOSED, name=name)) == READ


@pytest.mark.usefixtures("tickets")
def test_what_it_refuses_is_said_with_file_line_and_format_and_the_rest_is_read(tmp_path: Path) -> None:
    path = write(tmp_path, CLOSED, {**CLOSED, "solution": ""}, {**CLOSED, "title": ["two", "titles"]})
    rows, _, [refused, no_text] = read_curated(path)
    assert len(rows) == 1 and refused.reason == "no_solution" and refused.place == f"{path}:2:1"
    said = "(as the row format 'tickets' (tests.rows.test_formats.read_ticket) reads it)"
    assert refused.detail == f"Ticket 1 is closed without a solution {said}" and refused.remedy == "write the solution"
    assert no_text.place == f"{path}:3:1" and no_text.detail.endswith(f"is not a text: ['two', 'titles'] {said}")
    with pytest.raises(InputError, match=rf"^{re.escape(str(path))}:2:1: Ticket 1 is closed"):
        evaluated(path)


@pytest.mark.parametrize(
    ("read", "recognises", "told"),
    [
        (failing, is_ticket, r"test_formats\.failing\) failed on .*rows\.jsonl:1: KeyError: 'nope' \(.*test_formats\.py:\d+\)"),
        (lambda row: [row], is_ticket, r"returned \[\{.* for .*rows\.jsonl:1: it returns a row as docs/reference/rows\.md"),
        (lambda row: {1: "a"}, is_ticket, r"returned \{1: 'a'\} for"),
        (read_ticket, failing, r"could not tell whether .*rows\.jsonl:1 is one of its rows: KeyError: 'nope'"),
    ],
)  # fmt: skip
def test_a_bug_ends_the_command_and_names_the_line(tmp_path: Path, read: Any, recognises: Any, told: str) -> None:
    register_rows("tickets", read, recognises=recognises)
    with pytest.raises(PluginFailure, match=rf"^row format 'tickets' \({'' if read is failing else '.*'}.*{told}"):
        list(each_row(write(tmp_path, CLOSED), item_of))


def test_what_it_passes_over_is_counted_and_a_bug_promises_nothing_of_calls(tmp_path: Path) -> None:
    register_rows("tickets", read_ticket, recognises=is_ticket)
    read = read_files([(write(tmp_path, CLOSED, OPEN, OPEN, {**CLOSED, "solution": ""}), None)])
    lines = list(source_lines(read.sources, read.problems))
    assert [line.strip() for line in lines[1:3]] == ["1 left out: no_solution", "2 passed over by tickets"]
    assert lines[-1].count("'tickets'") == 1
    register_rows("tickets", failing, recognises=is_ticket)
    with pytest.raises(PluginFailure) as failure:
        read_files([(write(tmp_path, CLOSED), None)])
    assert failure.value.hint == "correct it and run the same command again"


def test_a_wrong_answer_under_another_name_is_said(tmp_path: Path) -> None:
    def renamed(ticket: Mapping[str, Any]) -> dict[str, Any]:
        return {"question": ticket["title"], "bad_answer": ticket["reply"], "reference": ticket["solution"]}

    register_rows("tickets", renamed, recognises=is_ticket)
    _, coverage, _ = read_curated(write(tmp_path, CLOSED))
    assert "; not used: bad_answer (did you mean bad_output?) 1 of 1" in str(coverage)


def test_two_formats_that_recognise_a_row_are_named(tmp_path: Path) -> None:
    register_rows("tickets", read_ticket, recognises=is_ticket)
    register_rows("other", failing, recognises=lambda row: True)
    path = write(tmp_path, CLOSED)
    [(_, refused)] = each_row(path, item_of)
    assert isinstance(refused, InputError)
    assert refused.message.startswith(
        f"{path}:1:1 is recognised by row format 'tickets' (tests.rows.test_formats.read_ticket) and by"
    )
    assert (refused.hint or "").startswith("name the file rows.tickets.jsonl")
    assert evaluated(write(tmp_path, CLOSED, name="rows.tickets.jsonl")) == READ


@pytest.mark.usefixtures("tickets")
def test_a_file_of_which_nothing_is_a_row_says_so(tmp_path: Path) -> None:
    for read in (evaluated, monitored, lambda path: check(path, Project(tmp_path))):
        with pytest.raises(
            InputError,
            match=r"rows\.jsonl holds no rows: all of its objects are passed over by the row format 'tickets'",
        ):
            read(write(tmp_path, OPEN, OPEN))


@pytest.mark.parametrize("name", ["Tickets", "my tickets", "", "jsonl"])
def test_a_name_is_lower_case_words(name: str) -> None:
    with pytest.raises(ValueError, match="lower-case words joined by _"):
        register_rows(name, read_ticket)


@pytest.mark.usefixtures("tickets")
def test_the_results_of_an_evaluation_name_the_plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, CLOSED)
    monkeypatch.chdir(tmp_path)
    models = {name: {"model": name, "mode": "scripted"} for name in ("base", "tuned")}
    config = EvalConfig(gate=("rows.jsonl",), models=models, path={"output_dir": "out"})
    reports = []
    for loaded in ({}, {"tickets": "my-tickets 1.0"}):
        monkeypatch.setattr("augment_correction.plugins.LOADED", loaded)
        reports.append(evaluate(config).report or {})
    assert "plugins" not in reports[0] and reports[1]["plugins"] == {"tickets": "my-tickets 1.0"}
