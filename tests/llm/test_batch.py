"""The real program against a server that speaks the Batch API and misbehaves."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import pytest
from aiohttp import web

from augment_correction.errors import ConfigError, ExitCode
from augment_correction.runner import run
from augment_correction.runner.checking import check_run
from augment_correction.runner.state import RunState
from augment_correction.store import Batches, Database
from augment_correction.store.batches import SCHEMA as BATCHES_SCHEMA
from augment_correction.store.journal import SCHEMA as JOURNAL_SCHEMA
from tests.llm.batch_program import QUICK
from tests.llm.batch_server import BatchServer, answered, refused, unanswered
from tests.projects import MadeProject, adds_up
from tests.servers import passage_in

BATCH = {"small_mode": "batch", "large_mode": "batch"}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for (module, name), seconds in QUICK.items():
        monkeypatch.setattr(module, name, seconds)


@pytest.fixture
def batch_server() -> Iterator[BatchServer]:
    with BatchServer() as running:
        yield running


def first_time(*passages: str, then: dict[str, Any] | None = None) -> Any:
    """An answer that is `then` the first time a large model is asked about one of these passages."""
    seen: set[str] = set()

    def answer(body: dict[str, Any]) -> dict[str, Any]:
        passage = passage_in(body["messages"])
        if body["model"] == "large" and any(words in passage for words in passages) and passage not in seen:
            seen.add(passage)
            return then or unanswered("batch_expired")
        return answered(body)

    return answer


def test_each_stage_is_one_batch(project: MadeProject, batch_server: BatchServer) -> None:
    project.facts(range(20))
    result = project.run(batch_server, api=BATCH)
    assert result.exit_code is ExitCode.DONE, result
    assert result.kept == 20
    assert [len(batch.asked) for batch in batch_server.batches] == [20, 20]
    assert len(batch_server.uploads) == 2
    assert result.tokens["large"]["requests"] == 20
    assert result.tokens["large"]["input_tokens"] > 0
    assert result.tokens["large"]["estimated_requests"] == 0
    assert any("batch_1" in notice and "completed" in notice for notice in result.notices)
    assert open_rows(project, batch_server.url) == 0
    assert not list(project.output.glob("logs/batches/*"))


def test_ctrl_c_leaves_the_batch_and_says_so(project: MadeProject, batch_server: BatchServer) -> None:
    project.facts(range(3))
    batch_server.stumbles["poll"] = [lambda: os.kill(os.getpid(), signal.SIGINT)]
    batch_server.polls = 3
    result = project.run(batch_server, api=BATCH)
    assert result.exit_code is ExitCode.INTERRUPTED
    assert any("batch_0 (3 requests) continues at the server" in notice for notice in result.notices), result.notices
    assert result.counts["pending"] == 3
    result = project.run(batch_server, api=BATCH)
    assert result.kept == 3
    assert any("batch_0" in notice and "found again" in notice for notice in result.notices), result.notices
    assert len(batch_server.uploads) == len(batch_server.batches) == 2


def test_what_a_batch_left_unanswered_goes_into_the_next(project: MadeProject, batch_server: BatchServer) -> None:
    project.facts(range(6))
    batch_server.answer = first_time("Ander1 ", "Ander2 ")
    result = project.run(batch_server, api=BATCH)
    assert result.kept == 6
    assert [len(batch.asked) for batch in batch_server.batches] == [6, 6, 2]
    assert result.tokens["large"]["retries"] == 2
    assert set(batch_server.paid.values()) == {1}


def test_an_item_that_never_comes_fails_alone(project: MadeProject, batch_server: BatchServer) -> None:
    project.facts(range(4))
    never = "Ander3 "
    batch_server.answer = lambda body: (
        refused(429, "slow down") if never in passage_in(body["messages"]) else answered(body)
    )
    result = project.run(batch_server, api={**BATCH, "small_retries": 1})
    assert result.counts["failed"] == 1
    assert result.kept == 3
    assert adds_up(result)
    assert [len(batch.asked) for batch in batch_server.batches if batch.asked[0]["body"]["model"] == "small"] == [4, 1]


def test_a_refused_item_rejects_its_passage(project: MadeProject, batch_server: BatchServer) -> None:
    project.facts(range(4))
    batch_server.answer = first_time("Ander2 ", then=refused(400, "context too long"))
    result = project.run(batch_server, api=BATCH)
    assert result.kept == 3
    assert result.counts["reasons"] == {"masked_conversation/request_refused": 1}


def test_an_unusable_reply_is_asked_again_in_the_next_batch(project: MadeProject, batch_server: BatchServer) -> None:
    project.facts(range(4))

    def answer(body: dict[str, Any]) -> dict[str, Any]:
        first = "Ander2 " in passage_in(body["messages"]) and not batch_server.batches[2:]
        return answered(body, "no tags at all") if first and body["model"] == "large" else answered(body)

    batch_server.answer = answer
    result = project.run(batch_server, api=BATCH)
    assert result.kept == 4
    assert [len(batch.asked) for batch in batch_server.batches] == [4, 4, 1]


@pytest.mark.parametrize("fate", ["expired:20", "cancelled:0"])
def test_of_a_batch_that_ends_early_the_answers_are_used(
    project: MadeProject, batch_server: BatchServer, fate: str
) -> None:
    """Thirty and more unanswered items are no outage, and do not make the next batch smaller."""
    project.facts(range(60))
    batch_server.fates = ["completed", fate]
    result = project.run(batch_server, api=BATCH)
    assert result.kept == 60
    assert [len(batch.asked) for batch in batch_server.batches] == [60, 60, 60 - int(fate.split(":")[1])]
    assert sum(batch_server.paid.values()) == 120


def test_a_batch_that_fails_as_a_whole_stops_the_run_in_the_servers_words(
    project: MadeProject, batch_server: BatchServer
) -> None:
    project.facts(range(3))
    batch_server.fates = ["failed:model_not_found:The provided model 'small' is not supported by the Batch API."]
    result = project.run(batch_server, api=BATCH)
    assert result.exit_code is ExitCode.USER
    assert "line 1" in (result.stopped or "")
    assert "not supported by the Batch API" in (result.stopped or "")
    assert project.run(batch_server, api=BATCH).kept == 3


def test_too_many_tokens_at_once_are_asked_in_smaller_batches(project: MadeProject, batch_server: BatchServer) -> None:
    project.facts(range(8))
    batch_server.most_in_a_batch = 2
    result = project.run(batch_server, api={**BATCH, "large_mode": "scripted"})
    assert result.kept == 8
    assert [len(batch.asked) for batch in batch_server.batches] == [8, 4, 2, 2, 2, 2]
    assert any("Enqueued token limit" in notice for notice in result.notices)


def test_the_limits_of_one_batch_are_kept(
    project: MadeProject, batch_server: BatchServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("augment_correction.llm.batch.MOST_BYTES", 20_000)
    project.facts(range(12))
    result = project.run(batch_server, api={**BATCH, "large_mode": "scripted"})
    assert result.kept == 12
    assert len(batch_server.uploads) > 1
    assert all(len(data) <= 20_000 for data in batch_server.uploads)
    assert sum(len(batch.asked) for batch in batch_server.batches) == 12


def test_a_server_that_stumbles_is_asked_again_and_nothing_is_made_twice(
    project: MadeProject, batch_server: BatchServer
) -> None:
    project.facts(range(3))
    batch_server.stumbles = {
        "upload comes": [lambda: 503],
        "upload is stored": [lambda: 503],  # stored all the same: it must be found and not sent again
        "batch comes": [lambda: 429],
        "batch is stored": [lambda: 500],
        "poll": [lambda: 502],
        "download comes": [lambda: 503],
    }
    result = project.run(batch_server, api=BATCH)
    assert result.kept == 3
    assert len(batch_server.uploads) == 2
    assert len(batch_server.batches) == 2


@pytest.mark.parametrize("step", ["upload comes", "batch comes", "poll", "download comes"])
def test_no_redirect_is_followed_with_the_key_and_the_passages(
    project: MadeProject, batch_server: BatchServer, step: str
) -> None:
    project.facts(range(3))

    with BatchServer() as other:

        def elsewhere() -> None:
            raise web.HTTPTemporaryRedirect(f"{other.url}/files")

        batch_server.stumbles = {step: [elsewhere]}
        result = project.run(batch_server, api=BATCH)
        assert result.exit_code is ExitCode.USER
        assert f"redirects to {other.url}" in (result.stopped or "")
        assert not other.steps and not other.uploads
    assert project.run(batch_server, api=BATCH).kept == 3


def test_a_wrong_key_stops_the_run(project: MadeProject, batch_server: BatchServer) -> None:
    project.facts(range(3))
    batch_server.stumbles = {"upload comes": [lambda: 401]}
    result = project.run(batch_server, api=BATCH)
    assert result.exit_code is ExitCode.USER
    assert "401" in (result.stopped or "")
    assert project.run(batch_server, api=BATCH).kept == 3


def test_a_schema_that_is_refused_is_left_out(project: MadeProject, batch_server: BatchServer) -> None:
    project.facts(range(4))
    batch_server.answer = lambda body: (
        refused(400, "response_format json_schema is not supported") if "response_format" in body else answered(body)
    )
    result = project.run(batch_server, api=BATCH, pipeline="correction_small")
    assert adds_up(result)
    assert not result.counts["reasons"].get("server_error")
    assert all(reason.split("/")[1] != "request_refused" for reason in result.counts["reasons"])


def test_the_cap_is_kept_by_what_goes_into_a_batch(project: MadeProject, batch_server: BatchServer) -> None:
    project.facts(range(30))
    prices = {f"cost_per_million_{role}_{side}": 1000 for role in ("small", "large") for side in ("input", "output")}
    result = project.run(batch_server, api=BATCH, cost={**prices, "max_usd": 15})
    assert result.exit_code is ExitCode.BUDGET
    assert result.cost is not None
    assert result.cost <= 15
    assert project.run(batch_server, api=BATCH, cost={**prices, "max_usd": 3000}).kept == 30
    assert set(batch_server.paid.values()) == {1}


def test_a_batch_that_is_found_again_has_its_money_set_aside_once(
    project: MadeProject, batch_server: BatchServer
) -> None:
    """Twice would pass the cap, and its questions would wait for money that its answers set free."""
    project.facts(range(8))
    sections: dict[str, Any] = {
        "api": {**BATCH, "large_mode": "scripted"},
        "cost": {"cost_per_million_small_input": 1000, "cost_per_million_small_output": 1, "max_usd": 10},
    }
    _run_until_submitted(project, batch_server, project.load(batch_server, **sections))
    assert [len(batch.asked) for batch in batch_server.batches] == [8]
    result = project.run(batch_server, **sections)
    assert result.kept == 8
    assert [len(batch.asked) for batch in batch_server.batches] == [8]


def test_the_display_shows_where_a_batch_stands(project: MadeProject, batch_server: BatchServer) -> None:
    project.facts(range(3))
    states: list[RunState] = []
    shown: list[Any] = []
    batch_server.polls = 4
    batch_server.stumbles["poll"] = [lambda: shown.append(states[0].loading)] * 4
    run(project.load(batch_server, api=BATCH), watch=lambda state: nullcontext(states.append(state)))
    assert shown[0] is None
    assert {(each[0], each[2]) for each in shown[1:]} == {("batch_0 in_progress, 0 of 3 done, 0 failed", 0)}
    assert all(isinstance(each[1], int) for each in shown[1:]), "seconds since it was made"
    assert states[0].loading is None


def test_roles_with_one_model_keep_their_own_settings(project: MadeProject, batch_server: BatchServer) -> None:
    project.facts(range(2))
    own = {
        "small_extra_body": {"reasoning_effort": "minimal"},
        **{
            f"{role}_{name}": value
            for role in ("small", "large")
            for name, value in (("model", "one"), ("api_key", "sk"))
        },
    }
    assert project.run(batch_server, api={**BATCH, **own}).kept == 2
    efforts = [[item["body"].get("reasoning_effort") for item in batch.asked] for batch in batch_server.batches]
    assert efforts == [["minimal", "minimal"], [None, None]]


def test_batches_of_one_model_go_to_one_account(project: MadeProject, batch_server: BatchServer) -> None:
    project.facts(range(1))
    with pytest.raises(ConfigError, match="different API keys"):
        project.run(batch_server, api={**BATCH, "small_model": "one", "large_model": "one"})


def test_what_is_not_asked_any_more_is_counted_all_the_same(project: MadeProject, batch_server: BatchServer) -> None:
    """A batch was under way when the run was stopped, and then the documents changed."""
    project.facts(range(4))
    batch_server.polls = 10**6
    api = {**BATCH, "large_mode": "scripted"}
    with_interrupt = project.load(batch_server, api=api)
    _run_until_submitted(project, batch_server, with_interrupt)
    batch_server.polls = 2
    project.facts(range(2, 6))
    result = project.run(batch_server, api=api)
    assert result.kept == 4
    assert result.tokens["small"]["requests"] == 6
    assert set(batch_server.paid.values()) == {1}


def _run_until_submitted(project: MadeProject, server: BatchServer, config: Any) -> None:
    server.stumbles["poll"] = [lambda: 401]
    assert run(config).exit_code is ExitCode.USER


def test_a_batch_of_another_account_is_not_asked_anew(project: MadeProject, batch_server: BatchServer) -> None:
    project.facts(range(2))
    config = project.load(batch_server, api=BATCH)
    _run_until_submitted(project, batch_server, config)
    lost = batch_server.batches.pop()
    result = project.run(batch_server, api=BATCH)
    assert result.exit_code is ExitCode.USER
    assert lost.id in (result.stopped or "")
    assert len(batch_server.uploads) == 1


async def test_check_asks_for_the_batch_api(project: MadeProject, batch_server: BatchServer, server: Any) -> None:
    project.facts(range(1))
    findings = await check_run(project.config(batch_server, api=BATCH))
    assert all(finding.ok for finding in findings), findings
    findings = await check_run(project.config(server, api=BATCH))
    assert any("Batch API" in finding.what for finding in findings if not finding.ok), findings


def open_rows(project: MadeProject, url: str) -> int:
    database = Database(project.output / "journal.sqlite", JOURNAL_SCHEMA + BATCHES_SCHEMA)
    try:
        return sum(len(Batches(database).open(url, model)) for model in ("small", "large"))
    finally:
        database.close()
