"""Right, wrong, or undecided with a reason. A reference that is short, a number or JSON can be compared; whether free
text says the same as other free text needs a judge, and then the answer is None and never a guess.

A short reference counts as said where it stands in the answer, as in SQuAD's exact match widened to models that answer
in sentences; but a negation, a hedge, the words of a known wrong answer or another name in its place leave it undecided.
How often that agrees with people: `benchmarks/grading.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from augment_correction.grading.case import Case
from augment_correction.grading.jsonvalue import find_json, same_value, whole_json
from augment_correction.grading.keys import asserted_numbers, own_words, tokens
from augment_correction.grading.lexicon import NO, YES
from augment_correction.grading.numbers import canonical, values
from augment_correction.grading.text import stem, words

How = Literal["auto", "normalised", "numbers", "json"]
Verdict = tuple[bool | None, str]

SHORT_REFERENCE = 12
"""Words up to which a reference may be looked for as it stands."""
SHORT_KEY = 4
"""Words and numbers up to which what tells the reference apart decides alone."""

_CHOICE = re.compile(r"[\s(\[*\"']*([A-Ha-h])[\s)\].:*\"']*")
# "A" before most words in small letters is an article.
_CHOSEN = re.compile(r"(?<![\w'’])(?:A(?!\s+(?!(?:or|and|is|because)\b)[a-z])|[B-H])(?![\w'’+#])")
_POLARITY = re.compile(r"\W*(\w+)\W*?(?:[,.;:!–—]|$)")


@dataclass(frozen=True, slots=True)
class Grade:
    right: bool | None
    """None: the words alone do not tell; ask a judge."""
    how: How
    why: str


def grade(answer: str, reference: str, how: How = "auto", *, question: str = "", wrong: str = "") -> Grade:
    """`question`: its words are no evidence. `wrong`: a known wrong answer, whose own words count against. Take reasoning
    off `answer` first (`parsing.final_answer`): what a model considered is not what it answered."""
    case = Case(answer, reference, question, wrong)
    chosen = _shape(case) if how == "auto" else how
    if not reference.strip():
        return Grade(None, chosen, "there is no reference")
    if not answer.strip():
        return Grade(False, chosen, "the answer is empty")
    grader = _amount if how == "auto" and chosen == "numbers" else _GRADERS[chosen]
    right, why = grader(case)
    return Grade(right, chosen, why)


def _shape(case: Case) -> How:
    try:
        whole_json(case.reference)
    except ValueError:
        return "numbers" if case.key.numbers and len(case.key.words) <= 2 else "normalised"
    return "json"


def _normalised(case: Case) -> Verdict:
    if decided := _same_words(case) or _choice(case) or _yes_or_no(case):
        return decided
    if not case.key.tokens:
        return None, "the reference has nothing that is not in the question"
    said, reference = words(case.said), words(case.reference)
    stands = len(reference) <= SHORT_REFERENCE and _within(reference, said)
    held = _in_order(case.key.tokens, [stem(word) for word in said])
    if stands or (held and (len(case.key.tokens) <= SHORT_KEY or _within(said, reference))):
        return _unless_clouded(case, f"holds {case.spelt(reference if stands else case.key.tokens)}")
    return _absence(case)


def _same_words(case: Case) -> Verdict | None:
    if not words(case.reference):
        return None, "the reference has no words"
    if words(case.answer) == words(case.reference):
        return True, "the same words as the reference"
    if case.wrong and words(case.answer) == words(case.wrong):
        return False, "the same words as the known wrong answer"
    return None


def _choice(case: Case) -> Verdict | None:
    asked = _CHOICE.fullmatch(case.reference)
    if not asked:
        return None
    letter, chosen = asked.group(1).upper(), set(_CHOSEN.findall(case.said))
    if chosen == {letter}:
        return _unless_clouded(case, f"chooses {letter}")
    if chosen and letter not in chosen:
        return False, f"chooses {', '.join(sorted(chosen))} and not {letter}"
    return None, "names no option or several"


def _yes_or_no(case: Case) -> Verdict | None:
    expected, given = _polarity(case.reference), _polarity(case.answer)
    if expected is None:
        return None
    if given is None:
        return None, "starts with neither yes nor no"
    if given != expected:
        return False, "yes and no are exchanged"
    return (True, "the same yes or no") if len(words(case.reference)) == 1 else None


def _polarity(text: str) -> bool | None:
    first = _POLARITY.match(text)
    word = first.group(1).casefold() if first else ""
    return True if word in YES else False if word in NO else None


def _absence(case: Case) -> Verdict:
    """The reference is not there: wrong only where nothing but its own words could have been right."""
    key, given = case.key, set(map(stem, words(case.answer)))
    short = len(key.tokens) <= SHORT_KEY
    missing = key.numbers - values(case.answer, words=True).keys()
    if short and missing and (other := case.other_numbers()):
        return False, f"says {', '.join(other)} and not {', '.join(map(canonical, sorted(missing)))}"
    wrong = case.told_wrong()
    if wrong and wrong <= given and not given.intersection(key.tokens):
        return False, f"holds {case.spelt(sorted(wrong))} of the known wrong answer"
    reference = set(tokens(case.reference)).difference(tokens(case.question)) or set(key.tokens)
    if short and not given & reference and (key.named or len(key.tokens) == 1):
        if near := case.nearly():
            return None, f"says {near}, which may be {case.spelt(key.tokens)}"
        return False, f"does not hold {case.spelt(key.tokens)}"
    return None, "free text in other words needs a judge"


def _numbers(case: Case) -> Verdict:
    if decided := _same_words(case):
        return decided
    wanted = case.key.numbers
    if not wanted:
        return None, "the reference holds no number of its own"
    given = values(case.answer, words=True).keys()
    if missing := wanted - values(case.said, words=True).keys():
        listed = ", ".join(map(canonical, sorted(missing)))
        if wanted <= given:
            return None, f"holds {listed} in its middle only"
        # A wrong answer shows what can be wrong and not what was asked: who names no number may be right otherwise.
        return (None, "holds no number") if case.wrong and not given else (False, f"does not hold {listed}")
    other = case.other_numbers()
    # A worked solution has many numbers and ends with its result.
    if len(wanted) == 1 and other and asserted_numbers(case.said)[-1] not in wanted:
        return None, f"also says {', '.join(other)}"
    return _unless_clouded(case, f"holds {', '.join(map(canonical, sorted(wanted)))}")


def _amount(case: Case) -> Verdict:
    """A number and what it counts: "3 km" is not "3 m", 7 June is not 7 May, and 212 °F may be 100 °C."""
    missing = case.key.words.difference(map(stem, words(case.said)))
    own = own_words(case.said, case.reference, case.question)
    if missing and own and not _same_words(case):
        return None, f"says {case.spelt(sorted(own))} and not {case.spelt(sorted(missing))}"
    return _numbers(case)


def _json(case: Case) -> Verdict:
    try:
        expected = whole_json(case.reference)
    except ValueError:
        return None, "the reference is no JSON"
    try:
        given = find_json(case.answer)
    except ValueError:
        return False, "the answer holds no JSON that can be read"
    return (True, "equal as JSON") if same_value(given, expected) else (False, "other JSON values")


_GRADERS: Mapping[str, Callable[[Case], Verdict]] = {"normalised": _normalised, "numbers": _numbers, "json": _json}


def _unless_clouded(case: Case, why: str) -> Verdict:
    cloud = case.cloud()
    return (None, f"{why}, but {cloud}") if cloud else (True, why)


def _within(few: Sequence[str], many: Sequence[str]) -> bool:
    """As whole words, one after the other."""
    return any(tuple(many[i : i + len(few)]) == tuple(few) for i in range(len(many) - len(few) + 1))


def _in_order(few: Sequence[str], many: Sequence[str]) -> bool:
    rest = iter(many)
    return all(token in rest for token in few)
