"""Whole runs against a real server that misbehaves: what is kept is right, the counts add up, nothing is paid twice."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from augment_correction.errors import ExitCode
from augment_correction.runner import running
from augment_correction.runner.state import RunState
from tests.projects import MadeProject, adds_up, prices
from tests.servers import (
    ModelServer,
    Reply,
    conversation_about,
    drops,
    fails,
    says,
    sends,
    sends_half,
    stalls,
    tagged,
    too_many,
)

CONTENTS = "Table of Contents. The bridge, page 1. The mill, page 12. The market, page 31. The index, page 99."


def said(row: dict[str, object]) -> str:
    segments = row["segments"]
    assert isinstance(segments, list)
    return "".join(segment["text"] for segment in segments)


class TestAGoodServer:
    def test_every_passage_becomes_the_conversation_that_the_model_wrote_about_it(
        self, project: MadeProject, server: ModelServer
    ) -> None:
        texts = project.facts(range(12))
        result = project.run(server)
        assert (result.exit_code, result.kept) == (ExitCode.DONE, 12)
        for row, text in zip(project.dataset(), texts, strict=True):
            for field in conversation_about(text).values():
                assert field in said(row)
            masked = [segment["text"] for segment in row["segments"] if not segment["label"]]
            assert masked == [conversation_about(text)["flawed_answer"] + "<|im_end|>\n"]

    def test_tokens_are_what_the_server_counted(self, project: MadeProject, server: ModelServer) -> None:
        details = {"prompt_tokens_details": {"cached_tokens": 64}, "completion_tokens_details": {"reasoning_tokens": 9}}
        server.usual = says(usage={"prompt_tokens": 100, "completion_tokens": 10, **details})
        project.facts(range(4))
        result = project.run(server, cost=prices(1, 2, 10, 20))
        small = project.tokens("small")
        assert (small["input_tokens"], small["output_tokens"], small["requests"]) == (400, 40, 4)
        assert (small["cached_input_tokens"], small["reasoning_tokens"]) == (256, 36)
        assert small["total_cost"] == pytest.approx((400 * 1 + 40 * 2) / 1e6)
        assert float(result.cost or 0) == pytest.approx((400 * 11 + 40 * 22) / 1e6)

    def test_a_server_that_counts_nothing_gets_an_estimate_that_says_so(
        self, project: MadeProject, server: ModelServer
    ) -> None:
        server.usual = says(usage=None)
        project.facts(range(3))
        project.run(server)
        assert project.tokens("small")["estimated_requests"] == 3
        assert project.tokens("small")["input_tokens"] > 3 * 400  # the filter's prompt alone is that long
        assert project.tokens("small")["cached_input_tokens"] is None

    def test_only_the_final_answer_counts_and_never_a_draft(self, project: MadeProject, server: ModelServer) -> None:
        draft = "Verdict: unsuitable\n" + tagged(dict.fromkeys(conversation_about("x"), "a draft"))
        server.usual = says(draft=draft, reasoning_content=draft)
        project.facts(range(3))
        assert project.run(server).kept == 3
        assert "a draft" not in (project.output / "axolotl_correction_conversations.json").read_text()

    def test_the_passage_is_sent_last_so_that_prefix_caches_work(
        self, project: MadeProject, server: ModelServer
    ) -> None:
        project.facts(range(2))
        project.run(server)
        for model in ("small", "large"):
            one, other = [asked.body["messages"] for asked in server.asked if asked.model == model]
            assert one[:-1] == other[:-1]
            assert one[-1] != other[-1]

    def test_calls_in_flight_stay_below_the_limit_of_each_model(
        self, project: MadeProject, server: ModelServer
    ) -> None:
        server.delay = 0.02
        project.facts(range(30))
        project.run(server, system={"concurrency_limit": 7}, api={"large_concurrency": 2})
        assert 2 < server.most_in_flight <= 9


@pytest.mark.parametrize(("patience", "expected"), [(0.0, 60), (60.0, None)])
def test_passages_are_counted_ahead_only_for_who_waits_longer_than_two_seconds(
    project: MadeProject, server: ModelServer, monkeypatch: pytest.MonkeyPatch, patience: float, expected: int | None
) -> None:
    monkeypatch.setattr(running, "_ENDS_UNTOLD", patience)
    project.facts(range(60))
    server.delay = 0.1
    states: list[RunState] = []

    @contextmanager
    def watch(state: RunState) -> Iterator[None]:
        states.append(state)
        yield

    made = running.run(project.load(server, system={"concurrency_limit": 4}), watch=watch)
    assert made.kept == 60 and states[0].expected == expected


class TestRejects:
    def test_what_the_filter_rejects_is_not_generated_and_is_listed_with_its_reason(
        self, project: MadeProject, server: ModelServer
    ) -> None:
        project.facts(range(3))
        project.write("inputs/contents.txt", CONTENTS)
        result = project.run(server)
        assert adds_up(result)
        assert (result.kept, result.counts["reasons"]) == (3, {"judgement/unsuitable": 1})
        assert CONTENTS not in server.passages("large")
        (row,) = project.rejected()
        assert (row["source"], row["stage"], row["detail"]) == ("contents.txt", "judgement", "It states no facts.")

    def test_a_truncated_reply_is_asked_for_again_and_then_rejected(
        self, project: MadeProject, server: ModelServer
    ) -> None:
        ander3, *_ = project.facts([3, 4])
        server.where("Ander3", says("<initial_question>What", finish_reason="length"), model="large")
        result = project.run(server)
        assert (result.kept, result.counts["reasons"]) == (1, {"masked_conversation/truncated": 1})
        # Three times, though the second and third question are the same words: the journal must not answer the third.
        assert server.passages("large")[ander3] == 3
        assert sorted(server.questions().values()) == [1, 1, 1, 1, 2]

    def test_a_request_that_the_server_refuses_costs_one_try_and_one_passage(
        self, project: MadeProject, server: ModelServer
    ) -> None:
        project.facts(range(4))
        server.where("Ander2", fails(400, "maximum context length is 4096 tokens"), model="large")
        result = project.run(server)
        assert (result.kept, result.counts["reasons"]) == (3, {"masked_conversation/request_refused": 1})
        assert "maximum context length" in project.rejected()[0]["detail"]
        assert server.count("large") == 4


FAULTS = {
    "500": fails(500, "boom"),
    "503": fails(503, "starting"),
    "a dropped connection": drops,
    "half an answer": sends_half,
    "malformed JSON": sends(b'{"choices": [{"mess'),
    "another content type": sends(b"<html>Bad gateway</html>", content_type="text/html"),
    "an error in a 200": sends(b'{"error": {"message": "upstream is overloaded", "code": 502}}'),
    "an answer without choices": sends(b'{"choices": []}'),
}


class TestTransientFaults:
    @pytest.mark.parametrize("fault", FAULTS)
    def test_each_is_tried_again_and_counted(self, project: MadeProject, server: ModelServer, fault: str) -> None:
        project.facts(range(3))
        server.then(FAULTS[fault])
        result = project.run(server)
        assert (result.exit_code, result.kept, result.counts["failed"]) == (ExitCode.DONE, 3, 0)
        assert project.tokens("small")["retries"] == 1
        assert server.count() == 7

    def test_a_stall_ends_at_the_timeout_and_is_tried_again(self, project: MadeProject, server: ModelServer) -> None:
        project.facts(range(2))
        server.then(stalls(30))
        result = project.run(server, api={"small_timeout": 0.4})
        assert (result.kept, project.tokens("small")["retries"]) == (2, 1)
        assert result.seconds < 20

    def test_requests_and_retries_together_are_what_the_server_saw(
        self, project: MadeProject, server: ModelServer
    ) -> None:
        project.facts(range(10))
        server.then(fails(500), drops, fails(503), too_many(0.05), sends(b"?"), fails(500))
        project.run(server)
        tokens = [project.tokens(role) for role in ("small", "large")]
        assert sum(each["requests"] + each["retries"] for each in tokens) == server.count() == 26

    def test_a_passage_whose_retries_are_used_up_has_failed_and_is_tried_again_by_the_next_run(
        self, project: MadeProject, server: ModelServer
    ) -> None:
        project.facts(range(4))
        server.where("Ander1", fails(500, "boom"), model="large")
        result = project.run(server, api={"large_retries": 1})
        assert adds_up(result)
        assert (result.kept, result.counts["failed"]) == (3, 1)
        assert result.counts["reasons"] == {"masked_conversation/server_error": 1}
        assert project.rejected()[0]["failed"] is True
        server._where.clear()
        server.forget()
        again = project.run(server, api={"large_retries": 1})
        assert (again.kept, again.counts["failed"], server.count("small"), server.count("large")) == (4, 0, 0, 1)


class TestRateLimits:
    def test_a_429_does_not_use_up_the_retries(self, project: MadeProject, server: ModelServer) -> None:
        project.facts([1])
        server.then(*[too_many(0.02)] * 6)
        result = project.run(server, api={"small_retries": 0})
        assert (result.kept, project.tokens("small")["retries"]) == (1, 6)

    @pytest.mark.parametrize("as_date", [False, True])
    def test_nobody_starts_before_the_server_wants_to_be_asked_again(
        self, project: MadeProject, server: ModelServer, as_date: bool
    ) -> None:
        project.facts(range(8))
        server.then(too_many(1.0, as_date=as_date))
        assert project.run(server, system={"concurrency_limit": 1}).kept == 8
        small = [asked.at for asked in server.asked if asked.model == "small"]
        assert small[1] - small[0] >= 0.9
        assert small[-1] - small[1] < 30

    def test_a_retry_after_of_nothing_is_not_an_invitation_to_hammer(
        self, project: MadeProject, server: ModelServer
    ) -> None:
        project.facts([1])
        server.usual = too_many(0)
        project.config(server)
        process = project.start()
        server.wait_for(1, process)
        time.sleep(1.0)
        process.kill()
        process.communicate()
        assert server.count() < 20  # without a pause it is hundreds


class TestUnusableModels:
    @pytest.mark.parametrize(
        ("reply", "words"),
        [
            (fails(401, "Incorrect API key provided: sk-small-0123456789"), "check the API key"),
            (fails(403, "no"), "check the API key"),
            (fails(404, "The model `small` does not exist"), "check the model's name"),
            (fails(402, "Insufficient Balance"), "no credit left"),
            (fails(429, "You exceeded your current quota"), "no credit left"),
            (sends(b"", status=302), "set base_url to that address"),
        ],
    )
    def test_the_run_stops_at_once_with_a_remedy(
        self, project: MadeProject, server: ModelServer, reply: Reply, words: str
    ) -> None:
        project.facts(range(50))
        server.usual = reply
        result = project.run(server, system={"concurrency_limit": 3})
        assert result.exit_code == ExitCode.USER
        assert result.hint is not None and words in result.hint
        assert server.count() <= 3
        assert adds_up(result)
        assert (result.kept, result.counts["failed"]) == (0, 0)
        assert "0123456789" not in str(result)

    def test_a_server_that_is_not_there_stops_the_run_too(
        self, project: MadeProject, server: ModelServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("augment_correction.llm.metered._backoff", lambda _: 0.01)
        project.facts(range(50))
        result = project.run(server, api={"small_base_url": "http://127.0.0.1:9/v1"})
        assert result.exit_code == ExitCode.USER
        assert result.stopped is not None and "127.0.0.1:9" in result.stopped and "cannot be reached" in result.stopped
        assert adds_up(result) and result.counts["failed"] == 0

    def test_a_model_that_dies_in_the_middle_leaves_valid_files_and_a_run_that_goes_on(
        self, project: MadeProject, server: ModelServer
    ) -> None:
        project.facts(range(20))
        server.where("Ander12", fails(401, "key revoked"), model="large")
        stopped = project.run(server, system={"concurrency_limit": 4})
        assert stopped.exit_code == ExitCode.USER
        assert adds_up(stopped) and 0 < stopped.kept < 20
        assert len(project.dataset()) == stopped.kept
        server._where.clear()
        result = project.run(server, system={"concurrency_limit": 4})
        assert (result.exit_code, result.kept) == (ExitCode.DONE, 20)
        assert set(server.passages("large").values()) == {1, 2}
        assert sum(server.passages("large").values()) == 21  # only the one that failed was asked twice


class TestStructuredOutput:
    def test_schemas_are_sent_where_the_reply_is_json(self, project: MadeProject, server: ModelServer) -> None:
        project.facts(range(2))
        assert project.run(server, pipeline="correction_small").kept == 2
        schema = server.asked[0].body["response_format"]["json_schema"]
        assert schema["strict"] is True
        assert schema["schema"]["properties"]["verdict"]["enum"] == ["suitable", "unsuitable"]

    def test_a_server_without_schemas_is_asked_in_plain_text_from_then_on(
        self, project: MadeProject, server: ModelServer
    ) -> None:
        async def without_schemas(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
            if "response_format" in body:
                return await fails(400, "response_format json_schema is not supported")(request, body)
            return await says()(request, body)

        project.facts(range(3))
        server.usual = without_schemas
        result = project.run(server, system={"concurrency_limit": 1}, pipeline="correction_small")
        refused = [asked for asked in server.asked if "response_format" in asked.body]
        assert [asked.model for asked in refused] == ["small", "large"]
        assert result.kept == 3
        assert sum("accepts no JSON schema" in notice for notice in result.notices) == 2
        tokens = [project.tokens(role) for role in ("small", "large")]
        assert sum(each["requests"] + each["retries"] for each in tokens) == server.count()

    def test_one_who_insists_on_schemas_is_told_that_the_server_has_none(
        self, project: MadeProject, server: ModelServer
    ) -> None:
        project.facts([1])
        server.usual = fails(400, "response_format is not supported")
        result = project.run(server, api={"small_structured_output": "always"}, pipeline="correction_small")
        assert result.exit_code == ExitCode.USER
        assert result.hint == "set api.small_structured_output: auto"


class TestSecrets:
    SECRET = "sk-small-0123456789"

    def test_a_key_is_in_the_request_and_nowhere_else(self, project: MadeProject, server: ModelServer) -> None:
        project.facts(range(3))
        # Servers quote what they refuse; long enough that a careless cut would leave half of the key standing.
        server.then(fails(500, f"{'x' * 480} {self.SECRET}"), fails(400, f"bad request by {self.SECRET}"))
        server.delay = 0.3
        project.config(server)
        process = project.start()
        server.wait_for(1, process)
        assert self.SECRET not in Path(f"/proc/{process.pid}/cmdline").read_text()
        out, err = process.communicate(timeout=60)
        assert server.asked[0].headers["Authorization"] == f"Bearer {self.SECRET}"
        everything = out + err
        for path in project.output.rglob("*"):
            if path.is_file():
                everything += path.read_bytes().decode("latin-1")
        assert "bad request by ***" in everything
        assert "sk-small" not in everything
        assert "sk-large" not in everything

    def test_credentials_in_a_url_are_not_shown_either(
        self, project: MadeProject, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("augment_correction.llm.metered._backoff", lambda _: 0.01)
        project.facts([1])
        addresses = [f"http://someone:hunter22@127.0.0.1:{port}/v1" for port in (9, 7)]
        api = {"small_mode": "api", "small_base_url": addresses, "small_retries": 0}
        result = project.run(None, api=api)
        assert result.exit_code == ExitCode.USER
        written = b"".join(path.read_bytes() for path in project.output.rglob("*") if path.is_file())
        assert "hunter22" not in str(result) and b"hunter22" not in written
        (told,) = project.output.glob("run.json")
        models = json.loads(told.read_text())["config"]["api"]
        assert all(each in json.dumps(models) for each in ("http://127.0.0.1:9/v1", "http://127.0.0.1:7/v1"))
