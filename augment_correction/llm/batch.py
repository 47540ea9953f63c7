"""A model that is asked through the Batch API: half the price, answers within a day.

A call waits until its batch is answered. Batches make themselves: when nothing new has been asked for a short while,
every passage under way is waiting, and what has been asked goes off as one batch; its answers set the passages going
again, and what they ask next (the next stage, a second try) is the next batch. So the stages become waves, as many as
there are questions in a row, and no stage knows of it.

What a batch answers is journaled and counted as it comes home, whether somebody waits for it (any more) or not: it is
paid for. Whoever waits then reads the journal's reply.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

from augment_correction.errors import ModelError, ModelUnusable
from augment_correction.ledger import Ledger
from augment_correction.llm.batch_endpoint import BatchEndpoint, BatchStatus, Unanswered, items_in, write_fitting_lines
from augment_correction.llm.batch_steps import BatchSteps
from augment_correction.llm.metered import Halt, Halted, prompt_tokens
from augment_correction.records import Completion, Request
from augment_correction.store import Journal
from augment_correction.store.batches import Batches, BatchItem, StoredBatch

LINGER = 5.0
"""Seconds without a new question after which those that wait go off as a batch."""
LOOKS = 5
"""Into which that time is divided."""
MOST_REQUESTS, MOST_BYTES = 50_000, 200_000_000
"""OpenAI's limits for one batch."""
CONCURRENCY = 10_000
"""Calls that wait at once where the config does not say: at 3,000 tokens a passage about the 200 MB of one batch."""
PAUSE = 60.0
"""Seconds before the next try after the account's limit of waiting tokens was met."""
SLICE = 500
"""Answers that go into one transaction and are in memory at once."""


@dataclass(frozen=True, slots=True)
class BatchQuestion:
    request: Request
    role: str
    stage: str
    endpoint: BatchEndpoint

    @property
    def item(self) -> BatchItem:
        return BatchItem(self.request.key, self.role, self.stage, self.request)


@dataclass(frozen=True, slots=True)
class BatchSession:
    """What the queues of a run share. `board` holds the line of each batch under way, `report` shows them."""

    batches: Batches
    journal: Journal
    ledger: Ledger
    halt: Halt
    folder: Path
    board: dict[str, str]
    report: Callable[[str, int, int], None]
    notice: Callable[[str], None]


