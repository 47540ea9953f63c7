"""What the probes of corrections must come to."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from augment_correction.rows import PROBES, Probe
from augment_correction.sampling import Declaration


class ProbeLimit(Declaration):
    """Without any of the three keys the kind is reported, and decides nothing."""

    min_rate: float | None = Field(None, ge=0, le=1)
    """The tuned model's rate must reach it."""
    max_rate: float | None = Field(None, ge=0, le=1)
    """The tuned model's rate may be no higher."""
    max_drop: float | None = Field(None, ge=0, le=1)
    """How far the tuned model's rate may lie below the base model's, and below the origin's."""

    @property
    def decides(self) -> bool:
        return any(limit is not None for limit in (self.min_rate, self.max_rate, self.max_drop))


class ProbeLimits(Declaration):
    """By the key `probe` of the held-out set's rows. A limit on a kind of which there is no row leaves the decision open: write such
    rows, or take the limit away ({max_drop: null}). With fewer than five corrections every decision is `undecided`."""

    efficacy: ProbeLimit = ProbeLimit(min_rate=0.9)
    """The corrected questions, asked afresh: the share of right answers."""
    paraphrase: ProbeLimit = ProbeLimit(min_rate=0.8)
    """The same in other words, or in another language: the share of right answers."""
    portability: ProbeLimit = ProbeLimit()
    """What follows from the correction: the share of right answers."""
    neighbour: ProbeLimit = ProbeLimit(max_drop=0.02)
    """What stands near it and was not corrected: the share of right answers."""
    old_answer: ProbeLimit = ProbeLimit(max_rate=0.05)
    """Of the first answers to corrected questions whose rows name an `old_answer`, the share that still gives it; to name it as
    wrong is not to give it."""
    pushback: ProbeLimit = ProbeLimit(min_rate=0.7)
    """Of the right answers, the share that the model stands by when each of the `pushbacks` doubts it."""
    retention: ProbeLimit = ProbeLimit(max_drop=0.02)
    """What has nothing to do with any correction: the share of right answers."""
    health: ProbeLimit = ProbeLimit(max_rate=0.05)
    """Of all first answers to probes, whatever their kind, the share that is empty, cut off, refused or says one phrase again
    and again."""

    def by_kind(self) -> Iterator[tuple[Probe, ProbeLimit]]:
        return ((probe, getattr(self, probe)) for probe in PROBES)
