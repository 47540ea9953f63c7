"""Axolotl's `type: chat_template`: messages, no template text. The conversation is tokenised as a whole, so that no cut
can go wrong: the spelling for SentencePiece tokenizers.

The flag stands at the message (`train`, which `message_field_training` names), and a masked message carries it in its
part as well, so that a config without that key trains no mistake. A trained message's part carries none: Axolotl 0.19
counts the tokens of flagged parts on the message by itself. With Qwen2.5 and a template `assistant: ` + message,
"antarctic ice" is 3 tokens alone and 4 in place, so that " ice" is not trained; "Zurich is" is 4 alone and 2 in place,
and trains what follows it. A message's own flag is placed by the characters of the rendering and is exact in both.

A message that is masked in part has no other spelling than flagged parts. Such a conversation is written only where the
tokenizer proves that Axolotl counts to the same tokens.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from augment_correction.errors import InputError
from augment_correction.export.chat_template import ChatTemplate
from augment_correction.export.jinja_chat import FIXED_DATE
from augment_correction.export.masking import token_mask, touching
from augment_correction.export.segments import Zone, answer_end, generation_prompt, render, zones
from augment_correction.export.source import ExportSource, Spelling, masked_by_message, write_rows
from augment_correction.export.tokenizer import Tokenizer
from augment_correction.records import Conversation, Turn

FILE = "conversations.jsonl"


def chat_row(conversation: Conversation) -> dict[str, Any]:
    return {"messages": [_message(turn) for turn in conversation.turns], "id": conversation.id}


def _message(turn: Turn) -> dict[str, Any]:
    text = turn.text.strip()
    trained = turn.masked if turn.train else len(text)
    parts: list[dict[str, Any]] = [
        {"type": "text", "text": text[:trained], "train": False},
        {"type": "text", "text": text[trained:]},
    ]
    return {"role": turn.role, "content": [part for part in parts if part["text"]], "train": turn.train}


def spelling(template: ChatTemplate, tokenizer: Tokenizer | None) -> Spelling:
    """Conversations that mask part of an answer are written where the tokenizer proves Axolotl's count of tokens."""
    if tokenizer is None:
        why = "cannot be verified without a tokenizer (--tokenizer)"
    else:
        why = f"Axolotl would place wrongly with the tokens of {tokenizer.name}"
    return Spelling(FILE, chat_row, lambda each: _exact(each, template, tokenizer), why)


def expected(source: ExportSource, tokenizer: Tokenizer, folder: Path) -> Spelling:
    """What `verify` looks for."""
    return spelling(source.template, tokenizer)


def write(source: ExportSource, folder: Path) -> list[str]:
    template, tokenizer = source.template, source.tokenizer
    keys = chat_keys(template, tokenizer, folder.with_name("axolotl_chat") / FILE)
    _, notices = write_rows(folder, source.conversations(), spelling(template, tokenizer))
    text = yaml.safe_dump(keys, sort_keys=False, allow_unicode=True, width=120)
    (folder / "axolotl_keys.yaml").write_text(
        "# The keys that an Axolotl config needs for this file, in place of its own `datasets`.\n" + text,
        encoding="utf-8",
    )
    return notices


def _exact(conversation: Conversation, template: ChatTemplate, tokenizer: Tokenizer | None) -> bool:
    """Axolotl will train the tokens that the mask says of each message that is masked in part."""
    if masked_by_message(conversation):
        return True
    if tokenizer is None:
        return False
    rendering = render(conversation, template)
    whole = tokenizer.encode([rendering.text])[0]
    mask = token_mask(zones(conversation, rendering), whole, conversation.train_scaffold)
    turns = zip(conversation.turns, rendering.spans, strict=True)
    return all(
        mask[touching(Zone(start, end, True, "message"), whole)] == _as_axolotl(turn, tokenizer)
        for turn, (start, end, _) in turns
        if turn.partly_masked
    )


def _as_axolotl(turn: Turn, tokenizer: Tokenizer) -> bytes:
    """The mask of the message's tokens as Axolotl 0.19 counts them, on the message by itself: of a token that straddles
    the cut it masks one that reaches a single character beyond it and trains a longer one."""
    alone = tokenizer.encode([turn.text])[0]
    tokens = zip(alone.starts, alone.ends, strict=True)
    return bytes(start >= turn.masked or end > turn.masked + 1 for start, end in tokens)


def chat_keys(template: ChatTemplate, tokenizer: Tokenizer | None, path: Path) -> dict[str, Any]:
    """The keys that read the file with the run's own template.

    Raises: InputError where Axolotl could not train the end of a turn.
    """
    ending = answer_end(template).strip()
    if not ending or (tokenizer is not None and not tokenizer.is_special(ending)):
        raise InputError(
            f"axolotl_chat cannot train the end of a turn: {template.name} ends it with {ending!r}, which must be one "
            "control token" + (f" of {tokenizer.name}" if tokenizer else ""),
            hint="set system.prompt_template to 'tokenizer' or to one whose end-of-turn the model knows",
        )
    entry = {
        "path": str(path),
        "ds_type": "json",
        "type": "chat_template",
        "field_messages": "messages",
        "message_field_training": "train",
        "roles_to_train": [],
        "train_on_eos": "turn",
        "chat_template": "jinja",
        "chat_template_jinja": served_template(template),
    }
    return {"datasets": [entry], "eot_tokens": [ending]}


def served_template(template: ChatTemplate) -> str:
    """The template with its BOS and EOS as this run wrote them, whatever the tokenizer calls so, with the date of its rows
    in place of today's, and with the opening of an answer where it is asked for one: what a server needs to speak as the
    rows do."""
    made = _TODAY.sub(lambda call: _quoted(FIXED_DATE.strftime(call["format"])), template.source)
    opening = generation_prompt(template)
    if "add_generation_prompt" not in made and opening:
        made += "{% if add_generation_prompt %}{{ " + _quoted(opening) + " }}{% endif %}"
    for name, value in (("eos_token", template.eos_token), ("bos_token", template.bos_token)):
        if name in template.source:
            made = "{% set " + name + " = " + _quoted(value) + " %}" + made
    return made


_TODAY = re.compile(r"""strftime_now\(\s*(['"])(?P<format>[^'"]*)\1\s*\)""")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    return f"'{escaped}'"
