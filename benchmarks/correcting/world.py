"""Questions about short notes on a made-up world: a small model can read the answer off the notes, and often reads the
wrong one. What is learnt on some notes (to read, to correct, to stand by) can be measured on others."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.learning_world import RELATIONS, Relation, _fact

NOTES = 3
"""Facts in one note: the same relation for this many entities, so that the others' values are the mistakes at hand."""


@dataclass(frozen=True)
class Item:
    """`flawed` gives the value of another entity of the same notes."""

    notes: str
    question: str
    answer: str
    flawed: str


def items(count: int, rng: random.Random, used: set[str]) -> list[Item]:
    return [_item(RELATIONS[index % len(RELATIONS)], rng, used) for index in range(count)]


def _item(relation: Relation, rng: random.Random, used: set[str]) -> Item:
    facts = [_fact(relation, rng, used) for _ in range(NOTES)]
    values = rng.sample(relation.values, NOTES)
    said = [fact.answer(value) for fact, value in zip(facts, values, strict=True)]
    asked, other = rng.sample(range(NOTES), 2)
    fact = facts[asked]
    question = fact.question(rng.randrange(len(relation.questions)))
    return Item(" ".join(said), question, fact.answer(values[asked]), fact.answer(values[other]))


def document(item: Item) -> Mapping[str, str]:
    """A row for the pipelines of this benchmark: each is a document of its own."""
    asked = f"{item.notes}\n\n{item.question}"
    return {"text": asked, "question": item.question, "asked": asked, "answer": item.answer, "flawed": item.flawed}


def gate_row(number: int, item: Item) -> Mapping[str, str]:
    return {
        "id": f"gate-{number}",
        "question": item.question,
        "context": item.notes,
        "reference": item.answer,
        "flawed": item.flawed,
    }


def worlds(train: int, gate: int, seed: int) -> tuple[Sequence[Item], Sequence[Item]]:
    """No entity stands in both."""
    rng, used = random.Random(seed), set[str]()
    return items(train, rng, used), items(gate, rng, used)
