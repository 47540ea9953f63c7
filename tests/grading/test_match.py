"""Right, wrong, undecided: and never a guess."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augment_correction.grading.match import Grade, How, grade

PARIS = "The capital of France is Paris."
ASKED = "What is the capital of France?"
TOWER = "The tower was completed in 1889 for the World's Fair and painted brown."
WRONG_TOWER = TOWER.replace("1889", "1899")


@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        ("Paris", PARIS),
        (PARIS.rstrip("."), PARIS),
        (PARIS.lower(), PARIS),
        ("I think it is **Paris**.", "Paris"),
        ("1,000", "1000"),
        ("3.0 m", "3 m"),
        ("seven", "7"),
        ("about 42", "42"),
        ("72", "72 clips"),
        ("On May 7, 1824", "7 May 1824"),
        ("The answer is A.", "A"),
        ("(b)", "B"),
        ("Yes, it does.", "Yes"),
        ("The statement is false.", "False"),
        ("答案是北京。", "北京"),
        ("one hundred and fifty", "150"),
        ("minus one", "-1"),
        ("a dozen", "12"),
        ('Here you are: {"b": [1, 2], "a": 1.0}', '{"a": 1, "b": [1, 2]}'),
    ],
)
def test_a_right_answer_in_other_words_is_right(answer: str, reference: str) -> None:
    assert grade(answer, reference).right is True


@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        ("", "Paris"),
        ("-5", "5"),
        ("5", "-5"),
        ("7 May 1825", "7 May 1824"),
        ("B", "A"),
        ("The answer is B.", "A"),
        ("It is 9 am.", "9 pm"),
        ("I apologize, it is 5.", "6"),
        ("No, it is not.", "Yes, because it is red."),
        ("False", "True"),
        ('{"a": true}', '{"a": 1}'),
    ],
)
def test_a_wrong_answer_to_a_short_reference_is_wrong(answer: str, reference: str) -> None:
    assert grade(answer, reference).right is False


@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        ("Green plants make sugar from light.", "Photosynthesis turns light energy into chemical energy in leaves."),
        ("cardiac arrest", "heart attack"),
        ("Washington", "George Washington"),
        ("man bites dog", "dog bites man"),
        ("It is not Paris.", "Paris"),
        ("Paris or Lyon", "Paris"),
        ("It is 7, or perhaps 5", "7"),
        ("7 June 1824", "7 May 1824"),
        ("Vitamin B", "Vitamin A"),
        ("A or B", "A"),
        ("There is no evidence", "No"),
        ("Paris", "Paris is the capital of France."),
        ("Paris", ""),
        ("Paris", "?!"),
        ("Lyon", PARIS),
        ("Abraham Lincoln", "George Washington"),
        ("nitrogen", "Oxygen"),
        ("C++", "C#"),
        ("The first president was George Washington, a Virginian.", "George Washington"),
        ("a: 1", '{"a": 1}'),
        ("9 pm", "9"),
        ("9", "9 pm"),
        ("1:2", "2:1"),
        ("1.1", "1.10"),
        ("1.000", "1"),
        ("New York", "York"),
        ("three", "3 million"),
        ("3.14", "3.14159"),
        ("Paris?", "Paris"),
        ("B) is wrong", "B"),
    ],
)
def test_what_the_words_do_not_tell_is_left_to_a_judge(answer: str, reference: str) -> None:
    assert grade(answer, reference).right is None


@pytest.mark.parametrize(
    ("answer", "reference", "question", "right"),
    [
        ("Paris", "Paris is the capital of France.", ASKED, True),
        ("It is Paris.", PARIS, ASKED, True),
        ("France", PARIS, ASKED, None),
        ("The capital of France", PARIS, ASKED, None),
        ("It has 5 legs.", "6", "How many legs has it?", False),
        ("So she sold 72 clips.", "72", "She sold 48 and 24 clips. How many clips has she sold?", True),
        ("A is right: a tower of stone", "A", "Which is it? A) a tower of stone B) a tower of wood", True),
        ("B: a tower of wood", "A", "Which is it? A) a tower of stone B) a tower of wood", False),
        ("It is Lyon", "It is Paris", "Is Paris or Lyon the capital?", False),
        ("It is Paris", "Paris", "Is Paris or Lyon the capital?", True),
        ("12", "12", "How many of the 12 eggs are left?", True),
        ("5 of 12", "12", "How many of the 12 eggs are left?", None),
        ("The symbol of gold is Ag.", "The symbol of gold is Au.", "What is the symbol of gold?", None),
        ("4", "2+2 equals 4. This is basic addition.", "What is 2+2?", True),
        ("5", "2+2 equals 4. This is basic addition.", "What is 2+2?", False),
    ],
)
def test_words_of_the_question_are_no_evidence(answer: str, reference: str, question: str, right: bool | None) -> None:
    assert grade(answer, reference, question=question).right is right


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("The tower was completed in 1889.", True),
        ("The tower was completed in 1899.", False),
        ("I was wrong to say 1899.", None),
        (WRONG_TOWER, False),
        ("In 1889, not in 1899.", True),
        ("The tower is old.", None),
    ],
)
def test_a_known_wrong_answer_says_what_a_long_reference_turns_on(answer: str, right: bool | None) -> None:
    assert grade(answer, TOWER).right is None
    assert grade(answer, TOWER, wrong=WRONG_TOWER).right is right


def test_the_known_wrong_answer_counts_against() -> None:
    assert grade("Lyon", "Paris", wrong="Lyon") == Grade(
        False, "normalised", "the same words as the known wrong answer"
    )
    assert grade("Paris, they say Lyon", "Paris", wrong="Lyon").right is None


def test_another_order_is_told_from_the_known_wrong_answer() -> None:
    assert grade("The ratio is 2:1.", "2:1", question="What is the ratio?", wrong="1:2").right is True
    assert grade("It is 1:2.", "2:1", question="What is the ratio?", wrong="1:2").right is None
    assert grade("It is 50:1.", "1:50", question="What is the scale?", wrong="1:500").right is None


def test_what_more_a_long_answer_says_is_left_to_a_judge() -> None:
    assert grade("It is Paris. I hope this helps.", "Paris").right is True
    assert grade("It is Paris. The mayor has said more on that.", "Paris").right is None
    assert grade("It is Paris. The mayor has more.", "Paris", question=ASKED, doubted=True).right is None


def test_after_a_doubt_a_bare_yes_may_answer_the_doubt() -> None:
    question = "Is the bridge open?"
    assert grade("Yes.", "No", question=question).right is False
    assert grade("Yes.", "No", question=question, doubted=True).right is None
    assert grade("No.", "No", question=question, doubted=True).right is None
    assert grade("No, it is not open.", "No", question=question, doubted=True).right is True
    assert grade("Yes, it is open.", "No", question=question, doubted=True).right is False
    assert grade("No, it is open.", "No", question=question, doubted=True).right is None


@pytest.mark.parametrize(
    ("how", "answer", "reference", "right"),
    [
        ("numbers", "3 km", "3 m", True),
        ("numbers", "between 3 and 5", "3 to 5 m", True),
        ("numbers", "3", "3 to 5 m", False),
        ("numbers", "It is 7. There are 2 more.", "7", None),
        ("numbers", "It is Paris", "Lyon", None),
        ("numbers", "It is Paris", "7", None),
        ("numbers", "It is not 7", "7", None),
        ("numbers", "7?", "7", None),
        ("numbers", "48 + 24 = 72", "72", True),
        ("json", '{"a": "three"}', '{"a": "3"}', None),
        ("json", "{}", '{"a": 1}', None),
        ("json", "{}", "Paris", None),
        ("json", "[1, 2.0]", "[1.0, 2]", True),
        ("normalised", "the 1000", "1,000", True),
    ],
)
def test_a_grader_can_be_chosen(how: How, answer: str, reference: str, right: bool | None) -> None:
    found = grade(answer, reference, how)
    assert (found.right, found.how) == (right, how)


def test_the_reason_has_whole_words() -> None:
    assert grade("I think it is Paris", "Paris").why == "holds paris"
    assert grade("It is Paris, they say", "Paris").why == "holds paris, but also says say"


@given(st.text().filter(str.strip))
def test_a_text_is_never_wrong_against_itself(text: str) -> None:
    assert grade(text, text).right is not False


@given(answer=st.text(), reference=st.text(), question=st.text(), wrong=st.text())
def test_nothing_makes_a_grader_crash_and_a_reason_is_given(
    answer: str, reference: str, question: str, wrong: str
) -> None:
    assert grade(answer, reference, question=question, wrong=wrong).why


@given(st.integers(-(10**9), 10**9), st.integers(-(10**9), 10**9))
def test_two_numbers_are_right_only_when_equal(one: int, other: int) -> None:
    assert grade(f"It is {one:,}.", str(other)).right is not (one != other)


def test_a_key_of_more_than_four_words_among_others_is_not_taken_for_what_was_held() -> None:
    said = "Planted were oak first, ash later, elm too, then fir{}, last of all."
    four, five = (grade(said.format(more), f"oak, ash, elm, fir{more}") for more in ("", ", yew"))
    assert four.why.startswith("holds oak, ash, elm, fir, but also says")
    assert five.why == "free text in other words needs a judge"


@pytest.mark.parametrize("question", ["Red or blue?", "Is it red or blue?"])
def test_of_two_that_a_question_offers_the_other_is_wrong(question: str) -> None:
    assert grade("Red.", "blue", question=question).right is False
    assert grade("Blue.", "blue", question=question).right is True


def test_two_whole_years_are_two_and_a_short_one_may_be_the_same() -> None:
    question = "When was it?"
    assert grade("It was in 1889.", "1989", question=question).right is False
    assert grade("It was in 89.", "1989", question=question).right is None


@pytest.mark.parametrize(
    ("answer", "reference"),
    [("increases", "increase"), ("It closes.", "close"), ("They are agreeing.", "agree"), ("Databases.", "database")],
)
def test_words_whose_stem_has_another_stem_are_found_where_they_stand(answer: str, reference: str) -> None:
    assert grade(answer, reference, question="What does the share do?").right is True
