"""Right, wrong, or undecided with a reason. A verdict is given where it is sure, and what the words alone cannot tell is
left to a judge: then it is None and never a guess.

- Right: every sentence says nothing beyond the reference, the question and the words of plain statements, and the
  reference's own words and numbers are said. A first answer may say more, if nothing in it turns them (`stated.py`).
- Wrong: nothing beyond them either, and in their place stands another number of the same kind, another person's full
  name, what the question offers besides, or the known wrong answer.
- Another name is mostly no proof: Bombay is Mumbai. It is left to the judge, but for a person's full name for another.

How often that agrees with people: `benchmarks/grading.py`, `benchmarks/grading_pairs.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from augment_correction.grading import phrases
from augment_correction.grading.amounts import another_amount, other_half_of_the_day, spelling_differs
from augment_correction.grading.case import Case
from augment_correction.grading.denials import denied
from augment_correction.grading.equivalents import in_words_of, is_country, others_of, rival_of
from augment_correction.grading.holding import SHORT_KEY, held
from augment_correction.grading.jsonvalue import beside_json, clashes, every_json, same_value, whole_json
from augment_correction.grading.keys import asserted_numbers
from augment_correction.grading.lexicon import FALSE, NO, TRUE, YES
from augment_correction.grading.numbers import canonical, values
from augment_correction.grading.spelt import in_digits, language_of
from augment_correction.grading.stated import unclear
from augment_correction.grading.text import stem, words

How = Literal["auto", "normalised", "numbers", "json"]
Verdict = tuple[bool | None, str]

_CHOICE = re.compile(r"[\s(\[*\"']*([A-Ha-h])[\s)\].:*\"']*")
_LETTER = re.compile(r"[\s(\[*\"']*([A-H])(?:[)\].:*\"']+|\s*$|(?=\s+(?:or|and|is|because)\b))")
# "A" before most words in small letters is an article.
_CHOSEN = re.compile(r"(?<![\w'’])(?:A(?!\s+(?!(?:or|and|is|because)\b)[a-z])|[B-H])(?![\w'’+#])")
_FIRST_WORD = re.compile(r"\W*+([^\W\d_][^\s,.;:!–—、，。،।]*+)\W*?(?:[,.;:!–—、，。،।]|$)")


@dataclass(frozen=True, slots=True)
class Grade:
    right: bool | None
    """None: the words alone do not tell; ask a judge."""
    how: How
    why: str


def grade(
    answer: str, reference: str, how: How = "auto", *, question: str = "", wrong: str = "", doubted: bool = False
) -> Grade:
    """`question`: its words are no evidence. `wrong`: a known wrong answer, whose own words count against. `doubted`: it
    was given after a doubt, so that "Yes." may mean "I am sure". Take reasoning off `answer` first
    (`parsing.final_answer`): what a model considered is not what it answered."""
    chosen = _shape(reference) if how == "auto" else how
    if not reference.strip():
        return Grade(None, chosen, "there is no reference")
    if not answer.strip():
        return Grade(False, chosen, "the answer is empty")
    language = language_of(question, reference, answer)
    said, expected, asked, flawed = (in_digits(text, language) for text in (answer, reference, question, wrong))
    case = Case(said, expected, asked, flawed, doubted)
    right, why = _GRADERS[chosen](case)
    if right is None and chosen == "normalised":
        right, why = _in_another_way(case) or (right, why)
    return Grade(right, chosen, why)


def _in_another_way(case: Case) -> Verdict | None:
    """The same time, date, measure or country in other words, or another one where all else would be right."""
    same = in_words_of(case.answer, case.reference, case.question)
    if same != case.answer:
        right, why = _normalised(replace(case, answer=same))
        return (True, f"in other words: {why}") if right else None
    rival = rival_of(case.answer, case.reference, case.question)
    if rival and _normalised(replace(case, answer=rival.text))[0]:
        return False, f"says {rival.said} and not {case.reference.strip(' .')}"
    return None


def _shape(reference: str) -> How:
    try:
        whole_json(reference)
    except ValueError:
        return "normalised"
    return "json"


def _normalised(case: Case) -> Verdict:
    return (
        _same_words(case)
        or _choice(case)
        or _yes_or_no(case)
        or _true_or_false(case)
        or _right(case)
        or _wrong(case)
        or (None, "free text in other words needs a judge")
    )


def _same_words(case: Case) -> Verdict | None:
    said = words(case.answer)
    if not words(case.reference):
        return None, "the reference has no words"
    if said == words(case.reference):
        if case.doubted and _polarity(case.answer) is not None:
            return None, "may say yes or no to the doubt"
        if "?" in case.answer and "?" not in case.reference:
            return None, "asks"
        if differs := spelling_differs(case.answer, case.reference):
            return None, f"spells {differs} in another way"
        return True, "the same words as the reference"
    if case.wrong and said == words(case.wrong):
        return False, "the same words as the known wrong answer"
    return None


def _choice(case: Case) -> Verdict | None:
    """Of lettered options. The text of the one that is chosen may stand beside its letter where the question has it."""
    asked = _CHOICE.fullmatch(case.reference)
    if not asked:
        return None
    letter, chosen = asked.group(1).upper(), set(_CHOSEN.findall(case.answer))
    if len(chosen) != 1:
        return None, "names no option or several"
    [given] = chosen
    first = _LETTER.match(case.answer)
    rest = case.answer[first.end() :] if first else re.sub(rf"(?<!\w){given}(?!\w)", " ", case.answer)
    if other := case.beyond(rest, offered=True):
        return None, f"chooses {given}, and also says {', '.join(other)}"
    return given == letter, f"chooses {given}"


def _yes_or_no(case: Case) -> Verdict | None:
    """Wrong only where the rest of the answer agrees with its first word: "No, I am sure that it is red" denies a doubt
    and not the question."""
    expected, given = _polarity(case.reference), _polarity(case.answer)
    if expected is None:
        return None
    first = _FIRST_WORD.match(case.answer)
    rest = case.answer[first.end() :] if first else case.answer
    unsaid = case.doubted and not rest.strip()
    if (
        given is None
        or unsaid
        or case.denies
        or case.beyond(rest, phrases.DENIALS)
        or (rest.strip() and denied(rest) == given)
    ):
        return None, "may say yes or no to something else"
    if given != expected:
        return False, "yes and no are exchanged"
    return (True, "the same yes or no") if len(words(case.reference)) == 1 else None


def _true_or_false(case: Case) -> Verdict | None:
    expected = set(words(case.reference))
    if len(expected) != 1 or not expected & (TRUE | FALSE):
        return None
    given = set(words(case.answer)) & (TRUE | FALSE)
    if len(given) != 1 or case.beyond(case.answer, TRUE | FALSE, offered=True):
        return None, "may say true or false of something else"
    return bool(given & TRUE) == bool(expected & TRUE), f"says {given.pop()}"


def _polarity(text: str) -> bool | None:
    first = _FIRST_WORD.match(text)
    word = first.group(1).casefold() if first else ""
    return True if word in YES else False if word in NO else None


def _right(case: Case) -> Verdict | None:
    """None where the reference is not said; undecided where something beside it may turn the meaning."""
    if not case.key.tokens:
        return None, "the reference has nothing that is not in the question"
    parts = [(part, held(case, part)) for part in case.parts]
    if not any(found for _, found in parts):
        whole = case.without_rivals(case.answer)
        parts = [(whole, held(case, whole))]
    if not any(found for _, found in parts):
        return None
    why = f"holds {', '.join(next(found for _, found in parts if found))}"
    if differs := spelling_differs(case.answer, case.reference):
        return None, f"{why}, but spells {differs} in another way"
    if another := _another_of_its_kind(case):
        return None, f"{why}, but also says {another}"
    if (cloud := _cloud(case, parts)) and unclear(case):
        return None, f"{why}, but {cloud}"
    return True, f"{why} among more" if cloud else why


def _another_of_its_kind(case: Case) -> str:
    """A time, measure or ratio beside the reference's: 9 am and 9 pm, 2:1 and 1:2 have the same words."""
    said = case.without_rivals(case.answer)
    if others := others_of(said, case.reference, case.question):
        return ", ".join(others)
    if not case.is_sequence:
        return ""
    numbers = [word for word in case.read(said) if word in case.own_words]
    return "more numbers" if len(numbers) > len(case.expected) else ""


