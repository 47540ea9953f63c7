"""Number words of seven languages as digits."""

from __future__ import annotations

import pytest

from augment_correction.grading.choices import choosing
from augment_correction.grading.spelt import in_digits, language_of


@pytest.mark.parametrize(
    ("text", "language", "digits"),
    [
        ("hundertfünfzig", "de", "150"),
        ("cent cinquante", "fr", "150"),
        ("ciento cincuenta", "es", "150"),
        ("centocinquanta", "it", "150"),
        ("cento e cinquenta", "pt", "150"),
        ("honderdvijftig", "nl", "150"),
        ("la une", "fr", "la une"),
        ("сто пятьдесят", "ru", "сто пятьдесят"),
        ("seven", "en", "seven"),
    ],
)
def test_number_words_become_digits_where_they_can_be_read(text: str, language: str, digits: str) -> None:
    assert in_digits(text, language) == digits


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Wie hoch ist der Turm?", "de"),
        ("Qual è la capitale della Francia?", "it"),
        ("What is it?", "en"),
        ("Paris", "en"),
        ("", "en"),
    ],
)
def test_the_language_is_that_of_the_commonest_words(text: str, language: str) -> None:
    assert language_of(text) == language


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("Is it Paris or Lyon?", {"or"}),
        ("What is the capital of France?", set()),
        ("Is het Gent of Brugge, en wat is de naam van het huis?", {"of"}),
        ("¿Es París o Lyon la capital de la república?", {"o"}),
        ("Em que ano abriu o museu?", set()),
    ],
)
def test_a_word_offers_a_choice_in_its_own_language_alone(question: str, words: set[str]) -> None:
    assert choosing(question) == words
