"""Passages in a stable order: read, cut, identical ones made once, a subset drawn where asked for."""

from __future__ import annotations

import asyncio
import hashlib
import heapq
import re
from collections import Counter, deque
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import cached_property

from augment_correction.documents import (
    DocumentInfo,
    ReadLimits,
    TokenCounter,
    chunk_document,
    stream_chunks,
)
from augment_correction.documents.contract import Unread, build_document
from augment_correction.documents.text import clean
from augment_correction.plan import Plan
from augment_correction.records import (
    Chunk,
    Document,
    Passage,
    PickledByFields,
    ReadNote,
    Record,
    UnreadInput,
    content_id,
)
from augment_correction.stages import language_of, neutral


@dataclass(frozen=True, slots=True)
class Placed(PickledByFields):
    """A chunk at its place `seq` in the output's order; `document` is where it was read."""

    seq: int
    chunk: Chunk
    document: DocumentInfo
    place: tuple[str, int] = ("", 0)
    """The file and the number among its passages; see `Record`."""
    again: Mapping[str, int] = field(default_factory=dict)
    """How often each stage has been asked anew for it (`run --retry-failed`)."""


@dataclass(frozen=True, slots=True)
class ReadStep:
    """One step of the source: what was read since the last one."""

    documents: tuple[DocumentInfo, ...]
    passages: tuple[Placed, ...]
    unread: tuple[UnreadInput, ...]
    notes: tuple[ReadNote, ...] = ()


async def read_passages(
    plan: Plan, given: Iterable[Passage | Document] | None = None
) -> AsyncGenerator[ReadStep, None]:
    """Every passage of the input folder, or of those that are `given` instead of it; or the subset that `system.seed` draws
    from them, which counts as one file. Where the pipeline does not cut, each document is one passage."""
    reads = _numbered(plan) if given is None else _given(plan, given)
    system = plan.config.system
    if system.use_subset:
        reads = _subset(reads, system.subset_size, system.seed)
    counts = Counter[str]()
    async with aclosing(reads):  # whoever leaves early waits for the reading process, which the loop must not outlive
        async for read in reads:
            passages = []
            for passage in read.passages:
                file = "" if system.use_subset else passage.place[0]
                if given is None and file not in counts:
                    counts.clear()  # files are read one after the other: memory does not grow with their number
                passages.append(replace(passage, place=(file, counts[file])))
                counts[file] += 1
            yield replace(read, passages=tuple(passages))


def _file(source: str) -> str:
    """Without the line: the rows of a file are its passages."""
    return re.sub(r"#[LR]\d+(\.\d+)?$", "", source)


async def _given(plan: Plan, given: Iterable[Passage | Document]) -> AsyncGenerator[ReadStep, None]:
    """As files with these texts would be read, without the files."""
    cut = _Cutting(plan)
    placed = 0
    for number, each in enumerate(given, 1):
        source = each.source or f"passage {number}"
        try:
            document = _document(each, source)
        except Unread as unread:
            yield ReadStep((), (), (UnreadInput(source, unread.reason, unread.detail),))
            continue
        info, left_out = DocumentInfo.of(document), list[UnreadInput]()
        chunks = cut.whole(document) if isinstance(each, Passage) else cut.into_chunks(document, left_out)
        place = _file(each.source), 0  # those without a name are one file together
        passages = tuple(Placed(seq, chunk, info, place) for seq, chunk in enumerate(chunks, placed))
        yield ReadStep((info,), passages, tuple(left_out))
        placed += len(passages)
        if not number % 100:
            await asyncio.sleep(0)  # whatever else runs in the loop


def _document(given: Passage | Document, source: str) -> Document:
    """Raises: Unread where it has no text."""
    read = given if isinstance(given, Document) else Document.of(given.text)
    return build_document(
        clean(given.text),
        source=source,
        media_type=read.media_type,
        title=given.title,
        metadata=given.metadata,
        pages=read.pages,
        headings=read.headings,
    )