class BatchQueue:
    """The questions to one model, from being asked to their answers."""

    def __init__(self, endpoint: BatchEndpoint, around: BatchSession) -> None:
        self._endpoint = endpoint
        self._around = around
        self._batches = around.batches
        self._steps = BatchSteps(endpoint, around.batches, around.folder, around.notice)
        self._waiting: dict[str, tuple[BatchQuestion, asyncio.Future[Completion]]] = {}
        self._queue: list[BatchQuestion] = []
        self._submitted: set[str] = set()
        self._anything_asked = False
        self._quiet = 0
        self._most = MOST_REQUESTS
        self._one_at_a_time = False
        self._under_way = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._coming_home: set[asyncio.Task[Any]] = set()
        self._storing = asyncio.Lock()

    def open(self) -> None:
        """Take up the batches of earlier runs, and begin."""
        for batch in self._batches.open(self._endpoint.base_url, self._endpoint.model):
            self._submitted.update(self._batches.keys(batch.name))
            self._under_way += 1
            self._start(self._carry(batch, found=True))
        self._start(self._feed())
        self._start(self._let_go())

    def holds(self, key: str) -> bool:
        """Whether this question is in a batch already."""
        return key in self._submitted

    async def ask(self, asked: BatchQuestion) -> Completion:
        """Raises: RequestRefused, TransientError, ModelUnusable as the batch's item says; Halted."""
        self._around.halt.check()
        key = asked.request.key
        # Its batch may have come home while this call waited for its turn; and runs of before 0.1.0 journaled a question
        # that was asked without what its server refuses under the key of these words.
        known = self._around.journal.find(key) or self._around.journal.find(asked.request.spelled_key)
        if known is not None:
            return known
        if key not in self._waiting:
            self._waiting[key] = (asked, asyncio.get_running_loop().create_future())
            if key not in self._submitted:
                self._queue.append(asked)
            if self._around.board:
                self._around.report("", 0, 0)  # other things move again
            self._anything_asked, self._quiet = True, 0
        return await asyncio.shield(self._waiting[key][1])

    async def close(self) -> None:
        if self._around.halt.cause is None:  # who waited has been answered; the rest of the file is paid for too
            await asyncio.gather(*self._coming_home, return_exceptions=True)
        async with self._storing:
            for task in self._tasks:
                task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for _, future in self._waiting.values():
            future.cancel()
        self._say_what_goes_on()

    def _say_what_goes_on(self) -> None:
        for batch in self._batches.open(self._endpoint.base_url, self._endpoint.model):
            if batch.batch_id is None:
                continue
            if self._around.halt.cause is not None:
                then = "continues at the server; the same command fetches its answers later, and nothing is paid twice"
            else:
                then = "answers questions that this run no longer asks; cancel it at the server if you do not want them"
            self._around.notice(f"{batch.batch_id} ({batch.requests:,} requests) {then}")

    # ---------------------------------------------------------------------------------------------- its tasks

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        async def guarded() -> None:
            try:
                await work
            except Exception as failure:
                self._around.halt.because(failure)

        task = asyncio.create_task(guarded())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _let_go(self) -> None:
        """A run that stops does not wait a day for its batches."""
        await self._around.halt.stopped.wait()
        for _, future in self._waiting.values():
            future.set_exception(Halted(str(self._around.halt.cause)))
            future.exception()
        self._waiting.clear()

    @property
    def _idle(self) -> bool:
        """By looks in a row that found nothing new, and not by the clock: on a busy machine the clock goes on while
        those who would ask are kept from it, and their questions would be scattered over several batches."""
        return self._anything_asked and self._quiet >= LOOKS

    @property
    def _ripe(self) -> bool:
        if not self._queue or (self._one_at_a_time and self._under_way):
            return False
        return self._idle or len(self._queue) >= self._most

    async def _feed(self) -> None:
        while not self._around.halt.stopped.is_set():
            if not self._ripe:
                await asyncio.sleep(LINGER / LOOKS)
                self._quiet += 1
                continue
            asked, self._queue = self._queue[: self._most], self._queue[self._most :]
            name = f"ac-{uuid.uuid4().hex[:20]}"
            lines = (each.endpoint.line(each.request) for each in asked)
            fitted = await asyncio.to_thread(write_fitting_lines, self._steps.file(name), lines, MOST_BYTES)
            self._queue[:0] = asked[fitted:]
            asked = asked[:fitted]
            batch = StoredBatch(name, self._endpoint.base_url, self._endpoint.model, time.time(), len(asked))
            await self._batches.add(batch, [each.item for each in asked])
            self._submitted.update(each.request.key for each in asked)
            self._under_way += 1
            self._start(self._carry(batch, found=False))

    async def _carry(self, batch: StoredBatch, *, found: bool) -> None:
        """One batch, from wherever it is to its end."""
        aside = self._set_aside(batch) if found else Decimal(0)
        try:
            if found:
                batch = await self._steps.survey(batch)
                if batch.batch_id is None and not await self._wanted(batch):
                    return
            if batch.batch_id is None:
                batch = await self._steps.submit(batch)
            said = "of an earlier run was found again" if found else "is submitted"
            self._around.notice(f"{batch.batch_id} ({batch.requests:,} requests to {batch.model}) {said}")
            status = await self._steps.wait(batch, lambda status: self._show(batch, status))
            await self._come_home(batch, status)
        finally:
            self._under_way -= 1
            self._around.ledger.release(aside)
            self._around.board.pop(batch.name, None)
            if not self._around.board:
                self._around.report("", 0, 0)

    async def _come_home(self, batch: StoredBatch, status: BatchStatus) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._coming_home.add(task)
        task.add_done_callback(self._coming_home.discard)
        async for path in self._steps.answers(batch, status):
            await self._take_home(batch, path)
        await self._end(batch, status)

    def _set_aside(self, batch: StoredBatch) -> Decimal:
        total = Decimal(0)
        for key in self._batches.keys(batch.name) if self._around.ledger.max_usd is not None else ():
            item = self._batches.item(batch.name, key)
            assert item is not None
            limit = item.request.sampling.get("max_tokens")
            total += self._around.ledger.set_aside(item.role, prompt_tokens(item.request), limit)
        return total

    async def _wanted(self, batch: StoredBatch) -> bool:
        """An earlier run was killed before its batch was made, so nothing of it is paid. If its file is at the server
        and this run asks all that stands in it, it is used; else it is dropped, and what is asked goes elsewhere."""
        keys = self._batches.keys(batch.name)
        if batch.file_id is not None:
            while not self._idle:  # noqa: ASYNC110  time passes by itself: nobody could set an event
                await asyncio.sleep(LINGER / LOOKS)
            if all(key in self._waiting for key in keys):
                return True
            with suppress(ModelError):
                await self._endpoint.forget_file(batch.file_id)
        await self._batches.end(batch.name, "dropped")
        self._ask_again(keys)
        return False

    # ------------------------------------------------------------------------------------------- its answers

    async def _take_home(self, batch: StoredBatch, path: Path) -> None:
        items = items_in(path)
        while some := list(islice(items, SLICE)):
            replies: dict[str, tuple[BatchItem, Completion | ModelError]] = {}
            for each in some:
                item = self._batches.item(batch.name, each["custom_id"])
                if item is not None:
                    replies[item.key] = (item, self._endpoint.read_line(each, item.request))
            if not replies:
                continue  # all of them stand in the journal, from a run that was killed among them
            answers = [(item, reply) for item, reply in replies.values() if isinstance(reply, Completion)]
            failures = [(item.key, reply) for item, reply in replies.values() if not isinstance(reply, Completion)]
            async with self._storing:
                await self._batches.settle(answers, [key for key, _ in failures])
                for item, answer in answers:
                    self._around.ledger.of(item.role).add(answer.usage)
            for item, answer in answers:
                future = self._forget(item.key)
                if future is not None:
                    future.set_result(replace(answer, cached=True))
            self._fail(failures)

    async def _end(self, batch: StoredBatch, status: BatchStatus) -> None:
        left = self._batches.keys(batch.name)
        await self._batches.end(batch.name, status.status)
        if status.too_many_tokens and batch.requests > 1:
            self._most, self._one_at_a_time = batch.requests // 2, True
            words = f"{status.errors[0][1]}: from now on {self._most:,} requests at a time, one batch after another"
            self._around.notice(f"{status.id}: {words}")
            await asyncio.sleep(PAUSE)
            self._ask_again(left)
            return
        if status.status == "failed":
            words = "; ".join(said for _, said in status.errors[:3]) or "the server gives no reason"
            raise ModelUnusable(
                f"{batch.model}: {status.id} failed as a whole: {words}",
                hint="correct what the server names and run the same command again; no request of this batch was answered",
            )
        self._fail([(key, Unanswered(f"{batch.model}: {status.id} {status.status} without an answer")) for key in left])
        took = (time.time() - batch.made) / 60
        counts = f"{status.done:,} of {status.total:,} answered, {status.failed:,} failed"
        self._around.notice(f"{status.id} {status.status} after {took:.0f} min: {counts}")

    def _forget(self, key: str) -> asyncio.Future[Completion] | None:
        self._submitted.discard(key)
        waiter = self._waiting.pop(key, None)
        return waiter[1] if waiter else None

    def _fail(self, failures: Iterable[tuple[str, ModelError]]) -> None:
        for key, failure in failures:
            future = self._forget(key)
            if future is not None:
                future.set_exception(failure)

    def _ask_again(self, keys: Iterable[str]) -> None:
        for key in keys:
            self._submitted.discard(key)
            if key in self._waiting:
                self._queue.append(self._waiting[key][0])

    def _show(self, batch: StoredBatch, status: BatchStatus) -> None:
        counts = f"{status.done:,} of {status.total or batch.requests:,} done, {status.failed:,} failed"
        self._around.board[batch.name] = f"{status.id} {status.status}, {counts}"
        if self._idle:
            self._around.report("; ".join(self._around.board.values()), int(time.time() - batch.made), 0)
