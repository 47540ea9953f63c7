"""Passages in a stable order: read, cut, identical ones made once, a subset drawn where asked for."""

from __future__ import annotations

import hashlib
import heapq
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from augment_correction.config import RunConfig
from augment_correction.documents import Batch, ChunkSettings, DocumentInfo, ReadLimits, stream_chunks
from augment_correction.records import Chunk, ReadNote, Record, UnreadInput
from augment_correction.stages import neutral


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk at its place `seq` in the output's order; `document` is where it was read."""

    seq: int
    chunk: Chunk
    document: DocumentInfo
    again: Mapping[str, int] = field(default_factory=dict)
    """How often each stage has been asked anew for it (`run --retry-failed`)."""


@dataclass(frozen=True, slots=True)
class Read:
    """One step of the source: what was read since the last one."""

    documents: tuple[DocumentInfo, ...]
    passages: tuple[Passage, ...]
    unread: tuple[UnreadInput, ...]
    notes: tuple[ReadNote, ...] = ()


WHOLE = ChunkSettings(size=1 << 40, unit="characters", overlap=0)


def chunk_settings(config: RunConfig, cut: bool) -> ChunkSettings:
    system = config.system
    if not cut:
        return WHOLE
    if system.chunk_overlap >= system.chunk_size:
        raise config.error(("system", "chunk_overlap"), "chunk_overlap must be smaller than chunk_size")
    return ChunkSettings(
        size=system.chunk_size,
        unit=system.chunk_unit,
        overlap=system.chunk_overlap,
        minimum=min(system.min_chunk, system.chunk_size // 2),
        contents=not system.skip_contents,
    )


def encoding_of(config: RunConfig) -> str:
    """A name of tiktoken's, or an absolute path of a tokenizer.json."""
    encoding = config.system.encoding
    return str(config.project.resolve(encoding)) if encoding.endswith(".json") else encoding


async def read_passages(config: RunConfig, input_dir: Path, *, cut: bool = True) -> AsyncGenerator[Read, None]:
    """Every passage of the input folder, or the subset that `system.seed` draws from it. Without `cut` each document is
    one passage."""
    reads = _numbered(config, input_dir, cut)
    if not config.system.use_subset:
        async for read in reads:
            yield read
        return
    async for read in _subset(reads, config.system.subset_size, config.system.seed):
        yield read


async def _numbered(config: RunConfig, input_dir: Path, cut: bool) -> AsyncGenerator[Read, None]:
    seq = 0
    waiting: deque[DocumentInfo] = deque()
    batches: AsyncIterator[Batch] = stream_chunks(
        input_dir,
        chunk_settings(config, cut),
        encoding=encoding_of(config),
        limits=ReadLimits(text_key=config.path.text_keys),
    )
    async for batch in batches:
        waiting += batch.documents
        passages = []
        for chunk in batch.chunks:
            # By order and not by id alone: two lines of a file may hold the same text, and other keys beside it.
            if chunk.index == 0:
                while waiting[0].id != chunk.document_id:
                    waiting.popleft()
                document = waiting.popleft()
            passages.append(Passage(seq, chunk, document))
            seq += 1
        yield Read(batch.documents, tuple(passages), batch.unread, batch.notes)


async def _subset(reads: AsyncIterator[Read], size: int, seed: int) -> AsyncIterator[Read]:
    """The `size` passages whose hash with the seed is smallest: the same draw on every machine, in one pass, with only
    the chosen ones in memory; a document added later changes the draw by its own passages only."""
    ranks: list[tuple[int, str]] = []
    chosen: dict[str, list[Passage]] = {}
    """By chunk id, every place where an identical passage stands."""
    async for read in reads:
        for passage in read.passages:
            id_ = passage.chunk.id
            if id_ in chosen:
                chosen[id_].append(passage)
                continue
            rank = int.from_bytes(hashlib.sha256(f"{seed}:{id_}".encode()).digest()[:8], "big")
            if len(ranks) == size and -rank <= ranks[0][0]:
                continue
            chosen[id_] = [passage]
            heapq.heappush(ranks, (-rank, id_))
            if len(ranks) > size:
                del chosen[heapq.heappop(ranks)[1]]
        if read.documents or read.unread or read.notes:
            yield Read(read.documents, (), read.unread, read.notes)
    passages = sorted((passage for places in chosen.values() for passage in places), key=lambda passage: passage.seq)
    yield Read((), tuple(passages), ())


def record_of(passage: Passage) -> Record:
    """The record as the first stage sees it; `declarations.SOURCE_FIELDS` names its fields. Control strings of chat
    templates are made harmless here, for every prompt at once; the chunk itself keeps the document's exact text."""
    chunk, document = passage.chunk, passage.document
    return Record(
        id=chunk.id,
        fields={
            "passage": neutral(chunk.text),
            "title": neutral(document.title),
            "heading": neutral(" > ".join(chunk.heading)),
            "source": document.source,
            "page": chunk.page,
            "metadata": document.metadata,
        },
        again=passage.again,
    )
