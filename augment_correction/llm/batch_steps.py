"""The way of one batch: file, batch, answers. Each step is written down before the next begins, and each may have been
begun by a try or a run that did not live to hear of it; so before anything is made a second time, it is looked for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_delay, wait_random_exponential

from augment_correction.errors import ModelError, ModelUnusable, TransientError
from augment_correction.llm.batch_endpoint import BatchEndpoint, BatchStatus
from augment_correction.store.batches import Batches, StoredBatch

FIRST_POLL, LAST_POLL = 2.0, 60.0
"""Seconds between two looks at a batch: a twentieth of its age, within these."""
SUBMIT_PATIENCE = 60.0
"""Seconds of silence or server errors after which a batch that is not submitted stops the run."""
WAIT_PATIENCE = 3600.0
"""The same for a batch that is being answered: it does not need us."""
KEPT_FOR = 30 * 86400.0
"""Seconds that OpenAI keeps a batch's answers."""

MadeT = TypeVar("MadeT")


def clean(folder: Path) -> None:
    """Remove the files that a killed run left: the database knows everything that counts."""
    for path in folder.glob("*.jsonl"):
        path.unlink(missing_ok=True)


class BatchSteps:
    def __init__(self, endpoint: BatchEndpoint, batches: Batches, folder: Path, notice: Callable[[str], None]) -> None:
        self._endpoint = endpoint
        self._batches = batches
        self._folder = folder
        self._notice = notice

    def file(self, name: str) -> Path:
        """What is to be uploaded; it is needed until the server has it."""
        return self._folder / f"{name}.jsonl"

    async def survey(self, batch: StoredBatch) -> StoredBatch:
        """How far the run came that began it, as the server knows it."""
        if batch.file_id is None:
            file_id = await self._persist(lambda: self._endpoint.find_file(batch.name, batch.made), SUBMIT_PATIENCE)
            if file_id is None:
                return batch
            await self._batches.note_file(batch.name, file_id)
            batch = replace(batch, file_id=file_id)
        if batch.batch_id is None:
            found = await self._persist(lambda: self._endpoint.find_batch(batch.name, batch.made), SUBMIT_PATIENCE)
            if found is not None:
                await self._batches.note_batch(batch.name, found.id)
                batch = replace(batch, batch_id=found.id)
        return batch

    async def submit(self, batch: StoredBatch) -> StoredBatch:
        if batch.file_id is None:
            path = self.file(batch.name)
            file_id = await self._once(
                lambda: self._endpoint.upload(path, batch.name),
                lambda: self._endpoint.find_file(batch.name, batch.made),
            )
            await self._batches.note_file(batch.name, file_id)
            path.unlink(missing_ok=True)
            batch = replace(batch, file_id=file_id)
        given = batch.file_id
        assert given is not None
        made = await self._once(
            lambda: self._endpoint.create(given, batch.name),
            lambda: self._endpoint.find_batch(batch.name, batch.made),
        )
        await self._batches.note_batch(batch.name, made.id)
        return replace(batch, batch_id=made.id)

    async def wait(self, batch: StoredBatch, show: Callable[[BatchStatus], None]) -> BatchStatus:
        """Until the server has done with it."""
        id_ = batch.batch_id
        assert id_ is not None
        while True:
            try:
                status = await self._persist(lambda: self._endpoint.read_batch(id_), WAIT_PATIENCE)
            except ModelError as failure:
                if failure.status != 404:
                    raise
                return self._lost(batch, failure)
            show(status)
            if status.ended:
                return status
            await asyncio.sleep(min(LAST_POLL, max(FIRST_POLL, (time.time() - batch.made) / 20)))

    def _lost(self, batch: StoredBatch, failure: ModelError) -> BatchStatus:
        if time.time() - batch.made > KEPT_FOR:
            return BatchStatus(batch.batch_id or "", "expired", 0, 0, 0, None, None, ())
        raise ModelUnusable(
            f"{batch.batch_id}, which an earlier run made, was not found: {failure.message}",
            status=404,
            hint="use the API key, project and base_url with which it was made, because its answers are paid for",
        )

    async def answers(self, batch: StoredBatch, status: BatchStatus) -> AsyncIterator[Path]:
        """The files of a batch that has ended, one after the other, each gone when the next is asked for."""
        for kind, file_id in (("output", status.output_file_id), ("error", status.error_file_id)):
            if file_id is None:
                continue
            path = self._folder / f"{batch.name}-{kind}.jsonl"
            path.parent.mkdir(parents=True, exist_ok=True)
            await self._persist(partial(self._endpoint.download, file_id, path), WAIT_PATIENCE)
            yield path
            path.unlink(missing_ok=True)

    # ---------------------------------------------------------------------------------------- trying again

    async def _once(self, make: Callable[[], Awaitable[MadeT]], find: Callable[[], Awaitable[MadeT | None]]) -> MadeT:
        tried = False

        async def step() -> MadeT:
            nonlocal tried
            found = await find() if tried else None
            tried = True
            return found if found is not None else await make()

        return await self._persist(step, SUBMIT_PATIENCE)

    async def _persist(self, step: Callable[[], Awaitable[MadeT]], patience: float) -> MadeT:
        """Raises: ModelUnusable, when patience has run out or the server refuses."""
        trying = AsyncRetrying(
            retry=retry_if_exception_type(TransientError),
            stop=stop_after_delay(patience),
            wait=_pause,
            before_sleep=self._say,
            reraise=True,
        )
        try:
            async for attempt in trying:
                with attempt:
                    return await step()
        except ModelUnusable:
            raise
        except ModelError as failure:
            raise ModelUnusable(
                failure.message,
                status=failure.status,
                hint="run the same command again: submitted batches are found again, and finished calls are not repeated",
            ) from None
        raise AssertionError("tenacity leaves its loop by returning or raising")

    def _say(self, state: RetryCallState) -> None:
        """Once per silence, when it is no hiccup any more."""
        if state.attempt_number == 5 and state.outcome is not None:
            self._notice(f"{state.outcome.exception()}; trying again, nothing is lost")


_backoff = wait_random_exponential(multiplier=0.5, max=60)


def _pause(state: RetryCallState) -> float:
    failure = state.outcome.exception() if state.outcome else None
    if isinstance(failure, TransientError) and failure.retry_after:
        return min(failure.retry_after, 300.0)
    return float(_backoff(state))
