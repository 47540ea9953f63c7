from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augment_correction.documents import ReadLimits, read_documents
from augment_correction.records import Document, ReadNote

from .files import notes, read


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


TEXT = "The ferry of Aldwick carried 240 carts in the year 1702."


@pytest.mark.parametrize(
    ("row", "text", "metadata"),
    [
        ('{"text": "%s", "score": -Infinity}', TEXT, {"score": float("-inf")}),
        ('{"text": "%s", "id": 123456789012345678901234567890}', TEXT, {"id": "123456789012345678901234567890"}),
        ('{"text": "%s", "id": 18446744073709551615}', TEXT, {"id": 2**64 - 1}),
        ('{"text": "%s half \\ud83d"}', f"{TEXT} half �", {}),
        ('{"text": "%s", "note \\ud83d": "half \\ud83d"}', TEXT, {"note �": "half �"}),
        ('{"text": "%s \t tab"}', f"{TEXT} \t tab", {}),
        ('\ufeff{"text": "%s"}', TEXT, {}),
    ],
)
def test_what_python_writes_is_read(tmp_path: Path, row: str, text: str, metadata: dict[str, object]) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "one"}\n' + row % TEXT + "\n", "utf-8")
    documents, unread = read(tmp_path)
    assert not unread
    assert (documents[1].text, documents[1].metadata) == (text, metadata)
    orjson.dumps(documents[1].metadata)


A, B = f'{{"text": "{TEXT}", "n": {{"a": [1, 2]}}}}', f'{{"text": "{TEXT} b"}}'


@pytest.mark.parametrize(
    ("content", "places"),
    [
        (f"[{A}, {B}]", "L1 L1.2"),
        (f"[\n {A},\n {B}\n]\n", "L2 L3"),
        (f"[\n {A}\n, {B}]\n\n{B}", "L2 L3 L5"),
        (f"{A}{B}", "L1 L1.2"),
        (f"{A}, {B}\n", "L1 L1.2"),
        (orjson.dumps([orjson.loads(A), orjson.loads(B)], option=orjson.OPT_INDENT_2).decode(), "L2 L11"),
        (orjson.dumps(orjson.loads(A), option=orjson.OPT_INDENT_2).decode() + f"\n{B}", "L1 L10"),
        (f"// comment\n{A}\n# comment\n  {B}\n", "L2 L4"),
    ],
)
@pytest.mark.parametrize("name", ["a.jsonl", "a.json"])
def test_shapes_whose_meaning_is_clear(tmp_path: Path, name: str, content: str, places: str) -> None:
    (tmp_path / name).write_text(content)
    documents, unread = read(tmp_path)
    assert not unread
    assert [document.source for document in documents] == [f"{name}#{place}" for place in places.split()]
    assert {document.text for document in documents} == {TEXT, f"{TEXT} b"}


def test_comment_lines_are_counted(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(f"// one\n{A}\n# two\n")
    assert notes(tmp_path) == [ReadNote("a.jsonl", "comments", "comment lines passed by", 2)]


@pytest.mark.parametrize(
    ("broken", "line"),
    [
        ('{"text": "cut', 2),
        ('{"text": "no brace"', 2),
        ('[{"text": "x"', 2),
        ("{'text': 'y'}", 2),
        ('{"text": "x",}', 2),
        ("}", 2),
    ],
)
def test_a_broken_row_costs_itself(tmp_path: Path, broken: str, line: int) -> None:
    (tmp_path / "a.jsonl").write_text(f"{A}\n{broken}\n{B}\n{B}\n")
    documents, unread = read(tmp_path)
    assert [document.source for document in documents] == ["a.jsonl#L1", "a.jsonl#L3", "a.jsonl#L4"]
    assert [(found.source, found.reason) for found in unread] == [(f"a.jsonl#L{line}", "bad_json")]


def test_a_list_that_is_cut_off_gives_what_is_whole(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(f'[\n{A},\n{B},\n{{"text": "cut')
    documents, unread = read(tmp_path)
    assert [document.source for document in documents] == ["a.json#L2", "a.json#L3"]
    assert [found.source for found in unread] == ["a.json#L4"]


def test_damaged_bytes_cost_signs_and_not_rows(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes('{"text": "größer"}\n{"text": "für '.encode() + b'\xff"}\n')
    assert [document.text for document in read(tmp_path)[0]] == ["größer", "für �"]
    assert [(note.reason, note.count) for note in notes(tmp_path)] == [("replaced", 1)]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "cp1252", "mac_roman"])
def test_legacy_and_unmarked_encodings(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.jsonl").write_bytes('{"text": "größer für"}\n{"text": "zwei"}\n'.encode(encoding))
    assert [document.text for document in read(tmp_path)[0]] == ["größer für", "zwei"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
ROWS = st.lists(st.fixed_dictionaries({"text": st.just("a text")}, optional={"more": JSON}), min_size=1, max_size=5)


@settings(max_examples=60)
@given(rows=ROWS, indent=st.sampled_from([None, 0, 1, 4]), whole=st.booleans(), plain=st.booleans())
def test_what_json_dump_writes_is_read_in_every_shape(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[dict[str, object]],
    indent: int | None,
    whole: bool,
    plain: bool,
) -> None:
    folder = tmp_path_factory.mktemp("json")
    dumped = [json.dumps(row, indent=indent, ensure_ascii=plain) for row in rows]
    content = json.dumps(rows, indent=indent, ensure_ascii=plain) if whole else "\n".join(dumped)
    (folder / "a.jsonl").write_text(content, "utf-8")
    documents, unread = read(folder)
    assert not unread
    assert len(documents) == len(rows)


@settings(max_examples=60)
@given(lines=st.lists(st.text('{}[]",:ab1 \\\n', max_size=30), max_size=6))
def test_no_garbage_breaks_the_reader(tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> None:
    folder = tmp_path_factory.mktemp("json")
    (folder / "a.jsonl").write_text('{"text": "first"}\n' + "\n".join(lines) + '\n{"text": "last"}\n')
    texts = [document.text for document in read(folder)[0]]
    assert texts[0] == "first" and texts[-1] == "last"
