"""Many questions to one model, outside of a pipeline: through the same journal, limits and ledger as a run's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from augment_correction.documents import counting
from augment_correction.errors import RequestRefused
from augment_correction.ledger import Ledger
from augment_correction.llm.metered import Halt, MeteredModel
from augment_correction.llm.opening import Surroundings, open_models
from augment_correction.models import ModelsConfig
from augment_correction.records import Completion, Form, Message
from augment_correction.store import Batches, Database, Journal, RunFolder
from augment_correction.store.batches import SCHEMA as BATCHES_SCHEMA
from augment_correction.store.journal import SCHEMA as JOURNAL_SCHEMA

Messages = tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Question:
    messages: Messages
    sampling: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Asking:
    """Who is asked; the journal is in `folder`, and what it holds is not asked again: such a reply is `cached`. A model
    that is served under the name of an earlier one gives that one's replies, so `folder` must not outlive the model."""

    config: ModelsConfig
    role: str
    folder: Path
    schema: Mapping[str, Any] = field(default_factory=dict)
    form: Form = "text"
    notice: Callable[[str], None] = lambda line: None

    def ask(self, questions: Sequence[Question]) -> tuple[list[Completion | None], dict[str, Any]]:
        """A reply for each, None where the model refuses the question; and what was paid into the folder in all. In a
        thread of its own, so that no event loop of the caller is in the way.

        Raises: what opening the model raises; BudgetExhausted, ModelUnusable, TransientError.
        """
        with ThreadPoolExecutor(1) as apart:
            return apart.submit(asyncio.run, self._ask(questions)).result()

    async def _ask(self, questions: Sequence[Question]) -> tuple[list[Completion | None], dict[str, Any]]:
        run, halt = RunFolder(self.folder), Halt()
        with run.held():
            database = Database(run.journal, JOURNAL_SCHEMA + BATCHES_SCHEMA)
            try:
                journal = Journal(database)
                ledger = Ledger.open(self.config, [self.role], journal.totals())
                around = Surroundings(
                    journal,
                    ledger,
                    halt,
                    run.logs,
                    counting(notice=self.notice),
                    lambda *_: None,
                    self.notice,
                    Batches(database),
                )
                async with open_models(self.config, [self.role], around) as models:
                    replies = await self._all(models[self.role], questions, halt)
                await database.flush()
                return replies, ledger.as_json(self.role)
            finally:
                database.close()

    async def _all(self, model: MeteredModel, questions: Sequence[Question], halt: Halt) -> list[Completion | None]:
        async def one(asked: Question) -> Completion | None:
            try:
                request = model.request(asked.messages, asked.sampling, self.schema, self.form)
                return await model.complete(request, "ask")
            except RequestRefused:
                return None
            except Exception as failure:
                halt.because(failure)  # the others would meet the same
                raise

        came = await asyncio.gather(*map(one, questions), return_exceptions=True)
        if halt.cause is not None:
            raise halt.cause
        return [each for each in came if not isinstance(each, BaseException)]


def messages(text: str, system: str | None = None) -> Messages:
    opening = (Message("system", system),) if system else ()
    return (*opening, Message("user", text))
