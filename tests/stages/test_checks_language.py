"""The fields' language is the passage's; names, code, numbers and short words prove nothing."""

from __future__ import annotations

import importlib

import pytest

from augment_correction.stages.checks.language import _is_name
from augment_correction.text.language import _shouted, language_of, likeliest, probabilities, says_enough
from tests.stages.checking import finding, reason

ENGLISH = "The lighthouse of Vell stands on a reef. Adela Torrin built it of granite between 1868 and 1873."
GERMAN = "Der Leuchtturm von Vell steht auf einem Riff. Adela Torrin baute ihn von 1868 bis 1873 aus Granit."
CHINESE = "石桥建于1605年，共有七个拱。桥面宽九米，由花岗岩砌成。"


@pytest.mark.parametrize(
    ("passage", "answer"),
    [
        (GERMAN, "The lighthouse was built of granite by an engineer who had never worked at sea."),
        (ENGLISH, "Der Leuchtturm wurde von einer Ingenieurin gebaut."),
        (ENGLISH, "石桥共有七个拱，建于很久以前。"),
        (CHINESE, "The bridge has seven arches and is made of stone."),
        (CHINESE, "الجسر له سبعة أقواس من الحجر."),
        (GERMAN, "¿Estás seguro de eso? No me parece correcto."),
    ],
)
def test_another_language(passage: str, answer: str) -> None:
    assert reason("language", passage=passage, answer=answer) == "wrong_language"


@pytest.mark.parametrize(
    ("passage", "answer"),
    [
        (GERMAN, "Adela Torrin"),
        (GERMAN, "OK"),
        (GERMAN, "1868–1873"),
        (GERMAN, "Der Befehl ist falsch, nimm diesen:\n\n```sh\nfind . -name 'the old file' -delete\n```"),
        (ENGLISH, "Adela Torrin, Vell."),
        (ENGLISH, "- granite\n- 41 metres\n- the reef of Vell"),
        (ENGLISH, "He wrote „Der Leuchtturm“ and it is a poem about the sea and the men who kept the light."),
        (CHINESE, "你确定吗？"),
        ("x = 1; y = 2; 3, 4, 5", "It sets two variables to numbers."),
        ("", "Nine arches were built here."),
    ],
)
def test_no_clear_evidence(passage: str, answer: str) -> None:
    assert reason("language", passage=passage, answer=answer) is None


@pytest.mark.parametrize(
    ("passage", "name"),
    [
        ("The bridge has nine arches and was built of granite.", "English"),
        ("Le pont compte neuf arches de granit.", "French"),
        ("石桥建于1605年，共有七个拱。", "Chinese"),
        ("Das Museum wurde 1956 eröffnet. Montags bleibt es geschlossen. The museum is closed on Mondays.", "German"),
        ("1605 - 1.2.3", ""),
    ],
)
def test_the_language_that_most_of_a_passage_is_in_has_a_name_for_prompts(passage: str, name: str) -> None:
    assert language_of(passage) == name


def test_twelve_letters_are_enough_to_tell() -> None:
    assert language_of("Neuf piles, non") and not language_of("Neuf piles, no")


def test_the_share_of_another_language_is_the_score() -> None:
    """A language that is not even among the likeliest counts as nothing, and not against it."""
    other = "石桥共有七个拱，建于很久以前。"
    assert finding("language", ENGLISH, answer=other).score == pytest.approx(
        1 - sum(list(probabilities(other).values())[:2]), abs=0.01
    )


def test_twelve_letters_or_three_signs_of_a_script_without_spaces_say_enough() -> None:
    enough = {text: says_enough(text) for text in ("a1b2" * 5 + "c", "a1b2" * 6, "東京", "東京都", "가나", "가나다")}
    assert list(enough.values()) == [False, True, False, True, False, True]
    assert likeliest("a b") == ("", 0.0)


def test_what_is_shouted_is_mostly_capitals_in_more_than_five_signs() -> None:
    shouted = {text: _shouted(text) for text in ("AAAAAa", "AAAAé", "AAAAAé", "AAAAAAAAaa", "ABC", "abcdef")}
    assert list(shouted.values()) == [True, False, True, False, True, False]


@pytest.mark.parametrize(
    ("home", "sure", "found", "score"),
    [
        ("de", 0.5, {"en": 0.9, "de": 0.05}, 0.15),
        ("de", 0.49, {"en": 0.9, "de": 0.05}, 1),  # a passage that may be anything asks for nothing
        ("de", 0.9, {"en": 0.5, "fr": 0.4, "it": 0.1}, 0.1),  # the best two
        ("de", 0.9, {"en": 1.0, "fr": 0.2}, 0),
        ("de", 0.9, {"de": 0.9, "en": 0.1}, 1),
        ("de", 0.9, {"de": 1.0}, 1),
        ("da", 0.9, {"no": 0.6, "en": 0.4}, 1),  # nearly the same language
        ("da", 0.9, {"sv": 0.6, "no": 0.1}, 0.5),
    ],
)
def test_the_score_is_what_the_best_two_other_languages_leave(
    monkeypatch: pytest.MonkeyPatch, home: str, sure: float, found: dict[str, float], score: float
) -> None:
    asked = importlib.import_module("augment_correction.stages.checks.language")
    monkeypatch.setattr(asked, "likeliest", lambda passage: (home, sure))
    monkeypatch.setattr(asked, "probabilities", lambda text: found)
    assert finding("language", passage="Irgendein Satz.", answer="Some sentence of words.").score == pytest.approx(
        score
    )


def test_a_name_has_a_capital_and_is_never_small_in_the_passage() -> None:
    passage = "The keeper of Vell wrote to the Bay."
    assert [_is_name(word, passage) for word in ("Vell", "Bay", "The", "keeper", "Nowhere", "")] == [
        True, True, False, False, False, False,
    ]  # fmt: skip
