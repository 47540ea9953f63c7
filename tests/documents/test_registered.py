"""Files of an ending that is registered become documents, in the process that reads, and no reader can break the other files."""

from __future__ import annotations

import gzip
import sys
from pathlib import Path
from typing import Any

import pytest

from augment_correction import Document, InputError, Reject, register_reader
from augment_correction.documents import are_read_by_others, kinds, read_documents
from augment_correction.documents.registered import REGISTERED
from augment_correction.errors import ConfigError
from augment_correction.records import UnreadInput
from tests.documents.test_stream import collect

pytestmark = pytest.mark.usefixtures("registered_for_now")
MODULE = """
from augment_correction import Document, register_reader

def read_wiki(path):
    if path.stem == "broken":
        return {}["nope"]
    title, _, text = path.read_text("utf-8").partition("\\n")
    yield Document.of(text, title=title.strip("= "), metadata={"by": "read_wiki"})

register_reader(".wiki", read_wiki)
"""
LIFT = "= Lift =\nThe lift of Halmstett opened in 1972."


def read_text(path: Path) -> str:
    return path.read_text("utf-8")


def read_letters(path: Path) -> Any:
    for number, text in enumerate(path.read_text("utf-8").split("\f"), 1):
        yield Document.of(text, title=f"Letter {number}", source=f"letter {number}")


def read_wrong(path: Path) -> Any:
    match path.stem:
        case "refused":
            raise Reject("encrypted", "it needs a password")
        case "unusable":
            raise InputError("no letter in it")
        case "none":
            return None
        case "texts":
            return ["a text"]
    return {}["nope"]


@pytest.fixture
def wiki(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a module of the user's, which is imported, and inputs that it reads."""
    (tmp_path / "my_readers.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "my_readers", raising=False)
    __import__("my_readers")
    (tmp_path / "inputs").mkdir()
    (tmp_path / "inputs" / "lift.wiki").write_text(LIFT)
    (tmp_path / "inputs" / "broken.wiki").write_text(LIFT)
    (tmp_path / "inputs" / "other.txt").write_text("The bridge was built in 1911.")
    return tmp_path / "inputs"


async def test_the_process_that_reads_knows_it(wiki: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in (sys.path, ["" if each == str(wiki.parent) else each for each in sys.path]):
        monkeypatch.setattr(sys, "path", path)
        batches = await collect(wiki)
        found = {each.source: (each.title, each.metadata) for batch in batches for each in batch.documents}
        assert found["lift.wiki"] == ("Lift", {"by": "read_wiki"}) and "other.txt" in found
        [unread] = [each for batch in batches for each in batch.unread]
        assert unread.source == "broken.wiki" and unread.reason == "unreadable"
        assert unread.detail.startswith("the reader of .wiki (my_readers.read_wiki) failed: KeyError: 'nope' (")
        assert unread.detail.endswith("my_readers.py:6)")


async def test_an_installed_one_is_found_by_its_ending(wiki: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    REGISTERED.clear()
    info = wiki.parent / "my_readers-2.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-readers\nVersion: 2.0\n")
    (info / "entry_points.txt").write_text("[augment_correction.plugins]\nmy_readers = my_readers\n")
    loaded: dict[str, str] = {}
    monkeypatch.setattr("augment_correction.documents.stream.LOADED", loaded)
    batches = await collect(wiki)
    assert {each.source for batch in batches for each in batch.documents} == {"lift.wiki", "other.txt"}
    assert loaded == {"my_readers": "my-readers 2.0"} and not REGISTERED
    (wiki.parent / "my_readers.py").write_text("import nothing_of_that_name")
    with pytest.raises(ConfigError, match=r"the plugin 'my_readers' of my-readers cannot be imported"):
        await collect(wiki)


async def test_a_reader_that_the_other_process_cannot_import_is_refused_at_once(wiki: Path) -> None:
    (wiki.parent / "my_readers.py").unlink()
    with pytest.raises(
        ConfigError, match=r"the reader of \.wiki \(my_readers\.read_wiki\) cannot be imported: ModuleNotFoundError"
    ):
        await collect(wiki)
    read: Any = REGISTERED[".wiki"]
    read.__module__ = "__main__"
    with pytest.raises(ConfigError, match=r"stands in the program that is run, and files are read in another process"):
        await collect(wiki)


def test_several_documents_of_a_file_and_packed_ones(tmp_path: Path) -> None:
    register_reader(".letters", read_letters)
    register_reader(".plain", read_text)
    (tmp_path / "a.letters").write_text("Dear Ida.\f \fDear Otto.")
    (tmp_path / "b.plain.gz").write_bytes(gzip.compress(b"Nine\x00 arches."))
    found = [
        (each.source, each.title, each.text) if isinstance(each, Document) else each
        for each in read_documents(tmp_path)
    ]
    assert found == [
        ("a.letters#letter 1", "Letter 1", "Dear Ida."),
        UnreadInput("a.letters#letter 2", "empty", "the file contains no text"),
        ("a.letters#letter 3", "Letter 3", "Dear Otto."),
        ("b.plain.gz", "b", "Nine arches."),
    ]  # fmt: skip
    assert {".letters", ".plain"} <= set(kinds())
    assert are_read_by_others(["a.txt", "b.plain.GZ"]) and not are_read_by_others(["a.txt.gz", "README", "b.unknown"])


def test_what_it_raises_or_returns_gives_up_its_file_alone(tmp_path: Path) -> None:
    register_reader(".x", read_wrong)
    for name in ("refused", "unusable", "none", "texts", "bug"):
        (tmp_path / f"{name}.x").write_text("a")
    found = {
        each.source: (each.reason, each.detail) for each in read_documents(tmp_path) if isinstance(each, UnreadInput)
    }
    who = "the reader of .x (tests.documents.test_registered.read_wrong) failed: "
    assert found["refused.x"] == ("encrypted", "it needs a password")
    assert found["unusable.x"] == ("unreadable", "no letter in it")
    assert found["none.x"][1].startswith(f"{who}TypeError: 'NoneType' object is not iterable")
    assert found["texts.x"][1].startswith(f"{who}TypeError: 'a text' is no Document")
    assert found["bug.x"][1].startswith(f"{who}KeyError: 'nope' (") and "test_registered.py:" in found["bug.x"][1]


@pytest.mark.parametrize("ending", [".txt", ".PDF", "wiki", ".gz", ".tar.x", ""])
def test_an_ending_is_one_of_ones_own(ending: str) -> None:
    with pytest.raises(ValueError, match=r"is read by augment_correction|an ending is a dot and lower-case letters"):
        register_reader(ending, read_text)


def test_a_reader_is_a_function_of_a_module() -> None:
    for read in (lambda path: "", read_text.__get__, str.strip):
        with pytest.raises(ValueError, match="no function of a module"):
            register_reader(".x", read)  # type: ignore[arg-type]
