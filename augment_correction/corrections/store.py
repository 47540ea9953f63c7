"""The store of corrections: one SQLite file. Nothing in it is ever deleted; every change is an event with its author and time."""

from __future__ import annotations

import getpass
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from augment_correction.corrections.correction import Correction, Evidence, State, Statement
from augment_correction.errors import InputError
from augment_correction.folders import private_folder
from augment_correction.store.write_ahead import write_ahead

SCHEMA = """
CREATE TABLE IF NOT EXISTS corrections (
    id INTEGER PRIMARY KEY AUTOINCREMENT, state TEXT NOT NULL, question TEXT NOT NULL, wrong TEXT NOT NULL, right TEXT NOT NULL,
    message TEXT NOT NULL, author TEXT NOT NULL, source TEXT NOT NULL, origin TEXT UNIQUE, chat TEXT NOT NULL,
    evidence TEXT NOT NULL, forced INTEGER NOT NULL DEFAULT 0, created TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY AUTOINCREMENT, correction INTEGER NOT NULL REFERENCES corrections (id), at TEXT NOT NULL,
    who TEXT NOT NULL, what TEXT NOT NULL, detail TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS events_by_correction ON events (correction);
"""
MOST = 4000
"""Characters of one text of a correction: what is longer is no fact."""
_COLUMNS = "id, state, question, wrong, right, message, author, source, chat, evidence, forced, created"
_FROM: Mapping[State, tuple[State, ...]] = {
    "approved": ("candidate", "rejected", "withdrawn"),
    "rejected": ("candidate",),
    "withdrawn": ("approved",),
    "candidate": (),
}
"""By the state that is wanted, those from which it can be reached."""


@dataclass(frozen=True, slots=True)
class Event:
    """`what`: created, edited, approved, rejected, withdrawn, evidence. `detail` holds a reason, or what was there before."""

    at: str
    who: str
    what: str
    detail: Mapping[str, Any]


