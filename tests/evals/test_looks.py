"""The significance level is spent over the looks at one held-out set."""

from __future__ import annotations

import json

import pytest

from augment_correction.cli import main
from augment_correction.evals import evaluate
from augment_correction.evals.looks import WORN_OUT, spent_at
from augment_correction.evals.planning import plan_evaluation
from augment_correction.evals.power import HeldOut
from tests.evals.world import Pupils, World
from tests.servers import ModelServer

BETTER = {"base": (0.3, 0.1, 0.5), "tuned": (0.9, 0.9, 1.0), "other": (0.9, 0.8, 1.0)}


def looked(world: World) -> list[dict[str, object]]:
    path = world.root / "gate.looks.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def level(world: World) -> str:
    reasons = world.report()["decisions"]["tuned"]["reasons"]
    return next(each["text"] for each in reasons if "at these questions" in each["text"])


def test_all_looks_together_spend_no_more_than_alpha() -> None:
    assert spent_at(1, 0.05) == 0.025, "the one-sided half of a two-sided 0.05"
    levels = [spent_at(look, 0.05) for look in range(1, 10_000)]
    assert levels == sorted(levels, reverse=True) and 0.0499 < sum(levels) < 0.05


class TestCounting:
    def test_another_model_is_another_look_and_the_same_evaluation_is_not(
        self, world: World, server: ModelServer
    ) -> None:
        world.gate(12)
        server.usual = Pupils(BETTER)
        evaluate(world.load(server))
        first = (world.root / "out" / "evaluation.json").read_bytes()
        assert "wanted below 0.025 at look 1" in level(world)
        evaluate(world.load(server))
        assert (world.root / "out" / "evaluation.json").read_bytes() == first
        assert [each["look"] for each in looked(world)] == [1]
        models = {"base": world.at(server, "base"), "tuned": world.at(server, "other")}
        evaluate(world.load(server, models=models, path={"output_dir": "second"}))
        assert [(each["look"], each["model"]) for each in looked(world)] == [(1, "tuned"), (2, "other")]

    def test_more_questions_of_the_same_set_are_another_look(self, world: World, server: ModelServer) -> None:
        server.usual = Pupils(BETTER)
        for count in (8, 10, 12):
            world.gate(count)
            evaluate(world.load(server))
        assert [each["look"] for each in looked(world)] == [1, 2, 3] and "0.0042 at look 3" in level(world)

    def test_another_set_of_questions_begins_anew(self, world: World, server: ModelServer) -> None:
        server.usual = Pupils(BETTER)
        gate = world.gate(12)
        evaluate(world.load(server))
        rows = gate.read_text().splitlines(keepends=True)
        gate.write_text("".join(row.replace("Ander", "Ander9").replace("item", "new") for row in rows))
        evaluate(world.load(server, path={"output_dir": "second"}))
        assert [each["look"] for each in looked(world)] == [1, 1]

    def test_two_models_of_one_evaluation_are_two_looks(self, world: World, server: ModelServer) -> None:
        world.gate(6)
        server.usual = Pupils(BETTER)
        models = {name: world.at(server, name) for name in BETTER}
        evaluate(world.load(server, models=models))
        assert {each["model"]: each["look"] for each in looked(world)} == {"tuned": 1, "other": 2}

    def test_one_model_alone_is_no_look(self, world: World, server: ModelServer) -> None:
        world.gate(6)
        server.usual = Pupils(BETTER)
        evaluate(world.load(server, models={"base": world.at(server, "base")}))
        assert looked(world) == []

    def test_a_damaged_line_counts_as_a_look(self, world: World, server: ModelServer) -> None:
        world.gate(6)
        (world.root / "gate.looks.jsonl").write_text('{"key": "a", "questions": ["unknown"]}\n{"look": 1, "ke\n')
        server.usual = Pupils(BETTER)
        evaluate(world.load(server))
        assert "at look 2" in level(world)

    def test_where_it_cannot_be_counted_that_is_said(self, world: World, server: ModelServer) -> None:
        world.gate(6)
        (world.root / "gate.looks.jsonl").mkdir()
        server.usual = Pupils(BETTER)
        made = evaluate(world.load(server))
        assert made.report and any("could not be counted" in each for each in made.notices)


class TestPlanning:
    def test_it_says_what_the_questions_can_show_and_asks_nobody(self, world: World, server: ModelServer) -> None:
        world.gate(60)
        plan = plan_evaluation(world.load(server))
        said = "\n".join(plan.lines())
        assert not server.asked and looked(world) == []
        assert plan.calls == 2 * 60 * 4 and "at most 480 requests" in said
        assert (
            "60 questions of 30 documents" in said
            and "look 1 at these questions: a gain counts below p = 0.025" in said
        )
        assert "a true gain of 10 points is found in" in said
        assert f"a model that has lost nothing is within the limits on what may fall in {100 * plan.kept:.0f} %" in said
        assert 0.4 < plan.kept < 0.6
        free = world.load(server, limits={"max_drop_t1": None, "max_drop_stand_by": None})
        assert "has lost nothing" not in "\n".join(plan_evaluation(free).lines())

    def test_a_set_that_has_decided_often_is_called_worn_out(self, world: World, server: ModelServer) -> None:
        world.gate(6)
        server.usual = Pupils(BETTER)
        (world.root / "gate.looks.jsonl").write_text('{"broken\n' * WORN_OUT)
        assert "make new ones" in "\n".join(plan_evaluation(world.load(server)).lines())
        evaluate(world.load(server))
        assert "make new ones" in level(world)

    def test_a_limit_on_what_may_fall_is_kept_by_chance(self) -> None:
        """The difference of n questions, a fifth of which change sides, has the deviation sqrt(0.2 / n)."""
        assert HeldOut(200, 200, 0.025).kept(0.0) == 0.5
        assert HeldOut(200, 200, 0.025).kept((0.2 / 200) ** 0.5) == pytest.approx(0.8413, abs=1e-4)
        assert (
            HeldOut(200, 10, 0.025).kept(0.02)
            < HeldOut(200, 200, 0.025).kept(0.02, 0.5)
            < HeldOut(200, 200, 0.025).kept(0.02)
        )

    @pytest.mark.parametrize(("questions", "gain", "power"), [(200, 0.1, 0.887), (60, 0.1, 0.300), (500, 0.05, 0.670)])
    def test_its_power_is_that_of_mcnemars_test(self, questions: int, gain: float, power: float) -> None:
        """As simulated with 4,000 sets of questions each, a fifth of which change sides."""
        assert HeldOut(questions, questions, 0.025).power(gain) == pytest.approx(power, abs=0.04)

    def test_questions_of_few_documents_are_worth_less_and_the_needed_number_suffices(self) -> None:
        alone, together = HeldOut(200, 200, 0.025), HeldOut(200, 10, 0.025)
        assert together.power(0.1) < alone.power(0.1) and together.needed(0.1) > alone.needed(0.1)
        needed = alone.needed(0.05)
        assert HeldOut(needed, needed, 0.025).power(0.05) == pytest.approx(0.8, abs=0.005)


def test_the_command_prints_it(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    world.gate(10)
    monkeypatch.setattr("sys.argv", ["augment_correction", "evaluate", str(world.config()), "--dry-run"])
    with pytest.raises(SystemExit, match="0"):
        main()
    assert "10 questions of 5 documents" in capsys.readouterr().out
    assert not (world.root / "out").exists()
