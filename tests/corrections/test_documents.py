"""The documents that a correction is checked by, from a folder and from an address."""

from __future__ import annotations

from pathlib import Path

import fsspec
import pytest

from augment_correction.corrections.documents import passages_of
from tests.corrections.making import chat_project

TEXT = "The museum of Halmstett was opened by Ida Brandt in 1911.\n"


async def test_from_a_folder_and_from_an_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUGMENT_CORRECTION_CACHE", str(tmp_path / "cache"))
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "history.md").write_text(TEXT)
    with fsspec.open("memory://chat_documents/history.md", "w") as file:
        file.write(TEXT)
    said = list[str]()
    found = []
    for place in (str(tmp_path / "docs"), "memory://chat_documents"):
        config = chat_project(tmp_path)
        config = config.model_copy(update={"path": config.path.model_copy(update={"input_dir": place})})
        found.append([(name, chunk.text) for name, chunk in await passages_of(config, said.append)])
    assert found[0] == found[1] == [("history.md", TEXT.strip())]
    [line] = said
    assert line.startswith("memory://chat_documents: 1 files, 1 fetched")
