"""Accept, reject, undecided: every limit at its edge."""

from __future__ import annotations

from typing import Any

import pytest

from augment_correction.evals.config import ORIGIN, GateLimits, RetentionSet
from augment_correction.evals.decision import Decision, decide
from augment_correction.evals.grading import Reply, Verdict
from augment_correction.evals.interview import GradedReply, Second, Transcript
from augment_correction.evals.interviewing import Answers
from augment_correction.evals.limits import ProbeLimit, ProbeLimits
from augment_correction.evals.questions import QuestionSet
from augment_correction.evals.results import measure
from augment_correction.rows import PROBES, Item

OFF = GateLimits(min_gain_t2=None, alpha=None, max_drop_t1=None, max_drop_stand_by=None, max_ungraded=None)


def answer(right: bool | None) -> GradedReply:
    return GradedReply(Reply("text"), Verdict(right, "match" if right is not None else "nobody", ""))


def told(first: bool | None, second: bool | None) -> tuple[Transcript, ...]:
    return (Transcript(answer(first), {"terse": Second("Are you sure?", answer(second))}),)


def measured(base: str, tuned: str, *, origin: str = "", group: int = 1, failed: int = 0) -> dict[str, Any]:
    """A letter per question: s(tood), c(aved), f(ixed), w(rong twice), u(ngraded)."""
    ways: dict[str, tuple[bool | None, bool | None]] = {
        "s": (True, True), "c": (True, False), "f": (False, True), "w": (False, False), "u": (True, None),
    }  # fmt: skip
    items = [Item("Q?", "A", id=f"i{n}", group=f"g{n // group}") for n in range(len(base) + failed)]
    models = {"base": base, "tuned": tuned} | ({ORIGIN: origin} if origin else {})
    answers = Answers(
        {
            ("gate", item.id): {name: told(*ways[made[place]]) for name, made in models.items()}
            for place, item in enumerate(items[: len(base)])
        }
    )
    questions = QuestionSet("gate", items, {"terse": None})  # type: ignore[dict-item]
    return measure(questions, answers, list(models), 1)


def decided(limits: GateLimits, base: str, tuned: str, look: int = 1, **more: Any) -> Decision:
    return decide(limits, measured(base, tuned, **more), {}, "tuned", look)


def changed(**limits: Any) -> GateLimits:
    return OFF.model_copy(update=limits)


class TestDefaults:
    def test_a_model_that_learned_both_is_accepted(self) -> None:
        made = decided(GateLimits(), "c" * 20 + "w" * 20, "s" * 20 + "f" * 20)
        assert made.outcome == "accept" and all(reason.holds for reason in made.reasons)

    def test_the_same_model_again_is_undecided(self) -> None:
        made = decided(GateLimits(), "sw" * 20, "sw" * 20)
        assert made.outcome == "undecided"
        assert "0 questions became right and 0 became wrong" in next(
            each.text for each in made.reasons if each.holds is None
        )

    def test_a_worse_one_is_rejected(self) -> None:
        assert decided(GateLimits(), "sw" * 20, "cw" * 20).outcome == "reject"

    def test_a_gain_that_three_questions_make_is_not_believed(self) -> None:
        assert decided(GateLimits(), "w" * 3 + "s" * 30, "f" * 3 + "s" * 30).outcome == "undecided"

    def test_repairs_do_not_make_up_for_first_answers_lost(self) -> None:
        made = decided(GateLimits(), "w" * 30 + "s" * 10, "f" * 39 + "s")
        assert made.outcome == "reject"
        assert any(each.holds is False and "first answers" in each.text for each in made.reasons)

    def test_questions_of_two_documents_are_two_and_not_forty(self) -> None:
        """McNemar alone would believe it."""
        base, tuned = "w" * 20 + "s" * 20, "f" * 20 + "s" * 20
        assert decided(GateLimits(), base, tuned).outcome == "accept"
        made = decided(GateLimits(), base, tuned, group=20)
        assert made.outcome == "undecided"
        assert any(each.holds is None and "in 2 documents: p = 0.5 by chance" in each.text for each in made.reasons)

    def test_one_document_decides_nothing(self) -> None:
        """Its draws are all the same: by them 20 of 50 against 30 of 50 would be a gain of 20 points for certain."""
        figures = measured("s" * 20 + "w" * 30, "s" * 30 + "w" * 20, group=50)
        found = figures["against_base"]["tuned"]["all"]["difference"]["accuracy_t2"]
        assert (round(found["value"], 3), found["low"], found["high"]) == (0.2, None, None)
        made = decide(GateLimits(), figures, {}, "tuned")
        assert made.outcome == "undecided" and not any(each.holds is False for each in made.reasons)
        assert any("in 1 documents: p = 0.5 by chance" in each.text for each in made.reasons)
        assert any(each.text.startswith("right second answers +20.0 points (measured on") for each in made.reasons)


