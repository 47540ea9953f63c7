"""Scores, limits and exceptions of the checks, and how the stages keep the scores."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augment_correction.declarations import FEWEST_FIELDS, CheckSpec, CheckStage
from augment_correction.errors import Reject
from augment_correction.stages.check import Check
from augment_correction.stages.checks import CHECKS, register_check, run_checks
from augment_correction.stages.checks.contract import CheckInput, CheckResult
from tests.servers import tagged
from tests.stages.checking import finding
from tests.stages.making import FIELDS, Says, ask, build, record, tools

LONG = CheckSpec(check="length", fields=("answer",), words=(4, 8))
PASSAGE = "The stone bridge of Harlen has nine arches and was built in 1605."


def test_every_name_has_its_check() -> None:
    assert set(CHECKS) == set(FEWEST_FIELDS)


@given(
    st.lists(
        st.one_of(st.text(max_size=60), st.lists(st.sampled_from(PASSAGE.split()), max_size=20).map(" ".join)),
        min_size=2,
        max_size=4,
    )
)
def test_any_text_has_a_score_between_0_and_1(texts: list[str]) -> None:
    asked = CheckInput(tuple((f"field{i}", text) for i, text in enumerate(texts)), PASSAGE)
    for check, _ in CHECKS.values():
        found = check(asked)
        assert 0.0 <= found.score <= 1.0
        assert found.score == 1.0 or (found.reason and found.detail)


class TestLimits:
    def test_a_score_below_the_checks_own_limit_fails(self) -> None:
        with pytest.raises(Reject, match=r"too_short: answer has 2 words. Write at least 4"):
            run_checks([LONG], {"answer": "Nine arches."})

    def test_the_pipeline_may_set_another(self) -> None:
        assert run_checks([LONG.model_copy(update={"at_least": 0.5})], {"answer": "Nine arches."}) == {"length": 0.5}

    def test_the_lowest_score_of_a_check_that_runs_twice(self) -> None:
        lenient = LONG.model_copy(update={"at_least": 0.0})
        fields = {"answer": "Nine.", "other": "It has nine arches."}
        twice = [lenient, lenient.model_copy(update={"fields": ("other",)})]
        assert run_checks(twice, fields) == run_checks(twice[::-1], fields) == {"length": 0.25}


class TestUnless:
    SPEC = LONG.model_copy(update={"unless": {"pushback": ("correcting", "rude")}})

    def test_not_applied_where_the_field_holds_the_word(self) -> None:
        assert run_checks([self.SPEC], {"answer": "Nine.", "pushback": "correcting"}) == {}

    @pytest.mark.parametrize("fields", [{"pushback": "doubting"}, {}])
    def test_applied_elsewhere(self, fields: dict[str, str]) -> None:
        with pytest.raises(Reject):
            run_checks([self.SPEC], {"answer": "Nine.", **fields})


class TestScoresInTheRecord:
    GOOD = dict.fromkeys(FIELDS, "It has nine stone arches.")

    async def test_the_ask_stage_adds_its_scores_to_those_before(self, tmp_path: Path) -> None:
        check = CheckSpec(check="no_links", fields=("correct_answer",))
        before = record(scores={"length": 0.9})
        (made,) = await build(tmp_path, ask((check,)))(before, tools(Says(tagged(self.GOOD))))
        assert made.fields["scores"] == {"length": 0.9, "no_links": 1.0}
        assert before.fields["scores"] == {"length": 0.9}

    async def test_the_check_stage_too(self) -> None:
        stage = Check(CheckStage(stage="check", name="c", checks=(LONG,)), None)  # type: ignore[arg-type]
        (made,) = await stage(record(answer="It has nine arches.", scores={"differ": 0.4}), tools(Says()))
        assert made.fields["scores"] == {"differ": 0.4, "length": 1.0}


@pytest.mark.usefixtures("registered_for_now")
def test_a_check_of_ones_own_needs_one_field_and_half_of_the_score() -> None:
    register_check("filled", lambda given: CheckResult(float(given.texts[0][1]), "empty", "it is empty"))
    spec = CheckSpec(check="filled", fields=("answer",))
    assert run_checks([spec], {"answer": "0.5"}) == {"filled": 0.5}
    with pytest.raises(Reject, match="empty: it is empty"):
        run_checks([spec], {"answer": "0.49"})


@pytest.mark.parametrize("fence", ["```", "~~~"])
def test_what_stands_in_a_fence_of_either_kind_is_content(fence: str) -> None:
    said = "According to the passage, it is old."
    assert finding("stands_alone", answer=f"Run it:\n\n{fence}\necho '{said}'\n{fence}").reason == ""
    assert finding("stands_alone", answer=said) == CheckResult(
        0.0,
        "mentions_text",
        'answer says "according to the passage", but its reader has never seen the text. Name the subject itself',
    )


@pytest.mark.usefixtures("registered_for_now")
def test_a_score_is_kept_to_the_thousandth_and_of_two_the_lower() -> None:
    register_check("filled", lambda given: CheckResult(float(given.texts[0][1]), "empty", "it is empty"))
    twice = [CheckSpec(check="filled", fields=(name,)) for name in ("answer", "question", "answer")]
    assert run_checks(twice, {"answer": "0.98765", "question": "0.61234"}) == {"filled": 0.612}
