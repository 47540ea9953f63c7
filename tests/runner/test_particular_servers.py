"""Real servers' own ways, from the first call to the files: what they do not take, how they refuse, what they count."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from typing import Any

from aiohttp import web

from augment_correction.errors import ExitCode
from augment_correction.llm.refusal_history import FIRST_REFUSED
from tests.projects import MadeProject, prices
from tests.servers import ModelServer, Reply, fails, says


def unless(taken: Callable[[dict[str, Any]], bool], refusal: Reply, model: str = "large") -> Reply:
    """Answers what is taken, and refuses `model`'s other requests."""

    async def reply(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        return await (says() if body["model"] != model or taken(body) else refusal)(request, body)

    return reply


def test_a_parameter_that_is_not_taken_costs_one_refusal_and_the_journal_keeps_its_keys(
    project: MadeProject, server: ModelServer
) -> None:
    project.facts(range(6))
    server.usual = unless(
        lambda body: "temperature" not in body, fails(400, "`temperature` is deprecated for this model.")
    )
    result = project.run(server, system={"concurrency_limit": 1})
    assert (result.exit_code, result.kept) == (ExitCode.DONE, 6)
    assert server.count("large") == 7
    assert sum("does not accept temperature" in notice for notice in result.notices) == 1
    server.forget()
    server.usual = says()  # the server takes it again: nothing is asked anew
    (project.output / "axolotl_correction_conversations.json").unlink()
    assert project.again().kept == 6
    assert server.count() == 0


def test_a_stage_whose_first_calls_are_all_refused_stops_the_run_before_every_judge_call_is_paid(
    project: MadeProject, server: ModelServer
) -> None:
    project.facts(range(60))
    refusal = fails(400, "reasoning is mandatory for this endpoint and cannot be disabled")
    server.usual = unless(lambda _: False, refusal)
    result = project.run(server, system={"concurrency_limit": 4})
    assert result.exit_code == ExitCode.USER
    assert result.stopped is not None and "reasoning is mandatory for this endpoint" in result.stopped
    assert f"the first {FIRST_REFUSED} calls of the stage 'masked_conversation' were all refused" in result.stopped
    assert result.hint is not None and "sampling.masked_conversation" in result.hint
    assert server.count("small") < 30 and server.count("large") <= FIRST_REFUSED + 4
    assert result.counts["rejected"] == 0, "nothing is held against a passage"
    server.usual = says()
    again = project.run(server, system={"concurrency_limit": 4})
    assert (again.exit_code, again.kept) == (ExitCode.DONE, 60)


def test_one_passage_that_a_moderation_forbids_is_that_passages(project: MadeProject, server: ModelServer) -> None:
    project.facts(range(8))
    server.where("Ander5", fails(403, "no access for this request"), model="large")
    result = project.run(server, system={"concurrency_limit": 1})
    assert (result.exit_code, result.kept, result.counts["rejected"]) == (ExitCode.DONE, 7, 1)
    assert result.counts["reasons"] == {"masked_conversation/request_refused": 1}


def test_a_reply_that_the_server_broke_off_is_never_an_answer(project: MadeProject, server: ModelServer) -> None:
    project.facts(range(3))
    server.per_passage(says("half of a reply", finish_reason="error"), model="large")
    result = project.run(server)
    assert result.kept == 3
    assert project.tokens("large")["retries"] == 3
    with sqlite3.connect(project.output / "journal.sqlite") as journal:
        found = journal.execute("SELECT DISTINCT finish_reason FROM calls").fetchall()
    journal.close()
    assert found == [("stop",)]


def test_a_cap_binds_where_the_server_counts_nothing(project: MadeProject, server: ModelServer) -> None:
    project.facts(range(40))
    server.usual = says(usage={"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0})
    cost = prices(1, 1, 10, 10) | {"max_usd": 0.25}
    result = project.run(server, cost=cost, system={"concurrency_limit": 1})
    assert result.exit_code == ExitCode.BUDGET
    assert 0 < result.kept < 40
    tokens = project.tokens("small")
    assert tokens["estimated_requests"] == tokens["requests"] > 0
    assert result.cost is not None and 0 < result.cost <= 0.25


def test_a_judge_whose_thoughts_use_up_its_limit_gets_room_and_loses_nothing(
    project: MadeProject, server: ModelServer
) -> None:
    """As gpt-5-nano did with 600 tokens: nothing but hidden reasoning, in 9 of 24 passages."""
    cut = {"prompt_tokens": 900, "completion_tokens": 600, "completion_tokens_details": {"reasoning_tokens": 600}}
    project.facts(range(5))
    server.usual = unless(
        lambda body: body["max_tokens"] > 2_000, says("", finish_reason="length", usage=cut), model="small"
    )
    result = project.run(server, system={"concurrency_limit": 1})
    assert (result.kept, result.counts["rejected"]) == (5, 0)
    assert sum("writes reasoning before its answer" in notice for notice in result.notices) == 1
    asked = [body.body["max_tokens"] for body in server.asked if body.model == "small"]
    assert asked == [600, *[600 + 8192] * 5]


def test_a_judge_that_is_cut_off_while_thinking_is_rejected_with_what_to_set(
    project: MadeProject, server: ModelServer
) -> None:
    project.facts([1])
    cut = {"prompt_tokens": 900, "completion_tokens": 700, "completion_tokens_details": {"reasoning_tokens": 690}}
    server.usual = unless(lambda _: False, says("", finish_reason="length", usage=cut), model="small")
    project.run(server, api={"small_reasoning_tokens": 100})
    (row,) = project.rejected()
    assert row["reason"] == "truncated"
    assert "690 tokens" in row["detail"] and "reasoning_tokens" in row["detail"]
    assert "sampling.judgement.max_tokens" in row["detail"]


def test_the_sdk_makes_the_same_dataset_and_finds_its_calls_in_the_same_journal(
    project: MadeProject, server: ModelServer
) -> None:
    project.facts(range(4))
    by_sdk = {"small_client": "sdk", "large_client": "sdk", "large_headers": {"x-gateway": "secret-1"}}
    assert project.run(server, api=by_sdk).kept == 4
    made, asked = project.files()["axolotl_correction_conversations.json"], server.questions()
    assert {each.headers.get("x-gateway") for each in server.asked if each.model == "large"} == {"secret-1"}
    assert all(b"secret-1" not in content for content in project.files().values())
    server.forget()
    assert project.run(server).kept == 4, "the client is no part of the question"
    assert server.count() == 0
    shutil.rmtree(project.output)
    assert project.run(server).kept == 4
    assert (project.files()["axolotl_correction_conversations.json"], server.questions()) == (made, asked)
