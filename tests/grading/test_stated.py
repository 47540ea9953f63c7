"""A first answer that says more than the reference: right where nothing turns it, and only while nobody has doubted."""

from __future__ import annotations

import pytest

from augment_correction.grading.match import grade
from augment_correction.grading.stated import tokens

CAPITAL = "What is the capital of France?"
METAL = "Which metal is the hull made of?"
OPENED = "Who opened the museum?"
YEAR = "When was the museum opened?"
SIGNED = "Where was the treaty signed?"

STATED = [
    ("Paris, the capital and largest city of France, lies on the Seine.", "Paris", CAPITAL),
    ("It is Paris, which lies on the Seine in Europe.", "Paris", CAPITAL),
    ("It is Paris (on the Seine).", "Paris", CAPITAL),
    ("It is Paris. The mayor has said more on that.", "Paris", CAPITAL),
    ("Capital of France: the capital of France is Paris, on the Seine.", "Paris", CAPITAL),
    ("The hull is made of iron, which rusts.", "Iron", METAL),
    ("The museum was opened by the painter Ida Brandt in Bergen.", "Ida Brandt", OPENED),
    ("Ida Brandt opened the museum in 1905. She lived in Bergen with her sister Vera.", "Ida Brandt", OPENED),
    ("The museum was opened by Ida Brandt and designed by a firm from Oslo.", "Ida Brandt", OPENED),
    ("The museum was opened by Dr. Ida Brandt, a painter. Would you like to hear more of her?", "Ida Brandt", OPENED),
    ("The museum was opened in 1905 with 12 rooms.", "1905", YEAR),
    ("The museum was first opened to visitors on 3 May 1905 by Ida Brandt.", "May 1905", YEAR),
    ("The treaty was signed in Omaha, Nebraska.", "Omaha", SIGNED),
    ("Es ist Paris, die Stadt an der Seine.", "Paris", "Was ist die Hauptstadt von Frankreich?"),
    ("La capitale de la France est Paris, au bord de la Seine.", "Paris", "Quelle est la capitale de la France ?"),
    ("Het museum is geopend door Ida Brandt, een schilderes.", "Ida Brandt", "Wie heeft het museum geopend?"),
]

OPEN = [
    # taken back, doubted, or about the speaker
    ("Ida Brandt opened the museum, they say, but historians disagree.", "Ida Brandt", OPENED),
    ("Ida Brandt opened the museum in 1905. Actually, a painter did.", "Ida Brandt", OPENED),
    ("Ida Brandt opened the museum in 1905. Sorry, wrong town.", "Ida Brandt", OPENED),
    ("My earlier answer, Ida Brandt, was a mix-up.", "Ida Brandt", OPENED),
    ("I take back Ida Brandt.", "Ida Brandt", OPENED),
    ("Ida Brandt opening the museum in 1905 is a myth.", "Ida Brandt", OPENED),
    ("Ida Brandt did not open the museum of Bergen.", "Ida Brandt", OPENED),
    ("Ida Brandt hat das Museum in Bergen nicht eröffnet.", "Ida Brandt", "Wer hat das Museum eröffnet?"),
    ("Perhaps it was Ida Brandt, a painter.", "Ida Brandt", OPENED),
    ("Vielleicht war es Ida Brandt, eine Malerin.", "Ida Brandt", "Wer hat das Museum eröffnet?"),
    # another in its place
    ("Ida Brandt opened the museum in 1905. It was Otto Meier.", "Ida Brandt", OPENED),
    ("Otto Meier, a pupil of Ida Brandt, opened the museum.", "Ida Brandt", OPENED),
    ("The museum was opened by a pupil of Ida Brandt.", "Ida Brandt", OPENED),
    ("The museum was opened by Ida Brandt's husband in 1905.", "Ida Brandt", OPENED),
    ("The museum was opened by Ida Brandt-Meier in 1905.", "Ida Brandt", OPENED),
    ("The museum was opened by Ida Brandt, Otto Meier and others.", "Ida Brandt", OPENED),
    ("The museum was opened by Ida Brandt together with Emil Dorn.", "Ida Brandt", OPENED),
    ("The museum was opened against Ida Brandt in 1905.", "Ida Brandt", OPENED),
    ("The museum was opened by a painter. Ida Brandt was there.", "Ida Brandt", OPENED),
    ("The fair left Haven in 1905.", "Haven", "Which town hosted the fair?"),
    ("It was Paris in those days.", "Paris", CAPITAL),
    # a longer name or another thing
    ("The treaty was signed in New York in 1905.", "York", SIGNED),
    ("The treaty was signed in York County in 1905.", "York", SIGNED),
    ("The treaty was signed in the York museum in 1905.", "York", SIGNED),
    ("The hull is made of iron oxide, which rusts.", "iron", METAL),
    ("The hull is made of cast iron, which rusts.", "iron", METAL),
    ("The hull is made of iron, copper and tin.", "iron", METAL),
    # another number
    ("The museum was opened in 1905 and burnt down in 1911.", "1905", YEAR),
    ("The tower has 5 floors and 40 lamps.", "5", "How many floors has the tower?"),
    ("The trip took 5 long hours by boat.", "5", "How many days did the trip take?"),
    # no question, or a language in which a verb denies by its prefix
    ("It is Paris, which lies on the Seine.", "Paris", ""),
    ("Muzeum neotevřela Ida Brandt, malířka.", "Ida Brandt", "Kdo otevřel muzeum?"),
    ("Hindi si Ida Brandt ang pintor.", "Ida Brandt", "Sino ang nagbukas ng museo?"),
]


@pytest.mark.parametrize(("answer", "reference", "question"), STATED)
def test_a_first_answer_may_say_more(answer: str, reference: str, question: str) -> None:
    found = grade(answer, reference, question=question)
    assert found.right is True and found.why.endswith(" among more")


@pytest.mark.parametrize(("answer", "reference", "question"), STATED)
def test_after_a_doubt_every_word_must_be_accounted_for(answer: str, reference: str, question: str) -> None:
    assert grade(answer, reference, question=question, doubted=True).right is None


@pytest.mark.parametrize(("answer", "reference", "question"), OPEN)
def test_what_may_turn_it_leaves_it_open(answer: str, reference: str, question: str) -> None:
    assert grade(answer, reference, question=question).right is None


def test_a_known_wrong_answer_beside_it_leaves_it_open() -> None:
    said = "The museum was opened by Ida Brandt in Bergen."
    assert grade(said, "Ida Brandt", question=OPENED, wrong="Otto Meier of Bergen").right is None


@pytest.mark.parametrize(
    ("answer", "reference", "question"),
    [
        ("It was founded in May 1921 by fishermen.", "1921", "In which year was it founded?"),
        ("It was opened on 4 May.", "4", "On which day of May was it opened?"),
        ("It closed in the autumn, on 30 October.", "October", "In which month did it close?"),
    ],
)
def test_the_rest_of_a_date_makes_no_other_thing_of_a_part_of_it(answer: str, reference: str, question: str) -> None:
    assert grade(answer, reference, question=question).right is True


def test_an_abbreviations_point_parts_nothing() -> None:
    found = [(token.word, token.parted) for token in tokens("At St. Ives. Then Dr, Otto met mr Ida.")]
    assert found == [("at", True), ("st", False), ("ives", False), ("then", True), ("dr", False), ("otto", True),
                     ("met", False), ("mr", False), ("ida", False)]  # fmt: skip
