"""Whole answers in every form, and answers that stop in the middle."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.stages.checking import finding, reason

WHOLE = [
    "It has nine arches.",
    "Really?",
    "She said “nine”.",
    'She said "nine."',
    "*It has nine arches.*",
    "(It has nine arches.)",
    "Nine",
    "1873",
    "In 1873",
    "about 25 %",
    "Adela Torrin",
    "它有九个拱。",
    "它有九个拱",
    "للجسر سبعة أقواس.",
    "هل أنت متأكد؟",
    "สะพานหินมีเก้าโค้งและสร้างจากหินแกรนิตทั้งหมดเมื่อปี",
    "The steps:\n\n1. Wind the warp\n2. Thread the heddles",
    "The groups:\n\n- green: grass\n- brown: straw, leaves",
    "| a | b |\n| --- | --- |\n| 1 | 2 |",
    "Run this:\n\n```sh\nls (\n```",
    "Use `ls [`.",
    "Call `close()`",
    "a) First this. b) Then that.",
    "The interval [0, 1) is half open.",
    'A pipe of 5" fits.',
    "Er sagte: „Neun.“",
    "Il a dit : « neuf ».",
    "E = mc^2",
    "Wird gemacht 🙂",
    "print(total(rows))",
    "SELECT name\nFROM users\nLIMIT 10;",
    "#!/bin/sh\n\ndu -sh * | sort -hr",
    "add = lambda x, y: x + y",
    "Dear Sir,\n\nI shall be late tomorrow.\n\nKind regards,\n\n[Your name]",
    "Cher voisin,\n\nMerci pour la clef.\n\nBien cordialement,\nPaul Lecomte",
    "Come at eight. I shall cook.\n\nLooking forward to seeing you,",
    "Monday:\nSoup: leek, Main dish: trout\nTuesday:\nSoup: pea, Main dish: dumplings with plums and sugar",
    "Item | Number | Price\nShirt of the best white linen | 2 | 10",
    "1- Paris, best for museums and long evenings\n2- Nice, best for the sea in the early spring",
    "Test first\nOne thing at a time\nWrite it down for whoever comes after you",
    "Dog, cat, bear, fish, table, bed",
    "The output of the program is:\n\n12",
    "Item | Number | Price of the things that were sold here",
    "Red is warm, blue is cold, and so forth…",
]
CUT = [
    "The tower is 41 metres high and made of interlocking granite bl",
    "The tower is 41 metres high and made of",
    "Built of granite,",
    "It was built by",
    "Here are the reasons:",
    "It was wound every fifty mi...",
    "It has nine arches (of stone",
    "She said “nine",
    'She said "nine',
    "Run this:\n\n```sh\nls -l",
    "- It has nine arches.\n- It was built in",
    "- It has nine arches.\n- It was built of gran",
    "",
    "…",
    "它有九个拱，",
    "It holds one | and goes on without an end because the rest was",
    "It was built of granite.\n\nThe tower, however,",
    "The reasons: it was old; it was narrow; and the stones were falling from it into",
    "Note: it was closed to lorries because two stones had fallen into the river beside",
    "It has three parts, a nave, a choir, and the tower that was built much later by the",
]


@pytest.mark.parametrize("text", WHOLE)
def test_whole(text: str) -> None:
    assert reason("complete", answer=text) is None


@pytest.mark.parametrize("text", CUT)
def test_cut_off(text: str) -> None:
    assert reason("complete", answer=text) == "cut_off"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Run this:\n\n```sh\nls -l\n```\n\nThen that:\n\n```\nexit.\n", "opens a code block"),
        ("Run this:\n\n    ~~~\n    exit.\n", "opens a code block"),
        ("Run this:\n\n```\nexit.", "opens a code block"),
        ("Use it (as shown.", "opens a bracket"),
        ("a) Use (as shown.", "opens a bracket"),
        ("She said “nine.", "opens a quotation"),
        ("Il a dit « neuf.", "opens a quotation"),
        ('She said "nine.', "opens a quotation"),
        ("It has nine…", "breaks off"),
        ("Stone – ", 'ends with "–"'),
        ("It was built with.. the", 'ends with the word "the"'),
        ("The arches, seen from below, number nine", "without a full stop"),
        ("", "is empty"),
    ],
)
def test_it_says_what_is_missing(text: str, says: str) -> None:
    """Not by a neighbouring rule: each of these would be whole but for the one thing."""
    assert says in finding("complete", answer=text).detail


@given(st.integers(45, 120))
def test_a_long_sentence_cut_anywhere(at: int) -> None:
    text = "The lighthouse stands on a granite reef in the open sea, four kilometres off the coast of an island that is called Maren."
    assert reason("complete", answer=text[:at]) == "cut_off"
