"""One answer beside its reference: what it says, and what in it may turn the meaning of the words it shares."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from augment_correction.grading.keys import Key, asserted_numbers, key_of, tokens
from augment_correction.grading.lexicon import HEDGES
from augment_correction.grading.numbers import canonical
from augment_correction.grading.text import negations, sentences, stem, words

LONG_ANSWER = 50
"""Words above which only the first and the last sentence of an answer count as what it says."""


@dataclass(frozen=True)
class Case:
    answer: str
    reference: str
    question: str
    wrong: str

    @cached_property
    def key(self) -> Key:
        return key_of(self.reference, self.question, self.wrong)

    @cached_property
    def said(self) -> str:
        if len(self.answer.split()) <= LONG_ANSWER:
            return self.answer
        parts = sentences(self.answer)
        return f"{parts[0]}\n{parts[-1]}"

    def told_wrong(self) -> frozenset[str]:
        """Tokens by which the known wrong answer can be told from the reference."""
        if not self.wrong:
            return frozenset()
        return frozenset(tokens(self.wrong)).difference(tokens(self.reference), tokens(self.question))

    def other_numbers(self) -> list[str]:
        """That the answer says and neither reference nor question has."""
        known = {*asserted_numbers(self.reference), *asserted_numbers(self.question)}
        return [canonical(value) for value in dict.fromkeys(asserted_numbers(self.said)) if value not in known]

    def cloud(self) -> str:
        """What stands beside the reference's words and leaves open whether they are meant; "" where nothing does."""
        if wrong := self.told_wrong().intersection(tokens(self.said)):
            return f"also holds {self.spelt(wrong)} of the known wrong answer"
        if hedges := HEDGES.intersection(words(self.said)).difference(words(self.reference)):
            return f"says {self.spelt(hedges)}"
        holding = [part for part in sentences(self.said) if set(self.key.tokens).intersection(tokens(part))]
        if negations(" ".join(holding) or self.said) % 2 != negations(self.reference) % 2:
            return "a negation stands beside it"
        return ""

    def spelt(self, stems: Iterable[str]) -> str:
        """Stems as words that a person can read."""
        whole = {stem(word): word for text in (self.answer, self.wrong, self.reference) for word in words(text)}
        return ", ".join(whole.get(token, token) for token in stems)
