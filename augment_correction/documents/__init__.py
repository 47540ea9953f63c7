"""From a folder of files to passages with exact provenance.

`read_documents` reads, `chunk_document` cuts, `stream_chunks` does both in a process of its own beside the event
loop. Names are resolved on first use: importing this package loads no PDF, Word or tokenizer library (a vocabulary
alone is 80 MB).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from augment_correction.documents.chunking import CUTTING, ChunkSettings, chunk_document
    from augment_correction.documents.contract import ReadLimits
    from augment_correction.documents.formats import ending_of
    from augment_correction.documents.pipe import DocumentInfo, ReadBatch
    from augment_correction.documents.reading import list_files, read_documents
    from augment_correction.documents.registered import are_read_by_others, is_read, kinds, register_reader
    from augment_correction.documents.stream import stream_chunks
    from augment_correction.documents.tokens import TokenCounter, counting, fetch_vocabulary

__all__ = [
    "CUTTING",
    "ChunkSettings",
    "DocumentInfo",
    "ReadBatch",
    "ReadLimits",
    "TokenCounter",
    "are_read_by_others",
    "chunk_document",
    "counting",
    "ending_of",
    "fetch_vocabulary",
    "is_read",
    "kinds",
    "list_files",
    "read_documents",
    "register_reader",
    "stream_chunks",
]

_HOME = {
    "CUTTING": "chunking",
    "ReadBatch": "pipe",
    "ChunkSettings": "chunking",
    "DocumentInfo": "pipe",
    "ReadLimits": "contract",
    "TokenCounter": "tokens",
    "chunk_document": "chunking",
    "counting": "tokens",
    "ending_of": "formats",
    "fetch_vocabulary": "tokens",
    "are_read_by_others": "registered",
    "is_read": "registered",
    "kinds": "registered",
    "list_files": "reading",
    "read_documents": "reading",
    "register_reader": "registered",
    "stream_chunks": "stream",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
