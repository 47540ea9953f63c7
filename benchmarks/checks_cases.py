"""Conversations with one known fault each, and good ones, put together by a seed from the facts and the wordings."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Literal, NamedTuple

from benchmarks.checks_data import DEVELOP as FACTS_DEVELOP
from benchmarks.checks_data import HELD_OUT as FACTS_HELD_OUT
from benchmarks.checks_data import Fact
from benchmarks.checks_good import GOOD
from benchmarks.checks_words import DEVELOP, HELD_OUT, Wordings

Fault = Literal[
    "mentions_text", "cut_off", "refusal", "leftover_tag", "wrong_language", "paraphrase", "gives_away",
    "length", "has_link", "unsupported", "also_true", "other_passage",
]  # fmt: skip
QUESTION, FLAWED, DOUBT, CORRECT = "initial_question", "flawed_answer", "followup_confirmation", "correct_answer"


class Case(NamedTuple):
    """`fields` are those of a record before `compose`: the four texts and `passage`."""

    fields: dict[str, str]
    fault: Fault | None
    language: str


class Maker:
    def __init__(self, seed: int, words: Wordings, facts: tuple[Fact, ...]) -> None:
        self.rng, self.words, self.facts = random.Random(seed), words, facts

    def good(self, fact: Fact) -> dict[str, str]:
        right = f"{self._one(self.words.opening[fact.language])} {fact.right}"
        if self.rng.random() < 0.25:
            frame = self._one(self.words.refuting[fact.language])
            right = frame.format(wrong=fact.wrong.rstrip("."), right=fact.right)
        if self.rng.random() < 0.3:
            right += f" {fact.also}"
        return {
            "passage": fact.passage,
            QUESTION: fact.question,
            FLAWED: fact.wrong,
            DOUBT: self._one(self.words.pushback[fact.language]),
            CORRECT: right,
        }

    def _one(self, of: tuple[str, ...]) -> str:
        return self.rng.choice(of)

    def mentions_text(self, fact: Fact, fields: dict[str, str]) -> None:
        small = fact.question[0].lower() + fact.question[1:]
        frame = self._one(self.words.mention[fact.language])
        fields[QUESTION] = frame.format(q=small, Q=fact.question)

    def cut_off(self, fact: Fact, fields: dict[str, str]) -> None:
        """Somewhere in the last sentence, after a word or within it, as a token limit cuts; or in a list or code."""
        text, way = fields[CORRECT], self.rng.randrange(5)
        last = max(len(text) - len(fact.right) // 2, len(text) // 2)
        at = self.rng.randrange(last, len(text) - 2)
        if way == 0:
            fields[CORRECT] = f"{self._one(self.words.opening[fact.language])}\n\n- {fact.right}\n- {fact.also[:-3]}"
        elif way == 1:
            fields[CORRECT] = f"{text[:at].rsplit(' ', 1)[0]}..."
        elif way == 2:
            fields[CORRECT] = f"{text}\n\n```\n{fact.value}"
        elif way == 3:
            fields[CORRECT] = text[:at]
        else:
            fields[CORRECT] = text[:at].rsplit(" ", 1)[0]

    def refusal(self, fact: Fact, fields: dict[str, str]) -> None:
        said = self._one(self.words.refusal[fact.language])
        opening = self._one(self.words.opening[fact.language])
        fields[CORRECT] = said if self.rng.random() < 0.6 else f"{opening} {said}"

    def leftover_tag(self, fact: Fact, fields: dict[str, str]) -> None:
        tag, field = self._one(self.words.tag), self.rng.choice([FLAWED, CORRECT])
        text = fields[field]
        fields[field] = f"{tag}{text}" if tag.endswith(": ") else self.rng.choice([f"{text}{tag}", f"{text}\n{tag}\n"])

    def wrong_language(self, fact: Fact, fields: dict[str, str]) -> None:
        other = self.rng.choice([other for other in self.facts if other.language != fact.language])
        if self.rng.random() < 0.5:
            fields[DOUBT] = self._one(self.words.pushback[other.language])
        else:
            fields[CORRECT] = f"{self._one(self.words.opening[other.language])} {other.right}"

    def paraphrase(self, fact: Fact, fields: dict[str, str]) -> None:
        fields[FLAWED] = fact.same
        fields[CORRECT] = f"{self._one(self.words.opening[fact.language])} {fact.right}"

    def gives_away(self, fact: Fact, fields: dict[str, str]) -> None:
        value = self._one(self.words.giveaway[fact.language]).format(value=fact.value)
        fields[DOUBT] = value[0].upper() + value[1:]

    def length(self, fact: Fact, fields: dict[str, str]) -> None:
        """Measured with at least three words and at most 250."""
        if self.rng.random() < 0.5:
            fields[CORRECT] = self.rng.choice([".", "Sorry.", "OK", fact.value.split()[0] + "."])
        else:
            fields[CORRECT] = " ".join(
                [fields[CORRECT], *(fact.passage for _ in range(400 // len(fact.passage.split()) + 1))]
            )

    def has_link(self, fact: Fact, fields: dict[str, str]) -> None:
        fields[CORRECT] += f" ({self._one(self.words.link)})."

    def unsupported(self, fact: Fact, fields: dict[str, str]) -> None:
        fields[CORRECT] = f"{self._one(self.words.opening[fact.language])} {fact.unsupported}"

    def also_true(self, fact: Fact, fields: dict[str, str]) -> None:
        fields[FLAWED] = fact.also
        fields[CORRECT] = f"{self._one(self.words.opening[fact.language])} {fact.right}"

    def other_passage(self, fact: Fact, fields: dict[str, str]) -> None:
        others = {other.passage for other in FACTS_DEVELOP + FACTS_HELD_OUT if other.language == fact.language}
        fields["passage"] = self._one(tuple(sorted(others - {fact.passage})))


def build(seed: int = 1, *, held_out: bool = True) -> list[Case]:
    """A row of each fault for each fact, three good rows for each, and the good ones by hand; the same for a seed."""
    words, facts = (HELD_OUT, FACTS_HELD_OUT) if held_out else (DEVELOP, FACTS_DEVELOP)
    make = Maker(seed, words, facts)
    faults: dict[Fault, Callable[[Fact, dict[str, str]], None]] = {
        fault: getattr(make, fault)
        for fault in Fault.__args__  # type: ignore[attr-defined]
    }
    cases = []
    for fact in facts:
        cases += [Case(make.good(fact), None, fact.language) for _ in range(3)]
        for fault, spoil in faults.items():
            fields = make.good(fact)
            spoil(fact, fields)
            cases.append(Case(fields, fault, fact.language))
    good = GOOD[1::2] if held_out else GOOD[::2]
    return cases + [Case(dict(fields), None, language) for language, fields in good]
