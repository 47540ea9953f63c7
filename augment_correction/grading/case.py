"""One answer beside its reference: what it says, and what in it may turn the meaning of the words it shares."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property

from augment_correction.grading.keys import Key, asserted_numbers, key_of, tokens
from augment_correction.grading.lexicon import HEDGES, TURNS
from augment_correction.grading.numbers import canonical
from augment_correction.grading.text import leading_name, negations, pieces, sentences, stem, words

BARE = 2
"""Words of a list's members where the answer is nothing but the list."""
SPELT, SAME_WORD = 4, 0.75
"""Letters from which on a word may be misspelt, and how alike (difflib) two spellings of one are."""
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
        if turns := TURNS.intersection(words(" ".join(holding))).difference(
            words(self.reference), words(self.question)
        ):
            return f"says {self.spelt(turns)}"
        if negations(" ".join(holding) or self.said) != negations(self.reference):
            return "a negation stands beside it"
        if rival := self.rival():
            return f"also says {rival}"
        return ""

    def nearly(self) -> str:
        """A word that may be one of the reference's in another spelling ("Johann" for "Johannes", "Seashells" for "sea
        shells"), or the reference run together with its neighbours; "" where there is none."""
        own = [word for word in words(self.reference) if stem(word) in self.key.tokens]
        whole = "".join(words(self.reference))
        for word in words(self.answer):
            if len(whole) >= SPELT and whole in word:
                return word
            if any(len(each) >= SPELT and SequenceMatcher(None, each, word).ratio() >= SAME_WORD for each in own):
                return word
        return ""

    def rival(self) -> str:
        """What may be the answer in place of the reference: a name alone in front of it ("Lyon. Paris is bigger."), or
        whatever makes a list with it ("Paris and Lyon", "iron and copper"); "" where there is nothing."""
        known = {*tokens(self.reference), *tokens(self.question)}
        parts = pieces(self.said)
        bare = all(len(piece.split()) <= BARE for _, piece in parts)
        seen = beside = False
        for listed, piece in parts:
            if set(self.key.tokens).intersection(tokens(piece)):
                seen = beside = True
                continue
            name = piece if bare and any(listed for listed, _ in parts) else leading_name(piece)
            found = name and (listed or not seen) and (name == piece or beside)
            if found and not known.intersection(tokens(name)):
                return name
            beside = False
        return ""

    def spelt(self, stems: Iterable[str]) -> str:
        """Stems as words that a person can read."""
        whole = {stem(word): word for text in (self.answer, self.wrong, self.reference) for word in words(text)}
        return ", ".join(whole.get(token, token) for token in stems)
