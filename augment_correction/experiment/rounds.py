"""The rounds: find what is weak, make data of it and of a control, train both, measure, decide; again from there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from augment_correction.errors import AugmentCorrectionError, ExitCode
from augment_correction.experiment.areas import Area, areas_of, weak_areas
from augment_correction.experiment.arms import filtered, of_arm, repeated, sources, together
from augment_correction.experiment.config import ITEMS_ONLY, RANDOM, TARGETED, ExperimentConfig
from augment_correction.experiment.current import point, versions
from augment_correction.experiment.deciding import BASE, Judged, Measured, as_json, difference, judge, nll_ratio
from augment_correction.experiment.figures import (
    by_area,
    efficiency,
    figures,
    figures_of,
    item_lines,
    mean_figures,
    rounded,
)
from augment_correction.experiment.matching import matched
from augment_correction.experiment.operations import Example, Operations, Source, Trained
from augment_correction.experiment.places import Places, row_of, write_lines
from augment_correction.experiment.sealing import Sets
from augment_correction.experiment.weak import Looked, Observed, look
from augment_correction.rows import Item

Say = Callable[[str, Mapping[str, Any]], None]
"""Given the name of what happened and its figures."""


class NothingWeak(AugmentCorrectionError):
    """There is nothing to train on: no error of the program, and no success (exit 3)."""

    exit_code = ExitCode.REJECTS


@dataclass
class Course:
    """What an experiment has come to so far. `rows` are what accepted rounds have left, by arm."""

    config: ExperimentConfig
    sets: Sets
    operations: Operations
    places: Places
    say: Say
    used: dict[str, int] = field(default_factory=dict)
    rows: dict[str, list[Example]] = field(default_factory=dict)
    told: list[dict[str, Any]] = field(default_factory=list)
    judged: list[Judged] = field(default_factory=list)
    models: dict[str, Path | None] = field(default_factory=dict)
    current: str = BASE
    accepted: Sequence[Observed] = ()
    weak_dev: list[Item] = field(default_factory=list)
    weak: tuple[str, ...] = ()

    @property
    def level(self) -> float:
        return self.config.decision.alpha / self.config.iterations


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
    _find(course, seen, 1)


# ------------------------------------------------------------------------------------------------ one round


def _round(course: Course, number: int) -> Judged:
    course.say("phase", {"round": number, "number": 1})
    sets, operations = course.sets, course.operations
    asked = [*sets.probe, *sets.pool]
    seen = operations.measure({course.current: course.models[course.current]}, asked, passages=True)[course.current]
    base = operations.measure({BASE: None}, [*sets.dev, *sets.sentinel])[BASE]
    course.say("baseline", figures(base, sets.dev))
    course.say("phase", {"round": number, "number": 2})
    found = _find(course, seen, number)
    course.say("phase", {"round": number, "number": 3})
    arms = _data(course, found, number)
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


@dataclass(frozen=True)
class Found:
    looked: Sequence[Looked]
    pool: Sequence[Looked]
    area: Mapping[str, str]
    weak: Sequence[Area]
    areas: Sequence[Area]


def _find(course: Course, seen: Observed, number: int) -> Found:
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
            f"the weak areas ({', '.join(names)}) have no question in the dev set, so nothing could be decided about them",
            hint="raise sets.dev, or give more groups of questions of these areas",
        )
    return Found(probe, pool, area, weak, areas)


def _nothing(config: ExperimentConfig, probe: Sequence[Looked], weak: Sequence[Area]) -> str:
    if weak:
        return (
            f"the weak areas ({', '.join(each.name for each in weak)}) have no weak item in the pool to make data from"
        )
    count = sum(each.weak for each in probe)
    if count:
        return f"{count} of {len(probe)} items are weak, and no area of {config.error_driven.min_area} or more items holds them"
    return f"none of the {len(probe)} items of the probe set is weak (weak_by: {config.weak_by})"


def _harder(config: ExperimentConfig) -> str:
    lower = {
        "wrong": "weak_by: excess or perplexity looks at answers that are right and unlikely",
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


@dataclass(frozen=True)
class Data:
    """What an arm trains on in this round: `new` rows, all rows with those of accepted rounds, and passes through them."""

    sources: Sequence[Source]
    generated: int
    new: Sequence[Example]
    all: Sequence[Example]
    epochs: float


def _data(course: Course, found: Found, number: int) -> dict[str, Data]:
    config, wanted = course.config, course.config.arms
    by_arm = sources(found.pool, found.area, course.weak, config, number, course.used)
    by_arm = {name: held for name, held in by_arm.items() if name in wanted}
    made = course.operations.generate(together(by_arm), number, course.sets.held)
    chosen = config.data_generation
    raw = {name: of_arm(made.examples, held) for name, held in by_arm.items()}
    kept = {name: filtered(rows, chosen.kept_share, chosen.min_diversity_score) for name, rows in raw.items()}
    new = matched(kept, config.seed + number)
    epochs = config.training.epochs
    data: dict[str, Data] = {}
    for name, rows in new.items():
        whole = [*course.rows.get(name, ()), *rows]
        data[name] = Data(by_arm[name], len(raw[name]), rows, whole, epochs)
    if ITEMS_ONLY in wanted:
        items = course.operations.plain([source.item for source in by_arm[TARGETED]])
        whole = [*course.rows.get(ITEMS_ONLY, ()), *items]
        tokens = sum(each.tokens for each in data[TARGETED].all)
        data[ITEMS_ONLY] = Data(by_arm[TARGETED], len(items), items, whole, repeated(whole, tokens, epochs))
    for name, each in data.items():
        write_lines(course.places.rows(name, number), (row_of(row.conversation) for row in each.all))
    course.say(
        "data",
        {
            "round": number,
            "lost": dict(made.lost),
            "in_both_arms": _in_both(data),
            "arms": {name: _counts(each) for name, each in data.items()},
        },
    )
    return data


def _counts(data: Data) -> dict[str, Any]:
    return {
        "source_items": len(data.sources),
        "generated": data.generated,
        "rows": len(data.new),
        "tokens": sum(each.tokens for each in data.new),
        "rows_in_all": len(data.all),
        "tokens_in_all": sum(each.tokens for each in data.all),
        "epochs": round(data.epochs, 4),
    }


def _in_both(arms: Mapping[str, Data]) -> int:
    """Rows of the targeted arm that the control has, too: in a small pool there may be many, and then they differ in little."""
    ids = [{each.conversation.id for each in arms[name].new} for name in (TARGETED, RANDOM) if name in arms]
    return len(ids[0] & ids[1]) if len(ids) == 2 else 0


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
) -> tuple[Measured, dict[str, Any]]:
    """An arm whose training made nothing is measured as what it began with: the student."""
    sets, named = course.sets, dict[str, Path | None]()
    for arm, held in trained.items():
        named |= {_name(arm, seed, number): each.adapter for seed, each in zip(course.config.seeds, held, strict=True)}
    course.models |= named
    seen = course.operations.measure(named, [*sets.dev, *sets.sentinel]) if named else {}
    by_arm = {arm: [seen[_name(arm, seed, number)] for seed in course.config.seeds] for arm in trained}
    return Measured(base, by_arm, course.accepted), {
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
    found: Found,
    arms: Mapping[str, Data],
    trained: Mapping[str, Sequence[Trained]],
    measured: Measured,
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
            "in_both_arms": _in_both(arms),
            "arms": {
                name: _counts(each)
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
    measured = Measured(
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
