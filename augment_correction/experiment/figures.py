"""What was measured, in the form in which it is written down and drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import exp
from statistics import fmean
from typing import Any

from augment_correction.evals.diversity import diversity
from augment_correction.evals.likelihood import of_means
from augment_correction.experiment.config import RANDOM, TARGETED, ExperimentConfig
from augment_correction.experiment.deciding import BASE, MeasuredArms, as_json, difference
from augment_correction.experiment.sealing import Sets
from augment_correction.experiment.weak import Observed
from augment_correction.rows import Item

DESCRIBED = 400
"""Resamples of what is described and not decided by."""


def figures(seen: Observed, items: Sequence[Item]) -> dict[str, Any]:
    """Of the items that were observed; `perplexity` over all tokens of their reference answers."""
    held = [seen[item.id] for item in items if item.id in seen]
    graded = [each.right for each in held if each.right is not None]
    known = of_means((each.nll, each.tokens) for each in held if each.nll is not None)
    diverse = diversity(each.answer for each in held)
    return {
        "items": len(held),
        "graded": len(graded),
        "right": sum(graded),
        "accuracy": round(sum(graded) / len(graded), 6) if graded else None,
        "nll": round(known.nll, 6) if known else None,
        "perplexity": round(known.perplexity, 6) if known else None,
        "diversity": diverse.as_json() if diverse else None,
    }


def mean_figures(held: Sequence[Observed], items: Sequence[Item]) -> dict[str, Any]:
    """Of several seeds: each, and their means; the perplexity is that of the mean loss."""
    each = [figures(seen, items) for seen in held]
    made: dict[str, Any] = {"seeds": each}
    for name in ("accuracy", "nll"):
        known = [found[name] for found in each if found[name] is not None]
        made[name] = round(fmean(known), 6) if known else None
    made["perplexity"] = round(exp(min(made["nll"], 700)), 6) if made["nll"] is not None else None
    return made


def rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def figures_of(measured: MeasuredArms, items: Sequence[Item]) -> dict[str, Any]:
    return {
        BASE: figures(measured.base, items),
        **{name: mean_figures(held, items) for name, held in measured.arms.items()},
    }


def by_area(
    config: ExperimentConfig, sets: Sets, measured: MeasuredArms, area: Mapping[str, str], weak: Sequence[str]
) -> list[dict[str, Any]]:
    """Each difference in each area, for the forest plot: described and not decided by."""
    made = []
    for name in dict.fromkeys(area[item.id] for item in sets.dev):
        held = [item for item in sets.dev if area[item.id] == name]
        pairs = [(arm, BASE) for arm in measured.arms] + ([(TARGETED, RANDOM)] if RANDOM in measured.arms else [])
        made.append(
            {
                "area": name,
                "weak": name in weak,
                "items": len(held),
                "differences": {
                    f"{one} - {other}": as_json(
                        difference(measured, held, config.decision.figure, one, other, 0.025, config.seed, DESCRIBED)
                    )
                    for one, other in pairs
                },
            }
        )
    return made


def item_lines(sets: Sets, measured: MeasuredArms, area: Mapping[str, str]) -> list[dict[str, Any]]:
    """Loss and verdict of every dev item before and after, the arms averaged over seeds."""
    made = []
    for item in sets.dev:
        before = measured.base.get(item.id)
        if before is None:
            continue
        after: dict[str, Any] = {}
        for name, held in measured.arms.items():
            seen = [each[item.id] for each in held if item.id in each]
            losses = [each.nll for each in seen if each.nll is not None]
            graded = [each.right for each in seen if each.right is not None]
            after[name] = {
                "nll": rounded(fmean(losses)) if losses else None,
                "right": round(fmean(graded), 4) if graded else None,
                "answer": seen[0].answer if seen else "",
            }
        made.append(
            {
                "id": item.id, "question": item.question, "reference": item.reference, "area": area[item.id],
                "base": {"nll": rounded(before.nll), "right": before.right, "answer": before.answer}, "after": after,
            }
        )  # fmt: skip
    return made


def efficiency(
    measured: MeasuredArms, items: Sequence[Item], config: ExperimentConfig, level: float
) -> dict[str, Any] | None:
    """How many times the gain of the control the targeted arm has, with a wide interval (the low end of one by the high
    end of the other) where the control's gain is surely positive; else none, for a quotient by nearly nothing says nothing."""
    if RANDOM not in measured.arms:
        return None
    gains = [
        difference(measured, items, config.decision.figure, arm, BASE, level, config.seed) for arm in (TARGETED, RANDOM)
    ]
    targeted, control = gains
    if targeted is None or control is None:
        return None
    sure = control.low is not None and control.low > 0
    ratio = targeted.value / control.value if control.value > 0 else None
    made: dict[str, Any] = {
        "targeted": rounded(targeted.value),
        "random": rounded(control.value),
        "ratio": rounded(ratio),
    }
    if sure and targeted.low is not None and targeted.high is not None and control.high is not None and control.low:
        made |= {"low": rounded(targeted.low / control.high), "high": rounded(targeted.high / control.low)}
    else:
        made |= {"low": None, "high": None}
    return made
