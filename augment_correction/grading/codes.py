"""Error codes: hints at how an answer misses its reference, for a prompt or a table. They decide nothing: an answer that
`match.grade` finds right has none but those on how its turn ended, and an undecided one may have several."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher

from augment_correction.grading.contrast import differs, numbers_only_in
from augment_correction.grading.jsonvalue import find_json, looks_like_json, whole_json
from augment_correction.grading.keys import tokens
from augment_correction.grading.match import grade
from augment_correction.grading.numbers import find_numbers
from augment_correction.grading.text import content_words, stem, words
from augment_correction.text.fences import FENCE

_LIST_LINE = re.compile(r"^[ \t]*(?:[-*•+]|\d{1,3}[.)])[ \t]+\S", re.MULTILINE)
_DANGLING = re.compile(
    r"[,;:(\[{]$|(?:^|\s)(?:the|an|and|or|of|to|because|with|der|das|und|oder|weil|el|los|y|porque|le|les|et|parce)$"
)


def error_codes(
    answer: str,
    reference: str,
    *,
    question: str = "",
    finish_reason: str | None = None,
    ended: bool | None = None,
) -> tuple[str, ...]:
    """In the order of the catalogue. `ended`: an end-of-turn token was generated; None where that is not known."""
    ending = _turn(finish_reason, ended)
    if not reference.strip():
        return ending
    if not answer.strip():
        return ("PRIMARY_ANSWER_MISSING", *ending)
    if grade(answer, reference, question=question).right:
        return ending
    return (
        *_primary(answer, reference, question),
        *_length(answer, reference),
        *_similarity(answer, reference),
        *_topic(answer, reference, question),
        *_numbers(answer, reference, question),
        *_structure(answer, reference),
        *_concepts(answer, reference, question),
        *(["INCOMPLETE"] if _stops_in_the_middle(answer) else []),
        *ending,
    )


def _turn(finish_reason: str | None, ended: bool | None) -> tuple[str, ...]:
    return ("TRUNCATED",) * (finish_reason == "length") + ("NO_EOS",) * (ended is False)


def _primary(answer: str, reference: str, question: str) -> Iterator[str]:
    own = set(tokens(reference)) - set(tokens(question))
    if own and not own & set(tokens(answer)):
        yield "PRIMARY_ANSWER_MISSING"


def _length(answer: str, reference: str) -> Iterator[str]:
    longer = len(answer.split()) - len(reference.split())
    if abs(longer) > 5:
        yield f"LENGTH_LONG_BY_{longer}_TOKENS" if longer > 0 else f"LENGTH_SHORT_BY_{-longer}_TOKENS"
    given, expected = len(answer.strip()), len(reference.strip())
    if abs(given - expected) > 50:
        if 2 * given < expected:
            yield "TOO_BRIEF"
        elif given > 2 * expected:
            yield "TOO_VERBOSE"


def _similarity(answer: str, reference: str) -> Iterator[str]:
    percent = int(100 * SequenceMatcher(None, words(answer), words(reference)).ratio())
    if percent < 30:
        yield "VERY_DIFFERENT_CONTENT"
    elif percent < 60:
        yield f"SIMILARITY_{percent}%"
    elif percent < 95 or differs(answer, reference):
        yield "CLOSE_BUT_INACCURATE"


def _topic(answer: str, reference: str, question: str) -> Iterator[str]:
    given = _concepts_of(answer)
    if len(given) >= 5 and 2 * len(given - _concepts_of(f"{reference}\n{question}")) > len(given):
        yield "OFF_TOPIC_CONTENT"


def _numbers(answer: str, reference: str, question: str) -> Iterator[str]:
    asked = {number.value for number in find_numbers(question, words=True)}
    missing = numbers_only_in(reference, answer) - asked
    extra = numbers_only_in(answer, reference) - asked
    if missing and not find_numbers(answer, words=True):
        yield "MISSING_NUMBERS"
    elif missing:
        yield f"NUMERIC_ERROR_MISSING_{len(missing)}_VALUES"
    if extra:
        yield f"NUMERIC_ERROR_EXTRA_{len(extra)}_VALUES"


def _structure(answer: str, reference: str) -> Iterator[str]:
    if _is_json(reference):
        if not _holds_json(answer):
            yield "INVALID_JSON" if looks_like_json(answer) else "FORMAT_SHOULD_BE_JSON"
        return
    listed, expected = (len(_LIST_LINE.findall(text)) > 1 for text in (answer, reference))
    if listed != expected:
        yield "STRUCTURE_SHOULD_BE_LIST" if expected else "STRUCTURE_SHOULD_BE_PROSE"
    fenced, expected = (bool(FENCE.search(text)) for text in (answer, reference))
    if fenced != expected:
        yield "MISSING_CODE_BLOCK" if expected else "UNEXPECTED_CODE_BLOCK"


def _is_json(text: str) -> bool:
    try:
        whole_json(text)
    except ValueError:
        return False
    return True


def _holds_json(text: str) -> bool:
    try:
        find_json(text)
    except ValueError:
        return False
    return True


def _concepts(answer: str, reference: str, question: str) -> Iterator[str]:
    expected = _concepts_of(reference) - _concepts_of(question)
    missing = expected - frozenset(map(stem, words(answer)))
    if 10 * len(missing) > 3 * len(expected):
        yield f"MISSING_KEY_CONCEPTS_{len(missing)}_TERMS"


def _concepts_of(text: str) -> frozenset[str]:
    """Without signs that stand alone: the + of 2 + 2 is no concept."""
    return frozenset(stem(word) for word in content_words(text) if any(map(str.isalnum, word)))


def _stops_in_the_middle(answer: str) -> bool:
    text = answer.strip()
    # All kinds of brackets together, because [0, 1) is closed.
    opened, closed = (sum(map(text.count, kind)) for kind in ("([{", ")]}"))
    return bool(_DANGLING.search(text)) or opened > closed or len(FENCE.findall(text)) % 2 == 1
