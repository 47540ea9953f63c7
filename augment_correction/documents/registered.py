"""Readers of file formats that are registered: what they are, what becomes of what they return, and their way into the process that
reads."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import import_module
from pathlib import Path, PurePath
from typing import Any

from augment_correction.documents.contract import Unread, build_document
from augment_correction.documents.formats import GZIP, KINDS, READERS, ending_of
from augment_correction.errors import ConfigError, InputError, Reject
from augment_correction.plugins import failed, load_plugins, name_of
from augment_correction.records import Document, UnreadInput
from augment_correction.text import clean

Read = Callable[[Path], str | Iterable[Document]]
REGISTERED: dict[str, Read] = {}


def register_reader(ending: str, read: Callable[[Path], str | Iterable[Document]]) -> None:
    """Register a reader of your own, so that files with that ending in an input folder become documents.

    `read` is called with the path of one file and returns its text, or several documents, best one after the other by
    `yield Document.of(text, title=..., source=...)`; the `source` of each, if it has one, stands behind the file's name and a `#`. Texts are cleaned
    (control characters, letters and accents in one piece) and cut like those of every file; a file that is packed as `.gz` comes unpacked.
    `Reject(reason, detail)` gives the file up, and so does any other exception, with an error that names your line: it is listed
    among what was not read, and the other files are read.

    Files are read in a process of its own, which imports the module of `read`: define it in a module and not in the program that
    is run. Call it before the run; in an installed package, in the module that its entry point `augment_correction.plugins` names, which
    is imported where a file has an ending that is not ours. To register the same ending again replaces your own reader.

    Raises: ValueError where the ending is one of ours, or no ending, or `read` is no function of a module.

    >>> def read_mailbox(path):
    ...     for number, letter in enumerate(path.read_text("utf-8").split("\\nFrom "), 1):
    ...         head, _, text = letter.partition("\\n\\n")
    ...         yield Document.of(text, title=head.splitlines()[0], source=f"letter {number}")
    >>> register_reader(".mailbox", read_mailbox)
    """
    if not re.fullmatch(r"\.[a-z0-9_]+", ending) or ending == GZIP:
        raise ValueError(f"an ending is a dot and lower-case letters, such as '.wiki', not {ending!r}")
    if ending in READERS:
        raise ValueError(f"'{ending}' is read by augment_correction: give your files another ending")
    if not getattr(read, "__qualname__", "<").isidentifier():
        raise ValueError(f"the reader of '{ending}' is no function of a module, which another process could import")
    REGISTERED[ending] = read


def kinds() -> tuple[str, ...]:
    """One ending for each of our readers, and those that are registered, for messages."""
    return (*KINDS, *REGISTERED)


def is_read(ending: str) -> bool:
    """Whether files of that ending, packed or not, become documents.

    Raises: ConfigError where a plugin cannot be imported.
    """
    ending = ending.removesuffix(GZIP)
    if ending and ending not in READERS and ending not in REGISTERED:
        load_plugins()
    return ending in READERS or ending in REGISTERED


def are_read_by_others(names: Iterable[str]) -> bool:
    """Whether any of these files is read by a registered reader, whose code may have changed.

    Raises: ConfigError where a plugin cannot be imported.
    """
    endings = {ending_of(PurePath(name)).removesuffix(GZIP) for name in names}
    return any(ending not in READERS and is_read(ending) for ending in endings)


def read_registered(ending: str, path: Path, source: str) -> Iterator[Document | UnreadInput]:
    """Raises: Unread where the reader gives the file up, fails, or returns no documents."""
    read = REGISTERED[ending]
    who = f"the reader of {ending} ({name_of(read)})"
    try:
        made: Any = read(path)
        for each in (Document.of(made),) if isinstance(made, str) else made:
            if not isinstance(each, Document):
                raise TypeError(f"{each!r:.80} is no Document")
            yield _document(each, source)
    except Reject as refused:
        raise Unread(refused.reason, refused.explained) from None
    except InputError as refused:
        raise Unread("unreadable", refused.message) from None
    except (Unread, MemoryError):
        raise
    except Exception as failure:
        raise Unread("unreadable", f"{who} failed: {failed(failure, read)}"[:500]) from failure


def _document(made: Document, source: str) -> Document | UnreadInput:
    """Pages and headings of a text that had to be cleaned would point beside it."""
    text = clean(made.text)
    place = f"{source}#{made.source}" if made.source else source
    pages, headings = (made.pages, made.headings) if text == made.text else ((), ())
    try:
        return build_document(
            text,
            source=place,
            media_type=made.media_type,
            title=made.title,
            metadata=made.metadata,
            pages=pages,
            headings=headings,
        )
    except Unread as empty:
        return UnreadInput(place, empty.reason, empty.detail)


# ------------------------------------------------------------------------------------- into the process that reads

Places = Mapping[str, tuple[str, str, str]]
"""By ending: the module, its function, and the folder from which the module was imported."""


def places() -> Places:
    """Raises: ConfigError where a reader stands in the program that runs, which no other process can import."""
    made = {}
    for ending, read in REGISTERED.items():
        module = sys.modules.get(read.__module__)
        file = getattr(module, "__file__", None)
        if read.__module__ == "__main__" or not file:
            raise ConfigError(
                f"the reader of {ending} ({name_of(read)}) stands in the program that is run, and files are read in another process",
                hint="move it into a module of its own, and import that",
            )
        above = read.__module__.count(".") + (Path(file).stem == "__init__")
        made[ending] = (read.__module__, read.__name__, str(Path(file).resolve().parents[above]))
    return made


def take_in(readers: Places) -> None:
    """What `places` says, in the process that reads. Its folder comes last, lest what lies there is taken for one of our modules.

    Raises: ConfigError where a module cannot be imported.
    """
    for ending, (module, function, folder) in readers.items():
        try:
            if folder not in sys.path:
                sys.path.append(folder)
            REGISTERED[ending] = getattr(import_module(module), function)
        except Exception as failure:
            raise ConfigError(
                f"the reader of {ending} ({module}.{function}) cannot be imported: {type(failure).__name__}: {failure}",
                hint=f"correct {module}, or do not register the reader",
            ) from failure
