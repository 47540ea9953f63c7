"""A run's outcomes as they are read: in the output's order, with what a person and the selection said laid over them, and counted."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

from augment_correction.records import Conversation, ReadNote, UnreadInput
from augment_correction.store.database import Database
from augment_correction.store.outcomes import (
    APART,
    BARE,
    COLUMNS,
    FIRST_PLACE,
    KEPT,
    MADE,
    PLACE,
    REASON,
    REVISED,
    ROW,
    STAGE,
    STATUS,
    Outcome,
    Status,
    StoredChunk,
    outcome_of,
    place_of,
)
from augment_correction.usage import CallTotals


class StoredResults:
    def __init__(self, database: Database) -> None:
        self._database = database

    def rejects(self) -> list[tuple[str, str, int]]:
        """(stage, reason, count) of the present run's rejects."""
        return self._database.query(
            f"SELECT {STAGE}, {REASON}, COUNT(*) {MADE} {APART}"
            f" WHERE c.seq IS NOT NULL AND {STATUS} = 'rejected' GROUP BY 1, 2"
        )

    def earlier(self) -> int:
        """Passages that an earlier run has finished under the same plan."""
        return int(self._database.query("SELECT COUNT(DISTINCT chunk_id) FROM outcomes")[0][0])

    def outcomes(self, status: Status | None = None) -> Iterator[tuple[StoredChunk, Outcome]]:
        """Every final record in the output's order; only the chunks of the present run."""
        where = f"AND {STATUS} = ?" if status else ""
        rows = self._database.stream(
            f"SELECT {ROW}, {PLACE} {MADE} {APART} {REVISED} {FIRST_PLACE} WHERE c.seq IS NOT NULL {where}"
            " ORDER BY c.seq, o.part",
            (status,) if status else (),
        )
        return ((self._chunk(row), outcome_of(row)) for row in rows)

    def passages(self) -> Iterator[tuple[StoredChunk, Outcome | None]]:
        """As `outcomes`, with the passages that have none yet."""
        made = MADE.replace("CROSS", "LEFT")
        rows = self._database.stream(
            f"SELECT {ROW}, {PLACE} {made} {APART} {REVISED} {FIRST_PLACE} WHERE c.seq IS NOT NULL"
            " ORDER BY c.seq, o.part"
        )
        return ((self._chunk(row), None if row[4] is None else outcome_of(row)) for row in rows)

    def conversations(self) -> Iterator[tuple[StoredChunk, Outcome]]:
        """What the stages kept, whatever is in `apart`."""
        rows = self._database.stream(f"{KEPT} AND c.seq IS NOT NULL ORDER BY c.seq, o.part")
        return ((self._chunk(row), outcome_of(row)) for row in rows)

    def marked_for_gate(self) -> bool:
        """Whether a stage may have kept a conversation for the gate; one that did says so in its provenance (`split`)."""
        return bool(self._database.query('SELECT 1 FROM outcomes WHERE instr(body, \'"split":"gate"\') LIMIT 1'))

    def latest(self, count: int) -> list[tuple[StoredChunk, Outcome]]:
        """The conversations that were kept last, the newest first."""
        rows = self._database.query(f"{BARE} AND c.seq IS NOT NULL ORDER BY o.rowid DESC LIMIT ?", (count,))
        return [(self._chunk(row), outcome_of(row)) for row in rows]

    def conversation(self, chunk_id: str, part: int) -> Conversation:
        """One of `conversations`."""
        [row] = self._database.query(f"{KEPT} AND c.id = ? AND o.part = ?", (chunk_id, part))
        return outcome_of(row).conversation(self._chunk(row))

    def unrevised(self, chunk_id: str) -> list[tuple[StoredChunk, Outcome]]:
        """What the stages kept of a passage, as they made it, whatever a person or the selection has said of it."""
        rows = self._database.query(f"{BARE} AND c.id = ? ORDER BY o.part", (chunk_id,))
        return [(self._chunk(row), outcome_of(row)) for row in rows]

    def made_with(self, product: Literal["rows", "files"]) -> str:
        """The state of the decisions that these were made with; empty for none."""
        found = self._database.query("SELECT decisions FROM made_with WHERE product = ?", (product,))
        return str(found[0][0]) if found else ""

    def _chunk(self, row: tuple[Any, ...]) -> StoredChunk:
        id_, seq, text, tokens = row[:4]
        one = row[-1] == 1 and row[-2] is not None
        places = (place_of(row[COLUMNS:-1]),) if one else self.places(id_)
        return StoredChunk(id_, seq, text, places, tokens)

    def places(self, chunk_id: str) -> tuple[dict[str, Any], ...]:
        rows = self._database.query(
            'SELECT document_id, source, title, idx, start, "end", page, heading FROM places'
            " WHERE chunk_id = ? ORDER BY seq",
            (chunk_id,),
        )
        return tuple(map(place_of, rows))

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

    def documents(self) -> Iterator[dict[str, Any]]:
        rows = self._database.stream(
            "SELECT id, title, source, media_type, metadata, characters FROM documents ORDER BY seq"
        )
        names = ("id", "title", "source", "media_type", "metadata", "characters")
        return (dict(zip(names, row, strict=True)) | {"metadata": orjson.loads(row[4])} for row in rows)

    def digest(self) -> str:
        """Of all that was read, and of what became of it."""
        digest = hashlib.blake2b(digest_size=16)
        for sql in (
            "SELECT * FROM documents ORDER BY seq", "SELECT * FROM unread ORDER BY seq", "SELECT * FROM notes ORDER BY rowid",
            "SELECT id, seq, tokens FROM chunks WHERE seq IS NOT NULL ORDER BY seq",
            "SELECT * FROM places ORDER BY seq, rowid",
            f"SELECT o.* {MADE} WHERE c.seq IS NOT NULL ORDER BY c.seq, o.part",
        ):  # fmt: skip
            for row in self._database.stream(sql):
                digest.update(orjson.dumps(row))
            digest.update(b"\n")
        return digest.hexdigest()

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
        made = _Made()
        # Each body is parsed once: it is the dearest part.
        for status, stage, reason, said, count in self._database.query(
            f"SELECT {STATUS}, {STAGE}, {REASON}, json_extract(o.body, '$.kind', '$.conversation.provenance.origin',"
            f" '$.drawn'), COUNT(*) {MADE} {APART} WHERE c.seq IS NOT NULL GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3"
        ):
            kind, origin, drawn = orjson.loads(said)
            made.add(status, f"{stage}/{reason}", kind, origin, drawn, count)
        return {
            "documents": self._count("documents"),
            "unread": self._count("unread"),
            "chunks": self._count("chunks WHERE seq IS NOT NULL"),
            **made.by_status,
            "kinds": _most_first(made.kinds),
            "origins": _most_first(made.origins),
            **({"drawn": drawn} if (drawn := made.shares()) else {}),
            "left_out": self._count("apart WHERE status = 'rejected'"),
            "reasons": made.reasons,
        }

    def _count(self, rows: str) -> int:
        return int(self._database.query(f"SELECT COUNT(*) FROM {rows}")[0][0])

    def ends(self) -> list[tuple[Status, str | None, str | None, str | None, int]]:
        """(status, stage, reason, kind, count) of the present run's outcomes as the stages made them."""
        return self._database.query(  # type: ignore[return-value,unused-ignore]
            "SELECT o.status, o.stage, o.reason, json_extract(o.body, '$.kind'), COUNT(*)"
            f" {MADE} WHERE c.seq IS NOT NULL GROUP BY 1, 2, 3, 4"
        )

    def paid(self) -> dict[Literal["kept", "rejected"], list[CallTotals]]:
        """The calls behind the present run's outcomes, by what came of them (the held-out set is kept, a failure rejected). One
        that served both, where several records were made of a passage, was paid for what is kept. `calls` is the
        journal's table."""
        kept = f"MAX({STATUS} IN ('kept', 'gate'))"
        rows = self._database.query(
            "SELECT made.kept, role, model, '', COUNT(*), SUM(input), SUM(output), SUM(cached_input),"
            f" SUM(reasoning_tokens), SUM(estimated), 0 FROM (SELECT json_extract(step.value, '$.call') AS key, {kept}"
            f" AS kept {MADE} {APART}, json_each(o.body, '$.steps') AS step WHERE c.seq IS NOT NULL GROUP BY 1)"
            " AS made JOIN calls ON calls.key = made.key GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
        )
        return {
            "kept": [CallTotals(*row) for is_kept, *row in rows if is_kept],
            "rejected": [CallTotals(*row) for is_kept, *row in rows if not is_kept],
        }


@dataclass
class _Made:
    """The sums of `Results.counts`."""

    by_status: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("kept", "gate", "rejected", "failed"), 0))
    reasons: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    origins: Counter[str] = field(default_factory=Counter)
    drawn: dict[str, dict[str, list[int]]] = field(default_factory=dict)

    def add(
        self, status: str, reason: str, kind: str | None, origin: str | None, drawn: dict[str, str] | None, count: int
    ) -> None:
        self.by_status[status] += count
        if status in ("rejected", "failed"):
            self.reasons[reason] += count
        if status == "kept":
            self.kinds[kind or ""] += count
            self.origins[origin or ""] += count
        for name, word in (drawn or {}).items():
            got = self.drawn.setdefault(name, {}).setdefault(word, [0, 0])
            got[0] += count
            got[1] += count * (status == "kept")

    def shares(self) -> dict[str, dict[str, list[int]]]:
        return {
            name: dict(sorted(words.items(), key=lambda each: (-each[1][0], each[0])))
            for name, words in sorted(self.drawn.items())
        }


def _most_first(counted: Counter[str]) -> dict[str, int]:
    return {word or "unknown": count for word, count in sorted(counted.items(), key=lambda each: (-each[1], each[0]))}
