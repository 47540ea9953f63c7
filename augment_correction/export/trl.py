"""For TRL's SFTTrainer. With a tokenizer: Parquet with `input_ids` and `labels`, which the trainer takes as they are.
Without one: `prompt` and `completion`, of which the trainer trains the completion alone: the last answer, and never a mistake."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from augment_correction.errors import MissingExtra
from augment_correction.export.masking import labels, token_mask
from augment_correction.export.preference_rows import messages_of, reply_of
from augment_correction.export.segments import render, zones
from augment_correction.export.source import ExpectedRows, ExportSource, Spelling, masked_by_message, write_rows
from augment_correction.export.tokenizer import Tokenizer
from augment_correction.records import Conversation

FILE = "train.parquet"
PAIRS_FILE = "train.jsonl"
MAX_LENGTH = 1024
"""SFTConfig's default, at which TRL cuts a row's end off: the correction."""


def write(source: ExportSource, folder: Path) -> list[str]:
    """Raises: MissingExtra where a tokenizer is given and pyarrow is not installed."""
    if source.tokenizer is None:
        _, notices = write_rows(folder, source.conversations(), PAIRS)
        return [
            *notices,
            "prompts with completions: TRL trains the last answer of each conversation and nothing else. Give --tokenizer to "
            "write the whole loss mask as input_ids and labels",
        ]
    long = _write_parquet(source, source.tokenizer, folder / FILE)
    return (
        [f"{long} rows are longer than TRL's max_length of {MAX_LENGTH}, which cuts their end: set it"] if long else []
    )


def expected(source: ExportSource, tokenizer: Tokenizer, folder: Path) -> Spelling | ExpectedRows:
    """What `verify` looks for: prompts with completions where these were written, else the tokens."""
    if (folder / PAIRS_FILE).is_file():
        return PAIRS
    conversations = source.conversations()
    return ExpectedRows(FILE, ((each, list(token_rows(source, tokenizer, [each]))) for each in conversations))


def _pair(conversation: Conversation) -> dict[str, Any]:
    *before, last = conversation.turns
    return {"prompt": messages_of(before), "completion": [reply_of(last.text)], "id": conversation.id}


PAIRS = Spelling(PAIRS_FILE, _pair, masked_by_message, "a prompt and its completion cannot say")


def _messages(conversation: Conversation) -> list[dict[str, Any]]:
    return [
        {"role": turn.role, "content": turn.text, "train": turn.train, "masked": turn.masked}
        for turn in conversation.turns
    ]


def _write_parquet(source: ExportSource, tokenizer: Tokenizer, path: Path) -> int:
    """Returns how many rows TRL would cut."""
    try:
        import pyarrow as arrow
        from pyarrow import parquet
    except ImportError:
        raise MissingExtra("writing Parquet", "parquet") from None
    message = arrow.struct(
        [("role", arrow.string()), ("content", arrow.string()), ("train", arrow.bool_()), ("masked", arrow.int32())]
    )
    # These widths are the ones that Axolotl's own strategies make: with others the file cannot be mixed with theirs.
    schema = arrow.schema(
        [
            ("id", arrow.string()),
            ("messages", arrow.list_(message)),
            ("input_ids", arrow.list_(arrow.int32())),
            ("attention_mask", arrow.list_(arrow.int8())),
            ("labels", arrow.list_(arrow.int64())),
        ]
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    long = 0
    with parquet.ParquetWriter(path, schema) as writer:
        for batch in source.batches():
            rows = list(token_rows(source, tokenizer, batch))
            long += sum(len(row["input_ids"]) > MAX_LENGTH for row in rows)
            writer.write_table(arrow.Table.from_pylist(rows, schema=schema))
    return long


def token_rows(source: ExportSource, tokenizer: Tokenizer, batch: list[Conversation]) -> Iterator[dict[str, Any]]:
    """The rows of the Parquet file."""
    renderings = [render(conversation, source.template) for conversation in batch]
    encoded = tokenizer.encode([rendering.text for rendering in renderings])
    for conversation, rendering, whole in zip(batch, renderings, encoded, strict=True):
        mask = token_mask(zones(conversation, rendering), whole, conversation.train_scaffold)
        yield {
            "id": conversation.id,
            "messages": _messages(conversation),
            "input_ids": whole.ids,
            "attention_mask": [1] * len(whole.ids),
            "labels": labels(whole.ids, mask),
        }
