"""Modules that lie among somebody's documents are documents and no modules of ours."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.documents.test_stream import PACKAGE, collect, fill

NAMES = ("docx", "json", "lxml", "pypdfium2", "jinja2", "sitecustomize", "usercustomize", "augment_correction")


async def test_a_module_in_the_working_folder_is_not_imported_by_the_reader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person often stands in the folder of the documents. An empty entry in the path, which `python -c` and a shell of
    Python have, means the folder where one stands."""
    fill(tmp_path)
    for name in NAMES:
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'RAN')!r}, 'a').write({name!r})", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    assert PACKAGE in sys.path or any(PACKAGE in place for place in sys.path)
    batches = await collect(tmp_path)
    assert sum(len(batch.documents) for batch in batches) > 40
    assert not (tmp_path / "RAN").exists()
