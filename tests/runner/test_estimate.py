"""`--dry-run`: what it will cost, before and without a call."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest

from augment_correction.project import bundled
from augment_correction.results.finished import open_run
from augment_correction.runner import Estimate, RunState, estimate
from tests.projects import MadeProject, prices
from tests.servers import ModelServer, fails, says


def estimated(project: MadeProject, server: ModelServer | None = None, **sections: Any) -> Estimate:
    return asyncio.run(estimate(project.load(server, **sections)))


def test_no_call_is_made_and_nothing_is_written(project: MadeProject, server: ModelServer) -> None:
    project.facts(range(6))
    made = estimated(project, server)
    assert (made.documents, made.chunks) == (6, 6)
    assert server.count() == 0
    assert not project.output.exists()


def test_it_leaves_a_folder_that_has_been_run_as_it_is(project: MadeProject, server: ModelServer) -> None:
    project.facts(range(3))
    project.run(server)
    before = {path: path.read_bytes() for path in project.output.rglob("*") if path.is_file()}
    server.forget()
    estimated(project, server)
    assert {path: path.read_bytes() for path in project.output.rglob("*") if path.is_file()} == before
    assert server.count() == 0


def test_requests_are_an_upper_bound_and_tokens_close_to_what_is_sent(project: MadeProject) -> None:
    project.facts(range(6))
    made = estimated(project)
    project.run()  # the scripted model counts with the same tokenizer
    for stage, role in zip(made.stages, ("small", "large"), strict=True):
        tokens = project.tokens(role)
        assert stage.requests == tokens["requests"] == 6
        assert abs(stage.input - tokens["input_tokens"]) / tokens["input_tokens"] < 0.1


def test_replies_seen_before_replace_the_assumption(project: MadeProject) -> None:
    project.facts(range(4))
    assert [stage.observed for stage in estimated(project).stages] == [False, False]
    project.run()
    project.facts(range(8))
    made = estimated(project)
    assert [stage.observed for stage in made.stages] == [True, True]
    assert made.stages[1].output == round(8 * project.tokens("large")["output_tokens"] / 4)


def test_the_cost_follows_from_tokens_and_prices(project: MadeProject) -> None:
    project.facts(range(4))
    made = estimated(project, cost=prices(1, 1, 10, 20))
    small, large = made.stages
    expected = (small.input + small.output + 10 * large.input + 20 * large.output) / Decimal(1_000_000)
    assert made.cost() == expected
    limit = made.cost(limit=True)
    assert limit is not None and limit > expected
    assert large.output_limit == 4 * 12_000


def test_an_unknown_price_is_an_unknown_cost(project: MadeProject, server: ModelServer) -> None:
    project.facts([1])
    assert estimated(project, server).cost() is None


def test_identical_passages_are_counted_once_and_unread_files_listed(project: MadeProject) -> None:
    project.facts([1, 1, 1, 2])
    project.write("inputs/empty.txt", "")
    made = estimated(project)
    assert (made.documents, made.chunks) == (4, 2)
    assert [unread.source for unread in made.unread] == ["empty.txt"]


@pytest.mark.parametrize("pipeline", ["correction", "correction_small"])
def test_prompt_tokens_of_the_examples_are_within_a_tenth_of_the_ledger(project: MadeProject, pipeline: str) -> None:
    """By stage, per call before the first run, and in all after it; one passage of the examples is filtered."""
    shutil.copytree(bundled() / "inputs" / "examples", project.root / "inputs", dirs_exist_ok=True)
    drop = {"reason": "It announces.", "verdict": "unsuitable"}
    reply = json.dumps(drop) if pipeline == "correction_small" else "Reason: It announces.\nVerdict: unsuitable"
    script = {"rules": [{"contains": "Carbon to nitrogen", "text": reply}], "fields": {"verdict": "suitable"}}
    project.write("script.yaml", json.dumps(script))
    sections: dict[str, Any] = {"pipeline": pipeline, "api": {"small_script": "script.yaml"}}
    before = estimated(project, **sections)
    result = project.run(**sections)
    assert (result.counts["rejected"], result.kept) == (1, before.chunks - 1)
    after = estimated(project, **sections)
    with open_run(project.output) as made:
        paid = {each.stage: each for each in made.journal.totals()}
    for first, second in zip(before.stages, after.stages, strict=True):
        ledger = paid[first.name]
        assert first.requests == before.chunks >= ledger.requests == second.expected.requests
        assert first.input / first.requests == pytest.approx(ledger.input / ledger.requests, rel=0.1)
        assert second.expected.input == pytest.approx(ledger.input, rel=0.1)
    for role in ("small", "large"):
        expected = sum(stage.expected.input for stage in after.stages if stage.role == role)
        assert expected == pytest.approx(project.tokens(role)["input_tokens"], rel=0.1)


def test_passages_that_an_earlier_run_filtered_are_expected_to_be_filtered_again(
    project: MadeProject, server: ModelServer
) -> None:
    project.facts(range(8))
    server.where("Ander1 ", says("Reason: none.\nVerdict: unsuitable"), model="small")
    server.where("Ander2 ", says("Reason: none.\nVerdict: unsuitable"), model="small")
    project.run(server, cost=prices(1, 1, 10, 20))
    made = estimated(project, server, cost=prices(1, 1, 10, 20))
    small, large = made.stages
    assert (small.requests, large.requests) == (8, 8)
    assert (small.expected.requests, large.expected.requests) == (8, 6)
    assert large.expected.input == round(large.input * 6 / 8)
    more = small.input + small.output + 10 * large.expected.input + 20 * large.expected.output
    assert made.cost() == more / Decimal(1_000_000)


def test_what_a_template_writes_is_there_for_the_prompts_behind_it(project: MadeProject) -> None:
    project.facts([1])
    project.write("prompts/given.jinja", "{% user %}Ask shortly.{% enduser %}")
    project.write("prompts/asked.jinja", "{% user %}{{ manner }} {{ passage }}{% enduser %}")
    project.write(
        "pipelines/filled.yaml",
        "name: filled\nstages:\n  - {stage: fill, name: manner, field: manner, among: [given]}\n"
        "  - {stage: ask, name: ask, model: large, prompt: asked, fields: [q, a]}\n"
        "  - {stage: compose, kind: k, turns: [{role: user, text: q}, {role: assistant, text: a}]}\n",
    )
    made = estimated(project, pipeline="filled")
    assert [stage.requests for stage in made.stages] == [1]


def test_what_is_done_is_paid_and_does_not_remain(project: MadeProject, server: ModelServer) -> None:
    project.facts(range(4))
    project.run(server, cost=prices(1, 1, 10, 20))
    whole = estimated(project, server, cost=prices(1, 1, 10, 20))
    paid = sum(project.tokens(role)["total_cost"] for role in ("small", "large"))
    assert (whole.done, whole.remaining_cost()) == (4, 0)
    assert float(whole.paid or 0) == pytest.approx(paid) != 0
    project.facts(range(10))
    more = estimated(project, server, cost={**prices(1, 1, 10, 20), "max_usd": "0.5"})
    assert (more.chunks, more.done, more.max_usd) == (10, 4, Decimal("0.5"))
    assert [stage.requests for stage in more.remaining] == [6, 6]
    assert 0 < (more.remaining_cost() or 0) < (more.cost() or 0)
    assert 0 < (more.remaining_cost(limit=True) or 0) < (more.cost(limit=True) or 0)


def test_what_failed_remains(project: MadeProject, server: ModelServer) -> None:
    project.facts(range(3))
    server.where("Ander1 ", fails(500), model="large")
    assert project.run(server, api={"large_retries": 0}).counts["failed"] == 1
    made = estimated(project, server, api={"large_retries": 0})
    assert (made.done, made.remaining[0].requests) == (2, 1)


def test_reading_can_be_watched(project: MadeProject) -> None:
    project.facts(range(5))
    seen: list[RunState] = []

    @contextmanager
    def watch(state: RunState) -> Iterator[None]:
        seen.append(state)
        yield

    asyncio.run(estimate(project.load(), watch=watch))
    [state] = seen
    assert (state.phase, state.documents, state.chunks) == ("reading", 5, 5)
