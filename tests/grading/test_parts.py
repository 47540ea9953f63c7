"""Parts of a whole in words: which are numbers, and which may be something else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augment_correction.grading.contrast import numbers_only_in
from augment_correction.grading.lexicon import as_set
from augment_correction.grading.numbers import Number, canonical, find_doubtful, find_numbers
from augment_correction.grading.spelt import in_digits


def told(text: str, found: tuple[Number, ...]) -> list[tuple[str, str]]:
    return [(canonical(round(number.value, 3)), text[number.start : number.end]) for number in found]


@pytest.mark.parametrize(
    ("text", "value", "span"),
    [
        ("some four fifths of it", "0.8", "four fifths"),
        ("3 quarters of them", "0.75", "3 quarters"),
        ("nine-tenths, mostly", "0.9", "nine-tenths"),
        ("a three-quarter mile", "0.75", "three-quarter"),
        ("a third of the people", "0.333", "a third"),
        ("It grew by one third.", "0.333", "one third"),
        ("twenty-five hundredths", "0.25", "twenty-five hundredths"),
        ("minus two thirds", "-0.667", "minus two thirds"),
        ("two and a half years", "2.5", "two and a half"),
        ("one-and-a-half", "1.5", "one-and-a-half"),
        ("five and three quarters", "5.75", "five and three quarters"),
        ("two and a half million", "2500000", "two and a half million"),
        ("a million and a half", "1500000", "a million and a half"),
        ("half a million", "500000", "half a million"),
        ("a quarter of a million", "250000", "a quarter of a million"),
        ("les deux tiers", "0.667", "deux tiers"),
        ("un tiers des élèves", "0.333", "un tiers"),
        ("vingt-cinq centièmes", "0.25", "vingt-cinq centièmes"),
        ("deux et demi", "2.5", "deux et demi"),
        ("cinq et deux tiers", "5.667", "cinq et deux tiers"),
        ("après 2 ans et demi", "2.5", "2"),
        ("drei Viertel der Leute", "0.75", "drei Viertel"),
        ("zu drei Vierteln", "0.75", "drei Vierteln"),
        ("ein Drittel", "0.333", "ein Drittel"),
        ("anderthalb", "1.5", "anderthalb"),
        ("zweieinhalb", "2.5", "zweieinhalb"),
        ("zwei und ein halbes", "2.5", "zwei und ein halbes"),
        ("dos tercios", "0.667", "dos tercios"),
        ("tres cuartas partes", "0.75", "tres cuartas partes"),
        ("treinta y dos y medio", "32.5", "treinta y dos y medio"),
        ("quattro quinti", "0.8", "quattro quinti"),
        ("tre quarti", "0.75", "tre quarti"),
        ("três quartos da população", "0.75", "três quartos"),
        ("dois e meio", "2.5", "dois e meio"),
        ("twee derde", "0.667", "twee derde"),
        ("tweeënhalf", "2.5", "tweeënhalf"),
        ("fire femtedele", "0.8", "fire femtedele"),
        ("to og en halv", "2.5", "to og en halv"),
    ],
)
def test_a_part_has_its_value_and_its_place(text: str, value: str, span: str) -> None:
    assert told(text, find_numbers(text, words=True)) == [(value, span)]
    assert find_doubtful(text) == ()


@pytest.mark.parametrize(
    ("text", "numbers", "doubtful"),
    [
        ("half of them", [], ["0.5"]),
        ("one half", ["1"], ["0.5"]),
        ("die Hälfte", [], ["0.5"]),
        ("la mitad, la moitié", [], ["0.5", "0.5"]),
        ("a third man", [], ["0.333"]),
        ("one third party", ["1"], ["0.333"]),
        ("one of iron, another of gold, and a third of silver", ["1"], ["0.333"]),
        ("a quarter of an hour", [], ["0.25"]),
        ("three quarters of an hour", ["3"], ["0.75"]),
        ("a quarter of Paris", [], ["0.25"]),
        ("three quarters in a row", ["3"], ["0.75"]),
        ("the first three quarters of the year", ["3"], ["0.75"]),
        ("two quarters", ["2"], ["0.5"]),
        ("a Fourth of July parade", [], ["0.25"]),
        ("un tiers de confiance", [], ["0.333"]),
        ("le tiers des élèves", [], ["0.333"]),
        ("trois quarts d'heure", [], ["0.75"]),
        ("2 heures et demie", ["2"], ["2.5"]),
        ("drei Viertel acht", [], ["0.75"]),
        ("ein Viertel der alten Stadt", [], ["0.25"]),
        ("a las dos y media", [], ["2.5"]),
        ("tres cuartos con baño", [], ["0.75"]),
        ("la tercera parte de la novela", [], ["0.333"]),
        ("artikel 2 derde lid", ["2"], ["0.667"]),
        ("2 quarts of milk", ["2"], ["0.5"]),
    ],
)
def test_what_may_be_something_else_never_decides(text: str, numbers: list[str], doubtful: list[str]) -> None:
    assert [value for value, _ in told(text, find_numbers(text, words=True))] == numbers
    assert [value for value, _ in told(text, find_doubtful(text))] == doubtful
    assert all(number.vague for number in find_doubtful(text))
    assert not [value for value in numbers_only_in(text, "") if canonical(round(value, 3)) in doubtful]


@pytest.mark.parametrize(
    "text",
    ["half past nine", "a quarter-final", "half-timbered", "the third floor", "third party", "the second", "the third quarter",
     "le quartier", "le tiers état", "moins le quart", "un huitième de finale", "dos octavos de final", "halb neun", "deshalb",
     "eine halbe Stunde", "das Viertel", "im zweiten Drittel", "quarti di finale", "il terzo uomo", "kwart over negen", "a tenth-century church",
     "two third-party tools", "3 tiers", "five quarters", "one ten-thousandth", "two seconds"],
)  # fmt: skip
def test_other_things_with_the_same_words_are_no_parts(text: str) -> None:
    assert all(number.value == int(number.value) for number in find_numbers(text, words=True))
    assert find_doubtful(text) == ()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("4/5 of them", "four fifths of them"),
        ("25 % of them", "a quarter of them"),
        ("67 pour cent des élèves", "deux tiers des élèves"),
        ("33.3 percent", "a third of them"),
        ("0.33", "one third"),
        ("50 %", "half of them"),
        ("½", "die Hälfte"),
        ("2,5 Jahre", "zweieinhalb Jahre"),
        ("45 % of 3", "0.45 of 3"),
    ],
)
def test_equal_values_are_no_contradiction_however_they_are_said(one: str, other: str) -> None:
    assert numbers_only_in(one, other) == numbers_only_in(other, one) == frozenset()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("4/5 of them", "three fifths of them"),
        ("25 % of them", "a third of them"),
        ("0.25 %", "25 %"),
        ("34 %", "two thirds"),
        ("0.3", "one third"),
        ("300 %", "3"),
        ("two and a half", "two"),
    ],
)
def test_other_values_contradict(one: str, other: str) -> None:
    assert numbers_only_in(one, other)
    assert numbers_only_in(other, one)


@pytest.mark.parametrize(
    ("text", "language", "digits"),
    [
        ("quatre cinquièmes des gens", "fr", "4/5 des gens"),
        ("zweieinhalb Jahre", "de", "2 1/2 Jahre"),
        ("cuatro quintos", "es", "4/5"),
        ("le cinquième homme", "fr", "le 5ème homme"),
    ],
)
def test_parts_become_quotients_and_no_ordinals(text: str, language: str, digits: str) -> None:
    assert in_digits(text, language) == digits


WORDS = as_set(
    "two a one half third thirds quarter million and of - , . 3 -1 ½ deux tiers et demi un des drei Viertel der y medio"
)


@given(st.lists(st.sampled_from(sorted(WORDS)), max_size=9), st.sampled_from([" ", "", "-", "\n"]))
def test_spans_lie_in_the_text_in_order_and_apart(words: list[str], between: str) -> None:
    text = between.join(words)
    for found in (find_numbers(text, words=True), find_doubtful(text)):
        ends = [0]
        for number in found:
            assert ends[-1] <= number.start < number.end <= len(text)
            ends.append(number.end)
