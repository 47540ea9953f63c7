"""Which items a model is weak at, and which references are to be doubted instead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log

from augment_correction.evals.likelihood import Explained, perplexity
from augment_correction.experiment.config import ExperimentConfig
from augment_correction.failures import Failure, Verdict
from augment_correction.grading import error_codes
from augment_correction.rows import Item


@dataclass(frozen=True, slots=True)
class Observation:
    """One item under one model. `right` is None where nobody could tell; `nll` of the reference answer (nats a token, over
    `tokens`) where the model tells log-probabilities, and `open_nll` of it beside its passage."""

    answer: str
    right: bool | None
    problem: str | None = None
    nll: float | None = None
    tokens: int = 0
    open_nll: float | None = None

    @property
    def explained(self) -> Explained | None:
        return None if self.nll is None else Explained(self.nll, self.open_nll)

    @property
    def excess(self) -> float | None:
        return self.explained.excess if self.explained else None


Observed = Mapping[str, Observation]
"""By the item's id."""


@dataclass(frozen=True, slots=True)
class Looked:
    """One item as it is judged: `score` orders weak ones, the weakest first; `bad_reference` ones are never trained."""

    item: Item
    seen: Observation
    weak: bool
    bad_reference: bool
    score: float

    def failure(self, model: str) -> Failure:
        right = self.seen.right
        verdict: Verdict = "undecided" if right is None else "right" if right else "wrong"
        if not self.seen.answer:
            verdict = "unanswered"
        return Failure(
            question=self.item.question,
            reference=self.item.reference,
            answer=self.seen.answer,
            verdict=verdict,
            codes=tuple(error_codes(self.seen.answer, self.item.reference)) if right is False else (),
            model=model,
            item=self.item.id,
            category=self.item.category,
            finish_reason="length" if self.seen.problem == "truncated" else "stop",
        )


def look(items: Iterable[Item], seen: Observed, config: ExperimentConfig) -> list[Looked]:
    """In the items' order; one that was not observed is left out."""
    return [_looked(item, seen[item.id], config) for item in items if item.id in seen]


def _looked(item: Item, seen: Observation, config: ExperimentConfig) -> Looked:
    chosen = config.error_driven
    bad = seen.explained is not None and seen.explained.contradicted(chosen.bad_reference_perplexity)
    if config.weak_by == "wrong":
        weak = seen.right is False
    elif config.weak_by == "excess":
        weak = seen.excess is not None and seen.excess > chosen.excess_threshold
    else:
        weak = seen.nll is not None and perplexity(seen.nll) > chosen.perplexity_threshold
    return Looked(item, seen, weak and not bad, bad, _score(seen, config))


def _score(seen: Observation, config: ExperimentConfig) -> float:
    """In nats where they are known. Where wrong answers count, how wrong is told by excess, then by the loss."""
    by_loss = seen.nll if seen.nll is not None else 0.0
    if config.weak_by == "perplexity":
        return by_loss
    return seen.excess if seen.excess is not None else by_loss


def weights(looked: Sequence[Looked], *, even: bool) -> list[float]:
    """How much of the training data each source gets: the same, or log(perplexity + 1). They add up to their number."""
    if even or any(each.seen.nll is None for each in looked):
        return [1.0] * len(looked)
    raw = [log(min(perplexity(each.seen.nll or 0.0), 1e9) + 1) for each in looked]
    return [each * len(raw) / sum(raw) for each in raw]
