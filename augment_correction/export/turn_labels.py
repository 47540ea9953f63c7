"""What each turn of a conversation is: a question, a mistake, a doubt's answer. The conversation itself knows only its loss mask,
and a right first answer that is not trained (`system.loss_on: correction_only`) has the same mask as a mistake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Speech = tuple[str, bool]
"""(role, whether it is trained)"""


@dataclass(frozen=True)
class TurnLabels:
    """`pipeline` is the one that `run.json` holds; empty where there is none."""

    pipeline: Mapping[str, Any]

    def of(self, kind: str, turns: Sequence[Speech]) -> list[str]:
        """For each turn "mistake", "correction", or who speaks: as the pipeline's `compose` stage for this kind says, else
        guessed from the mask."""
        for stage in self.pipeline.get("stages", ()):
            if stage["stage"] == "compose" and stage["kind"] == kind and len(stage["turns"]) == len(turns):
                return [turn.get("is") or turn["role"] for turn in stage["turns"]]
        return _guessed(turns)


def _guessed(turns: Sequence[Speech]) -> list[str]:
    """An answer that is not trained is the mistake, the last trained one the correction."""
    answers = [index for index, (role, train) in enumerate(turns) if role == "assistant" and train]
    return [
        "mistake" if role == "assistant" and not train
        else "correction" if answers and index == answers[-1]
        else role
        for index, (role, train) in enumerate(turns)
    ]  # fmt: skip
