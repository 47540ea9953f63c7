"""What a row asks, in every spelling that somebody's file may have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from augment_correction.errors import InputError
from augment_correction.selection.asked import QUESTION_NAMES, Asked, asked
from augment_correction.selection.guard import Guard
from augment_correction.selection.trained import training_rows

HELLO = {"role": "user", "content": "Hello."}
PARTS = [{"type": "text", "text": "Who"}, "is she?"]


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ({"messages": [{"role": "system", "content": "s"}, HELLO, {"role": "user", "content": PARTS}]}, Asked(("Hello.", "Who\nis she?"))),
        ({"conversations": [{"from": "human", "value": "Q?"}, {"from": "gpt", "value": "A"}]}, Asked(("Q?",))),
        ({"messages": [], "conversations": [HELLO]}, Asked(("Hello.",))),
        ({"messages": [HELLO], "question": "Another?"}, Asked(("Hello.",))),
        ({"segments": [{"label": False, "text": "Wh"}, {"label": True, "text": "o?"}]}, Asked((), "Who?")),
        ({"segments": [{"text": "Who?"}], "prompt": "Q?"}, Asked(("Q?",), "Who?")),
        ({"messages": [{"role": "prompter", "content": "Q?"}, {"content": "A"}]}, Asked((), "Q?\nA")),
        ({"question": " ", "query": 7}, Asked(("7",))),
        *(({name: "Q? "}, Asked(("Q?",))) for name in QUESTION_NAMES),
    ],
)  # fmt: skip
def test_every_spelling_is_read(row: dict[str, Any], found: Asked) -> None:
    assert asked(row, "x:1") == found


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"text": "x"}, "x:1 has no question"), ({"question": ""}, "x:1 has no question"),
        ({"segments": [{"text": " "}]}, "x:1 has no question"), ({"segments": "x"}, "x:1: segments is no list"),
        ({"messages": [{"role": "user", "content": None}]}, "x:1: what the user says is no text: None"),
        ({"prompt": {"text": "Q?"}}, "x:1: prompt is no text"),
    ],
)  # fmt: skip
def test_what_asks_nothing_is_named_by_its_place(row: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told):
        asked(row, "x:1")


def test_rows_of_a_file_are_known_by_their_place_and_compared_in_every_turn(tmp_path: Path) -> None:
    guard = Guard()
    guard.add_item({"id": "1", "question": "When was the bridge over the Aller opened?"})
    later = {"role": "user", "content": "And when was the bridge over the Aller opened?!"}
    same = "when was the bridge over the aller OPENED"
    rows = [{"id": 1, "messages": [HELLO]}, {"messages": [HELLO, later]}, {"segments": [{"text": f"<s>{same}</s>"}]}]
    path = tmp_path / "trained.jsonl"
    path.write_bytes(b"\n".join(map(orjson.dumps, rows)))
    found = [guard.overlap(each) for each in training_rows(tmp_path, lambda _: ())]
    assert [each and (each.conversation, each.by) for each in found] == [
        None, (f"{path}:2", "near"), (f"{path}:3", "question"),
    ]  # fmt: skip
    guard.add_item({"id": "2", "question": "Hello"})
    assert guard.overlap(next(training_rows(path, lambda _: ()))), "what is added later is looked for, too"
