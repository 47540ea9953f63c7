from __future__ import annotations

import gzip
import os
import re
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from augment_correction.documents import ReadLimits, formats, read_documents
from augment_correction.errors import InputError
from augment_correction.records import content_id
from tests.projects import bound_by_permissions

from .files import notes, read


def test_importing_the_package_loads_no_reader() -> None:
    code = (
        "import sys, augment_correction.documents as d\n"
        "heavy = {'pypdf', 'pypdfium2', 'docx', 'bpe_openai', 'tokenizers', 'charset_normalizer', 'lxml', 'asyncio'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
        "assert set(d.__all__) == set(d._HOME)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    made = subprocess.run([sys.executable, "-c", code], env=environment, stderr=subprocess.PIPE, check=False)
    assert made.returncode == 0, made.stderr.decode()


def test_a_text_file_becomes_a_document(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_bytes(b"First line.\r\nSecond line.\r")
    documents, unread = read(tmp_path)
    assert not unread
    [document] = documents
    assert document.text == "First line.\nSecond line.\n"
    assert (document.title, document.source, document.media_type) == ("note", "note.txt", "text/plain")
    assert document.id == content_id(document.text)
    assert document.metadata == {"encoding": "utf-8"}


def test_folders_are_walked_in_order_of_their_relative_path(tmp_path: Path) -> None:
    for name in ("b.txt", "a/z.txt", "a.txt", "a/b/c.TXT", "Z.Md", "a/.hidden.txt", ".git/x.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"Text of {name}")
    sources = [document.source for document in read(tmp_path)[0]]
    assert sources == ["Z.Md", "a.txt", "a/b/c.TXT", "a/z.txt", "b.txt"] == sorted(sources)


def test_links_are_followed_once_and_loops_survived(tmp_path: Path) -> None:
    (tmp_path / "z" / "deep").mkdir(parents=True)
    (tmp_path / "z" / "deep" / "x.txt").write_text("once")
    (tmp_path / "z" / "deep" / "up").symlink_to(tmp_path)
    (tmp_path / "a").symlink_to(tmp_path / "z")
    (tmp_path / "self").symlink_to(tmp_path / "self")
    (tmp_path / "gone.txt").symlink_to(tmp_path / "nowhere")
    documents, unread = read(tmp_path)
    assert [document.source for document in documents] == ["z/deep/x.txt"]
    assert {(found.source, found.reason) for found in unread} == {("self", "unreadable"), ("gone.txt", "unreadable")}


def test_a_linked_folder_outside_is_read(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "x.txt").write_text("text")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link").symlink_to(tmp_path / "outside")
    assert [document.source for document in read(tmp_path / "in")[0]] == ["link/x.txt"]


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("picture.png", b"\x89PNG", "unsupported"),
        ("book.mobi", b"PK\x03\x04", "unsupported"),
        ("disk.iso.gz", b"\x1f\x8b", "unsupported"),
        ("cut.txt.gz", gzip.compress(b"text" * 99, mtime=0)[:-9], "unreadable"),
        ("no.txt.gz", b"plain text", "unreadable"),
        ("none.txt.gz", gzip.compress(b"", mtime=0), "empty"),
        ("README", b"text", "unsupported"),
        ("none.txt", b"", "empty"),
        ("blank.md", b" \n\t\r\n", "empty"),
        ("blank16.txt", "\ufeff \n".encode("utf-16-le"), "empty"),
        ("elf.txt", bytes(range(256)) * 40, "binary"),
        ("zip.md", b"PK\x03\x04" + bytes([0, 7, 3, 200, 1, 99, 2, 250]) * 200, "binary"),
        ("bad16.txt", b"\xff\xfe" + b"\x00\xd8" * 50, "binary"),
        ("blank.jsonl", b"\n\n", "empty"),
    ],
)
def test_what_cannot_be_read_is_listed(tmp_path: Path, name: str, data: bytes, reason: str) -> None:
    (tmp_path / name).write_bytes(data)
    documents, unread = read(tmp_path)
    assert not documents
    assert [(found.source, found.reason) for found in unread] == [(name, reason)]
    assert unread[0].detail


def test_a_large_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x" * 100)
    (tmp_path / "b.jsonl").write_text('{"text": "' + "x" * 100 + '"}\n')
    documents, unread = read(tmp_path, ReadLimits(file=50))
    assert [found.reason for found in unread] == ["too_large"]
    assert [document.source for document in documents] == ["b.jsonl#L1"]


def test_missing_permission(tmp_path: Path) -> None:
    """In a process of its own: root, who runs the tests in containers, may read everything."""
    (tmp_path / "a.txt").write_text("secret")
    (tmp_path / "a.txt").chmod(0)
    (tmp_path / "shut").mkdir(mode=0)
    code = (
        "import sys; from pathlib import Path; from tests.documents.test_reading import read\n"
        "print([(found.source, found.reason) for found in read(Path(sys.argv[1]))[1]])"
    )
    try:
        made = subprocess.run(
            [*bound_by_permissions(), sys.executable, "-c", code, str(tmp_path)],
            cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False,
        )  # fmt: skip
    finally:
        (tmp_path / "shut").chmod(stat.S_IRWXU)
    assert made.stdout.strip() == "[('a.txt', 'unreadable'), ('shut', 'unreadable')]", made.stderr


def test_a_pipe_or_socket_does_not_hang_the_reader(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(os.path.relpath(tmp_path / "socket.txt"))
    listening.close()
    assert [found.reason for found in read(tmp_path)[1]] == ["unsupported", "unsupported"]


def test_a_file_name_that_is_not_utf8(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9.txt")).write_text("text")
    [document] = read(tmp_path)[0]
    assert document.source == "caf�.txt"
    document.source.encode()


def test_a_failing_reader_costs_only_its_own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from augment_correction.documents import plain

    def broken(*_: object) -> None:
        raise RecursionError("too deep")

    monkeypatch.setattr(plain, "read_markdown", broken)
    (tmp_path / "a.md").write_text("# A")
    (tmp_path / "b.txt").write_text("B")
    documents, unread = read(tmp_path)
    assert [document.source for document in documents] == ["b.txt"]
    assert (unread[0].source, unread[0].reason) == ("a.md", "unreadable")
    assert re.search("RecursionError: too deep", unread[0].detail)


def test_the_input_must_be_a_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="neither a folder nor a file"):
        list(read_documents(tmp_path / "nowhere"))


def test_every_reader_named_in_the_table_exists() -> None:
    from importlib import import_module

    for module, function in formats.READERS.values():
        assert callable(getattr(import_module(f"augment_correction.documents.{module}"), function))


@pytest.mark.parametrize(
    ("name", "detail"),
    [
        ("a.doc", ".doc is not supported; save it as .docx"),
        ("a.xlsx", ".xlsx is not supported; save it as .csv"),
        ("a.png", ".png is not supported; save it as .pdf"),
        ("a.mhtml", ".mhtml is not supported; open it in a browser and save it as .html"),
        ("a.tex.gz", ".tex.gz is not supported; convert it to .md, with pandoc for example"),
        ("a.tar.gz", ".tar.gz is not supported; unpack it"),
        ("README", "a name without ending is not supported; name it .txt if it is a text"),
        (
            "data.gz",
            ".gz is not supported; supported are .txt, .md, .html, .pdf, .docx, .pptx, .epub, .rst, .jsonl, .csv, .parquet, also with .gz",
        ),
    ],
)
def test_a_kind_that_is_not_read_names_the_remedy(tmp_path: Path, name: str, detail: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    assert [(found.reason, found.detail) for found in read(tmp_path)[1]] == [("unsupported", detail)]


@pytest.mark.parametrize(
    ("name", "data", "detail"),
    [
        ("a.pdf", b"\n<!DOCTYPE html><title>404</title>", "by its beginning it is a .html file: name it .html"),
        ("a.txt", b"\xef\xbb\xbf<html><p>Text.", "by its beginning it is a .html file: name it .html"),
        ("a.txt", b"%PDF-1.4\n\xe2\xe3", "by its beginning it is a .pdf file: name it .pdf"),
        ("a.md", b"{\\rtf1\\ansi Text.}", "by its beginning it is a .rtf file: save it as .docx"),
    ],
)
def test_a_file_of_another_kind_than_its_ending_is_told(tmp_path: Path, name: str, data: bytes, detail: str) -> None:
    (tmp_path / name).write_bytes(data)
    (tmp_path / "page.md").write_text("<html><p>Text.")
    (tmp_path / "page.htm").write_text("<html><p>Text.")
    documents, [unread] = read(tmp_path)
    assert (unread.source, unread.reason, unread.detail) == (name, "unsupported", detail)
    assert [each.source for each in documents] == ["page.htm", "page.md"]


def test_a_number_sign_in_the_name_of_a_file_is_part_of_the_name(tmp_path: Path) -> None:
    (tmp_path / "C# in depth.txt").write_text("Text.")
    (tmp_path / "Issue #12.jsonl").write_text('{"text": "Row."}\n')
    assert [(each.source, each.title) for each in read(tmp_path)[0]] == [
        ("C# in depth.txt", "C# in depth"),
        ("Issue #12.jsonl#L1", "Issue #12"),
    ]


def test_what_a_browser_saves_beside_a_page_is_no_document(tmp_path: Path) -> None:
    for name in ("a.html", "a_files/frame.html", "a_files/more/b.js", "b_files/frame.html", "~$a.docx"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"<p>{name}")
    documents, unread = read(tmp_path)
    assert [each.source for each in documents] == ["a.html", "b_files/frame.html"] and not unread
    assert [(note.source, note.reason, note.count) for note in notes(tmp_path)] == [("a_files", "saved_page", 2)]


def test_any_kind_of_file_may_be_compressed(tmp_path: Path) -> None:
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(b"one text"))
    (tmp_path / "b.JSONL.GZ").write_bytes(
        gzip.compress(b'{"text": "first"}\n') + gzip.compress(b'{"text": "second"}\n')
    )
    documents, unread = read(tmp_path)
    assert not unread
    assert [(each.source, each.title, each.text) for each in documents] == [
        ("a.txt.gz", "a", "one text"),
        ("b.JSONL.GZ#L1", "b", "first"),
        ("b.JSONL.GZ#L2", "b", "second"),
    ]


@pytest.mark.parametrize(
    ("name", "limits"),
    [("a.txt.gz", ReadLimits()), ("a.jsonl.gz", ReadLimits()), ("a.txt.gz", ReadLimits(file=20 << 20, ratio=10_000))],
)
def test_a_gzip_bomb_is_given_up_early(tmp_path: Path, name: str, limits: ReadLimits) -> None:
    (tmp_path / name).write_bytes(gzip.compress(b" " * (32 << 20)))
    [found] = read(tmp_path, limits)[1]
    assert found.reason == "too_large"