class CorrectionStore:
    """Opened anew for every call, so that threads and processes may share the file.

    >>> store = CorrectionStore(Path("outputs/corrections_example.sqlite"))
    >>> made = store.add(Statement("What is the capital of Australia?", "Sydney", "Canberra"), author="ada")
    >>> store.approve(made.id, "grace").state
    'approved'
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    # ------------------------------------------------------------------------------------------------- reading

    def get(self, id_: int) -> Correction:
        """Raises: InputError where there is none."""
        with self._open() as database:
            return _one(database, id_)

    def all(self, state: State | None = None) -> list[Correction]:
        """In the order in which they came."""
        where, values = ("WHERE state = ?", [state]) if state else ("", [])
        with self._open() as database:
            rows = database.execute(f"SELECT {_COLUMNS} FROM corrections {where} ORDER BY id", values).fetchall()
        return [_correction(row) for row in rows]

    def history(self, id_: int) -> list[Event]:
        """The oldest first."""
        with self._open() as database:
            _one(database, id_)
            rows = database.execute(
                "SELECT at, who, what, detail FROM events WHERE correction = ? ORDER BY id", [id_]
            ).fetchall()
        return [Event(at, who, what, json.loads(detail)) for at, who, what, detail in rows]

    # ------------------------------------------------------------------------------------------------- writing

    def add(
        self,
        said: Statement,
        *,
        author: str = "",
        source: str = "added by hand",
        origin: str | None = None,
        chat: Sequence[Mapping[str, str]] = (),
        evidence: Sequence[Evidence] = (),
    ) -> Correction:
        """A candidate. `origin` names the message that it was found in: found there again it is the same one.

        Raises: InputError where a text is empty or too long, or the two answers are the same.
        """
        check(said)
        who = author or _user()
        with self._open(writes=True) as database:
            known = origin and database.execute("SELECT id FROM corrections WHERE origin = ?", [origin]).fetchone()
            if known:
                return _one(database, known[0])
            row = database.execute(
                "INSERT INTO corrections (state, question, wrong, right, message, author, source, origin, chat, evidence, created)"
                " VALUES ('candidate', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    *_texts(said), who, source, origin, json.dumps([dict(each) for each in chat], ensure_ascii=False),
                    _evidence_text(evidence), _now(),
                ],
            )  # fmt: skip
            assert row.lastrowid is not None
            _note(database, row.lastrowid, who, "created", {"source": source})
            return _one(database, row.lastrowid)

    def edit(self, id_: int, said: Statement, who: str = "") -> Correction:
        """What was there before stays in its history. An approved one is a candidate again: somebody approved other words.

        Raises: InputError as `add` does.
        """
        check(said)
        with self._open(writes=True) as database:
            before = _one(database, id_)
            if before.statement == said:
                return before
            state: State = "candidate" if before.state == "approved" else before.state
            database.execute(
                "UPDATE corrections SET question = ?, wrong = ?, right = ?, message = ?, state = ?, evidence = '[]' WHERE id = ?",
                [*_texts(said), state, id_],
            )
            _note(database, id_, who, "edited", {"before": asdict(before.statement)})
            return _one(database, id_)

    def found(self, id_: int, evidence: Sequence[Evidence], who: str = "") -> Correction:
        """Keep what was found for it and against it, in place of what was known."""
        with self._open(writes=True) as database:
            _one(database, id_)
            database.execute("UPDATE corrections SET evidence = ? WHERE id = ?", [_evidence_text(evidence), id_])
            _note(database, id_, who, "evidence", {"found": [asdict(each) for each in evidence]})
            return _one(database, id_)

    def approve(self, id_: int, who: str = "", *, force: bool = False) -> Correction:
        """Raises: InputError where something contradicts it and `force` is not given, or another approved correction answers the
        same question otherwise."""
        with self._open(writes=True) as database:
            correction = _one(database, id_)
            if correction.contradicted and not force:
                first = correction.contradicted[0]
                raise InputError(
                    f"correction {id_} is contradicted by {first.by}: {first.reason}",
                    hint=f"if it is right anyway: corrections approve {id_} --force (this is recorded)",
                )
            if rival := _rival(database, correction):
                raise InputError(
                    f"correction {id_} says {correction.statement.right!r}, and correction {rival.id}, which is approved, "
                    f"says {rival.statement.right!r} to the same question",
                    hint=f"withdraw {rival.id} or reject {id_}, because a model cannot learn both",
                )
            return _move(database, correction, "approved", who, forced=force and bool(correction.contradicted))

    def reject(self, id_: int, reason: str, who: str = "") -> Correction:
        """Raises: InputError where it is no candidate."""
        with self._open(writes=True) as database:
            return _move(database, _one(database, id_), "rejected", who, reason)

    def withdraw(self, id_: int, reason: str = "", who: str = "") -> Correction:
        """Raises: InputError where it is not approved."""
        with self._open(writes=True) as database:
            return _move(database, _one(database, id_), "withdrawn", who, reason)

    @contextmanager
    def _open(self, *, writes: bool = False) -> Iterator[sqlite3.Connection]:
        """A transaction; rolled back where it does not come to its end. Only one that `writes` keeps others from writing.

        Raises: InputError where the file cannot be used.
        """
        try:
            private_folder(self.path.parent)
            with closing(sqlite3.connect(self.path, timeout=30)) as database:
                write_ahead(database)
                database.execute("PRAGMA synchronous=FULL")
                database.executescript(SCHEMA)
                with database:
                    database.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
                    yield database
        except (sqlite3.Error, OSError) as failure:
            raise InputError(
                f"the store of corrections {self.path} cannot be used: {failure}",
                hint="make its folder writable, or set another path.output_dir",
            ) from None


def check(said: Statement) -> None:
    """Raises: InputError where nobody could learn from it."""
    for name, text in asdict(said).items():
        if not text.strip() and name != "message":
            raise InputError(f"a correction needs its {name}: it is empty")
        if len(text) > MOST:
            raise InputError(f"the {name} has {len(text):,} characters; a correction is one fact of at most {MOST:,}")
    if said.claim and said.claim == Statement("", "", said.wrong).claim:
        raise InputError(f"the wrong and the right answer are the same: {said.right[:80]!r}")


def _one(database: sqlite3.Connection, id_: int) -> Correction:
    row = database.execute(f"SELECT {_COLUMNS} FROM corrections WHERE id = ?", [id_]).fetchone()
    if row is None:
        raise InputError(f"there is no correction {id_}", hint="`corrections list` shows all corrections")
    return _correction(row)


def _correction(row: Sequence[Any]) -> Correction:
    id_, state, question, wrong, right, message, author, source, chat, evidence, forced, created = row
    return Correction(
        id_, state, Statement(question, wrong, right, message), author, source, tuple(json.loads(chat)),
        tuple(Evidence(**each) for each in json.loads(evidence)), bool(forced), created,
    )  # fmt: skip


def _rival(database: sqlite3.Connection, correction: Correction) -> Correction | None:
    """An approved one that answers the same question otherwise."""
    said = correction.statement
    rows = database.execute(f"SELECT {_COLUMNS} FROM corrections WHERE state = 'approved' AND id != ?", [correction.id])
    others = (each for each in map(_correction, rows) if each.statement.subject == said.subject)
    return next((each for each in others if each.statement.claim != said.claim), None)


def _move(
    database: sqlite3.Connection, before: Correction, state: State, who: str, reason: str = "", *, forced: bool = False
) -> Correction:
    """Raises: InputError where its present state does not lead there."""
    if before.state == state:
        return before
    if before.state not in _FROM[state]:
        raise InputError(f"correction {before.id} is {before.state}, and cannot become {state}")
    kept = forced if state == "approved" else before.forced
    database.execute("UPDATE corrections SET state = ?, forced = ? WHERE id = ?", [state, kept, before.id])
    _note(
        database, before.id, who, state, ({"reason": reason} if reason else {}) | ({"forced": True} if forced else {})
    )
    return _one(database, before.id)


def _note(database: sqlite3.Connection, id_: int, who: str, what: str, detail: Mapping[str, Any]) -> None:
    database.execute(
        "INSERT INTO events (correction, at, who, what, detail) VALUES (?, ?, ?, ?, ?)",
        [id_, _now(), who or _user(), what, json.dumps(dict(detail), ensure_ascii=False)],
    )


def _texts(said: Statement) -> list[str]:
    return [said.question.strip(), said.wrong.strip(), said.right.strip(), said.message.strip()]


def _evidence_text(evidence: Sequence[Evidence]) -> str:
    return json.dumps([asdict(each) for each in evidence], ensure_ascii=False)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container whose user has no name
        return "unknown"
