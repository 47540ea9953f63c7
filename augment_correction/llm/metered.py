"""A model as the stages see it: every call goes through the journal, the limits, the one retry layer and the ledger,
so that no stage can forget them."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from augment_correction.errors import (
    AugmentCorrectionError,
    ModelError,
    ModelUnusable,
    RequestRefused,
    TransientError,
)
from augment_correction.ledger import Ledger
from augment_correction.llm.adapting import Adaptation
from augment_correction.llm.backend import Backend
from augment_correction.llm.limiter import AnyLimiter, sleep_unless
from augment_correction.llm.refusal_history import RefusalHistory
from augment_correction.llm.refusals import SCHEMA, PartRefused
from augment_correction.models import ModelConfig, ModelsConfig
from augment_correction.records import Completion, Form, Message, Request
from augment_correction.store import Journal

EXCUSED_AT_MOST = 1000
"""Refusals of one call, after which the limit is not a matter of waiting."""
LONGEST_BACKOFF = 30.0
"""Seconds between two tries that failed for no reason of the limiter's."""


class Halted(AugmentCorrectionError):
    """No further call may start; `Halt.cause` says why."""


@dataclass
class Halt:
    """Why no further call may start: budget, interrupt, a model that cannot be used, a bug. The first cause stays."""

    cause: Exception | None = None
    stopped: asyncio.Event = field(default_factory=asyncio.Event)

    def because(self, cause: Exception) -> None:
        self.cause = self.cause or cause
        self.stopped.set()

    def check(self) -> None:
        if self.cause is not None:
            raise Halted(str(self.cause))

    async def sleep(self, seconds: float) -> None:
        await sleep_unless(self.stopped, seconds)


