"""What was read, and what became of every passage. Rows of the present run have a `seq`, the place in the output's
order; an outcome of an earlier run under the same plan is taken over instead of being made again.

`outcomes` is what the stages made of a passage. Which of the kept conversations stay out of the dataset is not part of
it: that stands in `apart`, made anew by every run, and is laid over the outcomes wherever they are read. So is `revised`:
conversations as a person has edited them. `made_with` says which state of the decisions each of the two, and the files, were made with.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from augment_correction.records import Chunk, Conversation, ReadNote, UnreadInput
from augment_correction.store.database import Database, Statement
from augment_correction.store.outcomes import (
    OUTCOMES,
    REVIEW,
    Excluded,
    Outcome,
    Status,
    apart_row,
)
from augment_correction.store.stored import StoredResults

SCHEMA = f"""{OUTCOMES}
CREATE TABLE IF NOT EXISTS documents (
    id TEXT, seq INTEGER NOT NULL, title TEXT, source TEXT, media_type TEXT, metadata TEXT, characters INTEGER,
    PRIMARY KEY (id, source)
);
CREATE TABLE IF NOT EXISTS unread (seq INTEGER PRIMARY KEY, source TEXT, reason TEXT, detail TEXT);
CREATE TABLE IF NOT EXISTS notes (source TEXT, reason TEXT, detail TEXT, count INTEGER);
CREATE TABLE IF NOT EXISTS chunks (
    id TEXT PRIMARY KEY, seq INTEGER, text TEXT NOT NULL, tokens INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS places (
    chunk_id TEXT, document_id TEXT, source TEXT, title TEXT, idx INTEGER, start INTEGER, "end" INTEGER, page INTEGER,
    heading TEXT, seq INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS chunks_by_seq ON chunks (seq);
CREATE INDEX IF NOT EXISTS places_by_chunk ON places (chunk_id);
CREATE TABLE IF NOT EXISTS again (
    chunk_id TEXT, stage TEXT, times INTEGER NOT NULL, PRIMARY KEY (chunk_id, stage)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS revised (
    chunk_id TEXT, part INTEGER, conversation TEXT NOT NULL, PRIMARY KEY (chunk_id, part)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS made_with (product TEXT PRIMARY KEY, decisions TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS apart (
    chunk_id TEXT, part INTEGER, status TEXT NOT NULL, stage TEXT NOT NULL, reason TEXT NOT NULL, detail TEXT NOT NULL,
    PRIMARY KEY (chunk_id, part)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS written (made_from TEXT NOT NULL, made TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS cut (by TEXT NOT NULL);
"""

_UNCOVERED: tuple[Statement, ...] = tuple(
    (f"DELETE FROM {table} WHERE chunk_id NOT IN (SELECT chunk_id FROM outcomes)", ()) for table in ("apart", "revised")
)
"""What lay over outcomes that are gone."""


class Results(StoredResults):
    """What a run writes, beside what it and others read."""

    def __init__(self, database: Database, plan: str) -> None:
        super().__init__(database)
        self._plan = plan
        self._any_again: bool | None = None

    async def begin(self) -> None:
        """Forget the order of earlier runs, what they read, and what they made under another plan or failed to make. A
        passage is finished whole: where one of its records failed, the others are made again with it, out of the journal.
        What lies over an outcome goes with it, or else stands until it is laid anew."""
        other = "plan != ? OR status = 'failed'"
        await self._database.write_durably(
            ("DELETE FROM documents", ()),
            ("DELETE FROM unread", ()),
            ("DELETE FROM notes", ()),
            ("DELETE FROM places", ()),
            ("UPDATE chunks SET seq = NULL", ()),
            (
                f"DELETE FROM made_with WHERE product = 'rows' AND EXISTS (SELECT 1 FROM outcomes WHERE {other})",
                (self._plan,),
            ),
            (f"DELETE FROM outcomes WHERE chunk_id IN (SELECT chunk_id FROM outcomes WHERE {other})", (self._plan,)),
            *_UNCOVERED,
        )

    async def ask_again(self, rejects: Iterable[tuple[str, str]]) -> int:
        """Forget the rejects with these (stage, reason), so that their last stage is asked anew; returns how many."""
        count = 0
        for stage, reason in rejects:
            where = "FROM outcomes WHERE status = 'rejected' AND stage = ? AND reason = ?"
            count += self._database.query(f"SELECT COUNT(*) {where}", (stage, reason))[0][0]
            await self._database.write_durably(
                (
                    f"INSERT INTO again SELECT chunk_id, stage, 1 {where} ON CONFLICT DO UPDATE SET times = times + 1",
                    (stage, reason),
                ),
                (f"DELETE FROM outcomes WHERE chunk_id IN (SELECT chunk_id {where})", (stage, reason)),
                ("DELETE FROM made_with WHERE product = 'rows'", ()),
                *_UNCOVERED,
            )
        return count

    async def ask_passages_again(self, passages: Iterable[tuple[str, str]]) -> None:
        """Forget what was made of each (passage, stage), so that the stage is asked anew for it."""
        for chunk_id, stage in passages:
            await self._database.write_durably(
                ("INSERT INTO again VALUES (?,?,1) ON CONFLICT DO UPDATE SET times = times + 1", (chunk_id, stage)),
                ("DELETE FROM outcomes WHERE chunk_id = ?", (chunk_id,)),
                ("DELETE FROM made_with WHERE product = 'rows'", ()),
                ("DELETE FROM apart WHERE chunk_id = ?", (chunk_id,)),
                ("DELETE FROM revised WHERE chunk_id = ?", (chunk_id,)),
            )
            self._any_again = True

    def asked_again(self, chunk_id: str) -> dict[str, int]:
        """How often each stage of this passage has been asked anew by `ask_again`."""
        if self._any_again is None:
            self._any_again = bool(self._database.query("SELECT 1 FROM again LIMIT 1"))
        if not self._any_again:
            return {}
        return dict(self._database.query("SELECT stage, times FROM again WHERE chunk_id = ?", (chunk_id,)))

    def finished(self, chunk_id: str) -> list[tuple[Status, str | None, str | None, str | None]]:
        """(status, stage, reason, kind) of each record an earlier run made of this passage under the same plan."""
        return self._database.query(  # type: ignore[return-value,unused-ignore]
            "SELECT status, stage, reason, json_extract(body, '$.kind') FROM outcomes WHERE chunk_id = ? AND plan = ?",
            (chunk_id, self._plan),
        )

    def add_document(self, seq: int, document: Any) -> Statement:
        """`document` has id, title, source, media_type, metadata and characters."""
        metadata = orjson.dumps(dict(document.metadata), default=str).decode()
        told = (document.title, document.source, document.media_type, metadata, document.characters)
        return "INSERT OR REPLACE INTO documents VALUES (?,?,?,?,?,?,?)", (document.id, seq, *told)

    def add_unread(self, seq: int, unread: UnreadInput) -> Statement:
        values = (seq, unread.source, unread.reason, unread.detail)
        return "INSERT OR REPLACE INTO unread VALUES (?,?,?,?)", values

    def add_note(self, note: ReadNote) -> Statement:
        return "INSERT INTO notes VALUES (?,?,?,?)", (note.source, note.reason, note.detail, note.count)

    def add_place(self, seq: int, chunk: Chunk, source: str, title: str) -> Statement:
        heading = orjson.dumps(chunk.heading).decode()
        place = (
            chunk.id,
            chunk.document_id,
            source,
            title,
            chunk.index,
            chunk.start,
            chunk.end,
            chunk.page,
            heading,
            seq,
        )
        return "INSERT INTO places VALUES (?,?,?,?,?,?,?,?,?,?)", place

    def add_chunk(self, seq: int, chunk: Chunk) -> Statement:
        return (
            "INSERT INTO chunks VALUES (?,?,?,?) ON CONFLICT (id) DO UPDATE SET seq = excluded.seq",
            (chunk.id, seq, chunk.text, chunk.tokens),
        )

    def write(self, *statements: Statement) -> None:
        self._database.write(*statements)

    def add_outcomes(self, outcomes: list[Outcome]) -> None:
        self._database.write(*map(self._outcome, outcomes))

    def _outcome(self, made: Outcome) -> Statement:
        body = orjson.dumps(made.body).decode()
        values = (made.chunk_id, made.part, self._plan, made.status, made.stage, made.reason, body)
        return "INSERT OR REPLACE INTO outcomes VALUES (?,?,?,?,?,?,?)", values

    def set_apart(self, rows: Iterable[Excluded]) -> None:
        """In place of what was set apart before; all of it or nothing."""
        self._database.write_at_once(
            ("DELETE FROM apart", [()]), ("INSERT INTO apart VALUES (?,?,?,?,?,?)", map(apart_row, rows))
        )  # fmt: skip

    def set_reviewed(
        self, excluded: Iterable[Excluded], revised: Iterable[tuple[str, int, Conversation]], decisions: str
    ) -> None:
        """What a person decided, in place of what was decided before; what the selection has set apart stays so. `decisions` names
        their state."""
        edited = ((chunk_id, part, orjson.dumps(made).decode()) for chunk_id, part, made in revised)
        self._database.write_at_once(
            ("DELETE FROM apart WHERE stage = ?", [(REVIEW,)]),
            ("INSERT OR IGNORE INTO apart VALUES (?,?,?,?,?,?)", map(apart_row, excluded)),
            ("DELETE FROM revised", [()]),
            ("INSERT INTO revised VALUES (?,?,?)", edited),
            ("INSERT OR REPLACE INTO made_with VALUES ('rows', ?)", [(decisions,)]),
        )

    def note_files(self, decisions: str) -> None:
        """The files are written with this state of the decisions."""
        self._database.write_at_once(("INSERT OR REPLACE INTO made_with VALUES ('files', ?)", [(decisions,)]))

    def written(self) -> tuple[str, str] | None:
        """What the files were made from, and what was made; None where they were not finished."""
        rows = self._database.query("SELECT made_from, made FROM written")
        return rows[0] if rows else None  # type: ignore[return-value,unused-ignore]

    def cut_by(self) -> str:
        """By what rules and settings the last run into the folder cut its documents; empty before the first and of an older version."""
        rows = self._database.query("SELECT by FROM cut")
        return str(rows[0][0]) if rows else ""

    def set_cut(self, by: str) -> None:
        """In place of what stands there; on disk at the return."""
        self._database.write_at_once(("DELETE FROM cut", [()]), ("INSERT INTO cut VALUES (?)", [(by,)]))

    def finished_passages(self) -> set[str]:
        """Of every run into the folder, whatever its pipeline was then."""
        rows = self._database.query("SELECT DISTINCT chunk_id FROM outcomes WHERE status != 'failed'")
        return {str(row[0]) for row in rows}

    def set_written(self, row: tuple[str, str] | None) -> None:
        """In place of what stands there; on disk at the return."""
        self._database.write_at_once(
            ("DELETE FROM written", [()]), ("INSERT INTO written VALUES (?,?)", [row] if row else [])
        )
