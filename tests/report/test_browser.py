"""The page in a real browser, where there is one."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from augment_correction.report import writing
from augment_correction.report.shards import ShardWriter
from tests.projects import MadeProject
from tests.report.browser import CHROMIUM, FLAGS, SECONDS, Browser
from tests.report.reports import HOSTILE, UNICODE

DUMP = [*FLAGS, "--virtual-time-budget=6000", "--dump-dom"]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium"),
]


@pytest.fixture
def report(project: MadeProject, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of several shards, with hostile documents in it."""
    monkeypatch.setattr(writing, "ShardWriter", partial(ShardWriter, size=3000))
    project.facts(range(6))
    project.write("inputs/hostile.txt", HOSTILE)
    project.write("inputs/<img src=x onerror=alert(1)>.txt", UNICODE)
    project.run(checks={"language": False})
    return project.output / "report.html"


def shown(report: Path, tmp_path: Path, place: str) -> str:
    """The document's markup after its script has run."""
    assert CHROMIUM
    command = [CHROMIUM, *DUMP, f"--user-data-dir={tmp_path / 'profile'}", f"{report.as_uri()}{place}"]
    markup = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=True).stdout
    assert "[object" not in text_of(markup)
    return markup


def text_of(markup: str) -> str:
    body = re.sub(r"<(script|style)\b.*?</\1>", "", markup, flags=re.DOTALL)
    return html.unescape(re.sub(r"<[^>]+>", "", body))


def test_overview_documents_and_duplicates_are_drawn(report: Path, tmp_path: Path) -> None:
    overview = text_of(shown(report, tmp_path, ""))
    assert "8 conversations from 8 passages of 8 documents" in overview
    assert "What was drawn" in overview and "How messages begin" in overview
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


KINDS = {"correct_after_mistake": 2, "stand_by": 1, "user_wrong": 1, "partial": 1, "self_noticed": 1}


@pytest.fixture
def kinds(project: MadeProject) -> Path:
    """Of five kinds of conversation, with rejects at several stages and a gate."""
    project.facts(range(60))
    project.write("inputs/contents.txt", "Table of contents. One, page 1. Two, page 2. Three, page 3. Four, page 4.")
    project.write("large.yaml", "rules: [{contains: 'Ander1', text: 'I would rather not.'}]")
    project.run(
        api={"large_script": "large.yaml"},
        shares={"kind": KINDS},
        checks={"grounded": True, "grounded_standing": True},
        gate={"share": 0.1},
    )
    return project.output / "report.html"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_the_flow_is_whole_and_labels_stand_apart_at_every_width(kinds: Path, tmp_path: Path, dark: bool) -> None:
    names = "[...document.querySelectorAll('.flow-name')].map((each) => each.textContent)"
    cut = "[...document.querySelectorAll('.flow-label > span')].filter((each) => each.scrollWidth > each.clientWidth + 1).length"
    async with Browser(tmp_path / "profile") as browser:
        for width in (1280, 1000, 700, 390, 360):
            await browser.open(kinds.as_uri(), width, dark=dark)
            shown = await browser.value(names)
            assert len(shown) >= 10 and any("wrong user conversation" in name for name in shown), width
            assert (
                await browser.overlapping(
                    ".flow-label .flow-name, .flow-list .flow-line > *, .flow-count, .flow-out, .flow-label > .flow-note"
                )
                == []
            ), width
            assert await browser.value(cut) == 0, width
            assert await browser.too_wide() <= 0, width
            if width != 1000:  # there it depends on the letters that the machine has
                assert await browser.value("!!document.querySelector('.flow-list')") is (width < 1000)
        for place in ("documents", "conversations", "duplicates"):
            await browser.open(f"{kinds.as_uri()}#{place}", 390, dark=dark)
            assert await browser.too_wide() <= 0, place


async def test_branches_of_the_flow_stand_beside_each_other(kinds: Path, tmp_path: Path) -> None:
    """No way leads from a stage for one kind to a stage for another, and what leaves a bar is as high as what comes."""
    async with Browser(tmp_path / "profile") as browser:
        await browser.open(kinds.as_uri(), 1280)
        places = await browser.value(
            "Object.fromEntries([...document.querySelectorAll('.flow-label')].filter((each) => each.querySelector('.flow-name'))"
            ".map((each) => [each.querySelector('.flow-name').textContent, Math.round(each.getBoundingClientRect().left)]))"
        )
    writing = {left for name, left in places.items() if name.endswith(" conversation")}
    assert len(writing) == 1
    assert places["grounded"] == places["grounded standing"] > writing.pop() > places["judgement"] > places["passages"]
    assert places["kept"] > places["selection"] > places["grounded"]


async def test_a_legend_names_the_stage_of_each_reason(kinds: Path, tmp_path: Path) -> None:
    legend = "[...document.querySelectorAll('.legend li')].map((each) => each.textContent)"
    async with Browser(tmp_path / "profile") as browser:
        await browser.open(f"{kinds.as_uri()}#documents", 1280)
        shown = await browser.value(legend)
    reasons = [text for text in shown if text.startswith("missing field")]
    assert len(reasons) > 1
    assert any("(masked conversation)" in text for text in reasons)
    assert len(set(shown)) == len(shown)


def test_the_policy_of_the_page_stops_what_would_get_into_it(report: Path, tmp_path: Path) -> None:
    """Markup of an attacker in the page itself, as if a text had got out of its data."""
    heard: list[str] = []

    class Listener(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(self.path)
            self.send_error(404)

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Listener) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        attack = (
            f"<script>document.title='OWNED'; fetch('{url}/fetch')</script><script src='{url}/script.js'></script>"
            f"<img src='{url}/image' onerror=\"document.title='OWNED'\"><link rel='stylesheet' href='{url}/style.css'>"
            f"<iframe src='{url}/frame'></iframe><form id='f' action='{url}/form' method='post'></form>"
            f"<object data='{url}/object'></object><style>body {{ background: url({url}/background) }}</style>"
            "<a href=\"javascript:document.title='OWNED'\" id='a'>x</a><svg onload=\"document.title='OWNED'\"></svg>"
        )
        text = report.read_text("utf-8")
        report.write_text(text.replace('<header class="bar">', f'{attack}<header class="bar">', 1), "utf-8")
        markup = shown(report, tmp_path, "")
        server.shutdown()
    assert "8 conversations from 8 passages" in text_of(markup) and "/image" in markup
    assert "OWNED" not in re.search(r"<title>(.*?)</title>", markup, re.DOTALL)[1]  # type: ignore[index]
    assert heard == []
