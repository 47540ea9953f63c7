"""The free checks: pure functions of text. Each raises Reject with a detail that is also what the model is told when
it is asked again, so a detail says what to do."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from augment_correction.errors import Reject
from augment_correction.pipeline import CheckName, CheckSpec

Named = Sequence[tuple[str, str]]
"""(field, text) pairs."""

# "the text of the treaty" is a subject; "the text says" speaks of the passage that a reader of the row will not have.
_MENTION = re.compile(
    r"\b(?:the|this|that|given|provided|above|following)\s+(?:(?:given|provided|above|source|original)\s+)?"
    r"(?:text|passage|excerpt|snippet)\b(?!\s+(?:of|message|messages|editor|file)\b)"
    r"|\baccording\s+to\s+(?:the|this)\s+(?:text|passage|excerpt|article|document|section|author|paragraph|source)\b"
    r"|\b(?:der|diesem|im|laut)\s+(?:text|textabschnitt|abschnitt)\s+(?:zufolge|wird|steht|heißt)\b|\blaut\s+(?:dem\s+)?text\b"
    r"|\b(?:selon|d'après|dans)\s+(?:le|ce)\s+(?:texte|passage|extrait)\b"
    r"|\b(?:según|en)\s+(?:el|este)\s+(?:texto|pasaje|fragmento)\b",
    re.IGNORECASE,
)
# `[` after a word or a bracket is an index, as in `handlers[0](event)`.
_LINK = re.compile(r"https?://|\bwww\.\w|(?<![\w\])])\[[^\]\n]+\]\([^)\s]+\)", re.IGNORECASE)
_TAG = re.compile(
    r"</?\s*(?:initial_question|flawed_answer|followup_confirmation|correct_answer\w*|verdict|reason|passage|"
    r"think|thinking|reasoning|answer|response)\s*>",
    re.IGNORECASE,
)


def _substance(text: str) -> str:
    """Letters, digits and signs that carry meaning only, so that case, spacing, emphasis and a full stop make no
    difference, while `a < b` and `a > b`, C and C#, 1.5 and 15 differ."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return re.sub(r"[^\w+\-%<>=≤≥≠/&|^$€£°#!]+|(?<=\w)-+(?=\s|$)|!(?!=)|(?<!\w)#", " ", folded).strip()


def _differ(texts: Named) -> None:
    (first, one), (second, other) = texts
    if _substance(one) == _substance(other):
        raise Reject("not_different", f"{first} and {second} say the same; {first} must be wrong and {second} right")


def _stands_alone(texts: Named) -> None:
    for name, text in texts:
        if found := _MENTION.search(text):
            raise Reject("mentions_text", f'{name} says "{found.group()}", but its reader will not have the text')


def _no_links(texts: Named) -> None:
    for name, text in texts:
        if found := _LINK.search(text):
            raise Reject("has_link", f'{name} holds a link ("{found.group()}"); write it without links')


def _no_tags(texts: Named) -> None:
    for name, text in texts:
        if found := _TAG.search(text):
            raise Reject("leftover_tag", f"{name} holds the tag {found.group()}; tags may only stand around the fields")


CHECKS: Mapping[CheckName, Callable[[Named], None]] = {
    "differ": _differ,
    "stands_alone": _stands_alone,
    "no_links": _no_links,
    "no_tags": _no_tags,
}


def run_checks(specs: Sequence[CheckSpec], fields: Mapping[str, Any]) -> None:
    """Raises: Reject by the first check that fails."""
    for spec in specs:
        CHECKS[spec.check]([(name, str(fields[name])) for name in spec.fields])
