from __future__ import annotations

import tracemalloc
from pathlib import Path

import orjson
import pytest

from augment_correction.documents import ReadLimits, read_documents
from augment_correction.records import Document

from .files import read


def test_keys_become_metadata_and_order_is_kept(tmp_path: Path) -> None:
    rows = [{"text": f"Text {number}\r\n", "title": "T" if number else 7, "n": number} for number in range(12)]
    (tmp_path / "a.jsonl").write_bytes(b"\n".join(map(orjson.dumps, rows)))
    documents, unread = read(tmp_path)
    assert not unread
    assert [document.source for document in documents] == [f"a.jsonl#L{number}" for number in range(1, 13)]
    assert documents[3].text == "Text 3\n"
    assert documents[3].metadata == {"title": "T", "n": 3}
    assert (documents[0].title, documents[3].title) == ("a", "T")
    assert documents[0].media_type == "application/x-ndjson"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{not json", "bad_json"),
        (b'["text"]', "bad_json"),
        (b"null", "bad_json"),
        (b'{"text": "\xff"}', "bad_json"),
        (b'{"text": "\\ud800"}', "bad_json"),
        (b"[" * 100_000, "bad_json"),
        (b"{}", "no_text"),
        (b'{"body": "x"}', "no_text"),
        (b'{"text": null}', "no_text"),
        (b'{"text": 7}', "no_text"),
        (b'{"text": ["x"]}', "no_text"),
        (b'{"text": ""}', "empty"),
        (b'{"text": " \\n "}', "empty"),
        (b'{"text": "' + b"x" * 2_000_000 + b'"}', "line_too_long"),
    ],
)
def test_one_bad_line_costs_one_line(tmp_path: Path, line: bytes, reason: str) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'{"text": "one"}\n' + line + b'\n\n{"text": "four"}\n')
    documents, unread = read(tmp_path, ReadLimits(line=1_000_000))
    assert [(document.source, document.text) for document in documents] == [
        ("a.jsonl#L1", "one"),
        ("a.jsonl#L4", "four"),
    ]
    assert [(found.source, found.reason) for found in unread] == [("a.jsonl#L2", reason)]
    assert len(unread[0].detail) < 600


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.jsonl").write_bytes('{"text": "größer"}\n\n{"text": "zwei"}'.encode(encoding))
    assert [(found.source, found.text) for found in read(tmp_path)[0]] == [
        ("a.jsonl#L1", "größer"),
        ("a.jsonl#L3", "zwei"),
    ]


def test_a_long_line_in_utf16(tmp_path: Path) -> None:
    long = '{"text": "' + "x" * 3_000_000 + '"}'
    (tmp_path / "a.jsonl").write_bytes(f'{{"text": "one"}}\n{long}\n{{"text": "three"}}'.encode("utf-16"))
    documents, unread = read(tmp_path, ReadLimits(line=1000))
    assert [document.text for document in documents] == ["one", "three"]
    assert [(found.source, found.reason) for found in unread] == [("a.jsonl#L2", "line_too_long")]


def test_a_large_file_is_streamed(tmp_path: Path) -> None:
    row = orjson.dumps({"text": "word " * 2000}) + b"\n"
    with (tmp_path / "a.jsonl").open("wb") as file:
        for _ in range(4000):  # 40 MB
            file.write(row)
        file.write(b'{"text": "' + b"x" * 30_000_000)
    tracemalloc.start()
    count = sum(isinstance(found, Document) for found in read_documents(tmp_path, limits=ReadLimits(line=100_000)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 4000
    assert peak < 8_000_000
