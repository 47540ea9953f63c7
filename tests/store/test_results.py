"""What became of every passage, in the order of the documents, across runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from augment_correction.records import Chunk, Conversation, Turn, UnreadInput, content_id
from augment_correction.store import Database, Excluded, Outcome, Results
from augment_correction.store.results import SCHEMA


@pytest_asyncio.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = Database(tmp_path / "journal.sqlite", SCHEMA)
    yield opened
    opened.close()


def chunk(text: str, index: int = 0) -> Chunk:
    return Chunk(content_id(text), f"document of {text}", index, text, 0, len(text), 3, page=2, heading=("A", "B"))


def read(results: Results, seq: int, text: str, source: str = "a.txt") -> str:
    made = chunk(text, seq)
    results.write(results.add_place(seq, made, source, f"title of {source}"), results.add_chunk(seq, made))
    return made.id


def kept(chunk_id: str, part: int = 0) -> Outcome:
    conversation = Conversation(f"c-{chunk_id}", "kind", (Turn("user", "Q", True), Turn("assistant", "A", False)), True)
    return Outcome(chunk_id, part, "kept", None, None, {"conversation": conversation, "steps": []})


def rejected(chunk_id: str, reason: str = "unsuitable", status: Any = "rejected") -> Outcome:
    return Outcome(chunk_id, 0, status, "judge", reason, {"detail": "why", "steps": []})


async def test_outcomes_come_in_the_order_of_the_passages_not_of_their_making(database: Database) -> None:
    results = Results(database, "plan")
    await results.begin()
    ids = [read(results, seq, f"text {seq}") for seq in range(6)]
    for id_ in reversed(ids):
        results.add_outcomes([kept(id_, 1), kept(id_, 0)])
    await database.flush()
    assert [(chunk.id, outcome.part) for chunk, outcome in results.outcomes()] == [
        (id_, part) for id_ in ids for part in (0, 1)
    ]


async def test_a_passage_that_stands_in_several_places_has_one_outcome_and_all_of_them(database: Database) -> None:
    results = Results(database, "plan")
    await results.begin()
    id_ = read(results, 0, "twice", "a.txt")
    made = chunk("twice", 7)
    results.write(results.add_place(5, made, "b.txt", "title of b.txt"))
    results.add_outcomes([kept(id_)])
    await database.flush()
    ((stored, outcome),) = results.outcomes("kept")
    assert [place["source"] for place in stored.places] == ["a.txt", "b.txt"]
    assert stored.places[1]["index"] == 7
    assert (stored.places[0]["page"], stored.places[0]["heading"]) == (2, ["A", "B"])
    assert outcome.conversation(stored).provenance == {"chunk_id": id_, "places": stored.places}


async def test_a_passage_comes_with_the_same_places_however_it_is_read(database: Database) -> None:
    """Of one place, of two, and of one that is not where the passage was read first."""
    results = Results(database, "plan")
    await results.begin()
    ids = [read(results, seq, f"text {seq}") for seq in range(3)]
    results.write(results.add_place(9, chunk("text 1", 4), "b.txt", "title of b.txt"))
    results.write(("UPDATE places SET seq = 8 WHERE chunk_id = ?", (ids[2],)))
    results.add_outcomes([kept(id_) for id_ in ids])
    await database.flush()
    wanted = [results.places(id_) for id_ in ids]
    assert [len(places) for places in wanted] == [1, 2, 1]
    for rows in (results.outcomes(), results.outcomes("kept"), results.passages(), results.conversations()):
        assert [stored.places for stored, _ in rows] == wanted


async def test_a_conversation_comes_back_with_its_mask(database: Database) -> None:
    results = Results(database, "plan")
    await results.begin()
    results.add_outcomes([kept(read(results, 0, "text"))])
    await database.flush()
    ((stored, outcome),) = results.outcomes()
    assert outcome.conversation(stored).turns == (Turn("user", "Q", True), Turn("assistant", "A", False))


async def test_the_next_run_takes_over_what_is_final_and_forgets_what_failed(database: Database) -> None:
    first = Results(database, "plan")
    await first.begin()
    good, bad, failed = (read(first, seq, f"text {seq}") for seq in range(3))
    first.add_outcomes([kept(good)])
    first.add_outcomes([rejected(bad)])
    first.add_outcomes([rejected(failed, "server_error", "failed")])
    second = Results(database, "plan")
    await second.begin()
    assert second.finished(good) == [("kept", None, None, None)]
    assert second.finished(bad) == [("rejected", "judge", "unsuitable", None)]
    assert second.finished(failed) == []
    assert second.earlier() == 2


@pytest.mark.parametrize("status", ["failed", "rejected"])
async def test_a_passage_of_several_records_is_made_again_whole(database: Database, status: str) -> None:
    """Where a server failed for one of them, or one is to be asked again, the passage is not finished."""
    results = Results(database, "plan")
    await results.begin()
    both, other = read(results, 0, "two records"), read(results, 1, "one record")
    results.add_outcomes([rejected(both, "away", status), kept(both, 1)])
    results.add_outcomes([kept(other)])
    await database.flush()
    again = Results(database, "plan")
    await again.begin()
    if status == "rejected":
        assert len(again.finished(both)) == 2
        assert await again.ask_again([("judge", "away")]) == 1 and again.asked_again(both) == {"judge": 1}
    assert again.finished(both) == [] and len(again.finished(other)) == 1


async def test_a_changed_plan_forgets_all(database: Database) -> None:
    first = Results(database, "plan")
    await first.begin()
    id_ = read(first, 0, "text")
    first.add_outcomes([kept(id_)])
    second = Results(database, "another plan")
    await second.begin()
    assert (second.finished(id_), second.earlier()) == ([], 0)


async def test_what_is_not_read_any_more_is_neither_listed_nor_counted_but_kept_for_later(database: Database) -> None:
    results = Results(database, "plan")
    await results.begin()
    stays, goes = read(results, 0, "stays"), read(results, 1, "goes")
    results.add_outcomes([kept(stays)])
    results.add_outcomes([kept(goes)])
    await results.begin()
    read(results, 0, "stays")
    await database.flush()
    assert [chunk.id for chunk, _ in results.outcomes()] == [stays]
    assert (results.counts()["chunks"], results.counts()["kept"], results.settled()) == (1, 1, 1)
    assert results.finished(goes)


async def test_counts_add_up(database: Database) -> None:
    results = Results(database, "plan")
    await results.begin()
    ids = [read(results, seq, f"text {seq}") for seq in range(5)]
    results.add_outcomes([kept(ids[0])])
    results.add_outcomes([rejected(ids[1])])
    results.add_outcomes([rejected(ids[2])])
    results.add_outcomes([rejected(ids[3], "server_error", "failed")])
    results.write(results.add_unread(0, UnreadInput("x.pdf", "encrypted", "it is")))
    await database.flush()
    counts = results.counts()
    assert (counts["chunks"], counts["kept"], counts["rejected"], counts["failed"], counts["unread"]) == (5, 1, 2, 1, 1)
    assert counts["reasons"] == {"judge/unsuitable": 2, "judge/server_error": 1}
    assert results.settled() == 4
    assert results.unread() == [UnreadInput("x.pdf", "encrypted", "it is")]


async def test_what_is_set_apart_is_laid_over_the_outcomes_until_the_selection_is_made_anew(database: Database) -> None:
    results = Results(database, "plan")
    await results.begin()
    ids = [read(results, seq, f"text {seq}") for seq in range(4)]
    results.add_outcomes([kept(ids[0]), kept(ids[1]), kept(ids[2])])
    await database.flush()
    results.set_apart(
        [Excluded(ids[0], 0, "gate", "drawn", "why"), Excluded(ids[1], 0, "rejected", "duplicate", "of that")]
    )
    assert [outcome.status for _, outcome in results.outcomes()] == ["gate", "rejected", "kept"]
    assert [outcome and outcome.status for _, outcome in results.passages()] == ["gate", "rejected", "kept", None]
    ((_, left_out),) = results.outcomes("rejected")
    assert (left_out.stage, left_out.reason, left_out.body["detail"]) == ("selection", "duplicate", "of that")
    assert left_out.body["steps"] == [{"stage": "selection", "reason": "duplicate", "detail": "of that"}]
    counts = results.counts()
    assert (counts["kept"], counts["gate"], counts["rejected"], counts["left_out"]) == (1, 1, 1, 1)
    assert counts["reasons"] == {"selection/duplicate": 1} and results.rejects() == [("selection", "duplicate", 1)]
    assert await results.ask_again([("selection", "duplicate")]) == 0
    assert [outcome.status for _, outcome in results.conversations()] == ["kept"] * 3
    results.set_apart([])
    assert results.counts()["kept"] == 3
    results.set_apart([Excluded(ids[0], 0, "gate", "drawn", "why")])
    await results.begin()
    for seq in range(3):
        read(results, seq, f"text {seq}")
    await database.flush()
    assert results.counts()["gate"] == 1
    results.set_apart([])
    assert results.counts()["gate"] == 0
