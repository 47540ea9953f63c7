"""Row formats that are registered: functions from somebody's JSON object to a row of a kind that is known here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from augment_correction.errors import InputError, PluginFailure, Reject
from augment_correction.plugins import failed, load_plugins, name_of
from augment_correction.rows.names import RowError

Row = Mapping[str, Any]
AGAIN = "correct it and run the same command again"


@dataclass(frozen=True, slots=True)
class RowFormat:
    """Without `recognises` only a file whose name says so is read by it."""

    name: str
    read: Callable[[Row], Row | None]
    recognises: Callable[[Row], bool] | None = None

    def __str__(self) -> str:
        return f"row format '{self.name}' ({name_of(self.read)})"

    def takes(self, row: Row, place: str) -> bool:
        """Raises: PluginFailure where the predicate has a bug."""
        if self.recognises is None:
            return False
        try:
            return bool(self.recognises(row))
        except Exception as failure:
            told = f"{self} could not tell whether {place} is one of its rows: {failed(failure, self.recognises)}"
            raise PluginFailure(told, hint=AGAIN) from failure

    def row_of(self, row: Row, place: str) -> Row | None:
        """The row that is read in its place; None where the object is to be passed over.

        Raises: RowError where the function refuses the object; PluginFailure where it has a bug.
        """
        try:
            made: Any = self.read(row)
        except Reject as refused:
            told = refused.detail or refused.reason
            raise RowError(f"{place}:", told, refused.hint or "", reason=refused.reason) from None
        except InputError as refused:
            raise RowError(place, f"cannot be used: {refused.message}", refused.hint or "", reason="refused") from None
        except Exception as failure:
            raise PluginFailure(f"{self} failed on {place}: {failed(failure, self.read)}", hint=AGAIN) from failure
        if made is not None and not (isinstance(made, Mapping) and all(isinstance(name, str) for name in made)):
            told = f"{self} returned {made!r:.80} for {place}: it returns a row as docs/reference/rows.md has them, or None"
            raise PluginFailure(told, hint=AGAIN)
        return made


FORMATS: dict[str, RowFormat] = {}


def register_rows(
    name: str,
    read: Callable[[Mapping[str, Any]], Mapping[str, Any] | None],
    *,
    recognises: Callable[[Mapping[str, Any]], bool] | None = None,
) -> None:
    """Register a row format of your own, so that every command that reads rows reads files of it: `evaluate`, `train`, the monitor,
    `import-failures`, `corrections import` and the worker.

    `read` is called with each JSON object and returns a row of one of the kinds on the page of the rows: a question with its reference, a
    chat (`messages`), segments, a failure, a preference pair, an answer of a model. That row is then checked like any other. None
    passes the object over: it is no row. `Reject(reason, detail)` refuses it: the detail, a sentence of its own, is said with file and line, and the
    command goes on (`import-failures`) or ends (`evaluate`) as it does for any row that it cannot use. Any other exception ends the command with an error that names your line.

    `recognises` tells from an object whether it is one of the format; it is asked for every object of every file, so it looks at keys that
    nobody else has. A file `ANYTHING.NAME.jsonl` or `.json` is read by the format NAME, whatever stands in it and
    whether or not there is a `recognises`.

    Call it before a file is read; in an installed package, in the module that its entry point `augment_correction.plugins` names, which is
    imported when the first row is read. A worker trains in other processes, which see installed packages alone. To register the same
    name again replaces your own format.

    Raises: ValueError where the name is not lower-case words joined by `_`.

    >>> def read_ticket(ticket):
    ...     if ticket["state"] == "open":
    ...         return None
    ...     if not ticket["solution"]:
    ...         raise Reject("no_solution", f"ticket {ticket['ticket']} is closed without a solution")
    ...     return {"question": ticket["subject"], "bad_output": ticket["bot_reply"], "reference": ticket["solution"]}
    >>> register_rows("tickets", read_ticket, recognises=lambda row: "ticket" in row and "bot_reply" in row)
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or name in ("json", "jsonl"):
        raise ValueError(f"the name of a row format is lower-case words joined by _, not {name!r}")
    FORMATS[name] = RowFormat(name, read, recognises)


def any_registered() -> bool:
    """Raises: ConfigError where a plugin cannot be imported."""
    load_plugins()
    return bool(FORMATS)


def named_by(file: PurePath) -> RowFormat | None:
    """The one that the name of a file says: `week.tickets.jsonl`.

    Raises: ConfigError where a plugin cannot be imported.
    """
    if not any_registered():
        return None
    said, _, _ = (
        PurePath(file.stem).suffix.removeprefix(".").partition("-")
    )  # a worker makes `x.tickets-2.jsonl` of a second one
    return FORMATS.get(said)


def recognising(row: Row, place: str, file: PurePath) -> RowFormat | None:
    """The one whose predicate takes the row.

    Raises: RowError where several do; PluginFailure where a predicate has a bug.
    """
    found = [form for form in FORMATS.values() if form.takes(row, place)]
    if len(found) > 1:
        detail = f"is recognised by {' and by '.join(map(str, found))}"
        remedy = f"name the file {file.stem}.{found[0].name}{file.suffix}, or let only one of them recognise it"
        raise RowError(place, detail, remedy, reason="two_formats")
    return found[0] if found else None


def format_of(row: Row, place: str, file: PurePath) -> RowFormat | None:
    """Of one row: the format that the file's name says, else the one that recognises it.

    Raises: what `named_by` and `recognising` do.
    """
    return named_by(file) or recognising(row, place, file)
