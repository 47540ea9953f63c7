"""Where in a file a value stands, and a key of it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from augment_correction.jsonlines import NoValue, ReadCounts, Value, read_values

TEXT = st.text(st.characters(codec="utf-8"), max_size=4)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 99) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
OBJECTS = st.dictionaries(TEXT, VALUES, min_size=1, max_size=4)
LAYOUTS: dict[str, Callable[[list[dict[str, Any]]], str]] = {
    "lines": lambda rows: "\n".join(json.dumps(row) for row in rows),
    "lines of any sign": lambda rows: "\n".join(json.dumps(row, ensure_ascii=False) for row in rows),
    "lines with a comment and blank ones": lambda rows: (
        "# rows\n\n" + "\n\n".join(f"  {json.dumps(row)}" for row in rows)
    ),
    "several in a line": lambda rows: " ".join(json.dumps(row) for row in rows),
    "a list in one line": json.dumps,
    "a list, indented": lambda rows: json.dumps(rows, indent=2),
    "a list of lines": lambda rows: "[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]",
    "objects over several lines": lambda rows: "\n".join(json.dumps(row, indent=1) for row in rows),
    "with blank lines in them": lambda rows: "\n".join(json.dumps(row, indent=1) for row in rows).replace("\n", "\n\n"),
}


def read(text: str) -> list[Value]:
    found = list(read_values(io.BytesIO(text.encode()), ReadCounts()))
    assert not any(isinstance(each, NoValue) for each in found)
    return [each for each in found if isinstance(each, Value)]


@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["", "BOM"])
@pytest.mark.parametrize("layout", LAYOUTS)
@settings(max_examples=30)
@given(rows=st.lists(OBJECTS, min_size=1, max_size=4))
@example(rows=[{"\ufeff": None, "": None}])
def test_a_key_stands_where_it_is_said_to(layout: str, mark: str, rows: list[dict[str, Any]]) -> None:
    text = LAYOUTS[layout](rows)
    values = read(mark + text)
    assert [each.value for each in values] == rows
    lines = text.split("\n")
    for value in values:
        line, column = value.where()
        assert lines[line - 1][column - 1] == "{"
        for key in value.value:
            line, column = value.where(key)
            spelled = (json.dumps(key), json.dumps(key, ensure_ascii=False))
            assert lines[line - 1].startswith(spelled, column - 1)
            assert value.where(f"{key}, which is not there") == value.where()


def test_a_value_that_is_no_object_has_a_place() -> None:
    assert [each.where("key") for each in read('[1]\n  "a"\n5 6\n')] == [(1, 1), (2, 3), (3, 1), (3, 3)]