def _cloud(case: Case, parts: Sequence[tuple[str, tuple[str, ...]]]) -> str:
    """What in the answer leaves open whether the reference is meant; "" where nothing does."""
    told = False
    for part, found in parts:
        told = told or bool(found)
        if found and "?" in part:
            return "asks"
        # An apology opens a correction; after the answer, or before a colon, it may be for just that answer.
        opens = not told and part.rstrip().endswith((".", "!", "。"))
        polite = () if found else (phrases.ASSURING, phrases.APOLOGISING) if opens else (phrases.ASSURING,)
        if other := case.beyond(part, *polite):
            return f"also says {', '.join(other)}"
        if found and (name := case.extended(part, found)):
            return f"{name} stands beside it"
        if found and case.question and case.turned(part, found):
            return "turns the question round"
    return ""


def _wrong(case: Case) -> Verdict | None:
    """The reference is not there, and what stands in its place cannot be the same in other words."""
    said = case.read(case.answer)
    given = {stem(word) for word in said}
    if "?" in case.answer or case.denies:
        return None
    wrong = case.told_wrong
    if wrong and wrong <= given and not given & set(case.key.tokens) and not _also(case, wrong):
        return False, f"says {', '.join(sorted(wrong))}, as the known wrong answer does"
    if len(case.key.tokens) > SHORT_KEY:
        return None
    if (other := another_amount(case)) or (other := other_half_of_the_day(case)):
        return False, other
    if not given & set(case.key.tokens) and (person := case.another_person()) and not is_country(case.reference):
        return False, f"says {person}"
    if (
        case.offers_reference
        and case.offered.intersection(said)
        and not given & set(case.key.tokens)
        and not case.beyond(case.answer, offered=True)
    ):
        return False, f"chooses {', '.join(sorted(case.offered.intersection(said)))}"
    return None


