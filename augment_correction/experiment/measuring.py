"""Asking, grading and scoring items under several models: one session, one journal, nothing asked twice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from augment_correction.config_files import require_keys, with_environment_keys
from augment_correction.documents import counting
from augment_correction.errors import AugmentCorrectionError, InputError
from augment_correction.evals.config import JUDGE, EvalConfig
from augment_correction.evals.grading import Grader
from augment_correction.evals.interview import Interview, Transcript
from augment_correction.evals.interviewing import Interviews, phases
from augment_correction.evals.questions import QuestionSet
from augment_correction.experiment.config import STUDENT, ExperimentConfig
from augment_correction.experiment.weak import Observation, Observed
from augment_correction.llm.hf_weights import named_by_weights
from augment_correction.llm.metered import MeteredModel
from augment_correction.llm.opening import open_models
from augment_correction.llm.scoring import AnswerScore, Scorer, answered
from augment_correction.llm.session import Session, database_of, interruptible
from augment_correction.models import ModelConfig
from augment_correction.prompts import PromptLibrary
from augment_correction.records import Message
from augment_correction.rows import Item
from augment_correction.rows.items import in_context
from augment_correction.runner.state import RunState, StageCounts
from augment_correction.stages.checks import CheckInput
from augment_correction.stages.checks.refusal import no_refusal
from augment_correction.store import RunFolder

SET = "items"
DIGITS = 4
"""Of a loss. A model's later digits depend on what is scored in one batch with it, which is another after a kill."""
REFUSAL = "refusal"
"""The `kind` of a sentinel that is answered well by refusing."""


@dataclass
class Spent:
    """Tokens and dollars by role, as each ledger told them last."""

    tokens: dict[str, dict[str, Any]] = field(default_factory=dict)

    def cost(self, without: Iterable[str] = ()) -> Decimal:
        """Where a price is unknown it is taken for none: a cap is refused there anyway."""
        skipped = set(without)
        costs = (each["total_cost"] for role, each in self.tokens.items() if role not in skipped)
        return sum((Decimal(str(cost)) for cost in costs if cost is not None), start=Decimal(0))


