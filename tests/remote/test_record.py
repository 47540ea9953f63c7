"""What was transferred is remembered across a kill, and the file of it does not grow without end."""

from __future__ import annotations

from pathlib import Path

from augment_correction.remote.record import TransferRecord


def test_the_newest_counts_and_what_is_gone_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    with TransferRecord(path).open() as record:
        record.note("a", [1])
        record.note("b", [2])
        record.note("a", [3])
        record.note("b", None)
    assert TransferRecord(path).entries == {"a": [3]}


def test_half_a_line_costs_one_entry(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    path.write_bytes(b'["a",[1]]\n["b",[2')
    with TransferRecord(path).open() as record:
        assert record.entries == {"a": [1]}
        record.note("c", [3])
    assert TransferRecord(path).entries == {"a": [1], "c": [3]}


def test_it_is_written_anew_when_most_of_it_is_old(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    with TransferRecord(path).open() as record:
        for number in range(500):
            record.note(str(number % 10), [number])
    assert path.read_bytes().count(b"\n") == 10
    assert TransferRecord(path).entries == {str(number % 10): [number] for number in range(490, 500)}