class _Cutting:
    """Passages of what a program gives. Of a `Passage` tokens are only told, and may be estimated; where a `Document` is cut by
    them they must be counted."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._counter = TokenCounter(plan.encoding, exact=False)

    def whole(self, document: Document) -> list[Chunk]:
        text = document.text.strip()
        start, tokens = document.text.index(text), self._counter.count(text)
        return [Chunk(content_id(text), document.id, 0, text, start, start + len(text), tokens)]

    def into_chunks(self, document: Document, left_out: list[UnreadInput]) -> list[Chunk]:
        """Raises: NoVocabulary where passages are cut by tokens, and nothing here can count them."""
        return list(chunk_document(document, self._plan.chunks, self._exact, left_out))

    @cached_property
    def _exact(self) -> TokenCounter:
        return TokenCounter(self._plan.encoding, exact=self._plan.chunks.unit == "tokens")


async def _numbered(plan: Plan) -> AsyncGenerator[ReadStep, None]:
    seq = 0
    if plan.unfetched:
        yield ReadStep((), (), plan.unfetched)
    waiting: deque[DocumentInfo] = deque()
    batches = stream_chunks(
        plan.input_dir,
        plan.chunks,
        encoding=plan.encoding,
        limits=ReadLimits(text_key=plan.config.path.text_keys),
        by_folder=plan.cut_by_folder,
    )
    async with aclosing(batches):
        async for batch in batches:
            documents = tuple(_with_licence(plan, each) for each in batch.documents)
            waiting += documents
            passages = []
            for chunk in batch.chunks:
                # By order and not by id alone: two lines of a file may hold the same text, and other keys beside it.
                if chunk.index == 0:
                    while waiting[0].id != chunk.document_id:
                        waiting.popleft()
                    document = waiting.popleft()
                passages.append(Placed(seq, chunk, document, (_file(document.source), 0)))
                seq += 1
            yield ReadStep(documents, tuple(passages), batch.unread, batch.notes)


def _with_licence(plan: Plan, document: DocumentInfo) -> DocumentInfo:
    """Under its own, where it names one, else under that of its folder."""
    settings = plan.folders.of(document.source)
    if settings is None or settings.licence is None or "licence" in document.metadata:
        return document
    return replace(document, metadata={**document.metadata, "licence": settings.licence})


async def _subset(reads: AsyncGenerator[ReadStep, None], size: int, seed: int) -> AsyncGenerator[ReadStep, None]:
    """Without the passages that are not drawn; those that are come last, in the order of reading."""
    drawn = SubsetDraw(size, seed)
    async with aclosing(reads):
        async for read in reads:
            for passage in read.passages:
                drawn.add(passage)
            if read.documents or read.unread or read.notes:
                yield ReadStep(read.documents, (), read.unread, read.notes)
    passages = sorted((passage for places in drawn.places() for passage in places), key=lambda passage: passage.seq)
    yield ReadStep((), tuple(passages), ())


class SubsetDraw:
    """The `size` passages whose hash with the seed is smallest: the same draw on every machine, in one pass, with only
    the chosen ones in memory; a document added later changes the draw by its own passages only, and a smaller draw is the
    beginning of a larger one."""

    def __init__(self, size: int, seed: int) -> None:
        self._size, self._seed = size, seed
        self._ranks: list[tuple[int, str]] = []
        self._chosen: dict[str, list[Placed]] = {}
        """By chunk id, every place where an identical passage stands."""

    def add(self, passage: Placed) -> None:
        id_ = passage.chunk.id
        if id_ in self._chosen:
            self._chosen[id_].append(passage)
            return
        rank = int.from_bytes(hashlib.sha256(f"{self._seed}:{id_}".encode()).digest()[:8], "big")
        if len(self._ranks) == self._size and -rank <= self._ranks[0][0]:
            return
        self._chosen[id_] = [passage]
        heapq.heappush(self._ranks, (-rank, id_))
        if len(self._ranks) > self._size:
            del self._chosen[heapq.heappop(self._ranks)[1]]

    def places(self) -> list[list[Placed]]:
        """Of each drawn passage, in the order of the draw."""
        return [self._chosen[id_] for _, id_ in sorted(self._ranks, reverse=True)]


def record_of(passage: Placed) -> Record:
    """The record as the first stage sees it; `declarations.SOURCE_FIELDS` names its fields. Control strings of chat
    templates are made harmless here, for every prompt at once; the chunk itself keeps the document's exact text."""
    chunk, document = passage.chunk, passage.document
    return Record(
        id=chunk.id,
        fields={
            "passage": neutral(chunk.text),
            "title": neutral(document.title),
            "heading": neutral(" > ".join(chunk.heading)),
            "language": language_of(chunk.text),
            "source": document.source,
            "page": chunk.page,
            "metadata": document.metadata,
        },
        again=passage.again,
        place=passage.place,
    )
