"""What became of a passage, and how it stands in the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from augment_correction.records import Conversation, Turn

Status = Literal["kept", "gate", "rejected", "failed"]
"""`gate`: a conversation like those that are kept, but for asking a trained model and never for training one."""
OUTCOMES = """
CREATE TABLE IF NOT EXISTS outcomes (
    chunk_id TEXT, part INTEGER, plan TEXT NOT NULL, status TEXT NOT NULL, stage TEXT, reason TEXT, body TEXT NOT NULL,
    PRIMARY KEY (chunk_id, part)
);
"""
SELECTION, REVIEW = "selection", "review"
"""The stages that conversations in `apart` ended at: rules, or a person."""
STATUS, STAGE, REASON = (f"IFNULL(a.{name}, o.{name})" for name in ("status", "stage", "reason"))
# CROSS holds SQLite to this order of the tables; else it sorts all bodies in a temporary file (200 MB of 100,000 rows).
MADE = "FROM chunks c CROSS JOIN outcomes o ON o.chunk_id = c.id"
APART = "LEFT JOIN apart a ON o.status = 'kept' AND a.chunk_id = o.chunk_id AND a.part = o.part"
REVISED = "LEFT JOIN revised r ON r.chunk_id = o.chunk_id AND r.part = o.part"
CHUNK = "c.id, c.seq, c.text, c.tokens, o.part"
ROW = f"{CHUNK}, {STATUS}, {STAGE}, {REASON}, o.body, a.detail, r.conversation"
COLUMNS = 11
"""Of a passage and its outcome."""
FIRST_PLACE = "LEFT JOIN places p ON p.chunk_id = c.id AND p.seq = c.seq"
PLACE = (
    'p.document_id, p.source, p.title, p.idx, p.start, p."end", p.page, p.heading,'
    " (SELECT COUNT(*) FROM places WHERE chunk_id = c.id)"
)
"""Behind the columns of a row: most passages stand in one place, and a query of its own for each took a quarter of the time."""
KEPT = (
    f"SELECT {CHUNK}, o.status, o.stage, o.reason, o.body, NULL, r.conversation, {PLACE} {MADE} {REVISED} {FIRST_PLACE}"
    " WHERE o.status = 'kept'"
)
BARE = f"SELECT {CHUNK}, o.status, o.stage, o.reason, o.body, NULL, NULL, {PLACE} {MADE} {FIRST_PLACE} WHERE o.status = 'kept'"
_PLACE_NAMES = ("document_id", "source", "title", "index", "start", "end", "page")


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
    start, end, page and heading. `seq` is None where the present run does not read it: its document is gone, or was changed."""

    id: str
    seq: int | None
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


def apart_row(row: Excluded) -> tuple[str, int, str, str, str, str]:
    return row.chunk_id, row.part, row.status, row.stage, row.reason, row.detail


def outcome_of(row: tuple[Any, ...]) -> Outcome:
    chunk_id, part, status, stage, reason, body, detail, revised = row[0], *row[4:COLUMNS]
    made = orjson.loads(body)
    if revised is not None:
        made["conversation"] = orjson.loads(revised)
    if detail is not None:
        made |= {"detail": detail, "steps": [*made["steps"], {"stage": stage, "reason": reason, "detail": detail}]}
    return Outcome(chunk_id, part, status, stage, reason, made)


def place_of(row: Sequence[Any]) -> dict[str, Any]:
    return {**dict(zip(_PLACE_NAMES, row[:-1], strict=True)), "heading": orjson.loads(row[-1])}
