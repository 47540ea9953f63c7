"""What has been handed to a Batch API and has not come home: written down before and after every step, so that a run
that is killed finds its batches again and never pays for one twice.

A question stands in `batch_items` from before its file is uploaded until its answer stands in `calls`; both change in
one transaction. What a row of `batches` knows says how far it came: nothing (its file may be at the server or not),
`file_id` (the batch may exist or not), `batch_id` (it is being answered), `ended`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import orjson

from augment_correction.records import Completion, Message, Request
from augment_correction.store.database import Database, Statement
from augment_correction.store.journal import text_hash

SCHEMA = """
CREATE TABLE IF NOT EXISTS batches (
    name TEXT PRIMARY KEY, base_url TEXT NOT NULL, model TEXT NOT NULL, made REAL NOT NULL, requests INTEGER NOT NULL,
    file_id TEXT, batch_id TEXT, ended TEXT
);
CREATE TABLE IF NOT EXISTS batch_items (
    key TEXT PRIMARY KEY, batch TEXT NOT NULL, role TEXT NOT NULL, stage TEXT NOT NULL,
    messages TEXT NOT NULL, sampling TEXT NOT NULL, structured INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS batch_items_by_batch ON batch_items (batch);
"""


@dataclass(frozen=True, slots=True)
class StoredBatch:
    """`name` is our own: it stands in the uploaded file's name and in the batch's metadata. `made` is a Unix time."""

    name: str
    base_url: str
    model: str
    made: float
    requests: int
    file_id: str | None = None
    batch_id: str | None = None


@dataclass(frozen=True, slots=True)
class BatchItem:
    """A question in a batch. Read back from the store its request has no schema: `key` is the stored one."""

    key: str
    role: str
    stage: str
    request: Request


class Batches:
    def __init__(self, database: Database) -> None:
        self._database = database

    def open(self, base_url: str, model: str) -> list[StoredBatch]:
        """Those that have not come home, the oldest first."""
        rows = self._database.query(
            "SELECT name, base_url, model, made, requests, file_id, batch_id FROM batches"
            " WHERE ended IS NULL AND base_url = ? AND model = ? ORDER BY made",
            (base_url, model),
        )
        return [StoredBatch(*row) for row in rows]

    def keys(self, name: str) -> list[str]:
        """Of the questions that have no answer yet."""
        return [row[0] for row in self._database.query("SELECT key FROM batch_items WHERE batch = ?", (name,))]

    def item(self, name: str, key: str) -> BatchItem | None:
        """None where the answer is in the journal already, or the question was never in this batch."""
        rows = self._database.query(
            "SELECT role, stage, messages, sampling, structured, model FROM batch_items JOIN batches ON name = batch"
            " WHERE key = ? AND batch = ?",
            (key, name),
        )
        if not rows:
            return None
        role, stage, messages, sampling, structured, model = rows[0]
        texts = tuple(Message(who, self._text(digest)) for who, digest in orjson.loads(messages))
        request = Request(texts, model, orjson.loads(sampling), structured=bool(structured))
        return BatchItem(key, role, stage, request)

    def _text(self, digest: str) -> str:
        return str(self._database.query("SELECT text FROM texts WHERE hash = ?", (digest,))[0][0])

    # ------------------------------------------------------------------------------------- the steps of a batch

    async def add(self, batch: StoredBatch, items: Sequence[BatchItem]) -> None:
        """Before anything of it leaves this machine."""
        statements: list[Statement] = [
            (
                "INSERT INTO batches (name, base_url, model, made, requests) VALUES (?,?,?,?,?)",
                (batch.name, batch.base_url, batch.model, batch.made, batch.requests),
            )
        ]
        written: set[str] = set()
        for item in items:
            hashes = [(message.role, text_hash(message.content)) for message in item.request.messages]
            for (_, digest), message in zip(hashes, item.request.messages, strict=True):
                if digest not in written:
                    written.add(digest)
                    statements.append(("INSERT OR IGNORE INTO texts VALUES (?,?)", (digest, message.content)))
            row = (
                item.key, batch.name, item.role, item.stage, orjson.dumps(hashes).decode(),
                orjson.dumps(item.request.sampling).decode(), item.request.structured,
            )  # fmt: skip
            statements.append(("INSERT INTO batch_items VALUES (?,?,?,?,?,?,?)", row))
        await self._database.write_durably(*statements)

    async def note_file(self, name: str, file_id: str) -> None:
        await self._database.write_durably(("UPDATE batches SET file_id = ? WHERE name = ?", (file_id, name)))

    async def note_batch(self, name: str, batch_id: str) -> None:
        await self._database.write_durably(("UPDATE batches SET batch_id = ? WHERE name = ?", (batch_id, name)))

    async def settle(self, answers: Iterable[tuple[BatchItem, Completion]], unanswered: Iterable[str]) -> None:
        """The answers go into the journal of paid calls; their questions and those `unanswered` leave the batch."""
        statements: list[Statement] = []
        for item, completion in answers:
            usage = completion.usage
            statements.append(
                (
                    "INSERT OR IGNORE INTO calls SELECT key, role, ?, stage, messages, sampling, ?,?,?,?,?,?,?,?"
                    " FROM batch_items WHERE key = ?",
                    (
                        item.request.model, completion.text, completion.reasoning, completion.finish_reason,
                        usage.input, usage.output, usage.cached_input, usage.reasoning, usage.estimated, item.key,
                    ),
                )
            )  # fmt: skip
            statements.append(("DELETE FROM batch_items WHERE key = ?", (item.key,)))
        statements += [("DELETE FROM batch_items WHERE key = ?", (key,)) for key in unanswered]
        await self._database.write_durably(*statements)

    async def end(self, name: str, how: str) -> None:
        """Nothing more will come of it; `how` is the server's last word on it, or our own."""
        await self._database.write_durably(
            ("UPDATE batches SET ended = ? WHERE name = ?", (how, name)),
            ("DELETE FROM batch_items WHERE batch = ?", (name,)),
        )
