"""Marks of chat templates and prompts, as they are left in real replies."""

from __future__ import annotations

import pytest

from tests.stages.checking import finding, reason


@pytest.mark.parametrize(
    "text",
    [
        "It has nine.<|im_end|>",
        "[INST] How many?",
        "Nine. [/INST]",
        "<<SYS>> Nine.",
        "Nine.</s>",
        "Nine.<｜end▁of▁sentence｜>",
        "Nine.\n\n### Assistant: Nine.",
        "### human: how many",
        "User: How many?\nAssistant: Nine.",
        "**Assistant:** Nine.",
    ],
)
def test_a_control_string_or_a_role(text: str) -> None:
    assert reason("no_tags", answer=text) == "leftover_tag"


@pytest.mark.parametrize(
    "text",
    [
        "The `<|im_end|>` token ends a turn.",
        "```yaml\nuser: root\n```",
        "```\nUser: root\n```",
        "A user: somebody who logs in.",
        "### Users\n\nThere are two.",
        "System: Linux",
        "a <s> b? No: a < s.".replace("<s>", "< s >"),
        "The assistant: a person who helps.",
    ],
)
def test_content(text: str) -> None:
    assert reason("no_tags", answer=text) is None


def test_the_detail_shows_the_control_string() -> None:
    assert '"<|im_end|>"' in finding("no_tags", answer="Nine.<|im_end|>\nMore").detail
