"""A row of failures as a conversation with a mask: from here on it is like any other."""

from __future__ import annotations

import re

from augment_correction.records import Conversation, Turn, content_id
from augment_correction.stages import neutral
from augment_correction.training.failures import FailureRow

DOUBTS = (
    "Are you sure about that? Please check it again.",
    "That does not look right. Can you go over it once more?",
    "I don't think that is correct. Please look at it again.",
    "Something is wrong with this answer. Try again, please.",
)
"""What the user says where a row has no critique."""
INSTRUCTION = re.compile(
    r"(?:please |always |never |do not |don't |you (?:should|must|need)|make sure|(?:add|answer|avoid|be|check|complete|"
    r"correct|ensure|explain|finish|fix|follow|give|include|keep|output|provide|remember|remove|return|rewrite|show|state|"
    r"use|verify|write)\b)",
    re.IGNORECASE,
)
"""How a critique begins that tells the model what to do; any other says what is wrong, as a user would."""


def conversation(row: FailureRow) -> Conversation:
    """Control strings of chat templates in its texts are made harmless."""
    if row.turns:
        id_ = content_id("messages", *(f"{turn.role} {turn.train} {turn.masked} {turn.text}" for turn in row.turns))
        return Conversation(
            id_, "messages", row.turns, False, {"origin": "imported", "file": row.file, "line": row.line}
        )
    question, answer = Turn("user", neutral(row.question), False), Turn("assistant", neutral(row.corrected), True)
    id_ = content_id("failure", row.question, row.bad, row.critique, row.corrected)
    known = {"origin": "imported", "file": row.file, "line": row.line, "category": row.category}
    if row.schema == 2:
        return Conversation(id_, "plain", (question, answer), False, known)
    doubt = _doubt(row.critique) if row.critique else DOUBTS[int(id_, 16) % len(DOUBTS)]
    turns = (question, Turn("assistant", neutral(row.bad), False), Turn("user", neutral(doubt), False), answer)
    return Conversation(id_, "correct_after_mistake", turns, False, known)


def _doubt(critique: str) -> str:
    """An instruction alone does not say that the answer was wrong."""
    return f"That is not right yet. {critique}" if INSTRUCTION.match(critique) else critique
