"""OpenAI's fine-tuning rows. `weight` is allowed on assistant messages only, and only those are ever trained there:
the mask of user messages cannot be said, nor that of a part of an answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from augment_correction.export.source import ExportSource, Spelling, masked_by_message, write_rows
from augment_correction.records import Conversation, Turn

FILE = "conversations.jsonl"
MINIMUM = 10
"""Rows below which the service refuses a training file."""


def openai_row(conversation: Conversation) -> dict[str, Any]:
    """Unknown keys are refused by the service, so that the row carries no id."""
    return {"messages": [_message(turn) for turn in conversation.turns]}


def _message(turn: Turn) -> dict[str, Any]:
    weight = {"weight": int(turn.train)} if turn.role == "assistant" else {}
    return {"role": turn.role, "content": turn.text, **weight}


SPELLING = Spelling(FILE, openai_row, masked_by_message, "OpenAI's rows cannot say")


def write(source: ExportSource, folder: Path) -> list[str]:
    rows, notices = write_rows(folder, source.conversations(), SPELLING)
    if rows < MINIMUM:
        notices.append(f"OpenAI takes no file with fewer than {MINIMUM} rows; this one has {rows}")
    return notices