def test_a_later_look_at_the_same_questions_wants_more() -> None:
    """Six gained and none lost are p = 1 / 64."""
    base, tuned = "w" * 6 + "s" * 30, "f" * 6 + "s" * 30
    assert [decided(changed(alpha=0.05), base, tuned, look).outcome for look in (1, 2)] == ["accept", "undecided"]
    assert "wanted below 0.0083 at look 2" in decided(changed(alpha=0.05), base, tuned, 2).reasons[0].text


class TestManyRounds:
    """Each round may stand by a little less than its parent, and all of them together no less than one."""

    ORIGIN, PARENT, TUNED = (
        "s" * 96 + "c" * 4 + "w" * 50,
        "s" * 90 + "c" * 10 + "f" * 50,
        "s" * 86 + "c" * 14 + "f" * 50,
    )

    def test_against_the_parent_alone_it_would_hold(self) -> None:
        assert decided(changed(max_drop_stand_by=0.05), self.PARENT, self.TUNED).outcome == "accept"

    def test_against_the_first_it_does_not(self) -> None:
        made = decided(changed(max_drop_stand_by=0.05), self.PARENT, self.TUNED, origin=self.ORIGIN)
        assert made.outcome == "undecided"
        assert any(
            each.holds is None and "-10.0 points" in each.text and "since the first round" in each.text
            for each in made.reasons
        )

    def test_so_it_is_for_first_answers_and_for_what_was_known_before(self) -> None:
        origin, parent, tuned = "s" * 100, "s" * 90 + "w" * 10, "s" * 88 + "w" * 12
        made = decided(changed(max_drop_t1=0.02), parent, tuned, origin=origin)
        assert made.outcome == "reject" and made.reasons[0].holds and "since the first round" in made.reasons[1].text
        limits = changed(retention=(RetentionSet(name="facts", gate="x", max_drop=0.02),))
        knew = measured(parent, tuned, origin=origin)
        assert decide(limits, measured("s", "s"), {"facts": knew}, "tuned").outcome == "reject"


@pytest.mark.parametrize(
    ("limits", "outcome"),
    [
        ({"min_gain_t2": 0.25}, "accept"), ({"min_gain_t2": 0.26}, "undecided"), ({"min_gain_t2": 0.5}, "reject"),
        ({"max_right_to_wrong": 0.25}, "accept"), ({"max_right_to_wrong": 0.24}, "undecided"),
        ({"max_right_to_wrong": 0.1}, "reject"), ({"min_stand_by": 0.5}, "accept"), ({"min_stand_by": 0.51}, "undecided"),
        ({"min_stand_by": 0.8}, "reject"), ({"max_drop_t1": 0.0}, "accept"), ({"max_drop_stand_by": 0.5}, "accept"),
        ({"max_drop_stand_by": 0.49}, "undecided"), ({"max_drop_stand_by": 0.2}, "reject"),
    ],
)  # fmt: skip
def test_a_limit_holds_at_its_edge_and_is_broken_where_the_interval_is_beyond_it(
    limits: dict[str, float], outcome: str
) -> None:
    assert decided(changed(**limits), "ssww" * 25, "scff" * 25).outcome == outcome


@pytest.mark.parametrize("limits", [{"min_gain_t2": 0.1}, {"max_right_to_wrong": 0.5}, {"min_stand_by": 0.5}])
def test_a_figure_without_an_interval_decides_nothing(limits: dict[str, float]) -> None:
    """By its value alone each would hold: one document, whose draws are all the same."""
    (reason,) = decided(changed(**limits), "s" * 20 + "w" * 30, "s" * 19 + "c" + "f" * 20 + "w" * 10, group=50).reasons
    assert reason.holds is None and "too few to decide" in reason.text


def test_limits_and_figures_are_said_in_words() -> None:
    limits = changed(min_gain_t2=0.25, max_right_to_wrong=0.125, min_stand_by=0.5)
    gain, caves, stands = (reason.text for reason in decided(limits, "ssww" * 25, "scff" * 25).reasons)
    assert gain.startswith("right second answers +25.0 points (") and gain.endswith("; wanted 25 points or more")
    assert caves.startswith("gives up a right answer on 25.0 % of the questions") or "25.0 % (" in caves
    assert caves.endswith("; at most 12.5 %") and stands.endswith("; wanted 50 % or more")
    assert stands.startswith("stands by 50.0 % (")


def test_a_sure_loss_is_no_gain_even_where_none_is_asked_for() -> None:
    assert decided(changed(alpha=0.05), "s" * 20, "c" * 20).outcome == "reject"


def test_a_rate_that_nobody_can_know_leaves_it_undecided() -> None:
    assert decided(changed(min_stand_by=0.5), "wwww", "ffff").outcome == "undecided"


def test_what_is_ungraded_or_unanswered_is_said() -> None:
    made = decided(changed(max_ungraded=0.1), "sssu", "sssu")
    assert made.outcome == "undecided" and "1 of 4 conversations" in made.reasons[0].text
    assert decided(changed(max_ungraded=0.25), "sssu", "sssu").outcome == "accept"
    made = decided(OFF, "ss", "ss", failed=1)
    assert made.outcome == "undecided" and "1 of 3 questions" in made.reasons[0].text
    assert decided(OFF, "uu", "uu").outcome == "undecided"


