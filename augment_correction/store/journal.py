"""The journal of paid calls: a reply is on disk before anything else sees it, keyed by what was really asked.

Message texts are stored once under their hash, since a pipeline sends the same instructions with every call.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

from augment_correction.records import Completion, Message, Request
from augment_correction.store.database import Database, Statement
from augment_correction.usage import CallTotals, Usage

# Not WITHOUT ROWID: rows of a kilobyte and more would be put between others all over the file, each on a page of its own.
SCHEMA = """
CREATE TABLE IF NOT EXISTS texts (hash TEXT PRIMARY KEY, text TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS calls (
    key TEXT PRIMARY KEY, role TEXT NOT NULL, model TEXT NOT NULL, stage TEXT NOT NULL,
    messages TEXT NOT NULL, sampling TEXT NOT NULL,
    text TEXT NOT NULL, reasoning TEXT, finish_reason TEXT NOT NULL,
    input INTEGER NOT NULL, output INTEGER NOT NULL, cached_input INTEGER, reasoning_tokens INTEGER,
    estimated INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS failures (
    key TEXT NOT NULL, role TEXT NOT NULL, model TEXT NOT NULL, stage TEXT NOT NULL, status INTEGER,
    message TEXT NOT NULL
);
"""


@dataclass(frozen=True, slots=True)
class StoredCall:
    """A call as a person wants to read it again."""

    key: str
    role: str
    model: str
    stage: str
    messages: tuple[Message, ...]
    sampling: dict[str, Any]
    completion: Completion


@lru_cache(maxsize=512)
def text_hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24]


COLUMNS = "text, reasoning, finish_reason, input, output, cached_input, reasoning_tokens, estimated"


class Journal:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._known_texts: dict[str, None] = {}
        self._text = lru_cache(maxsize=128)(self._read_text)  # a pipeline's instructions come with every call

    def find(self, key: str) -> Completion | None:
        rows = self._database.query(f"SELECT {COLUMNS} FROM calls WHERE key = ?", (key,))
        return next(map(completion_of, rows), None)

    async def add(self, request: Request, completion: Completion, *, role: str, stage: str) -> None:
        """Return when the reply is on disk."""
        usage = completion.usage
        messages = [(message.role, text_hash(message.content)) for message in request.messages]
        call: Statement = (
            "INSERT OR IGNORE INTO calls VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
            (
                request.key, role, request.model, stage,
                orjson.dumps(messages).decode(), orjson.dumps(request.sampling).decode(),
                completion.text, completion.reasoning, completion.finish_reason,
                usage.input, usage.output, usage.cached_input, usage.reasoning, usage.estimated,
            ),
        )  # fmt: skip
        await self._database.write_durably(*self._new_texts(request), call)

    def _new_texts(self, request: Request) -> Iterator[Statement]:
        """Texts not written lately; the memory of what was is bounded, the table ignores a repeat."""
        for message in request.messages:
            digest = text_hash(message.content)
            if digest in self._known_texts:
                continue
            self._known_texts[digest] = None
            if len(self._known_texts) > 512:
                self._known_texts.pop(next(iter(self._known_texts)))
            yield "INSERT OR IGNORE INTO texts VALUES (?,?)", (digest, message.content)

    def note_failure(self, request: Request, *, role: str, stage: str, status: int | None, message: str) -> None:
        """An attempt that brought no reply; for the ledger's count of retries."""
        self._database.write(
            (
                "INSERT INTO failures VALUES (?,?,?,?,?,?)",
                (request.key, role, request.model, stage, status, message[:500]),
            )
        )

    def read(self, key: str) -> StoredCall | None:
        rows = self._database.query(
            f"SELECT role, model, stage, messages, sampling, {COLUMNS} FROM calls WHERE key = ?", (key,)
        )
        if not rows:
            return None
        [(role, model, stage, messages, sampling, *rest)] = rows
        texts = tuple(Message(who, self._text(digest)) for who, digest in orjson.loads(messages))
        return StoredCall(key, role, model, stage, texts, orjson.loads(sampling), completion_of(tuple(rest)))

    def _read_text(self, digest: str) -> str:
        [(text,)] = self._database.query("SELECT text FROM texts WHERE hash = ?", (digest,))
        return str(text)

    def totals(self) -> list[CallTotals]:
        """Everything ever paid into this folder, by role, model and stage."""
        rows = self._database.query(
            "SELECT role, model, stage, SUM(paid), SUM(input), SUM(output), SUM(cached_input), SUM(reasoning_tokens),"
            " SUM(estimated), SUM(failed) FROM ("
            " SELECT role, model, stage, 1 AS paid, input, output, cached_input, reasoning_tokens, estimated,"
            " 0 AS failed FROM calls UNION ALL SELECT role, model, stage, 0, 0, 0, NULL, NULL, 0, 1 FROM failures"
            ") GROUP BY role, model, stage ORDER BY role, model, stage"
        )
        return [CallTotals(*row) for row in rows]


def completion_of(row: tuple[Any, ...]) -> Completion:
    text, reasoning, finish_reason, input_, output, cached_input, reasoning_tokens, estimated = row
    usage = Usage(input_, output, cached_input, reasoning_tokens, bool(estimated))
    return Completion(text, reasoning, finish_reason, usage, cached=True)
