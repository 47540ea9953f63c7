"""What was said in a chat, a line of JSON each, written before anything else happens with it: a killed chat goes on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from augment_correction.errors import InputError
from augment_correction.folders import private_folder
from augment_correction.records import Message


class TranscriptFile:
    """Lines `{"role": ..., "content": ...}`; `{"reset": true}` begins a new conversation in the same file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def messages(self) -> list[Message]:
        """The last conversation in it, without a question whose answer is not there; none where there is no file.

        Raises: InputError with the line that is no message.
        """
        said: list[Message] = []
        for number, row in self._rows():
            if row.get("reset"):
                said = []
            elif isinstance(row.get("role"), str) and isinstance(row.get("content"), str):
                said.append(Message(row["role"], row["content"]))
            else:
                raise InputError(
                    f"{self.path}:{number} is not a message of a chat", hint="name another --transcript file"
                )
        return said[:-1] if said and said[-1].role == "user" else said

    def add(self, *messages: Message) -> None:
        self._write(*({"role": each.role, "content": each.content} for each in messages))

    def begin_anew(self, *messages: Message) -> None:
        """A new conversation, with what is taken over from the last one."""
        self._write({"reset": True}, *({"role": each.role, "content": each.content} for each in messages))

    def _rows(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Without a last line that a kill cut short."""
        data = self.path.read_bytes() if self.path.is_file() else b""
        whole = data[: data.rfind(b"\n") + 1]
        for number, line in enumerate(whole.splitlines(), 1):
            try:
                row = orjson.loads(line)
            except ValueError:
                row = None
            if not isinstance(row, dict):
                raise InputError(
                    f"{self.path}:{number} is not a message of a chat", hint="name another --transcript file"
                )
            yield number, row

    def _write(self, *rows: dict[str, Any]) -> None:
        """At once, over a last line that a kill cut short: nobody has seen it as said."""
        private_folder(self.path.parent)
        with self.path.open("ab+") as file:
            file.seek(0)
            file.truncate(file.read().rfind(b"\n") + 1)
            file.write(b"".join(orjson.dumps(row) + b"\n" for row in rows))
            file.flush()
            os.fsync(file.fileno())


def save_chat(path: Path, said: list[Message]) -> None:
    """One row with `messages`, as every command reads it, added to the file."""
    row = {"messages": [{"role": each.role, "content": each.content} for each in said]}
    private_folder(path.parent)
    with path.open("ab") as file:
        file.write(orjson.dumps(row) + b"\n")
