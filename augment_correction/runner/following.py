"""One passage through all stages. Both engines follow passages by this code: the one on asyncio on this machine, and
the actors of a Ray cluster."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

from augment_correction.declarations import KIND
from augment_correction.documents.folder_settings import Folders, FolderSettings
from augment_correction.errors import AugmentCorrectionError, Reject, RequestRefused, TransientError
from augment_correction.llm.metered import MeteredModel
from augment_correction.plan import Plan
from augment_correction.records import Conversation, Record, Rejected, Step
from augment_correction.runner.dealing import Dealer
from augment_correction.runner.state import RunState
from augment_correction.stages import BoundStage, Tools
from augment_correction.stages.base import with_fields
from augment_correction.store import Outcome


@dataclass(frozen=True)
class Follower:
    stages: Sequence[BoundStage]
    models: Mapping[str, MeteredModel]
    state: RunState
    seed: int
    draws: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Words with their weights by the field that one of them is drawn for."""
    takes: Mapping[str, str] = field(default_factory=dict)
    """Keys of the document's metadata by the field that they are taken into."""
    folders: Folders = field(default_factory=Folders)
    """What is otherwise in folders of the input."""

    @classmethod
    def of(cls, plan: Plan, models: Mapping[str, MeteredModel], state: RunState) -> Self:
        return cls(plan.stages, models, state, plan.seed, plan.pipeline.draws, plan.pipeline.takes, plan.folders)

    @cached_property
    def _dealers(self) -> dict[str, Dealer]:
        """By the weights of the kinds, which a folder may have of its own."""
        return {"": Dealer(self.seed, self.draws)}

    def _dealer(self, settings: FolderSettings | None) -> Dealer:
        if settings is None or settings.kinds is None:
            return self._dealers[""]
        weights = {word: settings.kinds.get(word, 0.0) for word in self.draws[KIND]}
        return self._dealers.setdefault(str(weights), Dealer(self.seed, {**self.draws, KIND: weights}))

    async def follow(self, record: Record) -> list[Outcome]:
        """All that becomes of a passage's record.

        Raises: Halted where the run is to stop, and whatever else should stop it.
        """
        missing = sorted(key for key in self.takes.values() if key not in record.fields["metadata"])
        if missing:
            detail = f"the document has no {', '.join(missing)} beside its text"
            self.state.reasons["read/missing_field"] += 1
            return [_outcome(record.id, 0, Rejected(record, "read", "missing_field", detail), {})]
        taken = {name: record.fields["metadata"][key] for name, key in self.takes.items()}
        settings = self.folders.of(str(record.fields["source"]))
        if settings and settings.language:
            taken["language"] = settings.language
        drawn = self._dealer(settings).words(*(record.place or (record.id, 0)))
        ends = await self._follow(with_fields(record, taken | drawn), 0)
        told = {name: word for name, word in drawn.items() if sum(map(bool, self.draws[name].values())) > 1}
        return [_outcome(record.id, part, end, told) for part, end in enumerate(ends)]

    async def _follow(self, record: Record, index: int) -> list[Record | Rejected]:
        """All that becomes of a record from stage `index` on; a stage may make several records of one."""
        if index == len(self.stages):
            return [record]
        stage = self.stages[index]
        if not stage.takes(record):
            return await self._follow(record, index + 1)
        counts = self.state.stages[stage.name]
        tools = Tools(self.models, lambda: random.Random(f"{self.seed}:{stage.name}:{record.id}"))
        counts.in_flight += 1
        try:
            made = await stage.call(record, tools)
        except (Reject, RequestRefused, TransientError) as problem:
            return [self._rejected(record, stage, tools, problem)]
        finally:
            counts.in_flight -= 1
        counts.kept += 1
        steps = (*record.steps, *(tools.trace or [Step(stage.name)]))
        ends: list[Record | Rejected] = []
        for each in made:
            ends += await self._follow(Record(each.id, each.fields, steps, each.again, each.place), index + 1)
        return ends

    def _rejected(self, record: Record, stage: BoundStage, tools: Tools, problem: AugmentCorrectionError) -> Rejected:
        if isinstance(problem, Reject):
            reason, detail, failed = problem.reason, problem.explained, False
        elif isinstance(problem, RequestRefused):
            reason, detail, failed = "request_refused", problem.message, problem.unproven
        else:
            reason, detail, failed = "server_error", problem.message, True
        status = "failed" if failed else "rejected"
        counts = self.state.stages[stage.name]
        setattr(counts, status, getattr(counts, status) + 1)
        self.state.reasons[f"{stage.name}/{reason}"] += 1
        steps = [*tools.trace]
        if not steps or steps[-1].reason != reason:
            steps.append(Step(stage.name, reason=reason, detail=detail))
        return Rejected(replace(record, steps=(*record.steps, *steps)), stage.name, reason, detail, failed)


def _outcome(chunk_id: str, part: int, end: Record | Rejected, drawn: Mapping[str, str]) -> Outcome:
    """`drawn` are the words that might have been others."""
    body: dict[str, Any] = {"drawn": drawn} if drawn else {}
    if isinstance(end, Rejected):
        body |= {"detail": end.detail, "steps": [_step(step) for step in end.record.steps]}
        body |= {KIND: kind} if (kind := end.record.fields.get(KIND)) else {}
        return Outcome(chunk_id, part, "failed" if end.failed else "rejected", end.stage, end.reason, body)
    conversation = end.fields["conversation"]
    assert isinstance(conversation, Conversation)
    body |= {"conversation": conversation, KIND: conversation.kind, "steps": [_step(step) for step in end.steps]}
    return Outcome(chunk_id, part, "kept", None, None, body)


def _step(step: Step) -> dict[str, Any]:
    names = ("stage", "model", "prompt", "call", "parsed", "reason", "detail")
    return {name: value for name in names if (value := getattr(step, name))}
