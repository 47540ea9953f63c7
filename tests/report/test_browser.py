"""The page in a real browser, where there is one."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
from functools import partial
from pathlib import Path

import pytest

from augment_correction.report import writing
from augment_correction.report.shards import ShardWriter
from tests.projects import MadeProject
from tests.report.reports import HOSTILE, UNICODE

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--virtual-time-budget=6000", "--dump-dom"),
]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium"),
]


@pytest.fixture
def report(project: MadeProject, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of several shards, with hostile documents in it."""
    monkeypatch.setattr(writing, "ShardWriter", partial(ShardWriter, size=3000))
    project.facts(range(6))
    project.write("inputs/hostile.md", HOSTILE)
    project.write("inputs/<img src=x onerror=alert(1)>.txt", UNICODE)
    project.run(checks={"language": False})
    return project.output / "report.html"


def shown(report: Path, tmp_path: Path, place: str) -> str:
    """The document's markup after its script has run."""
    assert CHROMIUM
    command = [CHROMIUM, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", f"{report.as_uri()}{place}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


def text_of(markup: str) -> str:
    body = re.sub(r"<(script|style)\b.*?</\1>", "", markup, flags=re.DOTALL)
    return html.unescape(re.sub(r"<[^>]+>", "", body))


def test_overview_documents_and_duplicates_are_drawn(report: Path, tmp_path: Path) -> None:
    assert "8 conversations from 8 passages of 8 documents" in text_of(shown(report, tmp_path, ""))
    documents = shown(report, tmp_path, "#documents")
    assert "<img src=x onerror=alert(1)>.txt" in text_of(documents)
    assert documents.count('class="strip"') == 3


def test_search_finds_what_only_a_shard_holds_and_markup_stays_text(report: Path, tmp_path: Path) -> None:
    assert list((report.parent / "report_data").glob("*.js"))
    markup = shown(report, tmp_path, "#conversations?q=Brenn")
    assert "1 passage" in text_of(markup)
    assert "</script><script>document.title='OWNED'</script>" in text_of(markup)
    assert "OWNED" not in re.search(r"<title>(.*?)</title>", markup, re.DOTALL)[1]  # type: ignore[index]
    assert markup.count("<img") == 0
    assert "no loss on this" in markup


def test_hidden_characters_are_shown_and_filters_filter(report: Path, tmp_path: Path) -> None:
    text = text_of(shown(report, tmp_path, "#conversations?q=%22turned%22&status=kept"))
    assert "U+202E" in text
    assert "U+FFFE" in text
    assert "Nothing matches." in text_of(shown(report, tmp_path, "#conversations?q=Brenn&status=rejected"))


def test_a_missing_shard_says_what_to_do(report: Path, tmp_path: Path) -> None:
    shutil.rmtree(report.parent / "report_data")
    text = text_of(shown(report, tmp_path, "#conversations?row=7"))
    assert "Keep the folder report_data/ beside report.html" in text
