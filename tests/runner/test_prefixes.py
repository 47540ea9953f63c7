"""Prompts that a prefix cache can use, proven on the requests that a server received: what is the same in every call of
a stage stands in front of what differs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import takewhile

import pytest

from augment_correction.documents import TokenCounter
from augment_correction.pipeline import load_pipeline
from augment_correction.project import Project, bundled
from augment_correction.prompts import Prompt, PromptLibrary
from tests.projects import MadeProject
from tests.servers import Asked, ModelServer

PIPELINES = sorted(path.stem for path in (bundled() / "pipelines").glob("*.yaml") if load_pipeline(path).cuts)
"""Those that are made for thousands of passages."""
PASSAGES = 30


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_four_fifths_of_what_all_calls_of_a_stage_have_in_common_is_their_common_beginning(
    project: MadeProject, server: ModelServer, pipeline: str
) -> None:
    project.facts(range(PASSAGES))
    declared = load_pipeline(bundled() / "pipelines" / f"{pipeline}.yaml")
    stages = declared.model_stages
    # A limit of its own for each stage tells their requests apart.
    limits = {stage.name: {"max_tokens": 5000 + number} for number, stage in enumerate(stages)}
    shares = {name: dict.fromkeys(words, 1) for name, words in declared.draws.items()}
    checks = {stage.name: True for stage in stages if not stage.on}
    project.run(server, pipeline=pipeline, sampling=limits, shares=shares, checks=checks)
    asked = defaultdict(list)
    for request in server.asked:
        asked[request.body["max_tokens"]].append(request)
    library, counter = PromptLibrary(Project(bundled())), TokenCounter()
    for stage in stages:
        calls = [_text(each) for each in asked[limits[stage.name]["max_tokens"]]]
        assert len(calls) > 2, stage.name
        constant = counter.count(_constant(library.load(stage.prompt)))
        for number, call in enumerate(calls[1:], 1):
            shared = max((_shared(call, earlier) for earlier in calls[:number]), key=len)
            assert counter.count(shared) >= 0.8 * constant, (stage.name, counter.count(shared), constant)


def _text(asked: Asked) -> str:
    """The messages as one text, in the order in which a server's chat template puts them."""
    return _joined([(message["role"], message["content"]) for message in asked.body["messages"]])


def _constant(prompt: Prompt) -> str:
    """The prompt with nothing in the place of its variables."""
    return _joined(
        [
            (message.role, message.content)
            for message in prompt.render(dict.fromkeys(prompt.variables | prompt.optional, ""))
        ]
    )


def _joined(messages: Sequence[tuple[str, str]]) -> str:
    return "".join(f"<|{role}|>\n{content}\n" for role, content in messages)


def _shared(one: str, other: str) -> str:
    return "".join(a for a, _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
