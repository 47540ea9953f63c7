"""Codes are hints: none for a right answer in other words, and the right ones for a wrong answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augment_correction.grading.catalogue import CATALOGUE, pattern_of
from augment_correction.grading.codes import error_codes

PARIS = "The capital of France is Paris."
ADDITION = "2+2 equals 4. This is basic addition."
RIVER = (
    "The river rises in the northern hills, runs past the old mill and the harbour, "
    "and reaches the sea after a long way through quiet meadows."
)


@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        (PARIS.rstrip("."), PARIS),
        ("Paris", PARIS),
        ("1,000", "1000"),
        ("3.0 m", "3 m"),
        (PARIS.upper(), PARIS),
        ("seven", "7"),
        ("1. Mix\n2. Bake", "- Mix\n- Bake"),
        ('{"b": 2, "a": 1.0}', '{"a": 1, "b": 2}'),
    ],
)
def test_a_right_answer_in_other_words_gives_no_false_alarm(answer: str, reference: str) -> None:
    assert error_codes(answer, reference) == ()


def test_a_wrong_sign_is_a_wrong_number() -> None:
    for answer, reference in (("-5", "5"), ("5", "-5")):
        found = error_codes(answer, reference)
        assert {"NUMERIC_ERROR_MISSING_1_VALUES", "NUMERIC_ERROR_EXTRA_1_VALUES"} <= set(found)


def test_a_bare_result_is_judged_by_the_question_it_answers() -> None:
    """Without the question nobody can know that the 4 was asked for and not the addition, so the answer is undecided
    and the codes hint at all that it leaves out. The question makes 4 the whole answer."""
    assert error_codes("4", ADDITION) == (
        "LENGTH_SHORT_BY_6_TOKENS",
        "VERY_DIFFERENT_CONTENT",
        "NUMERIC_ERROR_MISSING_1_VALUES",
        "MISSING_KEY_CONCEPTS_3_TERMS",
    )
    assert error_codes("4", ADDITION, question="What is 2+2?") == ()
    assert "PRIMARY_ANSWER_MISSING" in error_codes("5", ADDITION, question="What is 2+2?")


@pytest.mark.parametrize(
    ("answer", "reference", "code"),
    [
        ("", PARIS, "PRIMARY_ANSWER_MISSING"),
        ("I do not know.", "Paris", "PRIMARY_ANSWER_MISSING"),
        ("The river.", RIVER, "LENGTH_SHORT_BY_24_TOKENS"),
        ("The river.", RIVER, "TOO_BRIEF"),
        (RIVER, "Through hills to the bay", "LENGTH_LONG_BY_21_TOKENS"),
        (RIVER, "Through hills to the bay", "TOO_VERBOSE"),
        ("a kind of bread", RIVER, "VERY_DIFFERENT_CONTENT"),
        ("The river rises in the hills and reaches the sea", RIVER, "SIMILARITY_51%"),
        (RIVER.replace("old mill", "new castle").replace("quiet", "loud"), RIVER, "CLOSE_BUT_INACCURATE"),
        (RIVER.replace("runs", "never runs"), RIVER, "CLOSE_BUT_INACCURATE"),
        ("Bread needs flour, water, salt, yeast", RIVER, "OFF_TOPIC_CONTENT"),
        ("It was long ago", "It was built in 1889 by Eiffel", "MISSING_NUMBERS"),
        ("It took 2 of them", "It took 3 men and 4 boys", "NUMERIC_ERROR_MISSING_2_VALUES"),
        ("It took 2 of them", "It took some men and boys", "NUMERIC_ERROR_EXTRA_1_VALUES"),
        ("Mix them and stir", "- Mix flour\n- Bake bread", "STRUCTURE_SHOULD_BE_LIST"),
        ("- Mix salt\n- Stir", "Mix flour and bake bread", "STRUCTURE_SHOULD_BE_PROSE"),
        ("Call it twice", "Write:\n```\nprint(1)\n```", "MISSING_CODE_BLOCK"),
        ("```\nprint(2)\n```", "Call the printer once", "UNEXPECTED_CODE_BLOCK"),
        ("name: Ada", '{"name": "Ada"}', "FORMAT_SHOULD_BE_JSON"),
        ('{"name": "Ada"', '{"name": "Ada"}', "INVALID_JSON"),
        ("The hills", "The hills, the harbour and the meadows", "MISSING_KEY_CONCEPTS_2_TERMS"),
        ("The capital of France is the", PARIS, "INCOMPLETE"),
        ("It holds (among other", PARIS, "INCOMPLETE"),
    ],
)
def test_each_code_is_given_where_the_catalogue_says(answer: str, reference: str, code: str) -> None:
    assert code in error_codes(answer, reference)


@pytest.mark.parametrize("answer", ["It is Lyon", "in [0, 1) it falls", "Lyon (not the river)", "the end."])
def test_a_missing_full_stop_is_not_incomplete(answer: str) -> None:
    assert "INCOMPLETE" not in error_codes(answer, PARIS)


def test_how_the_turn_ended_is_told_of_every_answer() -> None:
    assert error_codes("Paris", PARIS, finish_reason="length", ended=False) == ("TRUNCATED", "NO_EOS")
    assert error_codes("Paris", PARIS, finish_reason="stop", ended=True) == ()
    assert error_codes("anything", "", ended=False) == ("NO_EOS",)


def test_numbers_of_the_question_are_neither_missing_nor_extra() -> None:
    found = error_codes("Of 12 eggs few are left", "All 12 eggs broke, 3 were kept", question="What became of 12 eggs?")
    assert "MISSING_NUMBERS" not in found and "NUMERIC_ERROR_MISSING_1_VALUES" in found
    assert not any("EXTRA" in code for code in found)


@given(answer=st.text(), reference=st.text(), question=st.text())
def test_every_code_is_in_the_catalogue_once_and_in_its_order(answer: str, reference: str, question: str) -> None:
    found = [
        pattern_of(code)
        for code in error_codes(answer, reference, question=question, finish_reason="length", ended=False)
    ]
    assert found == [code for code in CATALOGUE if code in found]


def test_of_no_answer_nothing_else_is_said() -> None:
    assert error_codes("", PARIS) == ("PRIMARY_ANSWER_MISSING",)
    assert error_codes(" \n", PARIS, ended=False) == ("PRIMARY_ANSWER_MISSING", *error_codes(PARIS, PARIS, ended=False))


def test_a_concept_may_hold_signs() -> None:
    """C++ is one; a + that stands alone is none."""
    found = error_codes("It is a snake.", "C++ and C# and .NET and F#")
    assert "MISSING_KEY_CONCEPTS_4_TERMS" in found


@pytest.mark.parametrize(("missing", "told"), [(3, False), (4, True)])
def test_three_concepts_of_ten_may_be_missing(missing: int, told: bool) -> None:
    trees = "oak ash elm fir yew pine birch beech alder maple"
    found = error_codes(" ".join(["stone", *trees.split()[missing:]]), trees)
    assert (f"MISSING_KEY_CONCEPTS_{missing}_TERMS" in found) is told


@pytest.mark.parametrize(("answer", "told"), [("Run this:\n```\nls\n```", False), ("Run this:\n```\nls", True)])
def test_a_block_of_code_that_is_not_closed_stops_in_the_middle(answer: str, told: bool) -> None:
    assert ("INCOMPLETE" in error_codes(answer, "Run this: du -sh")) is told


def test_of_an_empty_answer_only_its_end_is_said_besides() -> None:
    assert error_codes(" ", "Lyon is a large city.", ended=False) == ("PRIMARY_ANSWER_MISSING", "NO_EOS")


@pytest.mark.parametrize(("missing", "said"), [(3, False), (4, True)])
def test_concepts_are_missing_when_more_than_three_in_ten_are(missing: int, said: bool) -> None:
    concepts = ["alder", "birch", "cedar", "dogwood", "elder", "fir", "gum", "hazel", "iris", "juniper"]
    codes = error_codes(" ".join(concepts[missing:]), " ".join(concepts))
    assert (f"MISSING_KEY_CONCEPTS_{missing}_TERMS" in codes) is said


@pytest.mark.parametrize(
    ("answer", "stops"),
    [
        ("```\nx = 1", True),
        ("```\nx = 1\n```", False),
        ("It lies in [0, 1)", False),
        ("It lies (as we saw", True),
        ("Done :)", False),
    ],
)
def test_it_stops_in_the_middle_of_a_fence_or_a_bracket(answer: str, stops: bool) -> None:
    assert ("INCOMPLETE" in error_codes(answer, "Something else entirely")) is stops


def test_of_json_the_fence_and_the_list_are_no_structure() -> None:
    codes = error_codes('```json\n{"a": 2}\n```', '{"a": 1}')
    assert not [
        code for code in codes if code.startswith(("UNEXPECTED", "MISSING_CODE", "STRUCTURE", "FORMAT", "INVALID"))
    ]
    assert "FORMAT_SHOULD_BE_JSON" in error_codes("- a\n- b", '{"a": 1}')