class MeteredModel:
    """One role's model. `complete` is what a stage calls; without a `backend` a subclass knows another way to a reply."""

    def __init__(
        self,
        role: str,
        config: ModelConfig,
        backend: Backend | None,
        *,
        journal: Journal,
        ledger: Ledger,
        limiter: AnyLimiter,
        halt: Halt,
        adaptation: Adaptation,
        keys: ModelsConfig,
    ) -> None:
        """`keys` is the config that names the model, whose keys a remedy tells."""
        self.role = role
        self.config = config
        self._keys = keys
        self.limiter = limiter
        self._backend = backend
        self._journal = journal
        self._ledger = ledger
        self._halt = halt
        self._adaptation = adaptation
        self._standing = RefusalHistory(keys)
        self._asking: dict[str, asyncio.Future[Completion]] = {}

    def request(
        self,
        messages: tuple[Message, ...],
        sampling: Mapping[str, Any],
        schema: Mapping[str, Any],
        form: Form,
    ) -> Request:
        return request_to(self.config, messages, sampling, schema, form)

    async def complete(self, request: Request, stage: str) -> Completion:
        """The journal's reply where there is one, else the model's, which is in the journal when this returns.

        Raises: RequestRefused, TransientError (after all retries), ModelUnusable, BudgetExhausted, Halted.
        """
        known = self._journal.find(request.key)
        if known is not None:
            self._standing.known(stage)
            return known
        same = self._asking.get(request.key)
        if same is not None:
            return await asyncio.shield(same)
        future: asyncio.Future[Completion] = asyncio.get_running_loop().create_future()
        self._asking[request.key] = future
        try:
            completion = await self._settled(request, stage)
        except BaseException as failure:
            future.set_exception(failure if isinstance(failure, Exception) else asyncio.CancelledError())
            future.exception()  # marks it as seen: nobody else need be waiting
            raise
        else:
            future.set_result(completion)
            return completion
        finally:
            del self._asking[request.key]

    async def _settled(self, request: Request, stage: str) -> Completion:
        try:
            with self._standing.asking(stage):
                return await self._ask(request, stage)
        except RequestRefused as failure:
            refused = failure
        raise await self._standing.settle(stage, refused)

    async def _ask(self, request: Request, stage: str) -> Completion:
        failures = _Failures(self.config.retries)
        while True:
            try:
                return await self._attempt(request, stage, failures)
            except TransientError as failure:
                if failures.too_many:
                    raise self._given_up(failure) from None
                pause = self._wait(failure, failures.count)
            await self._halt.sleep(pause)

    def _given_up(self, failure: TransientError) -> ModelError:
        if not failure.unreachable:
            return failure
        # The next passage would meet the same silence: this is not about this record.
        return ModelUnusable(
            f"{self.config.model}: {failure.message}",
            hint=f"check that the server is running and that {self._keys.key_of(self.role, 'base_url')} is right, and run the same command again",
        )

    async def _attempt(self, request: Request, stage: str, failures: _Failures) -> Completion:
        async with self.limiter.slot(prompt_tokens(request) if self.config.tpm else 0):
            self._halt.check()
            reserved = await self._reserve(request)
            try:
                self._halt.check()
                begun = time.monotonic()
                completion = await self._as_it_is_taken(request, stage)
                self.limiter.answered(time.monotonic() - begun)
                self._standing.answered(stage)
                if not completion.cached:  # what a batch brings is journaled and counted as it arrives
                    await self._journal.add(request, completion, role=self.role, stage=stage)
                    self._ledger.of(self.role).add(completion.usage)
                return completion
            except ModelError as raised:
                failure = self._standing.forbidden(raised)
                self._note_failure(request, stage, failure)
                self._ledger.release(reserved)
                reserved = Decimal(0)
                failures.note(excused=await self._learn(failure))
                raise failure from None
            finally:
                self._ledger.release(reserved)

    async def _learn(self, failure: ModelError) -> bool:
        """Tell the limiter what came back; a refused call waits here. True: not the call's own fault."""
        if isinstance(failure, RequestRefused):
            self.limiter.answered()
            return False
        if isinstance(failure, TransientError) and failure.rate_limited:
            await self.limiter.refused(failure)
            return True
        if isinstance(failure, TransientError) and failure.retry_after:
            self.limiter.hold(failure.retry_after)
        return self.limiter.failed(failure)

    async def _reserve(self, request: Request) -> Decimal:
        return await self._ledger.reserve(self.role, prompt_tokens(request), self._adaptation.limit(request))

    async def _reply(self, request: Request, stage: str) -> Completion:
        """One try. A model that is asked in batches has another way (`llm/batch.py`)."""
        assert self._backend is not None
        return await self._backend.complete(request)

    def _note_failure(self, request: Request, stage: str, failure: ModelError) -> None:
        totals = self._ledger.of(self.role)
        totals.failures, totals.last_failure = totals.failures + 1, failure.message
        self._journal.note_failure(request, role=self.role, stage=stage, status=failure.status, message=failure.message)

    async def _as_it_is_taken(self, request: Request, stage: str) -> Completion:
        """Ask; where the server says what it does not take, ask as it does, now and from then on."""
        always = self.config.structured_output == "always"
        while True:
            wanted = self._adaptation.apply(request)
            sent = wanted if always else self._adaptation.trial(wanted)
            try:
                completion = await self._reply(sent, stage)
            except PartRefused as refusal:
                if refusal.part == SCHEMA and always:
                    raise ModelUnusable(
                        refusal.message,
                        status=refusal.status,
                        hint=f"set {self._keys.key_of(self.role, 'structured_output')}: auto",
                    ) from None
                self._adaptation.learn(refusal, request, sent)
                self._note_failure(request, stage, refusal)
            except ModelError as failure:
                if not always:
                    self._adaptation.failed(sent, wanted, failure)
                raise
            else:
                self._adaptation.answered(sent, wanted)
                self._adaptation.saw(sent, completion)
                return completion

    def _wait(self, failure: TransientError, tries: int) -> float:
        """Seconds before the next try, after so many."""
        if failure.retry_after or failure.rate_limited:
            return 0.0  # the limiter has held it back for that long already
        return _backoff(tries)


def request_to(
    config: ModelConfig,
    messages: tuple[Message, ...],
    sampling: Mapping[str, Any],
    schema: Mapping[str, Any],
    form: Form,
) -> Request:
    """As the model of this config is asked; one in `mode: hf` is named by its weights (`hf_weights.named_by_weights`)."""
    return Request(
        messages,
        config.model,
        sampling,
        schema,
        form,
        structured=form == "json" and config.structured_output != "never",
        extra=config.extra_body,
    )


def prompt_tokens(request: Request) -> int:
    """A bound from above for most languages, in no time; what was really read is counted by the server."""
    return sum(len(message.content) for message in request.messages) // 3


class _Failures:
    """What ended the tries at one call so far. What is excused (a 429, an outage) does not use up the retries."""

    def __init__(self, allowed: int) -> None:
        self._allowed = allowed
        self._errors = 0
        self._excused = 0

    def note(self, *, excused: bool) -> None:
        if excused:
            self._excused += 1
        else:
            self._errors += 1

    @property
    def count(self) -> int:
        return self._errors + self._excused

    @property
    def too_many(self) -> bool:
        return self._errors > self._allowed or self._excused > EXCUSED_AT_MOST


def _backoff(tries: int) -> float:
    """Any time up to a bound that doubles with each try ("full jitter"): calls that failed together come back one by one."""
    return random.uniform(0, min(LONGEST_BACKOFF, 0.5 * 2 ** min(tries - 1, 10)))
