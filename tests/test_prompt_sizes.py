"""The sizes of prompts that the pages name are those of the prompts."""

from __future__ import annotations

import random
import re
from statistics import mean

import pytest

from augment_correction.documents import TokenCounter
from augment_correction.pipeline import Pipeline, load_pipeline
from augment_correction.project import Project, bundled
from augment_correction.prompts import PromptLibrary
from tests.pages import PAGES

SAID = re.compile(r"([\d,]+)\s+tokens\s+\(`([\w/]+)`")
PIPELINES = [load_pipeline(path) for path in sorted((bundled() / "pipelines").glob("*.yaml"))]
FOUND = sorted(
    {
        (page.name, prompt, int(size.replace(",", "")))
        for page in PAGES
        for size, prompt in SAID.findall(page.read_text("utf-8"))
    }
)


def test_they_are_found() -> None:
    assert {prompt for _, prompt, _ in FOUND} == {
        "checks/grounded", "checks/standing", "checks/supported", "checks/reading", "filter", "masked_conversation_generation",
    }  # fmt: skip


@pytest.mark.parametrize(("page", "prompt", "size"), FOUND)
def test_a_size_is_the_prompts_within_a_tenth(page: str, prompt: str, size: int) -> None:
    pipeline = next(each for each in PIPELINES if any(stage.prompt == prompt for stage in each.model_stages))
    assert size == pytest.approx(mean(sizes(prompt, pipeline)), rel=0.1), page


def sizes(name: str, pipeline: Pipeline) -> list[int]:
    """Tokens with nothing in the place of what is read from the record, for 20 passages' draws."""
    prompt, counter, chance = PromptLibrary(Project(bundled())).load(name), TokenCounter(), random.Random(1)
    found = []
    for _ in range(20):
        drawn = {field: chance.choices([*words], [*words.values()])[0] for field, words in pipeline.draws.items()}
        given = {field: drawn.get(field, "") for field in prompt.variables | prompt.optional}
        found.append(sum(counter.count(message.content) for message in prompt.render(given)))
    return found
