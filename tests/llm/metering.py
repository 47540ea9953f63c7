"""A metered model over a backend that answers as it is told, with all that it works with in reach."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from augment_correction.config import RunConfig
from augment_correction.errors import TransientError
from augment_correction.ledger import Ledger
from augment_correction.llm.adapting import Adaptation
from augment_correction.llm.limiter import Limiter
from augment_correction.llm.metered import Halt, MeteredModel
from augment_correction.llm.refusals import PartRefused, refused_part
from augment_correction.models import ModelConfig
from augment_correction.records import Completion, Message, Request
from augment_correction.store import Database, Journal
from augment_correction.usage import Price, Usage

NAMED = RunConfig.model_construct()
"""Whose keys a remedy tells."""
FINE = Completion("fine", None, "stop", Usage(10, 5))


class Backend:
    """Answers with what it is given, one after the other; the last one for all that follow."""

    def __init__(self, *answers: Completion | Exception) -> None:
        self.answers = list(answers) or [FINE]
        self.asked: list[Request] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def complete(self, request: Request) -> Completion:
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        await self.gate.wait()
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def close(self) -> None:
        pass


class Taking(Backend):
    """Refuses in the words that `taken` has for a request, and answers where it has none."""

    def __init__(self, taken: Callable[[Request], str | None]) -> None:
        super().__init__()
        self.taken = taken

    async def complete(self, request: Request) -> Completion:
        made = await super().complete(request)
        words = self.taken(request)
        if words is None:
            return made
        part = refused_part(request, words)
        assert part is not None, f"nobody understands {words!r}"
        raise PartRefused(words, part[0], status=400, instead=part[1])


class Breaking(Backend):
    """Errors to every request with a schema."""

    def __init__(self, status: int = 500, schemas: bool = False, plain: bool = True) -> None:
        super().__init__()
        self.status, self.schemas, self.plain = status, schemas, plain

    async def complete(self, request: Request) -> Completion:
        await super().complete(request)
        if self.schemas if request.structured else self.plain:
            return FINE
        raise TransientError("500", status=self.status)


class Bench:
    """A metered model over a backend, with all that it works with in reach."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.journal = Journal(database)
        self.halt = Halt()
        self.notices: list[str] = []
        self.ledger = Ledger({"small": "tiny"}, {"small": Price(Decimal(1), Decimal(2))})

    def model(self, backend: Backend, *, capacity: int = 4, **config: Any) -> MeteredModel:
        model = ModelConfig(model="tiny", **config)
        self.limiter_notices: list[str] = []
        self.limiter = Limiter(capacity, self.halt.stopped, notice=self.limiter_notices.append)
        return MeteredModel(
            "small", model, backend, journal=self.journal, ledger=self.ledger,
            limiter=self.limiter, halt=self.halt, keys=NAMED,
            adaptation=Adaptation(model.model, self.notices.append, room=model.reasoning_tokens),
        )  # fmt: skip


def question(text: str = "Which town?", **more: Any) -> Request:
    return Request((Message("user", text),), "tiny", {"max_tokens": 100}, **more)
