"""All questions to all models, many at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from augment_correction.errors import TransientError
from augment_correction.evals.config import EvalConfig
from augment_correction.evals.interview import Interview, Transcript
from augment_correction.evals.questions import QuestionSet
from augment_correction.llm.metered import Halt, MeteredModel
from augment_correction.llm.session import ask_each, calls_at_once
from augment_correction.rows import Item
from augment_correction.runner.state import RunState

ONE_AT_A_TIME = ("embedded", "vllm")
"""Modes whose server is started for the evaluation: two of them would share this machine's memory."""


@dataclass
class Answers:
    """By (set, item) and model: a transcript per repeat. `failed` says of which items a server did not answer, and why."""

    told: dict[tuple[str, str], dict[str, tuple[Transcript, ...]]] = field(default_factory=dict)
    failed: dict[tuple[str, str], str] = field(default_factory=dict)


def phases(config: EvalConfig) -> list[list[str]]:
    """Models that are asked side by side, phase by phase."""
    alone = [name for name, model in config.models.items() if model.mode in ONE_AT_A_TIME]
    together = [name for name in config.models if name not in alone]
    return [phase for phase in (together, *([name] for name in alone)) if phase]


class Interviews:
    def __init__(self, config: EvalConfig, sets: Iterable[QuestionSet], state: RunState, halt: Halt) -> None:
        self.answers = Answers()
        self._config = config
        self._sets = sets
        self._state = state
        self._halt = halt
        self._done: Counter[tuple[str, str]] = Counter()

    async def ask(self, interviews: Mapping[str, Interview], models: Sequence[MeteredModel]) -> None:
        """Returns when all is answered, or when it is to stop and nothing is in flight.

        Raises: whatever halted it, unless it is one of STOPS.
        """
        calls = calls_at_once(models)

        async def todo() -> AsyncIterator[tuple[str, QuestionSet, Item]]:
            for each in self._sets:
                for item in each.items:
                    for role in interviews:
                        yield role, each, item

        async def ask(asked: tuple[str, QuestionSet, Item]) -> None:
            role, questions, item = asked
            await self._ask_item(role, interviews[role], questions, item)

        await ask_each(todo(), ask, self._halt, calls + calls // 8)

    async def _ask_item(self, role: str, interview: Interview, questions: QuestionSet, item: Item) -> None:
        key, counts = (questions.name, item.id), self._state.stages[role]
        counts.in_flight += 1
        try:
            told = [await interview.ask(item, questions.pushbacks, repeat) for repeat in range(self._config.repeats)]
        except TransientError as failure:
            counts.failed += 1
            self.answers.failed[key] = f"{role}: {failure.message}"
        else:
            self.answers.told.setdefault(key, {})[role] = tuple(told)
            if told[0].first.verdict.right:
                counts.kept += 1
            else:
                counts.rejected += 1
        finally:
            counts.in_flight -= 1
        self._done[key] += 1
        if self._done[key] == len(self._config.models):
            self._state.note_finished()
