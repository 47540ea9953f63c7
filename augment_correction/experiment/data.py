"""The training data of every arm in one round."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from augment_correction.experiment.arms import filtered, of_arm, repeated, sources, together
from augment_correction.experiment.config import ITEMS_ONLY, RANDOM, TARGETED
from augment_correction.experiment.course import Course
from augment_correction.experiment.finding import WeakItems
from augment_correction.experiment.matching import matched
from augment_correction.experiment.operations import Example, Source
from augment_correction.experiment.places import row_of
from augment_correction.store.json_files import write_lines


@dataclass(frozen=True)
class Data:
    """What an arm trains on in this round: `new` rows, all rows with those of accepted rounds, and passes through them."""

    sources: Sequence[Source]
    generated: int
    new: Sequence[Example]
    all: Sequence[Example]
    epochs: float


def make_data(course: Course, found: WeakItems, number: int) -> dict[str, Data]:
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
            "in_both_arms": in_both(data),
            "arms": {name: counts(each) for name, each in data.items()},
        },
    )
    return data


def counts(data: Data) -> dict[str, Any]:
    return {
        "source_items": len(data.sources),
        "generated": data.generated,
        "rows": len(data.new),
        "tokens": sum(each.tokens for each in data.new),
        "rows_in_all": len(data.all),
        "tokens_in_all": sum(each.tokens for each in data.all),
        "epochs": round(data.epochs, 4),
    }


def in_both(arms: Mapping[str, Data]) -> int:
    """Rows of the targeted arm that the control has, too: in a small pool there may be many, and then they differ in little."""
    ids = [{each.conversation.id for each in arms[name].new} for name in (TARGETED, RANDOM) if name in arms]
    return len(ids[0] & ids[1]) if len(ids) == 2 else 0
