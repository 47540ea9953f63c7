"""Models that answer: opened when they are first asked, shared where they are the same, and the longest unused one closed.

Base weights are in memory once for all organisations; what is an organisation's own is the adapter of its active version."""

from __future__ import annotations

import asyncio
import itertools
import sys
import tempfile
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from augment_correction.config_files import with_environment_keys
from augment_correction.corrections.config import TARGET, ChatConfig
from augment_correction.documents import counting
from augment_correction.llm.embedded import embedded_server
from augment_correction.llm.local_hf import LocalModels
from augment_correction.llm.metered import MeteredModel
from augment_correction.llm.opening import open_models
from augment_correction.llm.session import Session, database_of
from augment_correction.store import RunFolder
from augment_correction.workspace.adapters import VllmAdapters
from augment_correction.workspace.configs import base_model, chat_config
from augment_correction.workspace.settings import Settings

MOST_OPEN = 16
SLOTS = 4


@dataclass
class Opened:
    model: MeteredModel
    detector: MeteredModel
    config: ChatConfig
    stack: AsyncExitStack
    users: int = 0


class Serving:
    """Belongs to one event loop. Replies are kept in the table of messages; the journal, which asks nothing twice, lives as long as
    the process, in a folder that goes with it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._opened: OrderedDict[tuple[str, str], Opened] = OrderedDict()
        self._opening = asyncio.Lock()
        self._shared = AsyncExitStack()
        self._local = LocalModels()
        self._adapters = VllmAdapters(settings.vllm_url) if settings.backend == "vllm" else None
        self._address = ""
        self._folder: Path | None = None
        self._numbers = itertools.count(1)

    @asynccontextmanager
    async def using(self, organisation: str, adapter: str | None) -> AsyncIterator[Opened]:
        """The model of an organisation, with the adapter of a version or as it is; inside, nobody closes it.

        Raises: ConfigError, ModelUnusable, InputError or MissingExtra with the reason: nothing else ever answers in its place."""
        adapter = str(self._settings.placed(organisation, adapter)) if adapter else None
        key = (organisation, adapter or "")
        async with self._opening:
            if key not in self._opened:
                self._opened[key] = await self._open(organisation, adapter)
            opened = self._opened[key]
            self._opened.move_to_end(key)
            opened.users += 1
        try:
            if self._adapters is not None and adapter:
                await self._adapters.ensure(adapter, _key(opened.config))
            yield opened
        finally:
            opened.users -= 1
            await self._close_unused()

    async def _close_unused(self) -> None:
        """The longest unused ones, where more are open than should be."""
        async with self._opening:
            for key in [key for key, each in self._opened.items() if not each.users]:
                if len(self._opened) <= MOST_OPEN:
                    return
                await self._opened.pop(key).stack.aclose()

    async def _open(self, organisation: str, adapter: str | None) -> Opened:
        target = base_model(self._settings, adapter=adapter, address=await self._embedded())
        config = with_environment_keys(chat_config(self._settings, organisation, target))
        async with AsyncExitStack() as stack:
            folder = RunFolder(self._temporary() / f"{organisation}-{next(self._numbers)}")
            folder.root.mkdir(mode=0o700, exist_ok=True)
            database = stack.enter_context(database_of(folder))
            roles = tuple(dict.fromkeys((TARGET, config.detector)))
            session = Session.on(database, config, roles, folder.logs, counting(notice=_log), notice=_log)
            if self._adapters is not None and adapter:
                stack.push_async_callback(self._adapters.unload, adapter, _key(config))
            models = await stack.enter_async_context(open_models(config, roles, session, self._local))
            return Opened(models[TARGET], models[config.detector], config, stack.pop_all())

    async def _embedded(self) -> str:
        """The address of the one llama.cpp server; "" for the other backends."""
        if self._settings.backend == "embedded" and not self._address:
            log = self._settings.storage / "embedded.log"
            self._address = await self._shared.enter_async_context(
                embedded_server(self._settings.model, log=log, slots=SLOTS)
            )
        return self._address

    def _temporary(self) -> Path:
        if self._folder is None:
            self._folder = Path(self._shared.enter_context(tempfile.TemporaryDirectory(prefix="workspace-")))
        return self._folder

    async def close(self) -> None:
        for each in self._opened.values():
            await each.stack.aclose()
        self._opened.clear()
        await self._shared.aclose()


def _key(config: ChatConfig) -> str:
    found = config.model(TARGET).api_key
    return found.get_secret_value() if found else ""


def _log(line: str) -> None:
    sys.stderr.write(f"{line}\n")
