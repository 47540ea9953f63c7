"""What in a reference is evidence: the words and numbers that tell it from the question and from a known wrong answer.

"The capital of France is Paris." is evidence for "paris" alone once the question has said "capital" and "France".
Without a question, what follows the only "is" or "equals" of a single sentence stands for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property, lru_cache

from augment_correction.grading.choices import choosing
from augment_correction.grading.lexicon import COPULAS, EQUALS
from augment_correction.grading.numbers import canonical, find_numbers
from augment_correction.grading.text import content_words, names, sentences, stem, words

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


@dataclass(frozen=True)
class Key:
    """`tokens` are stems and canonical numbers in the order of the reference."""

    tokens: tuple[str, ...]
    named: bool
    """Among them is a number or a name, which no synonym can stand for."""

    @cached_property
    def numbers(self) -> frozenset[Decimal]:
        return frozenset(Decimal(token) for token in self.tokens if _NUMBER.fullmatch(token))

    @cached_property
    def words(self) -> frozenset[str]:
        return frozenset(token for token in self.tokens if not _NUMBER.fullmatch(token))


def key_of(reference: str, question: str = "", wrong: str = "") -> Key:
    """Without tokens where the question has said all of them: "12" is no evidence after "How many of the 12?". Where the
    question offers a choice ("Paris or Lyon?") they count all the same."""
    offered = choosing(question)
    known = {*tokens(wrong), *(() if offered else tokens(question))}
    statement = reference if wrong else _statement(reference, question)
    own = [token for token in tokens(statement) if token not in known]
    if offered:
        asked = {*tokens(question)}
        own = [token for token in own if token not in asked] or own
    if not own and wrong:  # "2:1" and "1:2" are told apart by their order alone
        return key_of(reference, question)
    named = {stem(word) for name in names(reference) for word in name.split()}
    return Key(tuple(dict.fromkeys(own)), any(_NUMBER.fullmatch(token) or token in named for token in own))


@lru_cache(maxsize=128)
def tokens(text: str) -> tuple[str, ...]:
    """Stems of the content words, and numbers, in order; all words of a text that has neither ("Who")."""
    content = set(content_words(text)) - EQUALS | set(map(canonical, asserted_numbers(text)))
    return tuple(stem(word) for word in words(text) if word in content) or tuple(map(stem, words(text)))


def asserted_numbers(text: str) -> tuple[Decimal, ...]:
    """In order, without the "one" that may be a pronoun."""
    return tuple(number.value for number in find_numbers(text, words=True) if not number.vague)


def _statement(reference: str, question: str) -> str:
    parts = sentences(reference)
    if len(parts) == 1:
        return reference if question else _complement(reference)
    asked = set(tokens(question)) if question else set()
    overlaps = [len(asked.intersection(tokens(part))) for part in parts]
    best = max(overlaps, default=0)
    # The sentence that takes up the question's words is its answer; the others explain.
    return parts[overlaps.index(best)] if best and overlaps.count(best) == 1 else reference


def _complement(sentence: str) -> str:
    places = list(_copulas(sentence))
    after = sentence[places[0] :] if len(places) == 1 else ""
    return after if words(after) else sentence


def _copulas(sentence: str) -> Iterator[int]:
    for match in re.finditer(r"[^\s]+", sentence):
        if match.group().casefold() in COPULAS:
            yield match.end()
