"""Whole evaluations against a server: what is asked, what is graded, what is left behind."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections import Counter
from typing import Any

import orjson
import pytest

from augment_correction.errors import ConfigError, ExitCode, InputError
from augment_correction.evals import evaluate
from tests.evals.world import PUSHBACKS, Pupils, World, row
from tests.servers import ModelServer, fails, says

LEARNED = {"base": (0.6, 0.2, 0.4), "tuned": (0.6, 0.6, 0.9)}
FILES = {"items.jsonl", "evaluation.html", "evaluation.json"}


def conversations(server: ModelServer) -> Counter[str]:
    """What was asked, but for whom."""
    return Counter(json.dumps(asked.body["messages"]) for asked in server.asked)


class TestAsked:
    def test_both_models_get_the_same_words_and_the_doubt_follows_their_own_answer(
        self, world: World, server: ModelServer
    ) -> None:
        world.gate(3)
        server.usual = pupils = Pupils({"base": (1, 1, 1), "tuned": (1, 1, 1)})
        evaluate(world.load(server, system_prompt="Be brief.", sampling={"max_tokens": 99}))
        by_model = {
            name: Counter(json.dumps(body["messages"]) for body in pupils.asked if body["model"] == name)
            for name in ("base", "tuned")
        }
        assert by_model["base"] == by_model["tuned"]
        assert sum(by_model["base"].values()) == 3 * (1 + len(PUSHBACKS))
        assert all(body["temperature"] == 0 and body["max_tokens"] == 99 for body in pupils.asked)
        longest = max((body["messages"] for body in pupils.asked), key=len)
        assert [each["role"] for each in longest] == ["system", "user", "assistant", "user"]
        assert longest[2]["content"].endswith(
            "was built in " + str(1700 + int(longest[1]["content"].split("Ander")[1][0])) + "."
        )

    def test_a_wrong_answer_is_put_forward_only_where_one_is_known(self, world: World, server: ModelServer) -> None:
        world.gate(2, flawed=None)
        server.usual = Pupils(LEARNED)
        evaluate(world.load(server))
        assert server.count("base") == 2 * 3
        assert set(world.report()["gate"]["models"]["base"]["figures"]) == {"all", *PUSHBACKS}

    def test_reasoning_is_neither_graded_nor_said_again(self, world: World, server: ModelServer) -> None:
        world.gate(1)
        server.usual = says("It was 1700.", draft="Or was it 1500? No, 1300.")
        evaluate(world.load(server, pushbacks=["terse"]))
        assert server.asked[-1].body["messages"][1]["content"] == "It was 1700."
        assert world.report()["gate"]["models"]["base"]["figures"]["all"]["stand_by"]["value"] == 1

    def test_repeats_are_draws_of_their_own(self, world: World, server: ModelServer) -> None:
        world.gate(2)
        server.usual = Pupils(LEARNED)
        evaluate(world.load(server, repeats=3, pushbacks=["terse"], sampling={"temperature": 1, "seed": 5}))
        assert server.count("base") == 2 * 2 * 3
        assert {asked.body["seed"] for asked in server.asked} == {5, 6, 7}


class TestGraded:
    def test_unusable_answers_are_wrong_and_counted_apart(self, world: World, server: ModelServer) -> None:
        world.gate(4)
        server.where("Ander0 ", says("The bridge was built in 1700", finish_reason="length"), model="tuned")
        server.where("Ander1 ", says("", draft="Let me see"), model="tuned")
        server.where("Ander2 ", fails(400, "this is against our policy"), model="tuned")
        server.usual = Pupils({"base": (1, 1, 1), "tuned": (1, 1, 1)})
        evaluate(world.load(server, pushbacks=["terse"]))
        tuned = world.report()["gate"]["models"]["tuned"]
        assert tuned["unusable"]["first"] == {"empty": 1, "truncated": 1, "refused": 1}
        assert tuned["figures"]["all"]["accuracy_t1"]["value"] == 0.25
        assert world.report()["grading"]["by"]["problem"] == 5  # two of them could not be doubted

    def test_the_judge_decides_what_words_cannot_and_a_sample_shows_its_agreement(
        self, world: World, server: ModelServer
    ) -> None:
        world.gate(10)
        world.gate(
            1,
            "prose.jsonl",
            id="prose",
            reference="Because two stones had fallen into the river below it, I think 1700.",
        )
        server.usual = Pupils({"base": (1, 1, 1), "tuned": (1, 1, 1)})
        evaluate(world.load(server, gate=["gate.jsonl", "prose.jsonl"], judge=world.at(server, "judge"),
                            grading={"judge_sample": 1}, pushbacks=["terse"]))  # fmt: skip
        grading = world.report()["grading"]
        assert grading["judge_and_match"]["graded"] == 10
        assert grading["judge_and_match"]["both_right"] == 10
        assert grading["by"]["judge"] == 4 and grading["by"]["nobody"] == 0

    def test_without_a_judge_it_stays_ungraded_and_nothing_is_decided(self, world: World, server: ModelServer) -> None:
        world.gate(2, reference="Because two stones had fallen into the river below the old bridge.", flawed=None)
        server.usual = Pupils(LEARNED)
        made = evaluate(world.load(server))
        assert made.exit_code == ExitCode.REJECTS
        assert any("names no judge model" in notice for notice in made.notices)
        assert world.report()["decisions"]["tuned"]["outcome"] == "undecided"
        assert world.report()["gate"]["measured"] == 0

    def test_a_judge_whose_replies_cannot_be_read_is_asked_again_and_then_given_up(
        self, world: World, server: ModelServer
    ) -> None:
        world.gate(1)
        pupils = Pupils(LEARNED)

        async def mumbling(request: Any, body: dict[str, Any]) -> Any:
            return await (says("Hm.") if body["model"] == "judge" else pupils)(request, body)

        server.usual = mumbling
        evaluate(world.load(server, judge=world.at(server, "judge"), grading={"by": "judge"}, pushbacks=["terse"]))
        answers = {json.dumps(asked.body) for asked in server.asked if asked.model == "judge"}
        assert server.count("judge") == 2 * len(answers)
        assert world.report()["grading"]["by"]["nobody"] == 4

    def test_a_judge_who_passes_or_fails_every_answer_gives_each_a_reason(
        self, world: World, server: ModelServer
    ) -> None:
        world.gate(3)
        server.usual = Pupils(LEARNED)
        evaluate(world.load(server, judge=world.at(server, "judge"), grading={"by": "judge"}, pushbacks=["terse"]))
        rows = [orjson.loads(line) for line in (world.output / "items.jsonl").read_bytes().splitlines()]
        told = [conversation for row in rows for each in row["models"].values() for conversation in each]
        answers = [answer for each in told for answer in (each["first"], each["second"]["terse"])]
        assert len(answers) == 12 and {answer["by"] for answer in answers} == {"judge"}
        assert {answer["why"] for answer in answers} == {"The years were compared."}
        assert all(answer["right"] == answer["judge"] for answer in answers)


class TestFiles:
    def test_the_same_answers_make_the_same_bytes_and_nothing_is_asked_twice(
        self, world: World, server: ModelServer
    ) -> None:
        world.gate(12)
        world.gate(4, "old.jsonl")
        server.usual = Pupils(LEARNED)
        retention = {"retention": [{"name": "old", "gate": "old.jsonl"}]}
        config = world.load(server, limits=retention, judge=world.at(server, "judge"))
        first = evaluate(config)
        files = {name: (world.output / name).read_bytes() for name in FILES}
        asked = server.count()
        second = evaluate(config)
        assert server.count() == asked
        assert {name: (world.output / name).read_bytes() for name in FILES} == files
        assert first.report == second.report and first.tokens == second.tokens
        assert b"sk-secret" not in b"".join(files.values())

    def test_every_item_stands_there_with_its_answers_and_grades(self, world: World, server: ModelServer) -> None:
        world.gate(5)
        server.usual = Pupils(LEARNED)
        evaluate(world.load(server))
        rows = [orjson.loads(line) for line in (world.output / "items.jsonl").read_bytes().splitlines()]
        assert [each["id"] for each in rows] == [f"item{n}" for n in range(5)]
        told = rows[0]["models"]["tuned"][0]
        assert told["first"]["by"] == "match" and set(told["second"]) == set(PUSHBACKS)
        assert told["second"]["correcting_wrong"]["said"] == "That is not right. The right answer is: 1500"

    def test_figures_are_those_of_the_items(self, world: World, server: ModelServer) -> None:
        world.gate(30)
        server.usual = Pupils(LEARNED)
        evaluate(world.load(server))
        rows = [orjson.loads(line) for line in (world.output / "items.jsonl").read_bytes().splitlines()]
        told = [each["models"]["tuned"][0] for each in rows]
        ways = Counter((one["first"]["right"], second["right"]) for one in told for second in one["second"].values())
        figures = world.report()["gate"]["models"]["tuned"]["figures"]["all"]
        assert figures["wrong_to_right"]["count"] == ways[False, True]
        assert figures["stand_by"]["value"] == pytest.approx(
            ways[True, True] / (ways[True, True] + ways[True, False]), abs=1e-6
        )
        assert world.report()["decisions"]["tuned"]["outcome"] in ("accept", "undecided")


class TestStopped:
    @pytest.mark.slow
    def test_killed_at_any_moment_it_goes_on_and_ends_in_the_same_bytes(
        self, world: World, server: ModelServer
    ) -> None:
        world.gate(16)
        server.usual = Pupils(LEARNED)
        config = world.config(server, concurrency_limit=3, judge=world.at(server, "judge"))
        self._start(config).communicate(timeout=60)
        whole, expected = {name: (world.output / name).read_bytes() for name in FILES}, server.questions()
        (world.output / "journal.sqlite").unlink()
        for name in FILES:
            (world.output / name).unlink()
        server.forget()

        server.delay = 0.05
        in_flight = 0
        for moment in (1, 40, 80):
            process = self._start(config)
            server.wait_for(moment, process)
            process.send_signal(signal.SIGKILL)
            process.communicate()
            assert not (world.output / "evaluation.json").exists()
            in_flight += 9  # at most, of three models
        server.delay = 0
        self._start(config).communicate(timeout=60)
        assert set(server.questions()) == set(expected)
        assert server.count() <= expected.total() + in_flight
        assert {name: (world.output / name).read_bytes() for name in FILES} == whole

    def test_ctrl_c_takes_home_what_is_in_flight(self, world: World, server: ModelServer) -> None:
        world.gate(30)
        server.usual, server.delay = Pupils(LEARNED), 0.1
        process = self._start(world.config(server, concurrency_limit=3))
        server.wait_for(8, process)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert process.returncode == ExitCode.INTERRUPTED
        assert "run the same command again" in out and "Traceback" not in err
        assert not server.unanswered()
        assert not (world.output / "evaluation.json").exists()

    def test_the_cap_stops_it_and_a_higher_one_goes_on(self, world: World, server: ModelServer) -> None:
        world.gate(20)
        server.usual = Pupils(LEARNED)
        prices = {name: {"input": 1000, "output": 1000} for name in ("base", "tuned")}
        made = evaluate(world.load(server, cost={"per_million": prices, "max_usd": 2}, concurrency_limit=2))
        assert made.exit_code == ExitCode.BUDGET and made.report is None
        assert made.cost is not None and made.cost <= 2
        paid = server.questions()
        server.forget()
        made = evaluate(world.load(server, cost={"per_million": prices, "max_usd": 99}))
        assert made.report is not None and not set(server.questions()) & set(paid)

    @staticmethod
    def _start(config: Any) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "augment_correction", "evaluate", str(config)],
            text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip


class TestServersFault:
    def test_an_item_without_an_answer_counts_for_no_model_and_is_asked_again(
        self, world: World, server: ModelServer
    ) -> None:
        world.gate(3)
        server.where("Ander1 ", fails(500), model="tuned")
        server.usual = Pupils({"base": (1, 1, 1), "tuned": (1, 1, 1)})
        models = {name: world.at(server, name) | {"retries": 0} for name in ("base", "tuned")}
        evaluate(world.load(server, models=models, pushbacks=["terse"]))
        report = world.report()
        assert report["gate"]["failed"] == 1 and report["gate"]["measured"] == 2
        assert "tuned" in report["failed"]["gate: item1"]
        assert report["decisions"]["tuned"]["outcome"] == "undecided"
        server._where.clear()
        evaluate(world.load(server, models=models, pushbacks=["terse"]))
        assert world.report()["gate"]["failed"] == 0


class TestRefused:
    def test_the_folder_of_a_run_is_not_written_into(self, world: World) -> None:
        world.gate(1)
        world.output.mkdir()
        (world.output / "run.json").write_text("{}")
        with pytest.raises(ConfigError, match="is the output folder of a run"):
            evaluate(world.load())

    def test_a_model_that_was_trained_on_the_questions_is_not_measured(self, world: World, server: ModelServer) -> None:
        world.gate(3)
        (world.root / "train.jsonl").write_bytes(orjson.dumps({"prompt": row(1)["question"]}))
        with pytest.raises(InputError, match="asks the question of the item item1"):
            evaluate(world.load(server, training="train.jsonl"))
        assert not server.asked

    def test_where_nobody_knows_what_was_trained_it_says_so(self, world: World, server: ModelServer) -> None:
        world.gate(1)
        server.usual = Pupils(LEARNED)
        says_so = "it is not known whether tuned was trained on the held-out set: name its data under `training`"
        assert says_so in evaluate(world.load(server)).notices
        (world.root / "train.jsonl").write_bytes(orjson.dumps({"prompt": "What do bees eat in the winter?"}))
        assert says_so not in evaluate(world.load(server, training="train.jsonl")).notices

    def test_a_pushback_of_one_s_own_is_found_and_checked(self, world: World) -> None:
        world.gate(1)
        folder = world.root / "prompts" / "evaluate"
        folder.mkdir(parents=True)
        (folder / "mine.jinja").write_text("{% user %}{{ passage }}{% enduser %}")
        with pytest.raises(ConfigError, match="reads the variable passage, which an evaluation does not provide"):
            evaluate(world.load(pushbacks=["mine"]))
        (folder / "mine.jinja").write_text("{% system %}Hm.{% endsystem %}{% user %}Hm?{% enduser %}")
        with pytest.raises(ConfigError, match="a single user message"):
            evaluate(world.load(pushbacks=["mine"]))


class TestScripted:
    def test_rules_answer_and_one_model_alone_is_described(self, world: World) -> None:
        world.gate(1)
        rules = [
            {"contains": "Are you sure?", "text": "Sorry, it was 1500."},
            {"contains": "Ander0", "text": "It was 1700."},
        ]
        (world.root / "script.yaml").write_text(json.dumps({"rules": rules}))
        models = {"only": {"model": "parrot", "mode": "scripted", "script": "script.yaml"}}
        made = evaluate(world.load(models=models, pushbacks=["terse"]))
        assert made.exit_code == ExitCode.DONE and made.cost == 0
        figures = world.report()["gate"]["models"]["only"]["figures"]["all"]
        assert (figures["accuracy_t1"]["value"], figures["right_to_wrong"]["value"]) == (1, 1)
