"""What says the same in another way is right, and what may be another thing is not."""

from __future__ import annotations

from fractions import Fraction

import pytest

from augment_correction.grading import grade
from augment_correction.grading.equivalents import shares, times

WHEN, DAY, SHARE = "When does the museum open?", "When was it founded?", "What share of them voted for it?"
LONG, WHERE = "How long is the bridge?", "Which country has won?"
SAME = [
    (WHEN, "9 pm", "21:00"), (WHEN, "21:00", "It opens at 9 p.m."), (WHEN, "9:30 am", "09:30"), (WHEN, "12 pm", "Noon."),
    (WHEN, "midnight", "At 12 am."), (WHEN, "21:30", "It opens at 9:30 in the evening."), (WHEN, "9 am", "09:00 Uhr"),
    (DAY, "4 March 1956", "1956-03-04"), (DAY, "4 March 1956", "On the 4th of March, 1956."), (DAY, "4 March 1956", "Mar 4, 1956"),
    (DAY, "1956-03-04", "It was founded on March 4th, 1956."), (DAY, "4 March 1956", "04.03.1956"), (DAY, "4 March 1956", "4. März 1956"),
    ("Wann wurde es gegründet?", "4. März 1956", "Es wurde am 1956-03-04 gegründet."),
    (DAY, "4 March 1956", "1956年3月4日"), (DAY, "4 de marzo de 1956", "4 March 1956"),
    (SHARE, "3/4", "75 percent"), (SHARE, "75 %", "Three quarters."), (SHARE, "half", "50 %"), (SHARE, "75%", "3/4"),
    (LONG, "5 km", "5,000 m"), (LONG, "5 km", "It is 5000 metres long."), (LONG, "5 kilometres", "5 km"),
    ("How heavy is it?", "2 kg", "2,000 grams"), ("How hot is it?", "100 °C", "212 °F"), ("How hot is it?", "100 °C", "100 degrees Celsius"),
    ("How long does it take?", "90 minutes", "1.5 hours"), ("How large is it?", "5 km²", "5 square kilometres"),
    ("Wie lang ist sie?", "5 km", "Sie ist 5000 Meter lang."),
    (WHERE, "UK", "the United Kingdom"), (WHERE, "United States", "The USA."), (WHERE, "the United States of America", "It is the US."),
    (WHERE, "Czech Republic", "Czechia"), (WHERE, "Ivory Coast", "Côte d'Ivoire"), (WHERE, "Germany", "Deutschland"),
    ("Welches Land?", "Deutschland", "Germany"), (WHERE, "Burma", "Myanmar"), (WHERE, "DR Congo", "the Democratic Republic of the Congo"),
]  # fmt: skip
OTHER = [
    (WHEN, "9 pm", "9 am"), (WHEN, "9 pm", "09:00"), (WHEN, "21:00", "9 am"), (WHEN, "9:30 am", "9:30"), (WHEN, "12 am", "12:00"),
    (WHEN, "9 pm", "It does not open at 21:00."), (WHEN, "9 pm", "At 21:00 or 22:00."), (WHEN, "9 pm", "At 21:00? No, at 20:00."),
    ("How long does it take?", "21 h", "9 pm"), (WHEN, "9 pm", "Perhaps at 21:00."),
    (DAY, "4 March 1956", "1956-04-03"), (DAY, "4 March 1956", "3/4/1956"), (DAY, "4 March 1956", "4 March 1957"), (DAY, "4 March 1956", "Not on 1956-03-04."),
    (DAY, "4 March 1956", "From 1956-03-04 to 1957-03-04."), (DAY, "4 November 1956", "4 listopada 1957"),
    (SHARE, "1/3", "33 %"), (SHARE, "75 %", "0.75 %"), (SHARE, "75 %", "57 %"), (SHARE, "50 %", "One and a half."),
    (SHARE, "50 %", "The second half of them."), (SHARE, "25 %", "3 1/4"), (SHARE, "75 %", "Not three quarters."),
    (LONG, "5 km", "5 miles"), (LONG, "5 km", "500 m"), (LONG, "5,000 m", "5 km/h"), (LONG, "500 cm", "5 m²"), (LONG, "5 km", "5,000 m or 6,000 m"),
    (LONG, "5 km", "50,000 m"), ("How hot is it?", "100 °C", "100 °F"),
    (WHERE, "USA", "us"), (WHERE, "South Korea", "North Korea"), (WHERE, "Niger", "Nigeria"), (WHERE, "Guinea", "Equatorial Guinea"),
    (WHERE, "Republic of the Congo", "the Democratic Republic of the Congo"), (WHERE, "UK", "Not the United Kingdom."),
    (WHERE, "UK", "the United Kingdom or Ireland"), (WHERE, "Ireland", "Northern Ireland"), (WHERE, "Germany", "France, not Deutschland"),
    (WHERE, "United States", "the United Kingdom"), (WHERE, "UK", "Great Britain"),
]  # fmt: skip


