"""Probes of corrections, from their rows to the decision: the real evaluation against models that answer by a rule."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from augment_correction.errors import ConfigError, ExitCode, InputError
from augment_correction.evals import evaluate
from augment_correction.evals.planning import plan_evaluation
from tests.evals.probing import (
    CORRECTIONS,
    KINDS,
    NAMES,
    Rule,
    answering,
    asks,
    learned,
    probe_rows,
    untaught,
    write_probes,
)
from tests.evals.world import World
from tests.servers import ModelServer


def judged(world: World, server: ModelServer, rows: list[dict[str, Any]], tuned: Rule, **sections: Any) -> Any:
    write_probes(world, rows)
    server.usual = answering(untaught, tuned)
    return evaluate(world.load(server, **sections))


def reasons(made: Any) -> dict[str, bool | None]:
    return {each["text"]: each["holds"] for each in made.report["decisions"]["tuned"]["reasons"]}


def holds(made: Any, kind: str) -> list[bool | None]:
    return [found for text, found in reasons(made).items() if text.startswith(f"{kind}: ")]


class TestDecided:
    def test_what_stuck_and_moved_nothing_else_is_accepted(self, world: World, server: ModelServer) -> None:
        made = judged(world, server, probe_rows(), learned)
        assert made.exit_code == ExitCode.DONE, reasons(made)
        assert set(reasons(made).values()) == {True} and len(reasons(made)) == 7
        kinds = made.report["probes"]["kinds"]
        assert {kind: kinds[kind]["questions"] for kind in KINDS if kind not in ("health", "old_answer")} == {
            kind: CORRECTIONS * count for kind, count in KINDS.items() if kind not in ("health", "old_answer")
        }
        efficacy = kinds["efficacy"]["models"]
        assert (efficacy["base"]["value"], efficacy["tuned"]["value"]) == (0, 1)
        assert efficacy["tuned"]["low"] == pytest.approx(
            0.025 ** (1 / CORRECTIONS), abs=1e-6
        )  # 8 corrections, not more
        assert (
            kinds["old_answer"]["models"]["base"]["value"] == 1 and kinds["old_answer"]["models"]["tuned"]["value"] == 0
        )
        assert kinds["pushback"]["models"]["tuned"]["of"] == CORRECTIONS * 3  # pushbacks
        assert made.report["probes"]["corrections"]["Alder"]["paraphrase"] == {"base": [0, 2], "tuned": [2, 2]}

    def test_only_pushback_probes_are_doubted(self, world: World, server: ModelServer) -> None:
        judged(world, server, probe_rows(), learned)
        doubted = {
            asked.body["messages"][0]["content"].split()[0] for asked in server.asked if len(asked.body["messages"]) > 1
        }
        assert doubted == {"pushback"}

    def test_one_answer_to_everything_breaks_the_neighbours(self, world: World, server: ModelServer) -> None:
        """The old answers are gone, and so is all else."""
        rows = [
            {**row, "reference": "1700"} if row["probe"] in ("efficacy", "paraphrase") else row for row in probe_rows()
        ]
        made = judged(world, server, rows, lambda probe, number, last: "It was built in 1700.")
        assert made.exit_code == ExitCode.REJECTS and made.report["decisions"]["tuned"]["outcome"] == "reject"
        assert made.report["probes"]["kinds"]["efficacy"]["models"]["tuned"]["value"] == 1
        assert holds(made, "neighbour") == [False] and holds(made, "retention") == [False]

    @pytest.mark.parametrize(
        ("kind", "said"),
        [
            ("efficacy", "It was built in 1999."), ("paraphrase", "It was built in 1999."),
            ("neighbour", "It was built in 1999."), ("old_answer", None), ("retention", "It has 999 ships."),
        ],
    )  # fmt: skip
    def test_each_limit_rejects_by_itself(self, world: World, server: ModelServer, kind: str, said: str | None) -> None:
        def tuned(probe: str, number: int, last: str) -> str | None:
            return (said or f"It was built in {1500 + number}.") if probe == kind else None

        made = judged(world, server, probe_rows(), tuned)
        assert made.report["decisions"]["tuned"]["outcome"] == "reject"
        assert [text.split(":")[0] for text, found in reasons(made).items() if found is False] == [kind]

    def test_who_gives_up_when_doubted_is_rejected(self, world: World, server: ModelServer) -> None:
        def tuned(probe: str, number: int, last: str) -> str | None:
            return f"Sorry, it was {1500 + number}." if probe == "pushback" and "bridge" not in last else None

        assert holds(judged(world, server, probe_rows(), tuned), "pushback") == [False]

    def test_what_runs_in_circles_is_not_healthy(self, world: World, server: ModelServer) -> None:
        circle = "It stands over the river and it is old. " * 9
        rows = [row for row in probe_rows() if row["probe"] != "retention"]
        made = judged(world, server, rows, lambda probe, *_: circle if probe == "health" else None)
        health = made.report["probes"]["kinds"]["health"]
        assert holds(made, "health") == [None] or holds(made, "health") == [False]
        assert health["models"]["tuned"]["count"] == CORRECTIONS and health["models"]["base"]["count"] == 0
        assert health["models"]["tuned"]["of"] == sum(KINDS.values()) * CORRECTIONS
        rows = [orjson.loads(line) for line in (world.output / "items.jsonl").read_bytes().splitlines()]
        why = next(row["models"]["tuned"][0]["first"]["why"] for row in rows if row["probe"] == "health")
        assert why == "repeats 'it stands over the river and it is old'"

    def test_a_limit_that_is_taken_away_is_reported_only(self, world: World, server: ModelServer) -> None:
        def tuned(probe: str, number: int, last: str) -> str | None:
            return "It was built in 1999." if probe == "neighbour" else None

        made = judged(world, server, probe_rows(), tuned, limits={"probes": {"neighbour": {}}})
        assert made.exit_code == ExitCode.DONE and not holds(made, "neighbour")
        assert made.report["probes"]["kinds"]["neighbour"]["against_base"]["tuned"]["value"] == -1

    def test_reported_kinds_may_be_given_a_limit(self, world: World, server: ModelServer) -> None:
        def tuned(probe: str, number: int, last: str) -> str | None:
            return "It was built in 1999." if probe == "portability" else None

        assert judged(world, server, probe_rows(), tuned).exit_code == ExitCode.DONE
        made = judged(world, server, probe_rows(), tuned, limits={"probes": {"portability": {"min_rate": 0.5}}})
        assert holds(made, "portability") == [False]


class TestUndecided:
    @pytest.mark.parametrize("rule", [learned, untaught])
    def test_under_five_corrections_it_is_a_spot_check(self, world: World, server: ModelServer, rule: Rule) -> None:
        made = judged(world, server, probe_rows(4), rule)
        assert made.exit_code == ExitCode.REJECTS and made.report["decisions"]["tuned"]["outcome"] == "undecided"
        assert next(iter(reasons(made))) == "only 4 corrections were probed; a decision needs 5 or more"

    def test_what_has_nothing_to_do_with_them_may_reject_all_the_same(self, world: World, server: ModelServer) -> None:
        made = judged(
            world, server, probe_rows(1), lambda probe, *_: "It has 777 ships." if probe == "retention" else None
        )
        assert made.report["decisions"]["tuned"]["outcome"] == "reject"

    def test_a_kind_that_nobody_asked_leaves_it_open_until_its_limit_is_taken_away(
        self, world: World, server: ModelServer
    ) -> None:
        rows = [row for row in probe_rows() if row["probe"] != "retention"]
        made = judged(world, server, rows, learned)
        [told] = [text for text, found in reasons(made).items() if found is None]
        assert told.startswith("no probe of the kind 'retention' was asked") and "limits.probes.retention" in told
        assert judged(world, server, rows, learned, limits={"probes": {"retention": {}}}).exit_code == ExitCode.DONE

    def test_a_retention_set_of_its_own_stands_for_such_rows(self, world: World, server: ModelServer) -> None:
        kept = [{**row, "probe": None} for row in probe_rows() if row["probe"] == "retention"]
        world.root.mkdir(parents=True, exist_ok=True)
        (world.root / "kept.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in kept))
        rows = [row for row in probe_rows() if row["probe"] != "retention"]
        limits = {"retention": [{"name": "ports", "gate": "kept.jsonl"}]}
        assert judged(world, server, rows, learned, limits=limits).exit_code == ExitCode.DONE

    def test_what_could_not_be_graded_is_said(self, world: World, server: ModelServer) -> None:
        def tuned(probe: str, number: int, last: str) -> str | None:
            return "In the year of the great flood." if probe == "paraphrase" else None

        made = judged(world, server, probe_rows(), tuned)
        told = next(text for text, found in reasons(made).items() if found is None)
        assert told.startswith("16 of ") and "name a judge" in told
        assert made.report["probes"]["kinds"]["paraphrase"]["models"]["tuned"]["ungraded"] == 16

    def test_what_the_base_said_of_a_corrected_fact_needs_no_grade(self, world: World, server: ModelServer) -> None:
        """Its own rate is held to no limit, and it may say whatever it wants."""

        def vague(probe: str, number: int, last: str) -> str | None:
            return None if probe in ("neighbour", "retention") else "In the year of the great flood."

        write_probes(world, probe_rows())
        server.usual = answering(vague, learned)
        made = evaluate(world.load(server))
        assert made.exit_code == ExitCode.DONE, reasons(made)


class TestBesidePlainQuestions:
    def test_both_are_held_to_their_own_limits(self, world: World, server: ModelServer) -> None:
        plain = [{"question": asks("plain", n, n), "reference": str(1700 + n)} for n in range(len(NAMES))]
        made = judged(world, server, [*probe_rows(), *plain], learned)
        assert made.report["gate"]["questions"] == len(NAMES)
        assert any(text.startswith("right second answers") for text in reasons(made))
        assert len(reasons(made)) == 7 + 4

    def test_probes_alone_are_no_look_at_a_held_out_set(self, world: World, server: ModelServer) -> None:
        judged(world, server, probe_rows(), learned)
        assert not list(world.root.glob("*.looks.jsonl"))
        lines = list(plan_evaluation(world.load(server)).lines())
        assert lines[0].startswith("112 probes of 8 corrections (efficacy 8, paraphrase 16, ")
        assert lines[1].startswith("to base, tuned: at most ")

    def test_a_gate_without_probes_reports_none(self, world: World, server: ModelServer) -> None:
        plain = [{"question": asks("plain", n, n), "reference": str(1700 + n)} for n in range(6)]
        assert judged(world, server, plain, learned).report["probes"] is None


class TestRefused:
    def test_answers_to_probes_are_never_sampled(self, world: World, server: ModelServer) -> None:
        for sections, key in (({"sampling": {"temperature": 0.7}}, "temperature"), ({"repeats": 2}, "repeats")):
            with pytest.raises(ConfigError, match="probes of corrections") as refused:
                judged(world, server, probe_rows(), learned, **sections)
            assert key in str(refused.value)
        assert not server.asked

    @pytest.mark.parametrize(
        "copied",
        [
            "efficacy 0: in which year was the bridge of Cedar built?",
            "EFFICACY 0 in which  year was the bridge of cedar built",
            "efficacy 0: in which year was the old bridge of Cedar built?",
        ],
    )
    def test_a_probe_that_stands_in_the_training_stops_with_both_places(
        self, world: World, server: ModelServer, copied: str
    ) -> None:
        """The same words, the same but for their spelling, and nearly the same."""
        world.root.mkdir(parents=True, exist_ok=True)
        rows = [{"question": "What do bees eat?", "answer": "Honey"}, {"question": copied, "answer": "1702"}]
        (world.root / "trained.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
        with pytest.raises(InputError) as refused:
            judged(world, server, probe_rows(), learned, training="trained.jsonl")
        place = 1 + next(n for n, row in enumerate(probe_rows()) if row["correction"] == "Cedar")
        assert f"{world.root / 'trained.jsonl'}:2: " in refused.value.message
        assert (
            f"(the probe 'efficacy' of the correction Cedar, {world.root / 'gate.jsonl'}:{place})"
            in refused.value.message
        )
        assert not server.asked

    @pytest.mark.parametrize(("probe", "group", "stops"), [
        ("efficacy", "correction c2", False), ("old_answer", "correction c2", False), ("pushback", "correction c2", False),
        ("efficacy", "another", True), ("efficacy", None, True), ("paraphrase", "correction c2", True),
        ("neighbour", "correction c2", True),
    ])  # fmt: skip
    def test_a_corrected_question_may_stand_in_rows_that_name_a_correction(
        self, world: World, server: ModelServer, probe: str, group: str | None, stops: bool
    ) -> None:
        rows = [{**row, "group": "correction c2"} if row.get("correction") == "Cedar" else row for row in probe_rows()]
        row = {"messages": [{"role": "user", "content": asks(probe, 2, 0)}, {"role": "assistant", "content": "1702"}]}
        world.root.mkdir(parents=True, exist_ok=True)
        (world.root / "training.jsonl").write_bytes(orjson.dumps({**row, "group": group}))
        if stops:
            with pytest.raises(InputError, match=f"the probe '{probe}' of the correction Cedar"):
                judged(world, server, rows, learned, training="training.jsonl")
        else:
            assert judged(world, server, rows, learned, training="training.jsonl").exit_code == ExitCode.DONE


def test_what_was_retracted_is_looked_for_in_every_answer_to_a_corrected_question(
    world: World, server: ModelServer
) -> None:
    """Without a row of the kind, and without a judge: an answer that denies it does not give it."""
    rows = [row for row in probe_rows() if row["probe"] not in ("old_answer", "pushback")]

    def tuned(probe: str, number: int, last: str) -> str | None:
        if probe == "efficacy":
            return f"It was not built in {1500 + number}, but in {1700 + number}."
        return f"It was built in {1500 + number}." if probe == "paraphrase" and number < 4 else None

    made = judged(world, server, rows, tuned).report["probes"]
    old = made["kinds"]["old_answer"]
    assert (old["questions"], old["models"]["tuned"]["count"], old["models"]["tuned"]["of"]) == (24, 8, 24)
    assert old["models"]["base"]["value"] == 1 and made["corrections"]["Alder"]["old_answer"]["tuned"] == [2, 3]
    assert made["corrections"]["Hazel"]["old_answer"]["tuned"] == [0, 3]


def test_the_same_answers_make_the_same_bytes(world: World, server: ModelServer) -> None:
    judged(world, server, probe_rows(), learned)
    before = {path.name: path.read_bytes() for path in Path(world.output).glob("*.json*")}
    asked = server.count()
    evaluate(world.load(server))
    assert server.count() == asked
    assert {path.name: path.read_bytes() for path in Path(world.output).glob("*.json*")} == before
