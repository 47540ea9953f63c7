"""Many questions to one model, outside of a pipeline: through the same journal, limits and ledger as a run's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from augment_correction.documents import counting
from augment_correction.errors import RequestRefused
from augment_correction.llm.hf_weights import named_by_weights
from augment_correction.llm.metered import Halt, MeteredModel, request_to
from augment_correction.llm.opening import open_models
from augment_correction.llm.session import Session, ask_each, calls_at_once, database_of
from augment_correction.models import ModelsConfig
from augment_correction.records import Completion, Form, Message
from augment_correction.store import Journal, RunFolder

Messages = tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Query:
    messages: Messages
    sampling: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class QueryRun:
    """Who is asked; the journal is in `folder`, and what it holds is not asked again: such a reply is `cached`. A model
    that is served under the name of an earlier one gives that one's replies, so `folder` must not outlive the model."""

    config: ModelsConfig
    role: str
    folder: Path
    schema: Mapping[str, Any] = field(default_factory=dict)
    form: Form = "text"
    notice: Callable[[str], None] = lambda line: None

    def ask(self, questions: Sequence[Query]) -> tuple[list[Completion | None], dict[str, Any]]:
        """A reply for each, None where the model refuses the question; and what was paid into the folder in all. In a
        thread of its own, so that no event loop of the caller is in the way.

        Raises: what opening the model raises; BudgetExhausted, ModelUnusable, TransientError.
        """
        with ThreadPoolExecutor(1) as apart:
            return apart.submit(asyncio.run, self._ask(questions)).result()

    async def _ask(self, questions: Sequence[Query]) -> tuple[list[Completion | None], dict[str, Any]]:
        run = RunFolder(self.folder)
        with run.held(), database_of(run) as database:
            count = counting(notice=self.notice)
            session = Session.on(database, self.config, [self.role], run.logs, count, notice=self.notice)
            replies = self._known(questions, session.journal)
            if not replies:
                async with open_models(self.config, [self.role], session) as models:
                    replies = await self._all(models[self.role], questions, session.halt)
            await database.flush()
            return replies, session.ledger.as_json(self.role)

    def _known(self, questions: Sequence[Query], journal: Journal) -> list[Completion | None]:
        """All replies, where the journal has every one: opening a model takes seconds to minutes."""
        if not journal.totals():
            return []
        model = named_by_weights(self.config, [self.role]).model(self.role)
        asked = (request_to(model, each.messages, each.sampling, self.schema, self.form) for each in questions)
        found = [journal.find(request.key) for request in asked]
        return [] if None in found else list(found)

    async def _all(self, model: MeteredModel, questions: Sequence[Query], halt: Halt) -> list[Completion | None]:
        replies: dict[int, Completion] = {}

        async def numbered() -> AsyncIterator[tuple[int, Query]]:
            for each in enumerate(questions):
                yield each

        async def ask(asked: tuple[int, Query]) -> None:
            number, question = asked
            request = model.request(question.messages, question.sampling, self.schema, self.form)
            with suppress(RequestRefused):
                replies[number] = await model.complete(request, "ask")

        await ask_each(numbered(), ask, halt, calls_at_once([model]) or len(questions))
        if halt.cause is not None:
            raise halt.cause
        return [replies.get(number) for number in range(len(questions))]


def messages(text: str, system: str | None = None) -> Messages:
    opening = (Message("system", system),) if system else ()
    return (*opening, Message("user", text))
