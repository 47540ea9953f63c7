"""What was read, and what became of every passage. Rows of the present run have a `seq`, the place in the output's
order; an outcome of an earlier run under the same plan is taken over instead of being made again.

`outcomes` is what the stages made of a passage. Which of the kept conversations stay out of the dataset is not part of
it: that stands in `apart`, made anew by every run, and is laid over the outcomes wherever they are read. So is `revised`:
conversations as a person has edited them. `made_with` says which state of the decisions each of the two, and the files, were made with.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from augment_correction.records import Chunk, Conversation, ReadNote, Turn, UnreadInput
from augment_correction.store.database import Database, Statement
from augment_correction.usage import CallTotals

SCHEMA = """
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
CREATE TABLE IF NOT EXISTS outcomes (
    chunk_id TEXT, part INTEGER, plan TEXT NOT NULL, status TEXT NOT NULL, stage TEXT, reason TEXT, body TEXT NOT NULL,
    PRIMARY KEY (chunk_id, part)
);
CREATE TABLE IF NOT EXISTS revised (
    chunk_id TEXT, part INTEGER, conversation TEXT NOT NULL, PRIMARY KEY (chunk_id, part)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS made_with (product TEXT PRIMARY KEY, decisions TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS apart (
    chunk_id TEXT, part INTEGER, status TEXT NOT NULL, stage TEXT NOT NULL, reason TEXT NOT NULL, detail TEXT NOT NULL,
    PRIMARY KEY (chunk_id, part)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS written (made_from TEXT NOT NULL, made TEXT NOT NULL);
"""

Status = Literal["kept", "gate", "rejected", "failed"]
"""`gate`: a conversation like those that are kept, but for asking a trained model and never for training one."""
SELECTION, REVIEW = "selection", "review"
"""The stages that conversations in `apart` ended at: rules, or a person."""
_UNCOVERED: tuple[Statement, ...] = tuple(
    (f"DELETE FROM {table} WHERE chunk_id NOT IN (SELECT chunk_id FROM outcomes)", ()) for table in ("apart", "revised")
)
"""What lay over outcomes that are gone."""
_STATUS, _STAGE, _REASON = (f"IFNULL(a.{name}, o.{name})" for name in ("status", "stage", "reason"))
# CROSS holds SQLite to this order of the tables; else it sorts all bodies in a temporary file (200 MB of 100,000 rows).
_MADE = "FROM chunks c CROSS JOIN outcomes o ON o.chunk_id = c.id"
_APART = "LEFT JOIN apart a ON o.status = 'kept' AND a.chunk_id = o.chunk_id AND a.part = o.part"
_REVISED = "LEFT JOIN revised r ON r.chunk_id = o.chunk_id AND r.part = o.part"
_CHUNK = "c.id, c.seq, c.text, c.tokens, o.part"
_ROW = f"{_CHUNK}, {_STATUS}, {_STAGE}, {_REASON}, o.body, a.detail, r.conversation"
_KEPT = f"SELECT {_CHUNK}, o.status, o.stage, o.reason, o.body, NULL, r.conversation {_MADE} {_REVISED} WHERE o.status = 'kept'"
_BARE = f"SELECT {_CHUNK}, o.status, o.stage, o.reason, o.body, NULL, NULL {_MADE} WHERE o.status = 'kept'"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One final record of a passage. `body` is JSON-safe: `conversation` where one was made, `detail` where it is not
    kept, and always `steps`."""

    chunk_id: str
    part: int
    status: Status
    stage: str | None
    reason: str | None
    body: dict[str, Any]

    @property
    def kind(self) -> str | None:
        """The kind of conversation that it is, or was to become."""
        kind: str | None = self.body.get("kind")
        return kind

    def conversation(self, chunk: StoredChunk) -> Conversation:
        """Only where one was made: `status` is kept or gate, or `stage` is the selection."""
        stored = self.body["conversation"]
        return Conversation(
            id=stored["id"],
            kind=stored["kind"],
            turns=tuple(
                # A journal of an earlier version has no `masked`.
                Turn(turn["role"], turn["text"], turn["train"], turn.get("masked", 0))
                for turn in stored["turns"]
            ),
            train_scaffold=stored["train_scaffold"],
            provenance={**stored.get("provenance", {}), "chunk_id": chunk.id, "places": chunk.places},
        )


@dataclass(frozen=True, slots=True)
class StoredChunk:
    """A passage and every place it was read from, the first one first. A place has document_id, source, title, index,
    start, end, page and heading."""

    id: str
    seq: int
    text: str
    places: tuple[dict[str, Any], ...]
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class Excluded:
    """A kept conversation that stays out of the dataset."""

    chunk_id: str
    part: int
    status: Literal["gate", "rejected"]
    reason: str
    detail: str
    stage: str = SELECTION


class Results:
    def __init__(self, database: Database, plan: str) -> None:
        self._database = database
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

    def rejects(self) -> list[tuple[str, str, int]]:
        """(stage, reason, count) of the present run's rejects."""
        return self._database.query(
            f"SELECT {_STAGE}, {_REASON}, COUNT(*) {_MADE} {_APART}"
            f" WHERE c.seq IS NOT NULL AND {_STATUS} = 'rejected' GROUP BY 1, 2"
        )

    def finished(self, chunk_id: str) -> list[tuple[Status, str | None, str | None, str | None]]:
        """(status, stage, reason, kind) of each record an earlier run made of this passage under the same plan."""
        return self._database.query(  # type: ignore[return-value,unused-ignore]
            "SELECT status, stage, reason, json_extract(body, '$.kind') FROM outcomes WHERE chunk_id = ? AND plan = ?",
            (chunk_id, self._plan),
        )

    def earlier(self) -> int:
        """Passages that an earlier run has finished under the same plan."""
        return int(self._database.query("SELECT COUNT(DISTINCT chunk_id) FROM outcomes")[0][0])

    def add_document(self, seq: int, document: Any) -> None:
        """`document` has id, title, source, media_type, metadata and characters."""
        self._database.write(
            (
                "INSERT OR REPLACE INTO documents VALUES (?,?,?,?,?,?,?)",
                (document.id, seq, document.title, document.source, document.media_type,
                 orjson.dumps(dict(document.metadata), default=str).decode(), document.characters),
            )
        )  # fmt: skip

    def add_unread(self, seq: int, unread: UnreadInput) -> None:
        self._database.write(
            (
                "INSERT OR REPLACE INTO unread VALUES (?,?,?,?)",
                (seq, unread.source, unread.reason, unread.detail),
            )
        )

    def add_note(self, note: ReadNote) -> None:
        values = (note.source, note.reason, note.detail, note.count)
        self._database.write(("INSERT INTO notes VALUES (?,?,?,?)", values))

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

    # ------------------------------------------------------------------------------------------------- reading

    def outcomes(self, status: Status | None = None) -> Iterator[tuple[StoredChunk, Outcome]]:
        """Every final record in the output's order; only the chunks of the present run."""
        where = f"AND {_STATUS} = ?" if status else ""
        rows = self._database.stream(
            f"SELECT {_ROW} {_MADE} {_APART} {_REVISED} WHERE c.seq IS NOT NULL {where} ORDER BY c.seq, o.part",
            (status,) if status else (),
        )
        return ((self._chunk(row), _outcome(row)) for row in rows)

    def passages(self) -> Iterator[tuple[StoredChunk, Outcome | None]]:
        """As `outcomes`, with the passages that have none yet."""
        made = _MADE.replace("CROSS", "LEFT")
        rows = self._database.stream(
            f"SELECT {_ROW} {made} {_APART} {_REVISED} WHERE c.seq IS NOT NULL ORDER BY c.seq, o.part"
        )
        return ((self._chunk(row), None if row[4] is None else _outcome(row)) for row in rows)

    def conversations(self) -> Iterator[tuple[StoredChunk, Outcome]]:
        """What the stages kept, whatever is in `apart`."""
        rows = self._database.stream(f"{_KEPT} AND c.seq IS NOT NULL ORDER BY c.seq, o.part")
        return ((self._chunk(row), _outcome(row)) for row in rows)

    def latest(self, count: int) -> list[tuple[StoredChunk, Outcome]]:
        """The conversations that were kept last, the newest first."""
        rows = self._database.query(f"{_BARE} AND c.seq IS NOT NULL ORDER BY o.rowid DESC LIMIT ?", (count,))
        return [(self._chunk(row), _outcome(row)) for row in rows]

    def conversation(self, chunk_id: str, part: int) -> Conversation:
        """One of `conversations`."""
        [row] = self._database.query(f"{_KEPT} AND c.id = ? AND o.part = ?", (chunk_id, part))
        return _outcome(row).conversation(self._chunk(row))

    def unrevised(self, chunk_id: str) -> list[tuple[StoredChunk, Outcome]]:
        """What the stages kept of a passage, as they made it, whatever a person or the selection has said of it."""
        rows = self._database.query(f"{_BARE} AND c.id = ? ORDER BY o.part", (chunk_id,))
        return [(self._chunk(row), _outcome(row)) for row in rows]

    def set_apart(self, rows: Iterable[Excluded]) -> None:
        """In place of what was set apart before; all of it or nothing."""
        self._database.write_at_once(
            ("DELETE FROM apart", [()]), ("INSERT INTO apart VALUES (?,?,?,?,?,?)", map(_apart_row, rows))
        )  # fmt: skip

    def set_reviewed(
        self, excluded: Iterable[Excluded], revised: Iterable[tuple[str, int, Conversation]], decisions: str
    ) -> None:
        """What a person decided, in place of what was decided before; what the selection has set apart stays so. `decisions` names
        their state."""
        edited = ((chunk_id, part, orjson.dumps(made).decode()) for chunk_id, part, made in revised)
        self._database.write_at_once(
            ("DELETE FROM apart WHERE stage = ?", [(REVIEW,)]),
            ("INSERT OR IGNORE INTO apart VALUES (?,?,?,?,?,?)", map(_apart_row, excluded)),
            ("DELETE FROM revised", [()]),
            ("INSERT INTO revised VALUES (?,?,?)", edited),
            ("INSERT OR REPLACE INTO made_with VALUES ('rows', ?)", [(decisions,)]),
        )

    def made_with(self, product: Literal["rows", "files"]) -> str:
        """The state of the decisions that these were made with; empty for none."""
        found = self._database.query("SELECT decisions FROM made_with WHERE product = ?", (product,))
        return str(found[0][0]) if found else ""

    def note_files(self, decisions: str) -> None:
        """The files are written with this state of the decisions."""
        self._database.write_at_once(("INSERT OR REPLACE INTO made_with VALUES ('files', ?)", [(decisions,)]))

    def _chunk(self, row: tuple[Any, ...]) -> StoredChunk:
        id_, seq, text, tokens = row[:4]
        return StoredChunk(id_, seq, text, self.places(id_), tokens)

    def places(self, chunk_id: str) -> tuple[dict[str, Any], ...]:
        rows = self._database.query(
            'SELECT document_id, source, title, idx, start, "end", page, heading FROM places'
            " WHERE chunk_id = ? ORDER BY seq",
            (chunk_id,),
        )
        names = ("document_id", "source", "title", "index", "start", "end", "page")
        return tuple({**dict(zip(names, row[:-1], strict=True)), "heading": orjson.loads(row[-1])} for row in rows)

    def unread(self) -> list[UnreadInput]:
        return [
            UnreadInput(*row) for row in self._database.query("SELECT source, reason, detail FROM unread ORDER BY seq")
        ]

    def notes(self) -> list[ReadNote]:
        rows = self._database.query("SELECT source, reason, detail, count FROM notes ORDER BY rowid")
        return [ReadNote(*row) for row in rows]

    def sources(self) -> Iterator[tuple[str, str, int | None]]:
        """(source, title, characters) of every document, in the order of reading."""
        yield from self._database.stream("SELECT source, title, characters FROM documents ORDER BY seq")

    def readings(self) -> Iterator[tuple[str, int]]:
        """(source, the passage's seq) of every place a passage was read from, in the order of reading: one that stands
        in several documents comes several times."""
        yield from self._database.stream(
            "SELECT p.source, c.seq FROM places p JOIN chunks c ON c.id = p.chunk_id"
            " WHERE c.seq IS NOT NULL ORDER BY p.seq, p.rowid"
        )

    def documents(self) -> list[dict[str, Any]]:
        rows = self._database.query(
            "SELECT id, title, source, media_type, metadata, characters FROM documents ORDER BY seq"
        )
        names = ("id", "title", "source", "media_type", "metadata", "characters")
        return [dict(zip(names, row, strict=True)) | {"metadata": orjson.loads(row[4])} for row in rows]

    def digest(self) -> str:
        """Of all that was read, and of what became of it."""
        digest = hashlib.blake2b(digest_size=16)
        for sql in (
            "SELECT * FROM documents ORDER BY seq", "SELECT * FROM unread ORDER BY seq", "SELECT * FROM notes ORDER BY rowid",
            "SELECT id, seq, tokens FROM chunks WHERE seq IS NOT NULL ORDER BY seq",
            "SELECT * FROM places ORDER BY seq, rowid",
            f"SELECT o.* {_MADE} WHERE c.seq IS NOT NULL ORDER BY c.seq, o.part",
        ):  # fmt: skip
            for row in self._database.stream(sql):
                digest.update(orjson.dumps(row))
            digest.update(b"\n")
        return digest.hexdigest()

    def written(self) -> tuple[str, str] | None:
        """What the files were made from, and what was made; None where they were not finished."""
        rows = self._database.query("SELECT made_from, made FROM written")
        return rows[0] if rows else None  # type: ignore[return-value,unused-ignore]

    def set_written(self, row: tuple[str, str] | None) -> None:
        """In place of what stands there; on disk at the return."""
        self._database.write_at_once(
            ("DELETE FROM written", [()]), ("INSERT INTO written VALUES (?,?)", [row] if row else [])
        )

    def settled(self) -> int:
        """Passages of the present run that have an outcome."""
        rows = self._database.query(
            "SELECT COUNT(*) FROM chunks c WHERE seq IS NOT NULL"
            " AND EXISTS (SELECT 1 FROM outcomes WHERE chunk_id = c.id)"
        )
        return int(rows[0][0])

    def counts(self) -> dict[str, Any]:
        """Of the present run: passages, each status, rejects by reason (stage/reason), what the dataset is made of by kind and by
        origin, and `drawn`, where it is known: by field and word how many got it and how many of those were kept. `left_out` are the rejects of the selection."""
        chunks = self._database.query("SELECT COUNT(*) FROM chunks WHERE seq IS NOT NULL")[0][0]
        rows = self._database.query(
            f"SELECT {_STATUS}, {_STAGE}, {_REASON}, COUNT(*) {_MADE} {_APART}"
            " WHERE c.seq IS NOT NULL GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
        )
        by_status = {"kept": 0, "gate": 0, "rejected": 0, "failed": 0}
        reasons: dict[str, int] = {}
        for status, stage, reason, count in rows:
            by_status[status] += count
            if status in ("rejected", "failed"):
                reasons[f"{stage}/{reason}"] = count
        return {
            "documents": self._database.query("SELECT COUNT(*) FROM documents")[0][0],
            "unread": self._database.query("SELECT COUNT(*) FROM unread")[0][0],
            "chunks": chunks,
            **by_status,
            "kinds": self._made_of("$.kind"),
            "origins": self._made_of("$.conversation.provenance.origin"),
            **({"drawn": drawn} if (drawn := self._drawn()) else {}),
            "left_out": self._database.query("SELECT COUNT(*) FROM apart WHERE status = 'rejected'")[0][0],
            "reasons": reasons,
        }

    def _drawn(self) -> dict[str, dict[str, list[int]]]:
        rows = self._database.query(
            f"SELECT drawn.key, drawn.value, COUNT(*), SUM({_STATUS} = 'kept') {_MADE} {_APART},"
            " json_each(o.body, '$.drawn') AS drawn WHERE c.seq IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 3 DESC, 2"
        )
        drawn: dict[str, dict[str, list[int]]] = {}
        for name, word, got, kept in rows:
            drawn.setdefault(name, {})[word] = [got, kept]
        return drawn

    def paid(self) -> dict[Literal["kept", "rejected"], list[CallTotals]]:
        """The calls behind the present run's outcomes, by what came of them (the held-out set is kept, a failure rejected). One
        that served both, where several records were made of a passage, was paid for what is kept. `calls` is the
        journal's table."""
        kept = f"MAX({_STATUS} IN ('kept', 'gate'))"
        rows = self._database.query(
            "SELECT made.kept, role, model, '', COUNT(*), SUM(input), SUM(output), SUM(cached_input),"
            f" SUM(reasoning_tokens), SUM(estimated), 0 FROM (SELECT json_extract(step.value, '$.call') AS key, {kept}"
            f" AS kept {_MADE} {_APART}, json_each(o.body, '$.steps') AS step WHERE c.seq IS NOT NULL GROUP BY 1)"
            " AS made JOIN calls ON calls.key = made.key GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
        )
        return {
            "kept": [CallTotals(*row) for is_kept, *row in rows if is_kept],
            "rejected": [CallTotals(*row) for is_kept, *row in rows if not is_kept],
        }

    def _made_of(self, path: str) -> dict[str, int]:
        rows = self._database.query(
            f"SELECT json_extract(o.body, ?), COUNT(*) {_MADE} {_APART}"
            f" WHERE c.seq IS NOT NULL AND {_STATUS} = 'kept' GROUP BY 1 ORDER BY 2 DESC, 1",
            (path,),
        )
        return {word or "unknown": count for word, count in rows}


def _apart_row(row: Excluded) -> tuple[str, int, str, str, str, str]:
    return row.chunk_id, row.part, row.status, row.stage, row.reason, row.detail


def _outcome(row: tuple[Any, ...]) -> Outcome:
    chunk_id, part, status, stage, reason, body, detail, revised = row[0], *row[4:]
    made = orjson.loads(body)
    if revised is not None:
        made["conversation"] = orjson.loads(revised)
    if detail is not None:
        made |= {"detail": detail, "steps": [*made["steps"], {"stage": stage, "reason": reason, "detail": detail}]}
    return Outcome(chunk_id, part, status, stage, reason, made)
