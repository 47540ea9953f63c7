from __future__ import annotations

from pathlib import Path

import pytest

from augment_correction.documents.contract import Unread
from augment_correction.documents.text import decode
from augment_correction.records import ReadNote

from .files import notes, read

GOOD = "Die Fähre von Grünau trug im Jahr 1702 über zweihundert Fuhrwerke; größere Wagen zahlten fünf Groschen.\n"


def test_binary_data_gives_up_the_file() -> None:
    with pytest.raises(Unread) as given_up:
        decode(bytes([0, 1, 2, 3, 255, 254, 128]) * 100)
    assert given_up.value.reason == "binary"


@pytest.mark.parametrize("name", ["a.txt", "a.md"])
def test_lost_signs_are_counted_and_said(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(GOOD.encode() + b"\xff \xff\n" + GOOD.encode()[:-2] + b"\xc3")
    [document] = read(tmp_path)[0]
    assert document.text.startswith(GOOD) and document.metadata["encoding"] == "utf-8"
    detail = "characters that are not valid utf-8, replaced by �"
    assert notes(tmp_path) == [ReadNote(name, "replaced", detail, 3)]


def test_repaired_lines_and_guessed_encodings_are_said(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(GOOD.encode() + "Der Müller zahlte für „gute“ Säcke.\n".encode("cp1252"))
    (tmp_path / "b.txt").write_bytes(GOOD.encode("cp1252"))
    (tmp_path / "c.txt").write_bytes(GOOD.encode("utf-16"))
    documents, unread = read(tmp_path)
    assert not unread and [document.text for document in documents[1:]] == [GOOD, GOOD]
    assert documents[0].text == f"{GOOD}Der Müller zahlte für „gute“ Säcke.\n"
    assert [(note.source, note.reason, note.count) for note in notes(tmp_path)] == [
        ("a.txt", "repaired", 1),
        ("b.txt", "encoding", 0),
    ]
