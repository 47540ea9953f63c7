"""A reply is heard while it is made, where the server or the model in this process can say it piece by piece; the whole of it
is journaled and counted like any other. Who listens is known to the task that asks, so that nothing between them need be."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

import orjson


class Listener(Protocol):
    """Hears one reply after the other. It is called in the event loop of whoever asks."""

    def begin(self) -> None:
        """A try begins: what was heard of an earlier one, which broke off, no longer counts."""
        ...

    def add(self, text: str) -> None:
        """The next words of the answer, without its reasoning where the server sends that apart."""
        ...


_LISTENER: ContextVar[Listener | None] = ContextVar("listener", default=None)


@contextmanager
def heard_by(listener: Listener) -> Iterator[None]:
    """Everything that is asked inside is heard by `listener` as it comes. Where a place cannot say a reply piece by piece, or the
    journal has it already, nothing is heard and the whole is returned."""
    token = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(token)


def listener() -> Listener | None:
    return _LISTENER.get()


class Events:
    """Server-sent events as they arrive, cut anywhere; tells the listener the text in them."""

    def __init__(self, listener: Listener) -> None:
        self._listener, self._rest = listener, bytearray()
        listener.begin()

    def feed(self, data: bytes) -> None:
        whole, newline, rest = data.rpartition(b"\n")
        if not newline:  # a line of megabytes is not copied at each of its pieces
            self._rest += data
            return
        for line in (bytes(self._rest) + whole).split(b"\n"):
            if text := _text_in(line):
                self._listener.add(text)
        self._rest = bytearray(rest)


def _text_in(line: bytes) -> str:
    """What is no event with a text says nothing here: whoever reads the whole reply finds out what it is."""
    if not line.startswith(b"data:"):
        return ""
    try:
        text = orjson.loads(line[5:])["choices"][0]["delta"]["content"]
    except (ValueError, KeyError, IndexError, TypeError):
        return ""
    return text if isinstance(text, str) else ""
