"""JSON in files that appear whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from augment_correction.store.json_files import write_json, write_lines


def test_a_value_is_indented_and_a_row_is_a_line(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {1: "é"})
    assert (tmp_path / "a.json").read_text("utf-8") == '{\n  "1": "é"\n}\n'
    write_lines(tmp_path / "a.jsonl", [{"a": Decimal("0.5")}, [1]], default=str)
    assert (tmp_path / "a.jsonl").read_text() == '{"a":"0.5"}\n[1]\n'


def test_rows_that_end_in_an_error_leave_the_earlier_file_as_it_was(tmp_path: Path) -> None:
    def rows() -> Iterator[dict[str, int]]:
        yield {"a": 2}
        raise KeyError("b")

    write_lines(tmp_path / "a.jsonl", [{"a": 1}])
    for failing in (rows(), [{"a": 2}, {"a": Decimal(3)}]):
        with pytest.raises((KeyError, TypeError)):
            write_lines(tmp_path / "a.jsonl", failing)
    assert (tmp_path / "a.jsonl").read_text() == '{"a":1}\n' and len(list(tmp_path.iterdir())) == 1
