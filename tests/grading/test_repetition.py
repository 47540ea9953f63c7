"""What runs in circles is told from what only repeats a word."""

from __future__ import annotations

import pytest

from augment_correction.grading.repetition import repeated_phrase

SENTENCE = "I am sure that the museum was opened by Ida Brandt. "


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("the " * 12, "the"), ("It is so. " * 4, "it is so"),
        (SENTENCE * 3, SENTENCE.casefold().strip(" .")), (f"Yes. {SENTENCE * 3} And", SENTENCE.casefold().strip(" .")),
        ("東京" * 6, "東 京"), ("One. Two three! " * 4, "one two three"),
    ],
)  # fmt: skip
def test_a_phrase_said_again_and_again_is_found(text: str, phrase: str) -> None:
    assert repeated_phrase(text) == phrase


@pytest.mark.parametrize(
    "text",
    [
        "", "It was Ida Brandt.", "the " * 11, "ha ha ha ha", "No, no, no, no, no!", SENTENCE * 2, "It is so. " * 3,
        "1 0 " * 40, "3.14159 26535",
        "Row, row, row your boat, gently down the stream. Merrily, merrily, merrily, merrily, life is but a dream.",
        "| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n| 5 | 6 |",
    ],
)  # fmt: skip
def test_what_people_write_is_no_circle(text: str) -> None:
    assert repeated_phrase(text) == ""


@pytest.mark.parametrize(
    ("words", "times", "found"),
    [
        (1, 11, False),
        (1, 12, True),
        (2, 5, False),
        (2, 6, True),
        (4, 2, False),
        (4, 3, True),
        (60, 3, True),
        (61, 3, False),
    ],
)
def test_three_times_and_twelve_words_at_least(words: int, times: int, found: bool) -> None:
    phrase = " ".join(f"w{number}x" for number in range(words))
    assert bool(repeated_phrase(" ".join([phrase] * times))) is found