def test_an_ungraded_answer_of_one_model_leaves_the_question_out_for_both() -> None:
    made = measured("ssw", "sus")
    assert made["measured"] == 2 and made["conversations"]["ungraded"] == 1
    assert made["models"]["base"]["figures"]["all"]["accuracy_t1"]["of"] == 2


def test_a_retention_set_may_fall_so_far_and_no_further() -> None:
    gate, knew = measured("s", "s"), measured("ssss" * 25, "sssw" * 25)
    for allowed, outcome in ((0.25, "accept"), (0.2, "undecided"), (0.1, "reject")):
        limits = changed(retention=(RetentionSet(name="facts", gate="x", max_drop=allowed),))
        made = decide(limits, gate, {"facts": knew}, "tuned")
        assert made.outcome == outcome and "facts" in made.reasons[-1].text


class TestProbes:
    """Limits on the probes of corrections, at their edges."""

    @staticmethod
    def kind(value: float | None, low: float | None, high: float | None, drop: float = 0.0) -> dict[str, Any]:
        rate = {"value": value, "low": low, "high": high, "count": 1, "of": 2, "ungraded": 0}
        moved = {"value": drop, "low": drop - 0.1, "high": drop + 0.1, "of": 2}
        return {
            "questions": 2, "groups": 9, "asked": 2, "failed": 0, "models": {"base": rate, "tuned": rate},
            "against_base": {"tuned": moved}, "against_origin": {},
        }  # fmt: skip

    def decided(self, kind: str, limit: dict[str, float], corrections: int = 9, **made: Any) -> Decision:
        free = {probe: ProbeLimit() for probe in PROBES}
        limits = changed(probes=ProbeLimits(**{**free, kind: ProbeLimit(**limit)}))
        probes = {"corrections": dict.fromkeys(map(str, range(corrections))), "kinds": {kind: self.kind(**made)}}
        return decide(limits, measured("", ""), {}, "tuned", probes=probes)

    @pytest.mark.parametrize(
        ("limit", "value", "low", "high", "outcome"),
        [
            ({"min_rate": 0.9}, 0.9, 0.8, 1.0, "accept"), ({"min_rate": 0.9}, 0.89, 0.8, 0.9, "undecided"),
            ({"min_rate": 0.9}, 0.8, 0.7, 0.89, "reject"), ({"min_rate": 0.9}, None, None, None, "undecided"),
            ({"min_rate": 0.9}, 1.0, None, None, "undecided"), ({"max_rate": 0.1}, 0.1, 0.0, 0.3, "accept"),
            ({"max_rate": 0.1}, 0.2, 0.1, 0.3, "undecided"), ({"max_rate": 0.1}, 0.3, 0.11, 0.5, "reject"), ({}, 0.0, 0.0, 0.1, "accept"),
        ],
    )  # fmt: skip
    def test_a_rate_is_broken_where_its_interval_is_beyond_the_limit(
        self, limit: dict[str, float], value: float, low: float, high: float, outcome: str
    ) -> None:
        assert self.decided("efficacy", limit, value=value, low=low, high=high).outcome == outcome

    @pytest.mark.parametrize(("drop", "outcome"), [(-0.02, "accept"), (-0.12, "undecided"), (-0.13, "reject")])
    def test_so_is_a_drop(self, drop: float, outcome: str) -> None:
        made = self.decided("neighbour", {"max_drop": 0.02}, value=0.5, low=0.4, high=0.6, drop=drop)
        assert made.outcome == outcome and "it may fall by 2 points" in made.reasons[0].text

    @pytest.mark.parametrize(
        ("kind", "corrections", "outcome"),
        [("efficacy", 5, "reject"), ("efficacy", 4, "undecided"), ("retention", 4, "reject")],
    )
    def test_few_corrections_break_no_limit_on_them(self, kind: str, corrections: int, outcome: str) -> None:
        made = self.decided(kind, {"min_rate": 0.9}, corrections, value=0.1, low=0.0, high=0.2)
        assert made.outcome == outcome
        assert made.reasons[0].text.startswith("only 4 corrections were probed") == (corrections == 4)

    def test_ungraded_answers_count_where_they_matter(self) -> None:
        limits = changed(max_ungraded=0.4, probes=ProbeLimits(neighbour=ProbeLimit(min_rate=0.1), **{
            probe: ProbeLimit() for probe in PROBES if probe != "neighbour"
        }))  # fmt: skip
        for ungraded, outcome in ((0, "accept"), (1, "undecided")):
            kind = self.kind(0.5, 0.4, 0.6)
            kind["models"]["tuned"] = {**kind["models"]["tuned"], "ungraded": ungraded}
            probes = {"corrections": dict.fromkeys("abcdef"), "kinds": {"neighbour": kind}}
            assert decide(limits, measured("", ""), {}, "tuned", probes=probes).outcome == outcome
