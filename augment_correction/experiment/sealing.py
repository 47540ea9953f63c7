"""The split into sets, and what is written down before anybody is asked: what was not sealed cannot be called a result.

A group (a document) goes into one set as a whole, and with it every group that shares a passage or asks nearly the same question:
else a training row would be the answer to a question of the exam.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import orjson

from augment_correction.errors import InputError
from augment_correction.evals.gate import read_items
from augment_correction.experiment.config import ExperimentConfig
from augment_correction.experiment.places import read_json
from augment_correction.experiment.sections import SPLIT
from augment_correction.records import content_id
from augment_correction.rows import Item
from augment_correction.selection.similar import QuestionIndex, ShingledText
from augment_correction.store import RunFolder
from augment_correction.store.json_files import write_json, write_lines

FILE = "preregistration.json"
ANEW = "a sealed experiment cannot be changed: set another path.output_dir, or restore the value"
UNASKED = "restore the value, set another path.output_dir, or, because no model has been asked here yet, delete {} and seal anew"


@dataclass(frozen=True)
class Sets:
    """Each holds items that no other one has, nor anything like them."""

    probe: list[Item]
    pool: list[Item]
    dev: list[Item]
    final: list[Item]
    sentinel: list[Item]

    def named(self) -> dict[str, list[Item]]:
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @property
    def held(self) -> list[Item]:
        """What is never trained, nor anything like it."""
        return [*self.probe, *self.dev, *self.final, *self.sentinel]


def read_sets(config: ExperimentConfig) -> Sets:
    """Raises: InputError where a row of a file has no question or reference, or a set stays empty."""
    project = config.project
    named = {
        name: read_items(project, value, f"sets.{name}")
        for name in (*SPLIT, "sentinel")
        if not isinstance(value := getattr(config.sets, name), float)
    }
    if config.sets.drawn:
        named |= _drawn(read_items(project, config.items, "items"), config.sets.drawn, config.seed)
    sets = Sets(**{name: _unlike(items) for name, items in named.items()})
    for name in SPLIT:
        if not getattr(sets, name) and name != "final":
            raise InputError(
                f"the set {name} is empty: {len(named.get(name, ()))} of {sum(map(len, named.values()))} questions are its own",
                hint=f"give more groups of questions under items, a larger sets.{name}, or a file of its own",
            )
    _disjoint(sets)
    return sets


def _unlike(items: Sequence[Item]) -> list[Item]:
    return list({item.id: item for item in items}.values())


def _drawn(items: Sequence[Item], shares: Mapping[str, float], seed: int) -> dict[str, list[Item]]:
    """Groups in an order of their own, each to the set that is furthest from its share, counted in items of its category: what an
    area is found by in one set can then be measured in another."""
    families = _families(items)
    order = sorted(families, key=lambda family: content_id(str(seed), *sorted(item.group for item in family)))
    order.sort(key=lambda family: -len(family))  # the large ones first: the small ones even out
    made: dict[str, list[Item]] = {name: [] for name in shares}
    totals = Counter(item.category for item in items)
    held: Counter[tuple[str, str]] = Counter()
    for family in order:
        category = family[0].category
        wanted = {name: share * totals[category] - held[name, category] for name, share in shares.items()}
        short = max(shares, key=lambda name: (wanted[name], shares[name] * len(items) - len(made[name])))
        made[short] += family
        held.update((short, item.category) for item in family)
    place = {item.id: number for number, item in enumerate(items)}
    return {name: sorted(found, key=lambda item: place[item.id]) for name, found in made.items()}


def _families(items: Sequence[Item]) -> list[list[Item]]:
    """Items that must stay together: of one group, of one passage, or with nearly the same question."""
    parent = list(range(len(items)))

    def root(at: int) -> int:
        while parent[at] != at:
            parent[at] = parent[parent[at]]
            at = parent[at]
        return at

    def join(one: int, other: int) -> None:
        parent[max(root(one), root(other))] = min(root(one), root(other))

    index = QuestionIndex(lambda number: items[number].question)
    seen: dict[tuple[str, str], int] = {}
    for at, item in enumerate(items):
        keys = [("group", item.group), *([("passage", item.passage)] if item.passage else [])]
        for key in keys:
            join(seen.setdefault(key, at), at)
        question = ShingledText(item.question)
        if near := index.nearest(question):
            join(near.number, at)
        index.add(question, at)
    found: dict[int, list[Item]] = defaultdict(list)
    for at, item in enumerate(items):
        found[root(at)].append(item)
    return list(found.values())


def _disjoint(sets: Sets) -> None:
    """Raises: InputError where sets that the user drew himself share something."""
    held: dict[tuple[str, str], str] = {}
    index_of: list[tuple[str, Item]] = []
    index = QuestionIndex(lambda number: index_of[number][1].question)
    for name, items in sets.named().items():
        for item in items:
            for key in (("group", item.group), ("passage", item.passage or "")):
                if key[1] and held.setdefault(key, name) != name:
                    raise InputError(
                        f"the {key[0]} of the question {item.id} stands in two sets, {held[key]} and {name}",
                        hint="put all questions of a document and passage into one set, or let shares of items draw them",
                    )
            near = index.nearest(ShingledText(item.question))
            if near:
                other, theirs = index_of[near.number]
                raise InputError(
                    f"the questions {theirs.id} ({other}) and {item.id} ({name}) ask nearly the same",
                    hint="put both into one set",
                )
        for item in items:
            index_of.append((name, item))
            index.add(ShingledText(item.question), len(index_of) - 1)


# ------------------------------------------------------------------------------------------------ the seal


def preregistration(config: ExperimentConfig, sets: Sets) -> dict[str, Any]:
    """All that decides the result, but for the data: nothing of it may change once it was written."""
    return {
        "hypothesis": config.hypothesis,
        "primary_figure": config.decision.figure,
        "compared": "targeted minus random and targeted minus base, on dev items of the weak areas",
        "alpha": config.decision.alpha,
        "alpha_of_each_round": config.decision.alpha / config.iterations,
        "rounds": config.iterations,
        "decision": config.decision.model_dump(mode="json"),
        "arms": list(config.arms),
        "seeds": list(config.seeds),
        "seed": config.seed,
        "weak_by": config.weak_by,
        "error_driven": config.error_driven.model_dump(mode="json"),
        "data_generation": config.data_generation.model_dump(mode="json"),
        "training": config.training.model_dump(mode="json"),
        "models": {
            role: {"mode": model.mode, "model": model.model, "adapter": model.adapter}
            for role, model in config.by_role.items()
        },
        "sets": {
            name: {"items": len(items), "groups": len({item.group for item in items}), "sha256": digest(items)}
            for name, items in sets.named().items()
        },
    }


def digest(items: Iterable[Item]) -> str:
    rows = [[item.id, item.asked, item.reference, item.passage, item.group, item.category] for item in items]
    return hashlib.sha256(orjson.dumps(rows)).hexdigest()


def seal(folder: Path, config: ExperimentConfig, sets: Sets) -> dict[str, Any]:
    """Write `preregistration.json` and the sets beside it, or compare with what was written.

    Raises: InputError where something that was sealed is another now.
    """
    made = orjson.loads(orjson.dumps(preregistration(config, sets)))
    file = folder / FILE
    if file.is_file():
        _compare(orjson.loads(file.read_bytes()), made, file)
        return dict(made)
    for name, items in sets.named().items():
        write_items(folder / "sets" / f"{name}.jsonl", items)
    write_json(file, made)
    return dict(made)


def sealed_in(root: Path) -> dict[str, Any]:
    """What was sealed in the folder of an experiment.

    Raises: InputError where none was begun there.
    """
    if (sealed := read_json(root / FILE)) is not None:
        return dict(sealed)
    hint = "`experiment plan` or `experiment run` starts one"
    if swept := sorted(root.glob(f"sweep/*/{FILE}")):
        hint = f"a sweep ran there: name one of its experiments, for example --set path.output_dir={swept[0].parent}"
    raise InputError(f"no experiment has been started in {root}", hint=hint)


def _compare(sealed: Mapping[str, Any], now: Mapping[str, Any], file: Path) -> None:
    changed = [name for name in now if sealed.get(name) != now[name]]
    if not changed:
        return
    told = []
    for name in changed:
        before, after = sealed.get(name), now[name]
        if isinstance(before, dict) and isinstance(after, dict):
            told += [
                f"{name}.{key}: {before.get(key)!r} was sealed, and it is {after.get(key)!r} now"
                for key in dict.fromkeys((*before, *after))
                if before.get(key) != after.get(key)
            ]
        else:
            told.append(f"{name}: {before!r} was sealed, and it is {after!r} now")
    asked = RunFolder(file.parent).journal.exists()
    raise InputError(
        f"{file} was sealed with other values:\n  " + "\n  ".join(told), hint=ANEW if asked else UNASKED.format(file)
    )


def write_items(path: Path, items: Iterable[Item]) -> None:
    """A line each, in the spelling of a gate."""
    names = [each.name for each in fields(Item)]
    write_lines(
        path,
        ({name: value for name in names if (value := getattr(item, name)) not in (None, "")} for item in items),
    )