@dataclass(frozen=True)
class Measurements:
    """Everything that is asked of the student and of the judge, in the experiment's own journal."""

    config: ExperimentConfig
    folder: Path
    notice: Callable[[str], None]

    @property
    def scores(self) -> bool:
        """Whether log-probabilities are asked for: where they decide something, of any model; else where they are sure to be told."""
        decide = self.config.weak_by != "wrong" or self.config.decision.figure == "nll"
        return decide or self.config.student.mode in ("hf", "vllm")

    def measure(
        self,
        models: Mapping[str, ModelConfig],
        items: Sequence[Item],
        passages: bool,
        left: Decimal | None,
        spent: Spent,
    ) -> dict[str, Observed]:
        """By model and item. `left` is what may still be spent beside what these roles have cost so far; None without a cap.

        Raises: InputError where an item could not be asked; BudgetExhausted, Interrupted, ModelUnusable.
        """
        return asyncio.run(self._measure(models, items, passages, left, spent))

    async def _measure(
        self,
        models: Mapping[str, ModelConfig],
        items: Sequence[Item],
        passages: bool,
        left: Decimal | None,
        spent: Spent,
    ) -> dict[str, Observed]:
        config = self._resolved(models, left)
        state = RunState({name: StageCounts(name) for name in config.models}, "questions", ("right", "wrong"))
        state.total = len(items)
        made: dict[str, dict[str, Observation]] = {name: {} for name in config.models}
        run = RunFolder(self.folder)
        with database_of(run) as database:
            count = counting(notice=self.notice)
            session = Session.on(database, config, config.by_role, run.logs, count, notice=self.notice)
            interviews = Interviews(config, [QuestionSet(SET, list(items), {})], state, session.halt)
            async with interruptible(session.halt, lambda: False, self.notice):
                for names in phases(config):
                    made |= await self._phase(names, config, session, interviews, items, passages)
                    if session.halt.cause is not None:
                        break
            await database.flush()
            spent.tokens |= {role: session.ledger.as_json(role) for role in config.by_role}
        if isinstance(session.halt.cause, AugmentCorrectionError):
            raise session.halt.cause
        if failed := next(iter(interviews.answers.failed.items()), None):
            raise InputError(
                f"{len(interviews.answers.failed)} questions have no answer, for a server failed: {failed[1]}",
                hint="run the same command again: finished calls are not repeated",
            )
        return dict(made)

    def _resolved(self, models: Mapping[str, ModelConfig], left: Decimal | None) -> EvalConfig:
        """Raises: ConfigError where a key is missing."""
        config = with_environment_keys(self.config.measuring(models))
        config = config.model_copy(update={"cost": config.cost.model_copy(update={"max_usd": left})})
        require_keys(config, config.by_role)
        return named_by_weights(config, config.by_role)

    async def _phase(
        self,
        names: Sequence[str],
        config: EvalConfig,
        session: Session,
        interviews: Interviews,
        items: Sequence[Item],
        passages: bool,
    ) -> dict[str, dict[str, Observation]]:
        """Of the models that are opened together; none where the session was halted meanwhile."""
        judging = PromptLibrary(config.project, (config.path.prompts,)).load(config.grading.prompt)
        judged = [JUDGE] if config.judge else []
        async with open_models(config, [*names, *judged], session) as opened:
            grader = Grader(config.grading, judging, opened.get(JUDGE), config.seed)
            asked = {name: Interview(opened[name], grader, config) for name in names}
            scored = {name: await self._score(opened[name], config, items, passages) for name in names}
            await interviews.ask(asked, list(opened.values()))
        if session.halt.cause is not None:
            return {}
        told = interviews.answers.told
        return {
            name: _observed(items, {item.id: told.get((SET, item.id), {}).get(name) for item in items}, scored[name])
            for name in names
        }

    async def _score(
        self, model: MeteredModel, config: EvalConfig, items: Sequence[Item], passages: bool
    ) -> dict[str, tuple[AnswerScore | None, AnswerScore | None]]:
        """(after the question alone, after its passage and it)."""
        if not self.scores:
            return {}
        scorer = Scorer.of(model, config.project)
        closed = await scorer.score(answered(self._asked(config, item.asked), item.reference) for item in items)
        held = [item for item in items if passages and item.passage]
        beside = await scorer.score(
            answered(self._asked(config, in_context(item.asked, item.passage)), item.reference) for item in held
        )
        opened = {item.id: each for item, each in zip(held, beside, strict=True)}
        made = {}
        for item, each in zip(items, closed, strict=True):
            both = (each, opened.get(item.id))
            first, second = (found if isinstance(found, AnswerScore) else None for found in both)
            made[item.id] = (first, second)
        return made

    @staticmethod
    def _asked(config: EvalConfig, question: str) -> list[Message]:
        system = [Message("system", config.system_prompt)] if config.system_prompt else []
        return [*system, Message("user", question)]


def _observed(
    items: Sequence[Item],
    told: Mapping[str, tuple[Transcript, ...] | None],
    scored: Mapping[str, tuple[AnswerScore | None, AnswerScore | None]],
) -> dict[str, Observation]:
    made = {}
    for item in items:
        transcripts = told.get(item.id)
        if not transcripts:
            continue
        reply, verdict = transcripts[0].first.reply, transcripts[0].first.verdict
        right = _refuses(reply.text) if item.kind == REFUSAL else verdict.right
        closed, beside = scored.get(item.id, (None, None))
        made[item.id] = Observation(
            reply.text,
            right,
            reply.problem,
            round(closed.nll, DIGITS) if closed else None,
            len(closed.tokens) if closed else 0,
            round(beside.nll, DIGITS) if beside else None,
        )
    return made


def _refuses(answer: str) -> bool:
    return no_refusal(CheckInput((("answer", answer),))).score < 1


def student_with(config: ExperimentConfig, adapter: Path | None) -> ModelConfig:
    """The student, or it with an adapter of its own."""
    if adapter is None:
        return config.by_role[STUDENT]
    return config.student.model_copy(update={"adapter": str(adapter), "mode": "hf"})
