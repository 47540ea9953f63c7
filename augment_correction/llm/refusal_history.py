"""Whether a refusal is one passage's or everybody's: what the first calls of a stage say, and what a model that has
answered before may refuse without being unusable."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from augment_correction.errors import ModelError, ModelUnusable, RequestRefused
from augment_correction.llm.refusals import Moderated
from augment_correction.models import ModelsConfig

FIRST_REFUSED = 5
"""Calls of a stage, none of which was answered, that are refused in the same words before the run stops."""
FORBIDDEN_IN_A_ROW = 20
"""Answers of 403, one after the other, that mean the key after all."""


@dataclass
class _Stage:
    proven: bool = False
    words: str = ""
    alike: int = 0
    asking: int = 0
    stop: ModelUnusable | None = None
    moved: asyncio.Event = field(default_factory=asyncio.Event)


class RefusalHistory:
    """Of one role's model. `keys` is the config that names it, whose keys a remedy tells."""

    def __init__(self, keys: ModelsConfig) -> None:
        self._keys = keys
        self._stages: dict[str, _Stage] = {}
        self._answered = False
        self._forbidden = 0

    def _of(self, stage: str) -> _Stage:
        return self._stages.setdefault(stage, _Stage())

    @contextmanager
    def asking(self, stage: str) -> Iterator[None]:
        own = self._of(stage)
        own.asking += 1
        try:
            yield
        finally:
            own.asking -= 1
            if not own.asking:
                own.moved.set()

    def known(self, stage: str) -> None:
        """A question of this stage has been answered, now or in an earlier run."""
        own = self._of(stage)
        if not own.proven:
            own.proven = True
            own.moved.set()

    def answered(self, stage: str) -> None:
        self.known(stage)
        self._answered, self._forbidden = True, 0

    def forbidden(self, failure: ModelError) -> ModelError:
        """A 403 means the key, until the model has answered; from then on it means this passage, as gateways with a
        moderation of their own say it. Many in a row mean the key again."""
        if failure.status != 403 or not isinstance(failure, ModelUnusable) or not self._answered:
            return failure
        self._forbidden += 1
        if self._forbidden >= FORBIDDEN_IN_A_ROW:
            return failure
        return RequestRefused(failure.message, status=403)

    async def settle(self, stage: str, failure: RequestRefused) -> ModelError:
        """The error that a refused call ends with. While the stage has had no answer, it waits for what becomes of the
        other calls of the stage, so that nothing is rejected for what is wrong with all of them."""
        own = self._of(stage)
        if own.proven or isinstance(failure, Moderated):
            return failure
        words = _shape(failure.message)
        if words != own.words:
            own.words, own.alike = words, 0
        own.alike += 1
        if own.alike >= FIRST_REFUSED and own.stop is None:
            own.stop = ModelUnusable(
                f"the first {own.alike} calls of the stage '{stage}' were all refused: {failure.message}",
                status=failure.status,
                hint=_remedy(self._keys, stage, failure.message),
            )
            own.moved.set()
        while own.asking and not own.proven and own.stop is None:
            own.moved.clear()
            await own.moved.wait()
        if own.stop is not None:
            return own.stop
        failure.unproven = not own.proven
        return failure


def _shape(message: str) -> str:
    """What is the same in two refusals for one reason: no numbers, nothing quoted."""
    return re.sub(r"\d+", "#", re.sub(r"'[^']*'|\"[^\"]*\"|`[^`]*`", "", message.lower()))[:200]


def _remedy(keys: ModelsConfig, stage: str, message: str) -> str:
    if re.search(r"context|too long|too many tokens|maximum.{0,20}tokens", message.lower()):
        return f"{keys.shorter(stage)}, or use a model with a longer context"
    return (
        f"correct what the server names ({keys.sampling_of(stage)}, extra_body or the model in the config) and run the same command "
        "again: finished calls are not repeated"
    )
