"""Whether the first conversations of a run are all lost: then the others would be paid for nothing.

A model that cannot follow the prompts answers every call, so that no error stops it. A run of 600 passages with one that
refused in its own words made 1,800 calls to the large model, and kept nothing.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from augment_correction.errors import ModelUnusable
from augment_correction.llm.metered import Halt
from augment_correction.pipeline import Pipeline
from augment_correction.results.classes import class_of
from augment_correction.store import Outcome

LOST = 50
"""Conversations, none of them kept, after which a run stops. Of a pipeline that keeps one of ten, one run in 190 begins so."""


@dataclass
class FirstConversations:
    """Told how each conversation ended until one is kept. A passage that a judge drops has not become one."""

    pipeline: Pipeline
    halt: Halt
    kept: bool = False
    _lost: Counter[str] = field(default_factory=Counter)

    def note_all(self, outcomes: list[Outcome]) -> None:
        for each in outcomes:
            self.note(each.status, each.stage, each.reason)

    def note(self, status: str, stage: str | None, reason: str | None, times: int = 1) -> None:
        self.kept = self.kept or status == "kept"
        if self.kept or stage not in {each.name for each in self.pipeline.model_stages}:
            return
        if class_of(self.pipeline, status, stage, reason) in ("invalid", "refused", "truncated"):
            self._lost[f"{stage}/{reason}"] += times
        if self._lost.total() >= LOST:
            reasons = ", ".join(f"{count} {name}" for name, count in self._lost.most_common(3))
            self.halt.because(
                ModelUnusable(
                    f"none of the first {self._lost.total()} conversations could be used ({reasons})",
                    hint="read some replies in debug_outputs/ and correct the prompt, or take a model that can follow it; "
                    "the same command goes on with the next passages",
                )
            )
