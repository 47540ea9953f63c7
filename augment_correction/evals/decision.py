"""Accept a tuned model or not: each limit against its figure, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from augment_correction.evals.config import GateLimits
from augment_correction.evals.looks import WORN_OUT, spent_at
from augment_correction.evals.results import ALL
from augment_correction.evals.significance import FEW_GROUPS

Figure = Mapping[str, float | None]
"""`value`, `low` and `high`, as `results.py` writes them."""
Outcome = Literal["accept", "reject", "undecided"]
TINY = 1e-9
TOO_FEW = f"measured on fewer than {FEW_GROUPS} documents, which is too few to be sure"


@dataclass(frozen=True, slots=True)
class Reason:
    """`holds` is None where the figures do not tell yet."""

    holds: bool | None
    text: str


@dataclass(frozen=True, slots=True)
class Decision:
    outcome: Outcome
    reasons: tuple[Reason, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "outcome": self.outcome,
            "reasons": [{"holds": reason.holds, "text": reason.text} for reason in self.reasons],
        }


def decide(
    limits: GateLimits, gate: Mapping[str, Any], retention: Mapping[str, Mapping[str, Any]], tuned: str, look: int = 1
) -> Decision:
    """`gate` and the `retention` sets by name are what `results.measure` made; `look` counts the decisions that these
    questions have made. A limit is broken where the figure and its
    whole interval are beyond it: one such limit rejects. Without one, a single thing that is not sure leaves it
    undecided."""
    reasons = tuple(_reasons(limits, gate, retention, tuned, look))
    if any(reason.holds is False for reason in reasons):
        return Decision("reject", reasons)
    return Decision("undecided" if any(reason.holds is None for reason in reasons) else "accept", reasons)


def _reasons(
    limits: GateLimits, gate: Mapping[str, Any], retention: Mapping[str, Mapping[str, Any]], tuned: str, look: int
) -> Iterator[Reason]:
    if not gate["measured"]:
        yield Reason(None, "no question could be graded in every model")
        return
    yield from _complete(limits, gate)
    yield from _gain(limits, gate, tuned, look)
    yield from _rates(limits, gate, tuned)
    for wanted in limits.retention:
        yield from _kept(retention[wanted.name], wanted.name, wanted.max_drop, tuned)


def _complete(limits: GateLimits, gate: Mapping[str, Any]) -> Iterator[Reason]:
    if gate["failed"]:
        yield Reason(
            None, f"{gate['failed']} of {gate['questions']} questions have no answer, for a server failed: run it again"
        )
    asked, ungraded = gate["conversations"]["asked"], gate["conversations"]["ungraded"]
    if limits.max_ungraded is not None and ungraded > limits.max_ungraded * asked:
        yield Reason(
            None,
            f"{ungraded} of {asked} conversations could not be graded (at most {percent(limits.max_ungraded)}): name a judge",
        )


def _gain(limits: GateLimits, gate: Mapping[str, Any], tuned: str, look: int) -> Iterator[Reason]:
    against = gate["against_base"][tuned][ALL]
    if limits.max_drop_t1 is not None:
        yield from _fallen(gate, tuned, "accuracy_t1", limits.max_drop_t1, "right first answers")
    found = against["difference"]["accuracy_t2"]
    if limits.min_gain_t2 is not None:
        text = f"right second answers {points(found)}; wanted {limit(limits.min_gain_t2)} or more"
        yield Reason(_reaches(found, limits.min_gain_t2), text)
    if limits.alpha is not None:
        yield _sure(spent_at(look, limits.alpha), gate, against, look)


def _sure(level: float, gate: Mapping[str, Any], against: Mapping[str, Any], look: int) -> Reason:
    gained, lost = against["mcnemar_t2"]["gained"], against["mcnemar_t2"]["lost"]
    p, loss = against["by_chance_t2"]["gain"], against["by_chance_t2"]["loss"]
    documents = f" in {gate['groups']} documents" if gate["groups"] < gate["measured"] else ""
    says = f"{gained} questions gained and {lost} lost at the second answer{documents}: p = {p:.2g} by chance"
    wanted = f"wanted below {level:.2g} at look {look} at these questions"
    worn = f", which have decided often enough: after {WORN_OUT} looks make new ones" if look > WORN_OUT else ""
    return Reason(True if p < level else False if loss < level else None, f"{says}; {wanted}{worn}")


def _rates(limits: GateLimits, gate: Mapping[str, Any], tuned: str) -> Iterator[Reason]:
    figures = gate["models"][tuned]["figures"][ALL]
    caved, stood = figures["right_to_wrong"], figures["stand_by"]
    if limits.max_right_to_wrong is not None:
        text = (
            f"gives up a right answer on {share(caved)} of the questions; at most {percent(limits.max_right_to_wrong)}"
        )
        yield Reason(_stays_below(caved, limits.max_right_to_wrong), text)
    if limits.min_stand_by is not None:
        text = f"stands by {share(stood)} of its right answers; wanted {percent(limits.min_stand_by)} or more"
        yield Reason(_reaches(stood, limits.min_stand_by), text)
    if limits.max_drop_stand_by is not None:
        yield from _fallen(gate, tuned, "stand_by", limits.max_drop_stand_by, "stands by its right answers")


def _kept(measured: Mapping[str, Any], name: str, max_drop: float, tuned: str) -> Iterator[Reason]:
    if measured["measured"]:
        yield from _fallen(measured, tuned, "accuracy_t1", max_drop, f"retention, {name}: right answers")
    else:
        yield Reason(None, f"retention, {name}: no question could be graded")


# ---------------------------------------------------------------------------------- a figure against its limit


def _fallen(measured: Mapping[str, Any], tuned: str, metric: str, max_drop: float, what: str) -> Iterator[Reason]:
    """Against the base and, in later rounds, against the origin: each round may fall a little, and all of them no more."""
    for against, since in (("against_base", ""), ("against_origin", " since the first round")):
        if tuned in measured[against]:
            found = measured[against][tuned][ALL]["difference"][metric]
            yield Reason(_reaches(found, -max_drop), f"{what} {points(found)}{since}; may fall by {limit(max_drop)}")


def _reaches(found: Figure, least: float) -> bool | None:
    """None where the figure is below and its interval is not, or where it has none: more questions would tell."""
    if found["value"] is None or found["high"] is None:
        return None
    return found["value"] >= least - TINY or (None if found["high"] >= least else False)


def _stays_below(found: Figure, most: float) -> bool | None:
    if found["value"] is None or found["low"] is None:
        return None
    return found["value"] <= most + TINY or (None if found["low"] <= most else False)


# ------------------------------------------------------------------------------------------------------- words


def percent(value: float) -> str:
    return f"{100 * value:g} %"


def limit(value: float) -> str:
    return f"{100 * value:g} points"


def signed(value: float) -> str:
    return f"{100 * value:+.1f} points"


def points(found: Figure) -> str:
    if found["value"] is None:
        return "cannot be compared"
    if found["low"] is None or found["high"] is None:
        return f"{signed(found['value'])} ({TOO_FEW})"
    return f"{signed(found['value'])} ({100 * found['low']:+.1f} to {100 * found['high']:+.1f})"


def share(found: Figure) -> str:
    if found["value"] is None:
        return "an unknown share"
    if found["low"] is None or found["high"] is None:
        return f"{100 * found['value']:.1f} % ({TOO_FEW})"
    return f"{100 * found['value']:.1f} % ({100 * found['low']:.1f} to {100 * found['high']:.1f})"
