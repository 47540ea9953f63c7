"""Our rendering of chat templates beside that of Transformers: two that hold what was once read otherwise, and every one
that TRL ships for the models of its tests."""

from __future__ import annotations

from datetime import datetime, tzinfo
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from augment_correction.errors import ConfigError
from augment_correction.export import ChatTemplate
from augment_correction.export.axolotl_chat import served_template
from augment_correction.export.jinja_chat import FIXED_DATE
from tests.export.test_chat_template import DATED, GENERATION, MESSAGES

utils = pytest.importorskip("transformers.utils.chat_template_utils")
_found = find_spec("trl")
assert _found is not None and _found.origin is not None
SHIPPED = sorted(Path(_found.origin).parent.rglob("*.jinja"))
TURNS = [
    {"role": "user", "content": "Which?"},
    {"role": "assistant", "content": " Bad.\n"},
    {"role": "user", "content": "Sure?"},
    {"role": "assistant", "content": "<think>\nHm.\n</think>\n\nAnder."},
]
ASKED = [[{"role": "system", "content": "Help."}, *TURNS], TURNS[:3]]
OUTER = (
    "{% set said = 'before' %}{% for m in messages %}{% generation %}{% set said = m.content %}[{{ said }}]"
    "{% endgeneration %}<{{ said }}>{% endfor %}"
)
GIVEN = "{% if tools is not none %}tools{% endif %}{% if documents is not none %}documents{% endif %}{{ messages[0].content }}"


class TheDay(datetime):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> TheDay:
        return cls(FIXED_DATE.year, FIXED_DATE.month, FIXED_DATE.day, tzinfo=tz)


def theirs(source: str, messages: list[dict[str, str]]) -> str:
    """What a model's tokenizer makes of it, or why it refuses."""
    tokens: dict[str, Any] = {"bos_token": "<s>", "eos_token": "</s>"}
    try:
        return str(utils.render_jinja_template([messages], chat_template=source, **tokens)[0][0])
    except Exception as failure:  # whatever a template fails with
        return f"refused: {failure}"


def ours(source: str, messages: list[dict[str, str]]) -> str:
    try:
        return ChatTemplate("it", source, "<s>", "</s>").render(messages)
    except ConfigError as failure:
        return f"refused: {failure.message.removeprefix('it cannot render the conversation: ')}"


@pytest.mark.parametrize("source", [GENERATION, DATED, OUTER, GIVEN], ids=["generation", "dated", "outer", "given"])
def test_it_reads_like_transformers(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(utils, "datetime", TheDay)
    made = ours(source, MESSAGES)
    assert made == theirs(source, MESSAGES) and "refused" not in made


def test_there_are_as_many_as_trl_ships() -> None:
    assert len(SHIPPED) >= 72


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_what_trl_ships(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Llama 3.2's among them, which ask for today's date. What a server gets reads the same without being told the day."""
    source = path.read_text("utf-8")
    served = served_template(ChatTemplate("it", source, "<s>", "</s>"))
    for messages in ASKED:
        made = ours(source, messages)
        with monkeypatch.context() as today:
            today.setattr(utils, "datetime", TheDay)
            assert made == theirs(source, messages)
        if "refused" not in made:
            assert theirs(served, messages) == made
