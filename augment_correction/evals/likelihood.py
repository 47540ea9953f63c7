"""What the log-probabilities of reference answers come to: loss, perplexity, and how much of it the passage explains.

A model's perplexity of its *own* answer says how fluent it is, and fluent wrong answers have a low one; so all of this is about
the reference answer, its tokens alone. Whether an answer is right is never read from it (`llm/scoring.py` says why).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import exp, fsum, inf

from augment_correction.llm.scoring import AnswerScore


@dataclass(frozen=True, slots=True)
class Likelihood:
    """Of several answers under one model: `nll` in nats, the mean over all their tokens."""

    answers: int
    tokens: int
    nll: float

    @property
    def perplexity(self) -> float:
        return perplexity(self.nll)


def likelihood(scores: Iterable[AnswerScore]) -> Likelihood | None:
    """None without any.

    >>> likelihood([AnswerScore((5, 9), (-0.5, -1.5)), AnswerScore((7,), (-4.0,))]).nll
    2.0
    """
    return of_means((score.nll, len(score.tokens)) for score in scores)


def of_means(answers: Iterable[tuple[float, int]]) -> Likelihood | None:
    """Of (mean NLL of its tokens, their number) by answer."""
    known = list(answers)
    tokens = sum(count for _, count in known)
    return Likelihood(len(known), tokens, fsum(nll * count for nll, count in known) / tokens) if tokens else None


def perplexity(nll: float) -> float:
    """Infinite where it has no number.

    >>> round(perplexity(1.0), 3)
    2.718
    """
    return exp(nll) if nll < 700 else inf


@dataclass(frozen=True, slots=True)
class Explained:
    """One reference answer after the question alone (`closed`) and after passage and question (`open`), mean NLL in nats.

    A high `closed` alone may be a hard wording; what the passage takes off (`excess`) is what the model did not know. Where
    the answer stays unlikely beside its own passage, the reference is to be doubted.
    """

    closed: float
    open: float | None = None

    @property
    def excess(self) -> float | None:
        """In nats a token; None without a passage.

        >>> Explained(4.0, 1.5).excess
        2.5
        """
        return None if self.open is None else self.closed - self.open

    def contradicted(self, most: float) -> bool:
        """Whether the perplexity beside the passage is above `most`."""
        return self.open is not None and perplexity(self.open) > most
