"""ShareGPT rows. The format has no mask of its own; `weight` (0 or 1 per turn) is the spelling that trainers which read
one agree on. Axolotl reads it through `type: chat_template` with the keys that docs/guides/axolotl.md names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from augment_correction.export.source import ExportSource, Spelling, masked_by_message, write_rows
from augment_correction.records import Conversation

FILE = "conversations.jsonl"
SPEAKERS = {"system": "system", "user": "human", "assistant": "gpt"}


def sharegpt_row(conversation: Conversation) -> dict[str, Any]:
    turns = [
        {"from": SPEAKERS[turn.role], "value": turn.text, "weight": int(turn.train)} for turn in conversation.turns
    ]
    return {"conversations": turns, "id": conversation.id}


SPELLING = Spelling(FILE, sharegpt_row, masked_by_message, "ShareGPT rows cannot say")


def write(source: ExportSource, folder: Path) -> list[str]:
    _, notices = write_rows(folder, source.conversations(), SPELLING)
    return [
        *notices,
        "many readers of ShareGPT files ignore `weight` and would train the mistakes: check that yours does not",
    ]
