"""How a training goes, read from its log alone, so that a resumed one judges exactly as one that was never stopped.

It stops, looked at after each evaluation, for the first of these reasons:
- diverged: a loss is no number.
- forgetting: the loss on the retention rows rose more than `retention_limit` (0.1: ten per cent) over its value before
  the first step, and `on_forgetting` is `stop`.
- no progress: `patience` evaluations in a row were not better than the best one before them by `min_delta`.
- converged: over the last 5 evaluations the standard deviation of the loss is under 0.5 % of its mean, the perplexity
  (the exponential of the loss) lies within 1 %, and the median gradient norm logged between them is not above the
  median of all before them.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median, pstdev
from typing import Any

from augment_correction.training.config import TrainConfig

WINDOW = 5
LOSS_SPREAD = 0.005
PERPLEXITY_SPREAD = 0.01
LOSS, RETENTION = "eval_held_out_loss", "eval_retention_loss"
"""Names of the trainer's log, after the names of its evaluation sets."""


@dataclass(frozen=True)
class TrainingCurve:
    """`log` is the trainer's: entries with `step` and what was logged there. Step 0 is what the training began with."""

    log: Sequence[Mapping[str, Any]]
    config: TrainConfig

    def series(self, name: str) -> dict[int, float]:
        return {int(entry["step"]): float(entry[name]) for entry in self.log if name in entry}

    @property
    def losses(self) -> dict[int, float]:
        return self.series(LOSS)

    @property
    def rise(self) -> dict[int, float]:
        """By what share the retention loss is above its first value, by step."""
        found = self.series(RETENTION)
        first = next(iter(found.values()), 0.0)
        return {step: loss / first - 1 if first else 0.0 for step, loss in found.items()}

    def forgets(self, step: int) -> bool:
        return self.rise.get(step, 0.0) > self.config.retention_limit

    def best(self, saved: Collection[int]) -> int | None:
        """Of the saved steps that have not forgotten the one with the lowest loss; the last where nothing is held out."""
        fit = [step for step in saved if not self.forgets(step)]
        if not self.losses:
            return max(fit, default=None)
        evaluated = [step for step in fit if math.isfinite(self.losses.get(step, math.nan))]
        return min(evaluated, key=lambda step: (self.losses[step], step), default=None)

    def why_stop(self) -> str | None:
        """A sentence, or None to go on."""
        named = [(name, self.series(name)) for name in ("loss", LOSS, RETENTION)]
        for name, series in named:
            bad = next((step for step, loss in series.items() if not math.isfinite(loss)), None)
            if bad is not None:
                return f"diverged: {name} is not a number at step {bad}; use a lower learning_rate"
        last = max(self.rise, default=0)
        if self.config.on_forgetting == "stop" and self.forgets(last):
            limit = self.config.retention_limit
            return f"forgetting: the retention loss rose by {self.rise[last]:.1%} at step {last}, and {limit:.1%} is the limit"
        return self._no_progress() or self._converged()

    def _no_progress(self) -> str | None:
        best, since = math.inf, 0
        for loss in (loss for step, loss in self.losses.items() if step):
            progress = loss < best - self.config.min_delta
            best, since = (loss, 0) if progress else (best, since + 1)
        if since < self.config.patience:
            return None
        return f"no progress: {since} evaluations in a row were not {self.config.min_delta:g} below {best:.4f}"

    def _converged(self) -> str | None:
        steps = [step for step in self.losses if step][-WINDOW:]
        losses = [self.losses[step] for step in steps]
        norms = self.series("grad_norm")
        before = [norm for step, norm in norms.items() if steps and step <= steps[0]]
        since = [norm for step, norm in norms.items() if steps and step > steps[0]]
        if len(losses) < WINDOW or not before or not since:
            return None
        flat = pstdev(losses) < LOSS_SPREAD * fmean(losses)
        level = math.exp(max(losses) - min(losses)) - 1 < PERPLEXITY_SPREAD
        calm = median(since) <= median(before)
        if not (flat and level and calm):
            return None
        return f"converged: the evaluation loss stayed within {max(losses) - min(losses):.4f} over {WINDOW} evaluations"
