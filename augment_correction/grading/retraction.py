"""Does an answer still give the answer that was retracted? Whoever names it to deny it does not.

Where the words alone do not tell, as where a doubt or another sense stands beside both answers, it is left undecided.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from augment_correction.grading import phrases
from augment_correction.grading.case import Case
from augment_correction.grading.denials import denied
from augment_correction.grading.lexicon import FALSE, as_set
from augment_correction.grading.match import Grade, grade
from augment_correction.grading.spelt import in_digits, language_of
from augment_correction.grading.text import stem, words

REJECTING = FALSE | as_set(
    """wrong incorrect untrue mistaken unrichtig unzutreffend fausse inexact incorrecte incorrecto incorrecta falsa
    equivocado errato sbagliato sbagliata errado errada incorreto fout onjuist forkert fel felaktigt feil galt
    неправильно ошибочно невірно"""
)
"""They deny what stands in the same clause."""
NO_DENIAL = as_set(
    "only just merely alone doubt other deny question wonder zweifel nur solo solamente seulement doute dubbio duda"
)
"""Beside one of them a denial may affirm: "no doubt", "none other than", "not only"."""
_CLAUSE = re.compile(
    rf"(?<!\d)[,;:](?!\d)|(?<=\d)[,;:](?!\d)|(?<!\d)[,;:](?=\d)|(?<![.!。，、；！])[.!。，、；！]++(?:\s|$)|\s[-–—]\s|—|\s(?:{phrases.BUT}|and|und|et|y|e)\s",
    re.IGNORECASE,
)


def gives_retracted(answer: str, retracted: str, corrected: str, question: str = "") -> Grade:
    """`right` is True where the answer gives the retracted one, False where it does not, None where nobody can tell from
    the words. Take reasoning off `answer` first."""
    new = grade(answer, corrected, question=question, wrong=retracted)
    old = grade(answer, retracted, question=question, wrong=corrected)
    if new.right and old.right:
        return Grade(None, old.how, "reads as the corrected and as the retracted answer")
    if new.right or old.right is not None:
        return Grade(bool(old.right), old.how, f"gives the corrected answer: {new.why}" if new.right else old.why)
    language = language_of(question, corrected, answer)
    said, right, asked, wrong = (in_digits(text, language) for text in (answer, corrected, question, retracted))
    return _by_clauses(said, Case(said, right, asked, wrong), Case(said, wrong, asked, right))


def _by_clauses(said: str, new: Case, old: Case) -> Grade:
    """`new.told_wrong` are the words by which the retracted answer is told from the corrected one, and `old.told_wrong` the
    other way round."""
    if not new.told_wrong:
        return Grade(None, "normalised", "the retracted answer has no word of its own")
    if not _names(said, new):
        return Grade(False, "normalised", "does not name the retracted answer")
    clauses = [part for part in _CLAUSE.split(said) if words(part)]
    rest = [clause for clause in clauses if not (_names(clause, new) and _denies(clause, new))]
    if "?" not in said and not any(_names(clause, new) for clause in rest) and _says_no_other(rest, new, old):
        return Grade(False, "normalised", "names the retracted answer to deny it")
    rest = [clause for clause in clauses if not (_names(clause, old) and _denies(clause, old))]
    if len(rest) < len(clauses) and not any(_names(clause, old) for clause in rest):
        again = grade(". ".join(rest), old.reference, question=old.question, wrong=new.reference)
        if again.right:
            return Grade(True, "normalised", f"denies the corrected answer and {again.why}")
    return Grade(None, "normalised", "names the retracted answer, and what it says of it needs a judge")


def _names(text: str, case: Case) -> bool:
    return not case.told_wrong.isdisjoint(map(stem, case.read(text)))


def _denies(clause: str, case: Case) -> bool:
    """One denial and no second one, which would take it back."""
    said = [word for word in words(clause) if stem(word) not in case.told_wrong]
    signs = denied(" ".join(said)) + (not REJECTING.isdisjoint(said))
    return signs == 1 and NO_DENIAL.isdisjoint(said)


def _says_no_other(rest: Iterable[str], new: Case, old: Case) -> bool:
    """What stands beside the denial is the corrected answer, or nothing: "did not open the one in Bergen but the one here" gives the retracted answer after all."""
    left = " ".join(rest)
    return _names(left, old) or not new.beyond(left, phrases.DENIALS, *phrases.POLITE)
