"""The passages of the documents that a config names, to check a correction by."""

from __future__ import annotations

from collections.abc import Callable

from augment_correction.corrections.config import ChatConfig
from augment_correction.documents import ChunkSettings, stream_chunks
from augment_correction.pipeline_settings import input_dir_of
from augment_correction.records import Chunk
from augment_correction.remote.storage import is_address
from augment_correction.runner.transfers import fetched

SETTINGS = ChunkSettings(size=2000, unit="characters", overlap=0)
"""What a judge reads at once: two thousand characters hold the sentence that decides, and what it refers to."""


async def passages_of(config: ChatConfig, notice: Callable[[str], None]) -> list[tuple[str, Chunk]]:
    """Each with where it stands; none where the config names no documents.

    Raises: UserError where the folder cannot be read, or the address it is at cannot be reached.
    """
    if not config.path.input_dir:
        return []
    if not is_address(config.path.input_dir):
        return await _read(config, notice)
    async with fetched(config.path.input_dir) as there:
        notice(str(there))
        for name, why in there.refused:
            notice(f"{name} cannot be read: {why}")
        return await _read(config, notice)


async def _read(config: ChatConfig, notice: Callable[[str], None]) -> list[tuple[str, Chunk]]:
    found: list[tuple[str, Chunk]] = []
    sources: dict[str, str] = {}
    async for batch in stream_chunks(input_dir_of(config), SETTINGS, encoding=config.system.encoding):
        sources |= {document.id: document.source for document in batch.documents}
        found += [(_place(sources[chunk.document_id], chunk), chunk) for chunk in batch.chunks]
        for each in batch.unread:
            notice(f"{each.source} cannot be read: {each.detail}")
    return found


def _place(source: str, chunk: Chunk) -> str:
    return f"{source}, page {chunk.page}" if chunk.page else source
