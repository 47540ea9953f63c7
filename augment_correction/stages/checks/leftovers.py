"""What must not stay in a message: links, the tags of our own prompts, and what a chat template would read as control."""

from __future__ import annotations

import re
from collections.abc import Iterator

from augment_correction.stages.base import neutral
from augment_correction.stages.checks.contract import FINE, CheckInput, CheckResult
from augment_correction.text.fences import without_code

# `[` after a word or a bracket is an index, as in `handlers[0](event)`.
_ADDRESS = re.compile(r"https?://|\bwww\.\w", re.IGNORECASE)
_OPENS = re.compile(r"(?<![\w\])])\[(?=[^\]\n])")
_TARGET = re.compile(r"\]\([^)\s]++(?P<closed>\)?)")
_TAG = re.compile(
    r"</?\s*(?:initial_question|flawed_answer|followup_confirmation|correct_answer\w*|verdict|reason|passage|"
    r"think|thinking|reasoning|answer|response)\s*>",
    re.IGNORECASE,
)
# A label is followed by what is said, or stands on a line of its own; "System:" and "Model:" without `###` begin
# ordinary lines of lists.
_ROLE = re.compile(
    r"\#{2,4}[ \t]*(?i:User|Human|Assistant|System|AI|Instruction|Response|Input|Output)[ \t]*:"
    r"|^[ \t]*(?:(?:\*\*)?(?:User|Human|Assistant|AI|Chatbot|Benutzer|Nutzer|Assistent|Usuario|Asistente|Utilisateur|Assistant\(e\))"
    r"[ \t]?:(?:\*\*)?(?=[ \t]|$))",
    re.MULTILINE,
)


def no_links(given: CheckInput) -> CheckResult:
    """In code, too: a trainer's reader cannot follow one, and an invented one is worse."""
    for field, text in given.texts:
        if _may_link(text) and (found := _first_link(text)):
            return CheckResult(0.0, "has_link", f'{field} holds a link ("{found}"). Write it without links')
    return FINE


def no_tags(given: CheckInput) -> CheckResult:
    """Tags in code are content; control strings in it are made harmless when the conversation is composed."""
    for field, text in given.texts:
        read = without_code(text)
        if found := _found(read):
            return CheckResult(
                0.0, "leftover_tag", f'{field} holds the mark "{found}". Such marks may only stand around the fields'
            )
    return FINE


def _may_link(text: str) -> bool:
    """The three kinds of link, by what stands in each."""
    return "://" in text or "](" in text or "www." in text.lower()


def _first_link(text: str) -> str:
    """The first address, or link of Markdown. Of a link first the target is found: 20,000 brackets without one took seconds."""
    address = _ADDRESS.search(text)
    before = address.start() if address else len(text)
    link = next((link for link in _links(text) if link[0] < before), None)
    return text[slice(*link)] if link else address.group() if address else ""


def _links(text: str) -> Iterator[tuple[int, int]]:
    """(start, end) of each `[text](target)`, in order."""
    done, target = 0, None
    for close in re.finditer(r"\]\(", text):
        begin = max(text.rfind("]", done, close.start()), text.rfind("\n", done, close.start())) + 1 or done
        done = close.end()
        if target is None or target.start("closed") <= done:
            target = _TARGET.match(text, close.start())
        if target and target["closed"] and (opened := _OPENS.search(text, begin, close.start())):
            yield opened.start(), target.end()


def _found(text: str) -> str:
    if found := _TAG.search(text) or _ROLE.search(text):
        return found.group().strip()
    harmless = neutral(text)
    if harmless == text:
        return ""
    start = next(at for at, (one, other) in enumerate(zip(text, harmless, strict=False)) if one != other) - 1
    return text[start : start + 24].splitlines()[0]
