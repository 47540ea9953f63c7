"""What was asked and answered, word for word, each text once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augment_correction.records import Completion, Message, Request
from augment_correction.store import Database, Journal
from augment_correction.store.journal import SCHEMA
from augment_correction.usage import Usage

REPLY = Completion("A reply.", "Some thought.", "stop", Usage(10, 5, 4, 3))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(tmp_path / "journal.sqlite", SCHEMA)
    yield opened
    opened.close()


def asking(*texts: str, **more: object) -> Request:
    return Request(tuple(Message("user", text) for text in texts), "tiny", {"temperature": 0.5}, **more)  # type: ignore[arg-type]


async def test_a_reply_comes_back_as_it_was_and_says_that_it_was_stored(database: Database) -> None:
    journal = Journal(database)
    assert journal.find(asking("?").key) is None
    await journal.add(asking("?"), REPLY, role="small", stage="judge")
    found = journal.find(asking("?").key)
    assert found == Completion("A reply.", "Some thought.", "stop", Usage(10, 5, 4, 3), cached=True)


async def test_what_is_unknown_stays_unknown(database: Database) -> None:
    journal = Journal(database)
    reply = Completion("", None, "unknown", Usage(1, 2, estimated=True))
    await journal.add(asking("?"), reply, role="small", stage="judge")
    found = journal.find(asking("?").key)
    assert found is not None
    assert (found.reasoning, found.usage) == (None, Usage(1, 2, None, None, True))


async def test_the_whole_call_can_be_read_again(database: Database) -> None:
    journal = Journal(database)
    request = asking("The instructions.", "The passage\0 with ünïcode and \U0001f600.")
    await journal.add(request, REPLY, role="large", stage="ask")
    call = journal.read(request.key)
    assert call is not None
    assert (call.role, call.model, call.stage, call.messages) == ("large", "tiny", "ask", request.messages)
    assert call.sampling == {"temperature": 0.5}
    assert journal.read("unknown") is None


async def test_instructions_that_every_call_repeats_are_stored_once(database: Database) -> None:
    journal = Journal(database)
    for number in range(600):  # more than the journal remembers having written
        await journal.add(asking("The instructions.", f"Passage {number}"), REPLY, role="small", stage="judge")
    assert database.query("SELECT COUNT(*) FROM texts") == [(601,)]
    again = Journal(database)
    await again.add(asking("The instructions.", "Passage 0", "and more"), REPLY, role="small", stage="judge")
    assert database.query("SELECT COUNT(*) FROM texts") == [(602,)]


async def test_the_first_reply_to_a_question_stays(database: Database) -> None:
    journal = Journal(database)
    await journal.add(asking("?"), REPLY, role="small", stage="judge")
    await journal.add(asking("?"), Completion("another", None, "stop", Usage(1, 1)), role="small", stage="judge")
    found = journal.find(asking("?").key)
    assert found is not None and found.text == "A reply."


async def test_totals_by_role_model_and_stage(database: Database) -> None:
    journal = Journal(database)
    await journal.add(asking("1"), REPLY, role="small", stage="judge")
    await journal.add(
        asking("2"), Completion("", None, "stop", Usage(1, 1, estimated=True)), role="small", stage="judge"
    )
    journal.note_failure(asking("3"), role="small", stage="judge", status=500, message="boom")
    journal.note_failure(asking("3"), role="large", stage="ask", status=None, message="x" * 5000)
    await database.flush()
    large, small = journal.totals()
    assert (small.role, small.model, small.stage) == ("small", "tiny", "judge")
    assert (small.requests, small.input, small.output, small.estimated, small.failures) == (2, 11, 6, 1, 1)
    assert (small.cached_input, small.reasoning) == (4, 3)
    assert (large.requests, large.cached_input, large.failures) == (0, None, 1)


class TestKeys:
    """The key is what was really asked, and nothing else."""

    QUESTION = asking("Be brief.", "Which town?")

    @pytest.mark.parametrize(
        "other",
        [
            Request(QUESTION.messages, "other", QUESTION.sampling),
            Request(QUESTION.messages, "tiny", {"temperature": 0.6}),
            Request(QUESTION.messages, "tiny", QUESTION.sampling, {"type": "object"}),
            Request(QUESTION.messages, "tiny", QUESTION.sampling, sample=1),
            Request(QUESTION.messages[::-1], "tiny", QUESTION.sampling),
            Request((Message("system", "Be brief."), QUESTION.messages[1]), "tiny", QUESTION.sampling),
            asking("Be brief.Which town?"),
        ],
    )
    def test_differs_with_each_part_of_the_question(self, other: Request) -> None:
        assert other.key != self.QUESTION.key

    def test_is_the_same_however_the_question_is_put_to_the_server(self) -> None:
        again = Request(self.QUESTION.messages, "tiny", {"temperature": 0.5}, form="tags", structured=True)
        assert again.key == self.QUESTION.key

    def test_does_not_depend_on_the_order_of_parameters(self) -> None:
        one, other = (Request((), "m", dict(order)) for order in ([("a", 1), ("b", 2)], [("b", 2), ("a", 1)]))
        assert one.key == other.key

    @given(st.lists(st.text(max_size=5), max_size=3), st.lists(st.text(max_size=5), max_size=3))
    def test_tells_apart_any_two_lists_of_messages(self, one: list[str], other: list[str]) -> None:
        assert (asking(*one).key == asking(*other).key) == (one == other)


async def test_a_text_is_handed_over_again_only_where_it_was_long_ago(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is remembered of it is bounded."""
    journal, handed = Journal(database), list[int]()
    write = database.write_durably

    async def counted(*statements: Any) -> None:
        handed.append(len(statements))
        await write(*statements)

    monkeypatch.setattr(database, "write_durably", counted)
    reply = Completion("yes", None, "stop", Usage(1, 1))
    for request in (asking("rules", "one"), asking("rules", "two"), asking("rules", "two", sample=1)):
        await journal.add(request, reply, role="large", stage="s")
    assert handed == [3, 2, 1]
    await journal.add(asking(*map(str, range(511)), "rules"), reply, role="large", stage="s")
    await journal.add(asking("rules", "510"), reply, role="large", stage="s")
    await journal.add(asking("one"), reply, role="large", stage="s")
    assert handed[3:] == [513, 1, 2]  # "rules" and "one" were pushed out
    assert database.query("SELECT COUNT(*) FROM texts") == [(514,)]
