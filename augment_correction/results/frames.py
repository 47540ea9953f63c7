"""Conversations handed over to pandas and to Hugging Face `datasets`, without a file between."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from augment_correction.errors import MissingExtra
from augment_correction.export.hf import hf_row
from augment_correction.records import Conversation

COLUMNS = ("id", "kind", "messages", "source", "title", "page")


def conversations_to_pandas(conversations: Iterable[Conversation]) -> Any:
    """A `pandas.DataFrame` with the columns of `COLUMNS`.

    Raises: MissingExtra where pandas is not installed.
    """
    try:
        import pandas as pd
    except ModuleNotFoundError:
        raise MissingExtra("to_pandas()", "frames") from None
    frame = pd.DataFrame.from_records([hf_row(each) for each in conversations], columns=list(COLUMNS))
    return frame.astype({"page": "Int64"})


def conversations_to_dataset(conversations: Iterable[Conversation]) -> Any:
    """A `datasets.Dataset` with the columns of `COLUMNS`, of the same types whatever the rows hold.

    Raises: MissingExtra where datasets is not installed.
    """
    try:
        from datasets import Dataset, Features, List, Value
    except ModuleNotFoundError:
        raise MissingExtra("to_dataset()", "frames") from None
    text = Value("string")
    message = {"role": text, "content": text, "train": Value("bool"), "masked": Value("int64")}
    types = {"id": text, "kind": text, "messages": List(message), "source": text, "title": text, "page": Value("int64")}
    return Dataset.from_list([hf_row(each) for each in conversations], features=Features(types))
