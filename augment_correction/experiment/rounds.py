"""The rounds: find what is weak, make data of it and of a control, train both, measure, decide; again from there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from augment_correction.experiment.areas import areas_of
from augment_correction.experiment.config import RANDOM, TARGETED
from augment_correction.experiment.course import Course, NothingWeak
from augment_correction.experiment.current import point, versions
from augment_correction.experiment.data import Data, counts, in_both, make_data
from augment_correction.experiment.deciding import BASE, Judged, MeasuredArms, as_json, difference, judge, nll_ratio
from augment_correction.experiment.figures import (
    by_area,
    efficiency,
    figures,
    figures_of,
    item_lines,
    mean_figures,
    rounded,
)
from augment_correction.experiment.finding import WeakItems, find
from augment_correction.experiment.operations import Trained
from augment_correction.experiment.places import row_of
from augment_correction.experiment.weak import Observed
from augment_correction.store.json_files import write_lines


def run_rounds(course: Course) -> None:
    """Raises: NothingWeak where the first round finds nothing to train on."""
    config = course.config
    course.models = {BASE: None}
    rejected = 0
    for number in range(1, config.iterations + 1):
        try:
            judged = _round(course, number)
        except NothingWeak as failure:
            if number == 1:
                raise
            course.say("ended", {"round": number, "why": failure.message})
            break
        rejected = 0 if judged.model == "accept" else rejected + 1
        if rejected >= config.decision.stop_after_rejections and number < config.iterations:
            course.say("ended", {"round": number, "why": f"{rejected} rounds in a row were not accepted"})
            break


def probe(course: Course) -> None:
    """The first two phases alone, for a student that can be asked and not be trained: its weak areas are written down.

    Raises: NothingWeak.
    """
    course.say("phase", {"round": 1, "number": 1})
    asked = [*course.sets.probe, *course.sets.pool]
    seen = course.operations.measure({BASE: None}, asked, passages=True)[BASE]
    course.say("baseline", figures(seen, course.sets.probe))
    course.say("phase", {"round": 1, "number": 2})
    find(course, seen, 1)


# ------------------------------------------------------------------------------------------------ one round


def _round(course: Course, number: int) -> Judged:
    course.say("phase", {"round": number, "number": 1})
    sets, operations = course.sets, course.operations
    asked = [*sets.probe, *sets.pool]
    seen = operations.measure({course.current: course.models[course.current]}, asked, passages=True)[course.current]
    base = operations.measure({BASE: None}, [*sets.dev, *sets.sentinel])[BASE]
    course.say("baseline", figures(base, sets.dev))
    course.say("phase", {"round": number, "number": 2})
    found = find(course, seen, number)
    course.say("phase", {"round": number, "number": 3})
    arms = make_data(course, found, number)
    course.say("phase", {"round": number, "number": 4})
    trained = _train(course, arms, number)
    course.say("phase", {"round": number, "number": 5})
    measured, after = _measure(course, base, trained, number)
    course.say("after", after)
    course.say("phase", {"round": number, "number": 6})
    judged = judge(measured, course.weak_dev, sets.sentinel, course.config.decision, course.level, course.config.seed)
    course.judged.append(judged)
    course.say("judged", {"round": number, **judged.as_json()})
    _note(course, number, found, arms, trained, measured, judged)
    _settle(course, number, arms, trained, judged)
    if judged.model == "accept":
        course.accepted = measured.arms[TARGETED]
    return judged


def _train(course: Course, arms: Mapping[str, Data], number: int) -> dict[str, list[Trained]]:
    made: dict[str, list[Trained]] = {}
    for name, data in arms.items():
        for seed in course.config.seeds:
            folder = course.places.training(name, seed, number)
            course.say("training", {"arm": name, "seed": seed})
            each = course.operations.train(course.places.rows(name, number), folder, seed, data.epochs)
            course.say("trained", {"arm": name, "seed": seed, "seconds": each.seconds})
            made.setdefault(name, []).append(each)
    return made


def _measure(
    course: Course, base: Observed, trained: Mapping[str, Sequence[Trained]], number: int
) -> tuple[MeasuredArms, dict[str, Any]]:
    """An arm whose training made nothing is measured as what it began with: the student."""
    sets, named = course.sets, dict[str, Path | None]()
    for arm, held in trained.items():
        named |= {_name(arm, seed, number): each.adapter for seed, each in zip(course.config.seeds, held, strict=True)}
    course.models |= named
    seen = course.operations.measure(named, [*sets.dev, *sets.sentinel]) if named else {}
    by_arm = {arm: [seen[_name(arm, seed, number)] for seed in course.config.seeds] for arm in trained}
    return MeasuredArms(base, by_arm, course.accepted), {
        "base": figures(base, sets.dev),
        "weak_base": figures(base, course.weak_dev),
        "arms": {arm: mean_figures(held, sets.dev) for arm, held in by_arm.items()},
        "weak_arms": {arm: mean_figures(held, course.weak_dev) for arm, held in by_arm.items()},
    }


def _name(arm: str, seed: int, number: int) -> str:
    return f"{arm}_seed{seed}_round{number}"


def _settle(
    course: Course, number: int, arms: Mapping[str, Data], trained: Mapping[str, Sequence[Trained]], judged: Judged
) -> None:
    """Accepted: the pointer moves and the rows stay. Else the pointer stays, and the rows go where nothing looks for them."""
    for name, data in arms.items():
        for source in data.sources:
            course.used[source.item.id] = max(course.used.get(source.item.id, 0), source.first + source.variations)
        if judged.model == "accept":
            course.rows[name] = list(data.all)
        else:
            target = course.places.quarantine(name, number)
            write_lines(target, (row_of(each.conversation) for each in data.new))
            course.places.rows(name, number).unlink(missing_ok=True)
    adapter = trained[TARGETED][0].adapter
    if judged.model == "accept" and adapter is not None:
        course.current = _name(TARGETED, course.config.seeds[0], number)
        relative = (
            str(adapter.relative_to(course.places.root)) if adapter.is_relative_to(course.places.root) else str(adapter)
        )
        point(course.places, {"round": number, "adapter": relative, "hypothesis": judged.hypothesis})


def _note(
    course: Course,
    number: int,
    found: WeakItems,
    arms: Mapping[str, Data],
    trained: Mapping[str, Sequence[Trained]],
    measured: MeasuredArms,
    judged: Judged,
) -> None:
    sets, config = course.sets, course.config
    course.told.append(
        {
            "round": number,
            "measured_first": course.current,
            "areas": [
                {"name": each.name, "items": each.items, "weak": each.weak, "score": round(each.score, 6),
                 "codes": dict(each.codes), "chosen": each.name in course.weak}
                for each in found.areas
            ],
            "bad_references": [each.item.id for each in (*found.looked, *found.pool) if each.bad_reference],
            "in_both_arms": in_both(arms),
            "arms": {
                name: counts(each)
                | {"sources": [source.item.id for source in each.sources]}
                | {"steps": [one.steps for one in trained[name]], "trained": [one.adapter is not None for one in trained[name]]}
                for name, each in arms.items()
            },
            "dev": figures_of(measured, sets.dev),
            "weak_dev": figures_of(measured, course.weak_dev),
            "sentinel": figures_of(measured, sets.sentinel) | {"nll_ratio": rounded(nll_ratio(measured, sets.sentinel))}
            if sets.sentinel
            else None,
            "sentinel_by_ability": {
                name: figures_of(measured, [item for item in sets.sentinel if item.category == name])
                for name in dict.fromkeys(item.category for item in sets.sentinel)
            },
            "by_area": by_area(config, sets, measured, found.area, course.weak),
            "items": item_lines(sets, measured, found.area),
            "efficiency": efficiency(measured, course.weak_dev, config, course.level),
            **judged.as_json(),
        }
    )  # fmt: skip


# ---------------------------------------------------------------------------------------------- the last set


def open_final(course: Course) -> dict[str, Any] | None:
    """The final set, once: of the last accepted round. None where none was accepted; it stays sealed then."""
    accepted = versions(course.places)
    if not course.sets.final or not accepted:
        return None
    last = accepted[-1]["round"]
    arms = [arm for arm in course.config.arms if _name(arm, course.config.seeds[0], last) in course.models]
    named: dict[str, Path | None] = {BASE: None}
    for arm in arms:
        named |= {(name := _name(arm, seed, last)): course.models[name] for seed in course.config.seeds}
    seen = course.operations.measure(named, course.sets.final)
    measured = MeasuredArms(
        seen[BASE], {arm: [seen[_name(arm, seed, last)] for seed in course.config.seeds] for arm in arms}
    )
    told = next(each for each in course.told if each["round"] == last)
    weak = {each["name"] for each in told["areas"] if each["chosen"]}
    area = areas_of(
        [*course.sets.probe, *course.sets.pool, *course.sets.dev, *course.sets.final],
        course.config.error_driven.areas,
        {},
    )
    held = [item for item in course.sets.final if area[item.id] in weak] or list(course.sets.final)
    config = course.config
    return {
        "round": last,
        "items": len(held),
        "figures": figures_of(measured, held),
        "differences": {
            f"{TARGETED} - {other}": as_json(
                difference(measured, held, config.decision.figure, TARGETED, other, config.decision.alpha, config.seed)
            )
            for other in (RANDOM, BASE)
            if other == BASE or other in measured.arms
        },
    }
