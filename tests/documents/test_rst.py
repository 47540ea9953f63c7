from __future__ import annotations

from pathlib import Path

import pytest

from augment_correction.records import Document

from .files import read


def rst(folder: Path, text: str) -> Document:
    (folder / "a.rst").write_text(text)
    documents, unread = read(folder)
    assert not unread
    return documents[0]


def test_sections_lists_tables_code_and_equations(tmp_path: Path) -> None:
    document = rst(
        tmp_path,
        "======\nRivers\n======\n\nThe Elbe is *1,094* km, see `the map <http://e.example/x>`_, :math:`\\alpha^2`.\n\n"
        "Bridges\n-------\n\n.. COMMENT\n\n- one\n\n  - inner\n\n- two\n\n.. code-block:: python\n\n   def f(x):\n       return x < 3\n\n"
        "====  ====\nName  Km\n====  ====\nOder  840\n====  ====\n\n.. math::\n\n   E = m c^2\n\nTerm\n   Meaning\n\nA fact [1]_.\n\n.. [1] The note.\n",
    )
    assert document.text == (
        "# Rivers\n\nThe Elbe is 1,094 km, see the map, $\\alpha^2$.\n\n## Bridges\n\n- one\n  - inner\n- two\n\n"
        "```python\ndef f(x):\n    return x < 3\n```\n\n| Name | Km |\n| --- | --- |\n| Oder | 840 |\n\n$$E = m c^2$$\n\n"
        "Term\n: Meaning\n\nA fact [1].\n\n[1]\n\nThe note."
    )
    assert [(each.level, each.title) for each in document.headings] == [(1, "Rivers"), (2, "Bridges")]
    assert (document.title, document.media_type) == ("Rivers", "text/x-rst")


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (".. function:: foo(x)\n   :module: bar\n\n   Adds. See :func:`~os.path` and :ref:`the text <x>`.\n", "foo(x)\n\nAdds. See os.path and the text."),
        (".. versionadded:: 3.2\n   With *more*.\n", "Added in version 3.2\n\nWith more."),
        (".. tab-set::\n\n   .. tab-item:: Linux\n\n      Use apt.\n", "Linux\n\nUse apt."),
        (".. code-block:: c\n   :emphasize-lines: 2\n\n   int x;\n   int y;\n", "```c\nint x;\nint y;\n```"),
        (".. figure:: x.png\n   :unknown: y\n\n   Caption.\n", "Caption."),
        ("Kept.\n\n.. toctree::\n   :maxdepth: 2\n\n   LEFT-OUT\n\n.. automodule:: LEFT.OUT\n   :members:\n", "Kept."),
        ("Broken `link and |unknown| end.\n", "Broken `link and |unknown| end."),
        ("Title\n====\n\nToo short a line.\n", "# Title\n\nToo short a line."),
    ],
)  # fmt: skip
def test_what_docutils_does_not_know_is_not_lost(tmp_path: Path, source: str, text: str) -> None:
    assert rst(tmp_path, source).text == text


def test_nothing_is_included_and_no_raw_page_passes(tmp_path: Path) -> None:
    secret = tmp_path / "secret.inc"
    secret.write_text("SECRET")
    source = (
        f"Kept.\n\n.. include:: {secret}\n\n.. literalinclude:: {secret}\n\n.. csv-table::\n   :file: {secret}\n\n"
        ".. raw:: html\n\n   <p>RAW</p>\n\n.. raw:: html\n   :file: secret.inc\n"
    )
    (tmp_path / "a.rst").write_text(source)
    [document] = read(tmp_path)[0]
    assert document.text == "Kept."
