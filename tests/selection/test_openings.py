"""How alike messages begin."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augment_correction.records import Conversation, Turn
from augment_correction.selection.openings import SAMPLE, Openings, diversity, self_bleu


def said(id_: str, question: str, answer: str, doubt: str = "Really?") -> Conversation:
    turns = [("user", question), ("assistant", "Wrong."), ("user", doubt), ("assistant", answer)]
    return Conversation(id_, "correct_after_mistake", tuple(Turn(role, text, True) for role, text in turns), True, {})  # type: ignore[arg-type]


def test_texts_that_begin_alike_are_told_from_texts_that_do_not() -> None:
    alike = [f"You are right, I was wrong about the {thing} of it" for thing in ("date", "place", "reason", "name")]
    other = [
        "The year was 1874 and not 1891",
        "Fog had nothing to do with it",
        "A shipwreck is what settles this",
        "Going over that again: seven arches",
    ]
    one, two = diversity(alike), diversity(other)
    assert (one["distinct"], two["distinct"]) == (0.25, 1.0)
    assert one["self_bleu"] > 0.7 > 0.2 > two["self_bleu"]
    assert one["compression"] > two["compression"]


def test_self_bleu_is_that_of_the_papers_definition() -> None:
    """Worked by hand: against the other text 3 of 4 words, 2 of 3 pairs, 1 of 2 triples, no run of four (0.1 of 1)."""
    first, second = ["the", "bridge", "was", "old"], ["the", "bridge", "was", "new"]
    expected = (3 / 4 * 2 / 3 * 1 / 2 * 0.1) ** 0.25
    assert self_bleu([first, second]) == pytest.approx(expected)
    assert self_bleu([first, first, first]) == pytest.approx(1.0)
    assert self_bleu([first, ["nothing", "of", "this", "here"]]) < 0.1


@given(st.lists(st.lists(st.sampled_from("abcdef"), max_size=12), min_size=2, max_size=8))
def test_it_stays_between_0_and_1(texts: list[list[str]]) -> None:
    assert 0 <= self_bleu(texts) <= 1 + 1e-9


def test_a_sample_is_taken_whatever_the_order_and_memory_stays() -> None:
    many = [said(f"id {number}", f"Question {number}?", f"Answer {number}.") for number in range(3 * SAMPLE)]
    one, other = Openings(), Openings()
    assert list(one.watch(many)) == many
    random.Random(1).shuffle(many)
    list(other.watch(many))
    assert one.measured() == other.measured()
    assert one.measured()["question"]["count"] == SAMPLE


def test_a_mistake_in_the_same_message_is_no_opening() -> None:
    openings = Openings()
    for number in range(2):
        turns = (Turn("user", "When?", True), Turn("assistant", f"In 1900. No, {number} is right.", True, masked=8))
        openings.add(Conversation(f"id {number}", "self_noticed", turns, True, {}))
    measured = openings.measured()
    assert set(measured) == {"question", "answer"}
    assert measured["answer"]["distinct"] == 1.0, "they begin with 'No, 0' and 'No, 1'"
    assert Openings().measured() == {}
