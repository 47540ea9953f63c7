"""A folder to documents: the walk, and the promise that no file can break the others."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

from augment_correction.documents.compressed import unpacked
from augment_correction.documents.contract import ReadLimits, Unread, Working
from augment_correction.documents.folder_settings import FILE as FOLDER_SETTINGS
from augment_correction.documents.formats import (
    BEGINNING,
    GZIP,
    READERS,
    STREAMED,
    called_wrongly,
    ending_of,
    remedy_of,
)
from augment_correction.documents.own_output import files_below, is_debug, is_output, is_product
from augment_correction.documents.registered import is_read, kinds, read_registered
from augment_correction.errors import ConfigError, InputError
from augment_correction.records import Document, ReadNote, UnreadInput
from augment_correction.text import printable

Found = Document | UnreadInput | ReadNote
Reader = Callable[[Path, str, ReadLimits], Iterator[Found | Working]]


def read_documents(folder: Path, *, limits: ReadLimits | None = None) -> Iterator[Found]:
    """Every document under `folder`, sorted by relative path. What cannot be read is an UnreadInput, never silent.

    Raises: InputError where `folder` is not a folder; ConfigError where a plugin cannot be imported.
    """
    for source, path in list_files(folder):
        for found in read_file(path, source, limits or ReadLimits()):
            if not isinstance(found, Working):
                yield found


def list_files(folder: Path) -> list[tuple[str, Path]]:
    """(relative posix path, path) of every file that is not hidden, and of every folder that cannot be listed; a single
    file by its name.

    The output folder of a run is one entry, and so is the folder of a saved web page, both of which `read_file` passes by; where the input folder is one itself, so are the
    files that a run writes. Real folders are walked before links, and each real folder once: links may form a loop, and a real path is a
    better name than a linked one.
    """
    if folder.is_file():
        return [(_printable(folder.name), folder)]
    if not folder.is_dir():
        raise InputError(f"{folder} is neither a folder nor a file", hint="give the folder that holds your documents")
    found: list[tuple[str, Path]] = []
    seen: set[tuple[int, int]] = set()
    linked: list[tuple[str, Path]] = []
    waiting = [("", folder)]
    while waiting or linked:
        if not waiting:
            waiting.append(linked.pop(0))
        name, path = waiting.pop()
        try:
            status = path.stat()
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            with os.scandir(path) as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
        except OSError:
            found.append((name or ".", path))
            continue
        own = is_output(path)
        if own or (name and (is_debug(path.name) or _is_of_page(path))):
            found.append((name or ".", path))
            if name:
                continue
        for entry in listed:
            if _is_passed_by(entry, own=own):
                continue
            place = (f"{name}/{entry.name}" if name else entry.name, path / entry.name)
            if not _is_folder(entry):
                found.append(place)
            elif entry.is_symlink():
                linked.append(place)
            else:
                waiting.append(place)
    return sorted((_printable(name), path) for name, path in found)


def _is_passed_by(entry: os.DirEntry[str], *, own: bool) -> bool:
    """`own`: it lies in the output folder of a run, whose products are no documents. `~$` begins the file in which Office
    notes who has a document open."""
    if entry.name.startswith((".", "~$")) or entry.name == FOLDER_SETTINGS:
        return True
    return own and is_product(entry.name, folder=_is_folder(entry))


def _is_of_page(folder: Path) -> bool:
    """Whether a browser has put there what a web page is made of, saved beside it: scripts, pictures, advertisements in frames."""
    page = folder.name.removesuffix("_files")
    return page != folder.name and any((folder.parent / f"{page}{end}").is_file() for end in (".html", ".htm"))


def read_file(path: Path, source: str, limits: ReadLimits) -> Iterator[Found | Working]:
    """The documents of one file. A reader's own failure, foreseen or not, is an UnreadInput for this file.

    Raises: ConfigError where a plugin that might read it cannot be imported.
    """
    try:
        if path.is_dir() and (is_output(path) or is_debug(path.name)):
            yield ReadNote(
                source,
                "own_output",
                "output files of a run in this folder are not used as input; files skipped",
                files_below(path),
            )
            return
        if path.is_dir() and _is_of_page(path):
            detail = "pictures, scripts and frames of the saved web page of the same name are not used as input; files skipped"
            yield ReadNote(source, "saved_page", detail, files_below(path))
            return
        ending = _checked(path)
        if ending.endswith(GZIP):
            with unpacked(path, None if Path(ending).stem in STREAMED else limits.file, limits) as inner:
                yield from _read(inner, ending.removesuffix(GZIP), source, limits)
        else:
            yield from _read(path, ending, source, limits)
    except Unread as unread:
        yield UnreadInput(source, unread.reason, unread.detail)
    except ConfigError:
        raise
    except OSError as error:
        yield UnreadInput(source, "unreadable", error.strerror or type(error).__name__)
    except MemoryError:
        yield UnreadInput(source, "too_large", "does not fit into memory")
    except Exception as error:  # a hostile file may raise anything out of a parser; the others must go on
        yield UnreadInput(source, "unreadable", f"{type(error).__name__}: {error}"[:500])


def _checked(path: Path) -> str:
    """The ending of a file that a reader exists for. Raises Unread for every other one."""
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        raise Unread("unreadable", "this folder cannot be listed")
    ending = ending_of(path)
    if not is_read(ending):
        remedy = remedy_of(ending) or f"supported are {', '.join(kinds())}, also with {GZIP}"
        raise Unread("unsupported", f"{ending or 'a name without ending'} is not supported; {remedy}")
    if not stat.S_ISREG(status.st_mode):  # opening a named pipe would wait for ever
        raise Unread("unsupported", "not a regular file")
    return ending


def _read(path: Path, ending: str, source: str, limits: ReadLimits) -> Iterator[Found | Working]:
    size = path.stat().st_size
    if size == 0:
        raise Unread("empty", "the file is empty")
    if size > limits.file and ending not in STREAMED:
        raise Unread("too_large", f"{size:,} bytes; the limit is {limits.file:,}")
    if ending not in READERS:
        yield from read_registered(ending, path, source)
        return
    with path.open("rb") as file:
        if said := called_wrongly(ending, file.read(BEGINNING)):
            raise Unread("unsupported", said)
    module, function = READERS[ending]
    reader: Reader = getattr(import_module(f"augment_correction.documents.{module}"), function)
    yield from reader(path, source, limits)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that points at itself
        return False


def _printable(name: str) -> str:
    """A file name that is not UTF-8 reaches Python as lone surrogates, which no output file could hold; line breaks and what
    a terminal obeys would let a name pass for something else wherever it is shown."""
    decoded = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return printable(decoded).replace("\n", "\\n").replace("\t", "\\t")
