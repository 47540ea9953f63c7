"""`mode: batch`: a model whose questions wait for a batch."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from augment_correction.errors import ModelError, TransientError
from augment_correction.llm.batch import BatchQuestion, BatchQueue
from augment_correction.llm.batch_endpoint import BatchEndpoint
from augment_correction.llm.metered import MeteredModel
from augment_correction.models import ModelConfig
from augment_correction.records import Completion, Request


class BatchedModel(MeteredModel):
    """One role's model, asked through a queue that roles with the same model share."""

    def __init__(
        self, role: str, config: ModelConfig, *, queue: BatchQueue, endpoint: BatchEndpoint, **around: Any
    ) -> None:
        super().__init__(role, config, None, **around)
        self._queue = queue
        self._endpoint = endpoint

    async def _reserve(self, request: Request) -> Decimal:
        """All that goes into a batch has its money set aside before: each call by itself, or, where an earlier run
        submitted it, all of it when its batch was found again."""
        if self._queue.holds(request.key):
            return Decimal(0)
        return await super()._reserve(request)

    async def _learn(self, failure: ModelError) -> bool:
        """Nothing: an item of a batch does not say how many calls the server takes at once, nor, where all of a batch
        expires, that it is down. A limiter that learned from it would let one call at a time into the next batch."""
        return False

    def _wait(self, failure: TransientError, tries: int) -> float:
        return 0.0  # the next batch is a pause in itself; a random one would scatter the questions over several

    async def _reply(self, request: Request, stage: str) -> Completion:
        return await self._queue.ask(BatchQuestion(request, self.role, stage, self._endpoint))
