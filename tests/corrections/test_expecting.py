"""What a round would take is told before anybody is asked, and is what it then takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from augment_correction.corrections.config import ChatConfig
from augment_correction.corrections.expecting import expected, rows_of_one
from augment_correction.corrections.preparing import prepare
from augment_correction.pipeline import load_pipeline
from augment_correction.pipeline_settings import find_pipeline
from augment_correction.results.finished import open_run
from tests.corrections.making import approved, chat_project


def taken(config: ChatConfig) -> dict[str, int]:
    with open_run(config.folder / "prepared") as made:
        return {each.stage: each.requests for each in made.journal.totals()}


def test_rows_and_requests_are_those_that_are_made_then(tmp_path: Path) -> None:
    config = chat_project(tmp_path)
    approved(config)
    found = config.store.all("approved")
    before = expected(config, found)
    assert not (config.folder / "prepared").exists()
    material = prepare(config, found, tmp_path / "round", None)
    assert before.corrections == 3
    assert before.rows == material.kinds["demonstration"] == 18
    assert {each.name: each.requests for each in before.estimate.stages} == taken(config)
    after = expected(config, found)
    assert (after.estimate.done, after.estimate.requests_left) == (3, 0)
    assert [each.expected.requests for each in after.estimate.stages] == [
        each.requests for each in after.estimate.stages
    ]


@pytest.mark.parametrize(
    ("section", "rows"),
    [
        ({}, 6),
        ({"num_prompt_variations": 8, "num_expert_demos_per_prompt": 4}, 36),
        ({"method": "sft"}, 8),  # the masked mistake and the plain answer beside the demonstrations
        ({"context": "follow_up"}, 1),
    ],
)
def test_the_rows_of_a_correction_by_how_it_is_learned(tmp_path: Path, section: dict[str, object], rows: int) -> None:
    assert rows_of_one(chat_project(tmp_path, **section)) == rows


def test_records_are_counted_by_kind(tmp_path: Path) -> None:
    pipeline = load_pipeline(find_pipeline(chat_project(tmp_path)))
    counts = {stage.name: pipeline.records_at(stage) for stage in pipeline.stages}
    assert (counts["rows"], counts["wordings"], counts["demonstrations"], counts["paraphrases"]) == (1, 1, 9, 1)
    assert (counts["base_answer"], counts["compose_demonstration"], counts["compose_plain"]) == (3, 36, 1)