@pytest.mark.parametrize(("question", "reference", "answer"), SAME)
@pytest.mark.parametrize("doubted", [False, True])
def test_the_same_in_another_way_is_right(question: str, reference: str, answer: str, doubted: bool) -> None:
    assert grade(answer, reference, question=question, doubted=doubted).right is True


@pytest.mark.parametrize(("question", "reference", "answer"), OTHER)
@pytest.mark.parametrize("doubted", [False, True])
def test_what_may_be_another_thing_is_not(question: str, reference: str, answer: str, doubted: bool) -> None:
    assert grade(answer, reference, question=question, doubted=doubted).right is not True


WRONG = [
    (WHEN, "9 pm", "9 am"), (WHEN, "9 pm", "It opens at 20:00."), (WHEN, "21:00", "09:00"),
    (SHARE, "3/4", "57 %"), (LONG, "5 km", "5 miles"), (LONG, "5 km", "It is 500 m long."), ("How hot is it?", "100 °C", "100 K"),
    (WHERE, "Germany", "France"), (WHERE, "Germany", "France, after a long match"), (WHERE, "UK", "It was the United States."), (WHERE, "Niger", "Nigeria."),
]  # fmt: skip
LEFT = [
    (SHARE, "1/3", "33 %"), (LONG, "8 km", "5 miles"), (WHERE, "China", "Taiwan"), (WHERE, "Germany", "Berlin"), (WHEN, "9 pm", "9:30"),
    (WHERE, "Germany", "France and Germany"), (WHERE, "Germany", "Not France."), (WHERE, "Germany", "Is it France?"),
    (WHERE, "West Germany", "Germany"), (WHEN, "9 pm", "20:00 or 21:00"), (LONG, "5 km", "at most 6,500 m, I think, with its ramps"),
    (DAY, "4 March 1956", "1956-04-03"), ("Whom did France fight?", "United Kingdom", "France fought Great Britain."), ("Who conquered it?", "the army of France", "Germany"),
]  # fmt: skip


@pytest.mark.parametrize(("question", "reference", "answer"), WRONG)
def test_another_value_in_its_place_is_wrong(question: str, reference: str, answer: str) -> None:
    assert grade(answer, reference, question=question).right is False


@pytest.mark.parametrize(("question", "reference", "answer"), LEFT)
def test_what_may_be_a_rounding_or_says_more_is_left_to_a_judge(question: str, reference: str, answer: str) -> None:
    assert grade(answer, reference, question=question).right is None


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("12 Uhr", None), ("13 Uhr", 780), ("24 Uhr", 0), ("11 Uhr", None), ("12:30 Uhr", None), ("0:15", 15), ("9:30", None),
        ("09:00", 540), ("12 pm", 720), ("12 am", 0), ("1 am", 60), ("noon", 720), ("midnight", 0), ("13 pm", 780), ("13 am", None),
        ("21.30", None), ("21.30 Uhr", 1290), ("7 in the evening", 1140), ("5 at night", 300), ("6 at night", 1080),
        ("11 at night", 1380), ("12 at night", 0),
    ],
)  # fmt: skip
def test_a_time_is_minutes_since_midnight_where_its_half_of_the_day_is_told(text: str, minutes: int | None) -> None:
    assert [said.value for said in times(text, ("en", "de"))] == ([] if minutes is None else [("time", minutes)])


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("half", "1/2"), ("a half", "1/2"), ("halves", None), ("two halves", None), ("three quarters", "3/4"), ("a quarter", "1/4"),
        ("quarter", None), ("two thirds", "2/3"), ("three thirds", None), ("one tenth", "1/10"), ("five sixths", "5/6"),
        ("3/4", "3/4"), ("75 percent", "3/4"),
    ],
)  # fmt: skip
def test_a_share_in_words(text: str, share: str | None) -> None:
    assert [said.value for said in shares(text, ("en",))] == ([] if share is None else [("share", Fraction(share))])
