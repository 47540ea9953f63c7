"""What must come out of `axolotl preprocess`, by spelling, and whether it did."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

import orjson
import yaml

from augment_correction.export import Tokenizer, render
from augment_correction.export.masking import IGNORED, labels, token_mask, touching
from augment_correction.export.segments import answer_end, zones
from augment_correction.records import Conversation
from tests.axolotl.cases import Made

Expected = Callable[[Made, Conversation], tuple[list[int], list[set[int]]]]
"""Ids, and the labels that are right at each place."""


def whole(made: Made, conversation: Conversation) -> tuple[Any, list[Any], bytearray]:
    rendering = render(conversation, made.template)
    encoded = made.tokenizer.encode([rendering.text])[0]
    places = zones(conversation, rendering)
    return encoded, places, token_mask(places, encoded, conversation.train_scaffold)


def by_tokens(made: Made, conversation: Conversation) -> tuple[list[int], list[set[int]]]:
    encoded, _, mask = whole(made, conversation)
    return encoded.ids, [{label} for label in labels(encoded.ids, mask)]


def by_segments(made: Made, conversation: Conversation) -> tuple[list[int], list[set[int]]]:
    """Text of the template may be masked for a seamless cut, and a space before a trained word be trained."""
    encoded, places, mask = whole(made, conversation)
    right = [{label} for label in labels(encoded.ids, mask)]
    own = {
        index
        for zone in places
        if zone.kind != "scaffold"
        for index in range(*touching(zone, encoded).indices(len(mask)))
    }
    text = render(conversation, made.template).text
    for index in set(range(len(mask))) - own:
        right[index].add(IGNORED)
        if text[encoded.starts[index] : encoded.ends[index]].isspace():
            right[index].add(encoded.ids[index])
    return encoded.ids, right


def by_messages(made: Made, conversation: Conversation) -> tuple[list[int], list[set[int]]]:
    """Headers are never trained, and of the end of a turn only the end-of-turn token (`[/INST]` is none)."""
    encoded, places, mask = whole(made, conversation)
    ending = made.tokenizer.token_id(answer_end(made.template).strip())
    trained = bytearray(len(mask))
    for zone in places:
        part = touching(zone, encoded)
        if zone.kind == "message":
            trained[part] = mask[part]
        elif zone.kind == "end" and ending in encoded.ids[part]:
            index = encoded.ids.index(ending, part.start)
            trained[index] = mask[index]
    return encoded.ids, [{label} for label in labels(encoded.ids, trained)]


def spellings(made: Made) -> Iterator[tuple[str, dict[str, Any], list[Conversation], Expected]]:
    """(name, entry of `datasets`, the conversations that it says, what must come out)."""
    if not made.seams:
        entry = {"path": str(made.folder / "axolotl_correction_conversations.json"), "ds_type": "json"}
        yield "segments", {**entry, "type": "input_output"}, made.conversations, by_segments
    if (made.folder / "exports" / "axolotl_chat").is_dir():
        chat = yaml.safe_load((made.folder / "exports" / "axolotl_chat" / "axolotl_keys.yaml").read_text())["datasets"][
            0
        ]
        yield "axolotl_chat", chat, held(made, chat), by_messages
        share = {
            **chat, "path": str(made.folder / "exports" / "sharegpt" / "conversations.jsonl"),
            "field_messages": "conversations", "message_property_mappings": {"role": "from", "content": "value"},
            "message_field_training": "weight",
        }  # fmt: skip
        yield "sharegpt", share, held(made, share), by_messages
    yield (
        "trl",
        {"path": str(made.folder / "exports" / "trl" / "train.parquet"), "ds_type": "parquet", "type": None},
        made.conversations,
        by_tokens,
    )


def held(made: Made, entry: dict[str, Any]) -> list[Conversation]:
    """Those that the file did not leave out."""
    ids = {orjson.loads(line)["id"] for line in Path(entry["path"]).read_bytes().splitlines()}
    return [conversation for conversation in made.conversations if conversation.id in ids]


def compare(row: list[list[int]], expected: tuple[list[int], list[set[int]]], tokenizer: Tokenizer) -> str | None:
    (ids, found), (wanted, right) = row, expected
    for index, (token, label, should, allowed) in enumerate(zip_longest(ids, found, wanted, right)):
        if token != should:
            return f"token {index} is {token}, should be {should} of {len(wanted)}"
        if label not in (allowed or ()):
            near = " ".join(tokenizer.piece(each) for each in ids[max(0, index - 4) : index + 3])
            return f"token {index} {tokenizer.piece(token)!r} has the label {label}, should be {allowed}; near {near!r}"
    return None
