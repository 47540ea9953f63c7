from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from augment_correction.documents import ReadLimits
from augment_correction.errors import installing
from augment_correction.records import Document

from .files import read


def texts(documents: list[Document]) -> list[tuple[str, str]]:
    return [(each.source, each.text) for each in documents]


def test_a_document_for_each_row_of_a_csv(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(
        b'\xef\xbb\xbfid,text,title\r\n1,"The Elbe, long\r\nand ""deep""",Elbe\r\n\r\n2,Oder,\r\n3,,x\r\n4,a,b,c,d\r\n5\r\n'
    )
    documents, unread = read(tmp_path)
    assert texts(documents) == [("a.csv#L2", 'The Elbe, long\nand "deep"'), ("a.csv#L5", "Oder")]
    assert (documents[0].title, dict(documents[0].metadata)) == ("Elbe", {"id": "1", "title": "Elbe"})
    assert [(each.source, each.reason) for each in unread] == [
        ("a.csv#L6", "empty"),
        ("a.csv#L7", "bad_csv"),
        ("a.csv#L8", "no_text"),
    ]


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
@pytest.mark.parametrize("name", ["a.csv", "a.tsv"])
def test_delimiters_and_encodings(tmp_path: Path, name: str, sign: str) -> None:
    (tmp_path / name).write_bytes(f'id{sign}text{sign}n\n1{sign}"Größe, ab; c | d"{sign}2\n'.encode("cp1252"))
    assert texts(read(tmp_path)[0]) == [(f"{name}#L2", "Größe, ab; c | d")]


def test_the_column_is_found_or_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,Content,notes\n1,found,named\n")
    assert [each.text for each in read(tmp_path)[0]] == ["found"]
    assert [each.text for each in read(tmp_path, ReadLimits(text_key=("notes",)))[0]] == ["named"]
    (tmp_path / "a.csv").write_text("id,value\n1,2\n")
    [unread] = read(tmp_path)[1]
    assert unread.reason == "no_text" and "path.text_key" in unread.detail


def test_a_csv_without_rows_and_one_with_an_endless_quote(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,text\n")
    (tmp_path / "b.csv").write_text('id,text\n1,good\n2,"' + "x" * 2000)
    documents, unread = read(tmp_path, ReadLimits(line=1000))
    assert texts(documents) == [("b.csv#L2", "good")]
    assert [(each.source, each.reason) for each in unread] == [("a.csv", "empty"), ("b.csv#L3", "bad_csv")]


def test_a_quote_that_is_never_closed_swallows_nothing_silently(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text('id\ttext\n1\tgood\n2\t"Yes, he said.\n3\tlost\n')
    documents, [unread] = read(tmp_path)
    assert texts(documents) == [("a.tsv#L2", "good")]
    assert (unread.source, unread.reason) == ("a.tsv#L3", "bad_csv")
    assert "none ends it" in unread.detail and "nothing from this line on was read" in unread.detail


def test_the_line_in_which_excel_names_the_delimiter(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("sep=;\ntext;note\nOne, two;a\n")
    assert texts(read(tmp_path)[0]) == [("a.csv#L3", "One, two")]


def test_lines_above_the_names_of_the_columns_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Report of 2020\n\ntext,note\nOne,a\n")
    documents, unread = read(tmp_path)
    assert not documents and all("no line may stand above the names" in each.detail for each in unread)


def parquet(path: Path, columns: dict[str, list[Any]], **options: Any) -> None:
    import pyarrow
    from pyarrow import parquet

    parquet.write_table(pyarrow.table(columns), path, **options)


def test_a_document_for_each_row_of_a_parquet_file(tmp_path: Path) -> None:
    columns = {
        "text": ["first", None, "third"] * 50,
        "day": [date(2020, 1, 2)] * 150,
        "tags": [["a", "b"]] * 150,
        "picture": [b"\xff\xfe"] * 150,
        "old": [b"string"] * 150,
    }
    parquet(tmp_path / "a.parquet", columns, row_group_size=40)
    documents, unread = read(tmp_path)
    assert (len(documents), len(unread)) == (100, 50)
    assert texts(documents)[:2] == [("a.parquet#R1", "first"), ("a.parquet#R3", "third")]
    assert documents[99].source == "a.parquet#R150"
    assert documents[0].metadata == {"day": "2020-01-02", "tags": ["a", "b"], "picture": "2 bytes", "old": "string"}


def test_parquet_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1 no")
    parquet(tmp_path / "b.parquet", {"text": []})
    parquet(tmp_path / "c.parquet", {"text": [f"{number} " * 3000 for number in range(100)]})
    unread = read(tmp_path, ReadLimits(unpacked=1 << 18))[1]
    assert [each.reason for each in unread] == ["unreadable", "empty", "too_large"]


def test_parquet_without_pyarrow_names_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parquet(tmp_path / "a.parquet", {"text": ["x"]})
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    [found] = read(tmp_path)[1]
    assert found.reason == "missing_extra"
    assert installing("parquet") in found.detail
