"""Which items an arm's data are made from, and which generated rows stay."""

from __future__ import annotations

from pathlib import Path

import pytest

from augment_correction.experiment.arms import filtered, repeated, select, sources, together
from augment_correction.experiment.generating import contradiction
from augment_correction.experiment.operations import Example
from augment_correction.experiment.sections import ErrorDrivenConfig, GenerationConfig
from augment_correction.experiment.weak import Looked, Observation, weights
from augment_correction.records import Conversation, Turn
from augment_correction.rows import Item
from tests.experiment.world import config_of


def looked(name: str, score: float, question: str = "", nll: float | None = None) -> Looked:
    return Looked(
        Item(question or f"What about {name}?", "x", category="a", id=name),
        Observation("no", False, None, nll, 3),
        True,
        False,
        score,
    )


def row(question: str, answer: str, support: float = 1.0) -> Example:
    turns = (Turn("user", question, False), Turn("assistant", answer, True))
    return Example(Conversation(question, "plain", turns, False), "item", 0, 5, support)


def test_the_weakest_come_first_and_active_selection_takes_unlike_ones() -> None:
    fit = [looked(f"bee{at}", 5 - at / 10, f"How many bees live in hive number {at}?") for at in range(6)]
    fit.append(looked("tide", 2.0, "How high does the moon raise the tide of the harbour?"))
    fit.append(looked("tide2", 1.9, "What does the moon do to the harbour tide?"))
    plain = select(fit, ErrorDrivenConfig(max_samples=3), 1)
    assert [each.item.id for each in plain] == ["bee0", "bee1", "bee2"]
    diverse = select(fit, ErrorDrivenConfig(max_samples=3, select="diverse"), 1)
    assert diverse[0].item.id == "bee0" and any(each.item.id.startswith("tide") for each in diverse)
    assert len(select(fit, ErrorDrivenConfig(max_samples=3, select="random"), 1)) == 3


def test_uncertain_items_get_more_variations_and_the_sum_stays(tmp_path: Path) -> None:
    config = config_of(tmp_path, error_driven={"variations_per_error": 4, "weighting": "perplexity"})
    pool = [looked("low", 1, nll=0.5), looked("middle", 2, nll=2.0), looked("high", 3, nll=5.0)]
    made = sources(pool, dict.fromkeys(("low", "middle", "high"), "a"), ["a"], config, 1, {"high": 7})
    counts = {each.item.id: each.variations for each in made["targeted"]}
    assert sum(counts.values()) == 12 and counts["high"] > counts["middle"] > counts["low"]
    assert next(each for each in made["targeted"] if each.item.id == "high").numbers.start == 7, (
        "later rounds make new ones"
    )
    assert len(together(made)) == 3
    assert weights(pool, even=True) == [1.0, 1.0, 1.0]
    assert sum(weights(pool, even=False)) == pytest.approx(3)


def test_the_best_supported_share_is_kept_and_repetitions_are_left_out() -> None:
    rows = [row("How old is it?", "It is ten years old.", 0.2), row("How high is the tower?", "It is nine metres high.", 0.9),
            row("How high is the tower?", "It is nine metres high.", 0.8), row("Who built it?", "A guild of masons did.", 0.7)]  # fmt: skip
    assert filtered(rows, 1.0, 0.0) == rows
    assert filtered(rows, 0.5, 0.0) == rows[1:3]
    assert filtered(rows, 1.0, 0.5) == [rows[0], rows[1], rows[3]]


def test_filtering_is_a_switch_or_a_share() -> None:
    assert GenerationConfig().kept_share == 1
    assert GenerationConfig(keep_top_50_percent=True).kept_share == 0.5
    assert GenerationConfig(filter_threshold=0.7).kept_share == 0.7


def test_what_contradicts_its_source_is_left_out_whatever_a_verifier_says() -> None:
    item = Item(
        "How many arches has the bridge of Ander?",
        "It has 9 arches.",
        id="x",
        passage="The bridge of Ander has 9 arches of granite.",
    )

    def said(question: str, answer: str) -> str | None:
        return contradiction(row(question, answer).conversation, item, 0.6)

    assert said("Of what is the bridge of Ander?", "The bridge of Ander has arches of granite.") is None
    assert (
        said("Of what is the bridge of Ander?", "The bridge of Ander has 12 arches of granite.")
        == "number_not_in_source"
    )
    assert said("How many arches has the bridge of Ander?", "It has three arches.") == "wrong_by_reference"
    assert (
        said("Why is it there?", "Because a complex process involving many intricate stages began.") == "little_support"
    )


def test_items_alone_are_gone_through_as_often_as_it_takes() -> None:
    assert repeated([row("q", "a")] * 4, 100, 3) == 15
