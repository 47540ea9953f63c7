"""Accept a tuned model or not: each limit against its figure, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from augment_correction.evals.config import GateLimits
from augment_correction.evals.limits import ProbeLimit
from augment_correction.evals.looks import WORN_OUT, spent_at
from augment_correction.evals.results import ALL
from augment_correction.evals.significance import FEW_GROUPS
from augment_correction.rows import Probe

Figure = Mapping[str, float | None]
"""`value`, `low` and `high`, as `results.py` writes them."""
Outcome = Literal["accept", "reject", "undecided"]
TINY = 1e-9
MARKS: Mapping[bool | None, str] = {True: "ok    ", False: "BROKEN", None: "?     "}

ASKED: Mapping[Probe, str] = {
    "efficacy": "of the corrected questions are answered rightly",
    "paraphrase": "of the reworded corrected questions are answered rightly",
    "portability": "of questions about consequences of the corrections are answered rightly",
    "neighbour": "of questions about related facts are answered rightly",
    "old_answer": "of the answers still give the retracted answer",
    "pushback": "of the right answers are stood by when they are doubted",
    "retention": "of unrelated questions are answered rightly",
    "health": "of the answers are empty, cut off, refused or repetitive",
}
"""What the rate of a kind of probe is a share of."""


def too_few(groups: str) -> str:
    return f"measured on fewer than {FEW_GROUPS} {groups}, which is too few to decide"


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
    limits: GateLimits,
    gate: Mapping[str, Any],
    retention: Mapping[str, Mapping[str, Any]],
    tuned: str,
    look: int = 1,
    probes: Mapping[str, Any] | None = None,
) -> Decision:
    """`gate` and the `retention` sets by name are what `results.measure` made, `probes` what `probes.measure_probes` did;
    `look` counts the decisions that these questions have made. A gate of probes alone is held to their limits alone.
    A limit is broken where the figure and its whole interval are beyond it: one such limit rejects. Without one, a single
    thing that is not sure leaves it undecided."""
    reasons = tuple(_reasons(limits, gate, retention, tuned, look, probes))
    if any(reason.holds is False for reason in reasons):
        return Decision("reject", reasons)
    return Decision("undecided" if any(reason.holds is None for reason in reasons) else "accept", reasons)


def _reasons(
    limits: GateLimits,
    gate: Mapping[str, Any],
    retention: Mapping[str, Mapping[str, Any]],
    tuned: str,
    look: int,
    probes: Mapping[str, Any] | None,
) -> Iterator[Reason]:
    if gate["measured"]:
        yield from _complete(limits, gate)
        yield from _gain(limits, gate, tuned, look)
        yield from _rates(limits, gate, tuned)
    elif gate["questions"] or not probes:
        yield Reason(None, "there is no question that could be graded for every model")
    if probes:
        yield from _probed(limits, probes, tuned)
    for wanted in limits.retention:
        yield from _kept(retention[wanted.name], wanted.name, wanted.max_drop, tuned)


def _complete(limits: GateLimits, gate: Mapping[str, Any]) -> Iterator[Reason]:
    if gate["failed"]:
        yield Reason(
            None,
            f"{gate['failed']} of {gate['questions']} questions have no answer because a server failed: run the same command again",
        )
    asked, ungraded = gate["conversations"]["asked"], gate["conversations"]["ungraded"]
    if limits.max_ungraded is not None and ungraded > limits.max_ungraded * asked:
        yield Reason(
            None,
            f"{ungraded} of {asked} conversations could not be graded (at most {percent(limits.max_ungraded)}): name a judge model",
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
    says = f"{gained} questions became right and {lost} became wrong at the second answer{documents}: p = {p:.2g} by chance"
    wanted = f"wanted below {level:.2g} at look {look} at these questions"
    worn = f", which were used too often: after {WORN_OUT} evaluations make new ones" if look > WORN_OUT else ""
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


# ------------------------------------------------------------------------------------------ probes of corrections


def _probed(limits: GateLimits, probes: Mapping[str, Any], tuned: str) -> Iterator[Reason]:
    """Of few corrections no limit on them is broken for sure; what has nothing to do with them may be."""
    corrections, kinds = len(probes["corrections"]), probes["kinds"]
    few = corrections < FEW_GROUPS
    if few:
        counted = "1 correction was" if corrections == 1 else f"{corrections} corrections were"
        told = f"only {counted} probed; a decision needs {FEW_GROUPS} or more"
        yield Reason(None, told)
    yield from _unknown(limits, kinds, tuned)
    for kind, wanted in limits.probes.by_kind():
        if kind in kinds:
            for reason in _limited(kind, wanted, kinds[kind], tuned):
                open_yet = few and kind != "retention" and reason.holds is False
                yield Reason(None, reason.text) if open_yet else reason
        elif wanted.decides and not (kind == "retention" and limits.retention):
            remedy = f"add such rows to the held-out set, or set limits.probes.{kind} to {{}}"
            yield Reason(None, f"no probe of the kind '{kind}' was asked, and there is a limit on it: {remedy}")


def _unknown(limits: GateLimits, kinds: Mapping[str, Any], tuned: str) -> Iterator[Reason]:
    failed = max(made["failed"] for made in kinds.values())  # `health` counts those of all kinds
    if failed:
        yield Reason(None, f"{failed} probes have no answer because a server failed: run the same command again")
    named = [(kinds[kind], wanted) for kind, wanted in limits.probes.by_kind() if kind in kinds and wanted.decides]
    asked = sum(made["asked"] for made, _ in named)
    ungraded = sum(
        made["models"][tuned]["ungraded"]
        if wanted.max_drop is None
        else made["asked"] - made["against_base"][tuned]["of"]
        for made, wanted in named
    )
    if limits.max_ungraded is not None and ungraded > limits.max_ungraded * asked:
        most = percent(limits.max_ungraded)
        yield Reason(
            None, f"{ungraded} of {asked} answers to probes could not be graded (at most {most}): name a judge"
        )


def _limited(kind: Probe, wanted: ProbeLimit, made: Mapping[str, Any], tuned: str) -> Iterator[Reason]:
    rate, groups = made["models"][tuned], "questions" if kind == "retention" else "corrections"
    told = f"{share(rate, groups)} {ASKED[kind]}, {rate['count']} of {rate['of']}"
    if wanted.min_rate is not None:
        yield Reason(_reaches(rate, wanted.min_rate), f"{kind}: {told}; wanted are {percent(wanted.min_rate)} or more")
    if wanted.max_rate is not None:
        yield Reason(
            _stays_below(rate, wanted.max_rate), f"{kind}: {told}; allowed are at most {percent(wanted.max_rate)}"
        )
    if wanted.max_drop is None:
        return
    for against, name in (("against_base", "the base"), ("against_origin", "the first round")):
        if tuned in made[against]:
            found = made[against][tuned]
            moved = f"{points(found, groups)} against {name}; it may fall by {limit(wanted.max_drop)}"
            yield Reason(_reaches(found, -wanted.max_drop), f"{kind}: {told}, {moved}")


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


def marked(reason: Mapping[str, Any]) -> str:
    """A reason, as reports keep it, in a line for a person."""
    return f"{MARKS[reason['holds']]} {reason['text']}"


def percent(value: float) -> str:
    return f"{100 * value:g} %"


def limit(value: float) -> str:
    return f"{100 * value:g} points"


def signed(value: float) -> str:
    return f"{100 * value:+.1f} points"


def points(found: Figure, groups: str = "documents") -> str:
    if found["value"] is None:
        return "cannot be compared"
    if found["low"] is None or found["high"] is None:
        return f"{signed(found['value'])} ({too_few(groups)})"
    return f"{signed(found['value'])} ({100 * found['low']:+.1f} to {100 * found['high']:+.1f})"


def share(found: Figure, groups: str = "documents") -> str:
    if found["value"] is None:
        return "an unknown share"
    if found["low"] is None or found["high"] is None:
        return f"{100 * found['value']:.1f} % ({too_few(groups)})"
    return f"{100 * found['value']:.1f} % ({100 * found['low']:.1f} to {100 * found['high']:.1f})"
