"""What the report reads, streamed in the output's order: passages without an outcome too, which no other file shows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import orjson

RowStatus = Literal["kept", "rejected", "failed", "pending"]


@dataclass(frozen=True, slots=True)
class Row:
    """One final record of a passage, or a passage that has none yet (`pending`); `seq` is the passage's."""

    chunk_id: str
    seq: int
    text: str
    tokens: int
    part: int
    status: RowStatus
    stage: str | None
    reason: str | None
    body: dict[str, Any]


def rows(journal: Path) -> Iterator[Row]:
    """Of the present run, ordered by place and part."""
    sql = (
        "SELECT c.id, c.seq, c.text, c.tokens, o.part, o.status, o.stage, o.reason, o.body"
        " FROM chunks c LEFT JOIN outcomes o ON o.chunk_id = c.id WHERE c.seq IS NOT NULL ORDER BY c.seq, o.part"
    )
    for chunk_id, seq, text, tokens, part, status, stage, reason, body in _stream(journal, sql):
        made = orjson.loads(body) if body else {}
        yield Row(chunk_id, seq, text, tokens, part or 0, status or "pending", stage, reason, made)


def places(journal: Path) -> Iterator[tuple[str, int]]:
    """(source, the passage's seq) of every place a passage was read from, in the order of reading: one that stands in
    several documents comes several times."""
    yield from _stream(
        journal,
        "SELECT p.source, c.seq FROM places p JOIN chunks c ON c.id = p.chunk_id"
        " WHERE c.seq IS NOT NULL ORDER BY p.seq, p.rowid",
    )


def documents(journal: Path) -> Iterator[tuple[str, str, int]]:
    """(source, title, characters)"""
    yield from _stream(journal, "SELECT source, title, characters FROM documents ORDER BY seq")


def _stream(journal: Path, sql: str) -> Iterator[Any]:
    with closing(sqlite3.connect(journal, timeout=30)) as connection:
        connection.execute("PRAGMA query_only=ON")
        yield from connection.execute(sql)
