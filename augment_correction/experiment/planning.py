"""An experiment before it is begun: its sets, the effect that they can show, calls and time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from augment_correction.evals.pooling import detectable
from augment_correction.experiment.arms import SPARE
from augment_correction.experiment.config import ITEMS_ONLY, RANDOM, ExperimentConfig
from augment_correction.experiment.sealing import Sets, read_sets
from augment_correction.text.excerpts import counted

SPREADS = {"accuracy": (0.45, 0.02), "nll": (0.5, 0.03)}
"""By figure (the standard deviation of an item's difference between two arms, that of an arm's mean between seeds), where nothing
is measured yet: 20 % of the questions change sides; half a nat."""
WEAK_SHARE = 0.5
"""Of the dev items that the weak areas hold, where nothing is measured yet."""


@dataclass(frozen=True)
class ExperimentPlan:
    config: ExperimentConfig
    sets: Sets

    @property
    def trainings(self) -> int:
        return len(self.config.arms) * len(self.config.seeds) * self.config.iterations

    @property
    def examples(self) -> int:
        arms = sum(SPARE if arm == RANDOM else arm != ITEMS_ONLY for arm in self.config.arms)
        chosen = self.config.error_driven
        most = min(chosen.max_samples, len(self.sets.pool))
        return ceil(arms * most) * chosen.variations_per_error * self.config.iterations

    @property
    def answers(self) -> int:
        """Of the student and what becomes of it."""
        sets, config = self.sets, self.config
        looked = len(sets.probe) + len(sets.pool)
        judged = len(sets.dev) + len(sets.sentinel)
        models = len(config.arms) * len(config.seeds)
        return config.iterations * (looked + models * judged) + judged + (models + 1) * len(sets.final)

    def effect(self, share: float) -> float:
        """The smallest difference that is found in four of five experiments, where `share` of dev is in weak areas."""
        items = round(share * len(self.sets.dev))
        groups = max(1, round(share * len({item.group for item in self.sets.dev})))
        level = self.config.decision.alpha / self.config.iterations
        spread, between = SPREADS[self.config.decision.figure]
        return detectable(items, groups, len(self.config.seeds), level, spread, between) + self.config.decision.margin

    def lines(self) -> Iterator[str]:
        """In words, for a person."""
        config = self.config
        for name, items in self.sets.named().items():
            yield f"{name:<9} {len(items):>5} questions of {len({item.group for item in items})} groups"
        yield f"hypothesis: {config.hypothesis}"
        yield (
            f"decided by {config.decision.figure} on dev items of the weak areas, targeted above random and above base by more than "
            f"{config.decision.margin:g}, alpha {config.decision.alpha:g} over {counted(config.iterations, 'round')}"
        )
        for share in (1.0, WEAK_SHARE, 0.25):
            yield f"  where {100 * share:.0f} % of dev is in weak areas, a difference of {self._shown(self.effect(share))} is found in 80 % of such experiments"
        yield (
            f"{counted(self.trainings, 'training')} ({', '.join(config.arms)}; seeds {', '.join(map(str, config.seeds))}; "
            f"{counted(config.iterations, 'round')}), {self.answers:,} answers of the student, at most {self.examples:,} examples to generate"
            + (" and to verify" if config.checked_by else "")
        )
        if len(config.seeds) < 2:
            yield "  with one seed the hypothesis stays UNDECIDED: use more seeds (seeds: 3)"
        yield from self._cost()

    def _shown(self, effect: float) -> str:
        if effect == float("inf"):
            return "no size"
        return (
            f"{100 * effect:.1f} points" if self.config.decision.figure == "accuracy" else f"{effect:.2f} nats a token"
        )

    def _cost(self) -> Iterator[str]:
        from augment_correction.ledger import LOCAL_MODES, price_of

        for role, model in self.config.by_role.items():
            if model.mode in LOCAL_MODES:
                yield f"{role}: {model.model} runs on this machine and costs nothing"
                continue
            price = price_of(self.config, role)
            tokens = TOKENS[role]
            calls = {
                "student": self.answers,
                "generator": self.examples,
                "verifier": self.examples,
                "judge": self.answers,
            }[role]
            if price is None:
                yield f"{role}: {model.model}, at most {calls:,} calls; no price is known (cost.per_million.{role})"
            else:
                usd = calls * (tokens[0] * float(price.input) + tokens[1] * float(price.output)) / 1e6
                yield f"{role}: {model.model}, at most {calls:,} calls, about {usd:.2f} USD ({tokens[0]} tokens in and {tokens[1]} out a call)"


TOKENS = {"student": (80, 120), "generator": (700, 90), "verifier": (900, 60), "judge": (500, 40)}
"""Usual tokens of a call (in, out)."""


def plan_experiment(config: ExperimentConfig) -> ExperimentPlan:
    """Asks nobody. Raises: UserError where the experiment could not start."""
    return ExperimentPlan(config, read_sets(config))