def _also(case: Case, known: frozenset[str]) -> list[str]:
    return [word for word in case.beyond(case.answer, *phrases.POLITE, offered=True) if stem(word) not in known]


def _numbers(case: Case) -> Verdict:
    """By numbers alone, as the config asks for: the last one of a worked solution is its result."""
    wanted = case.key.numbers
    given = asserted_numbers(case.answer) or tuple(values(case.answer, words=True))
    if not wanted:
        return None, "the reference holds no number of its own"
    if not given:
        return None, "holds no number"
    if "?" in case.answer or (denied(case.answer) and not denied(case.reference)):
        return None, "a denial stands beside its numbers"
    if missing := wanted.difference(given):
        return False, f"does not hold {_listed(missing)}"
    if len(wanted) == 1 and given[-1] not in wanted:
        return None, f"ends with {canonical(given[-1])}"
    return True, f"holds {_listed(wanted)}"


def _listed(them: Iterable[Decimal]) -> str:
    return ", ".join(map(canonical, sorted(them)))


def _json(case: Case) -> Verdict:
    try:
        expected = whole_json(case.reference)
    except ValueError:
        return None, "the reference is no JSON"
    try:
        given = every_json(case.answer)
    except ValueError:
        return None, "the answer holds no JSON that can be read"
    if _turned_round(beside_json(case.answer)):
        return None, "a denial stands beside its JSON"
    equal = [same_value(each, expected) for each in given]
    if any(equal):
        return (True, "equal as JSON") if all(equal) else (None, "holds equal JSON, and other")
    return (False, "other JSON values") if clashes(given[-1], expected) else (None, "JSON of another shape")


def _turned_round(prose: str) -> bool:
    back = phrases.TAKING_BACK.get(language_of(prose), frozenset()) - phrases.APOLOGISING
    return denied(prose) or bool(back.intersection(words(prose)))


_GRADERS: Mapping[str, Callable[[Case], Verdict]] = {"normalised": _normalised, "numbers": _numbers, "json": _json}
