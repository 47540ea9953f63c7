"""What a row asks, in every spelling that somebody's file may have."""

from __future__ import annotations

from typing import Any

import pytest

from augment_correction.errors import InputError
from augment_correction.rows import NAMES, Asked, asked

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
        ({"messages": [{"role": "narrator", "content": "Q?"}, {"content": "A"}]}, Asked((), "Q?\nA")),
        ({"question": " ", "query": 7}, Asked(("7",))),
        *(({name: "Q? "}, Asked(("Q?",))) for name in NAMES["question"]),
    ],
)  # fmt: skip
def test_every_spelling_is_read(row: dict[str, Any], found: Asked) -> None:
    assert asked(row, "x:1") == found


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"text": "x"}, "x:1 has no question"), ({"question": ""}, "x:1 has an empty question"),
        ({"segments": [{"text": " "}]}, "x:1 has no question"), ({"segments": "x"}, "x:1: segments is not a list"),
        ({"messages": [{"role": "user", "content": None}]}, "x:1: what the user says is not a text: None"),
        ({"prompt": {"text": "Q?"}}, "x:1: prompt is not a text"),
    ],
)  # fmt: skip
def test_what_asks_nothing_is_named_by_its_place(row: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told):
        asked(row, "x:1")
