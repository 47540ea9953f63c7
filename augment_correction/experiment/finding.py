"""What the current model is weak at in this round."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from augment_correction.experiment.areas import Area, areas_of, weak_areas
from augment_correction.experiment.config import ExperimentConfig
from augment_correction.experiment.course import Course, NothingWeak
from augment_correction.experiment.weak import Looked, Observed, look
from augment_correction.store.json_files import write_lines


@dataclass(frozen=True)
class WeakItems:
    looked: Sequence[Looked]
    pool: Sequence[Looked]
    area: Mapping[str, str]
    weak: Sequence[Area]
    areas: Sequence[Area]


def find(course: Course, seen: Observed, number: int) -> WeakItems:
    """Raises: NothingWeak."""
    config, sets = course.config, course.sets
    probe, pool = look(sets.probe, seen, config), look(sets.pool, seen, config)
    codes = {each.item.id: each.failure("").codes for each in (*probe, *pool)}
    area = areas_of([*sets.probe, *sets.pool, *sets.dev, *sets.final], config.error_driven.areas, codes)
    weak, areas = weak_areas(probe, area, config.error_driven)
    names = [each.name for each in weak]
    course.weak = tuple(names)
    # Error codes are those of an answer: held-out questions have no area by them, and all of them are measured.
    by_codes = config.error_driven.areas == "codes"
    course.weak_dev = list(sets.dev) if by_codes else [item for item in sets.dev if area[item.id] in names]
    fit = [each for each in pool if each.weak and area[each.item.id] in names]
    course.say(
        "weak",
        {
            "round": number,
            "areas": [{"name": each.name, "items": each.items, "weak": each.weak} for each in weak],
            "weak": sum(each.weak for each in probe),
            "probed": len(probe),
            "bad_references": sum(each.bad_reference for each in (*probe, *pool)),
            "sources": len(fit),
            "dev": len(course.weak_dev),
        },
    )
    write_lines(
        course.places.weak_areas if number == 1 else course.places.root / f"weak_areas_{number}.jsonl",
        _lines(course, probe, pool, area, weak),
    )
    if not weak or not fit:
        raise NothingWeak(_nothing(config, probe, weak), hint=_harder(config))
    if not course.weak_dev:
        raise NothingWeak(
            f"the weak areas ({', '.join(names)}) have no question in the dev set, so that nothing can be decided about them",
            hint="raise sets.dev, or give more groups of questions of these areas",
        )
    return WeakItems(probe, pool, area, weak, areas)


def _nothing(config: ExperimentConfig, probe: Sequence[Looked], weak: Sequence[Area]) -> str:
    if weak:
        return f"the weak areas ({', '.join(each.name for each in weak)}) have no weak item in the pool from which data could be generated"
    count = sum(each.weak for each in probe)
    if count:
        return f"{count} of {len(probe)} items are weak, and no area of {config.error_driven.min_area} or more items holds them"
    return f"none of the {len(probe)} items of the probe set is weak (weak_by: {config.weak_by})"


def _harder(config: ExperimentConfig) -> str:
    lower = {
        "wrong": "weak_by: excess or perplexity also finds answers that are right but unlikely",
        "excess": f"lower error_driven.excess_threshold (it is {config.error_driven.excess_threshold:g})",
        "perplexity": f"lower error_driven.perplexity_threshold (it is {config.error_driven.perplexity_threshold:g})",
    }[config.weak_by]
    return f"{lower}; or name harder questions under items; or lower error_driven.min_area"


def _lines(
    course: Course, probe: Sequence[Looked], pool: Sequence[Looked], area: Mapping[str, str], weak: Sequence[Area]
) -> list[dict[str, Any]]:
    """Weak items and doubtful references, each as a failure with its area."""
    named = {each.name for each in weak}
    lines = []
    for name, looked in (("probe", probe), ("pool", pool)):
        for each in looked:
            if each.weak or each.bad_reference:
                failure = each.failure(course.config.student.model)
                held = area[each.item.id]
                known = {"area": held, "weak_area": held in named, "set": name, "bad_reference": each.bad_reference}
                figures_ = {"nll": each.seen.nll, "nll_with_passage": each.seen.open_nll, "excess": each.seen.excess}
                lines.append({"id": failure.id, **known, **figures_, **_told(failure)})
    return lines


def _told(failure: Any) -> dict[str, Any]:
    names = ("question", "reference", "answer", "verdict", "codes", "item", "category")
    return {name: getattr(failure, name) for name in names}
