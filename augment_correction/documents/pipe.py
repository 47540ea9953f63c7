"""What the reading process says to its parent: length-prefixed pickles over a pipe.

Both ends are this package in this interpreter, started by us, so pickle is as safe as the import of the package.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from augment_correction.documents.chunking import ChunkSettings
from augment_correction.documents.contract import ReadLimits, Working
from augment_correction.documents.registered import Places
from augment_correction.records import Chunk, Document, PickledByFields, ReadNote, UnreadInput

LENGTH_BYTES = 8


@dataclass(frozen=True, slots=True)
class DocumentInfo(PickledByFields):
    """A document without its text. `characters` is the text's length, `pages` their number (0 where it has none)."""

    id: str
    title: str
    source: str
    media_type: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    characters: int = 0
    pages: int = 0

    @classmethod
    def of(cls, document: Document) -> DocumentInfo:
        return cls(
            id=document.id,
            title=document.title,
            source=document.source,
            media_type=document.media_type,
            metadata=document.metadata,
            characters=len(document.text),
            pages=len(document.pages),
        )


@dataclass(frozen=True, slots=True)
class ReadBatch:
    """Neighbouring results of one file. A document stands in the batch of its first chunk or in an earlier one."""

    documents: tuple[DocumentInfo, ...] = ()
    chunks: tuple[Chunk, ...] = ()
    unread: tuple[UnreadInput, ...] = ()
    notes: tuple[ReadNote, ...] = ()


@dataclass(frozen=True, slots=True)
class ReadTask:
    """`after` is the place in the sorted list of files behind which to begin; None begins at the first."""

    folder: str
    settings: ChunkSettings
    encoding: str
    batch: int
    limits: ReadLimits
    after: tuple[str, str] | None = None
    by_folder: Mapping[str, ChunkSettings] = field(default_factory=dict)
    """Folders whose documents are cut otherwise, with those below them."""

    readers: Places = field(default_factory=dict)
    """Those that the program has registered."""

    def cut(self, source: str) -> ChunkSettings:
        """How a document is cut: as the nearest folder above it says."""
        folder = source
        while folder and self.by_folder:
            folder = folder.rpartition("/")[0]
            if folder in self.by_folder:
                return self.by_folder[folder]
        return self.settings


@dataclass(frozen=True, slots=True)
class Started:
    """Sent before a file is opened: if nothing more comes, this file is to blame."""

    place: tuple[str, str]


@dataclass(frozen=True, slots=True)
class InputRefused:
    """The user's mistake, found in the child: an error that the parent raises again as its own."""

    message: str
    hint: str | None


@dataclass(frozen=True, slots=True)
class Finished:
    """Every file was read. `bug` is a traceback where our own code failed instead. `plugins` are those that were loaded for the files,
    as in `plugins.LOADED`."""

    bug: str = ""
    plugins: Mapping[str, str] = field(default_factory=dict)


Frame = ReadBatch | Started | Working | InputRefused | Finished


def pack(value: Frame | ReadTask) -> bytes:
    data = pickle.dumps(value, protocol=5)
    return len(data).to_bytes(LENGTH_BYTES, "big") + data


def read_job(stream: BinaryIO) -> ReadTask:
    job = pickle.loads(stream.read(int.from_bytes(stream.read(LENGTH_BYTES), "big")))
    assert isinstance(job, ReadTask)
    return job
