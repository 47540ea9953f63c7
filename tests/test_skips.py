"""The cases run in a pytest of their own, as continuous integration does."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SKIPPED = {
    "by_condition": "@pytest.mark.skipif(True, reason='no chromium')\ndef test_it(): pass\n",
    "in_its_middle": "def test_it(): pytest.skip('no chromium')\n",
    "by_fixture": "@pytest.fixture\ndef page(): pytest.skip('no chromium')\ndef test_it(page): pass\n",
    "with_its_file": "pytest.importorskip('no_chromium', reason='no chromium')\ndef test_it(): pass\n",
}
ALLOWED = {"known_fault": "@pytest.mark.xfail(reason='known')\ndef test_it(): assert False\n"}


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    for name, code in {**SKIPPED, **ALLOWED}.items():
        (tmp_path / f"test_{name}.py").write_text(f"import pytest\n{code}")
    return tmp_path


def outcomes(folder: Path, *options: str) -> tuple[int, dict[str, set[str]]]:
    """Exit code, and the cases by pytest's word for their outcome."""
    command = [sys.executable, "-m", "pytest", "-p", "tests.skips", "-p", "no:cacheprovider", "-c", "pytest.ini"]
    made = subprocess.run(
        [*command, "-rA", "--continue-on-collection-errors", *options, "."],
        cwd=folder, env={"PYTHONPATH": str(ROOT), "PATH": ""}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    found: dict[str, set[str]] = {}
    for word, name in re.findall(r"^(FAILED|ERROR|SKIPPED|XFAIL)\b.*?test_(\w+)\.py", made.stdout, re.MULTILINE):
        found.setdefault(word, set()).add(name)
    assert made.stdout.count("install what is missing") >= (len(SKIPPED) if "--no-skips" in options else 0)
    return made.returncode, found


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["alone", "xdist"])
def test_what_is_skipped_has_failed(cases: Path, workers: tuple[str, ...]) -> None:
    code, found = outcomes(cases, "--no-skips", *workers)
    assert code == 1
    assert found.get("FAILED", set()) | found.get("ERROR", set()) == set(SKIPPED)
    assert "SKIPPED" not in found and found["XFAIL"] == {"known_fault"}


def test_without_the_option_it_is_skipped(cases: Path) -> None:
    code, found = outcomes(cases)
    assert (code, found["SKIPPED"]) == (0, set(SKIPPED))
