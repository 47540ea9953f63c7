"""The story in a real browser, served as a user serves it: set up, chat, correct, invite, approve; on both databases, in light and dark,
on a phone; without a word in the console. WORKSPACE_PICTURES names a folder that keeps what was seen."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.report.browser import CHROMIUM, SECONDS, Browser
from tests.workspace.places import PASSWORD
from tests.workspace.serving import Served
from tests.workspace.test_corrections import SCRIPT

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium")]
UNLABELLED = """[...document.querySelectorAll('input:not([type=hidden]), textarea, select')].filter((each) => !each.labels.length)
  .map((each) => each.outerHTML).concat([...document.querySelectorAll('button, a')].filter((each) => !each.textContent.trim()
  && !each.getAttribute('aria-label')).map((each) => each.outerHTML)).concat([...document.querySelectorAll('img:not([alt])')]
  .map((each) => each.outerHTML)).concat([...document.querySelectorAll('[id]')].map((each) => each.id)
  .filter((id, place, all) => all.indexOf(id) !== place))"""
"""Fields without a label, buttons and links without words, pictures without a description, ids that are there twice."""
FAINT = """(() => {
  const parse = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
  const ground = (each) => { for (; each; each = each.parentElement) { const c = parse(getComputedStyle(each).backgroundColor);
    if (c.length === 3 || c[3] === 1) return c; } return [255, 255, 255]; };
  return [...document.querySelectorAll('main *, header *, nav *')].filter((each) => each.checkVisibility() && !each.disabled
    && [...each.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim())).map((each) => {
    const [one, other] = [light(parse(getComputedStyle(each).color)), light(ground(each))];
    return [(Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05), each.textContent.trim().slice(0, 40)];
  }).filter(([contrast]) => contrast < 4.5);
})()"""
"""Texts whose contrast with their ground is below what WCAG 2.2 AA asks."""


@pytest.fixture
def served(tmp_path: Path, database_url: str) -> Iterator[Served]:
    made = Served(tmp_path, database_url, f"delay: 0.5{SCRIPT}")
    made.start()
    yield made
    made.stop()


class Visit(Browser):
    """Looks at every page that it comes to."""

    number = 0

    async def looked(self, name: str) -> None:
        assert not await self.value(UNLABELLED), name
        assert not await self.value(FAINT), name
        assert await self.too_wide() <= 0, name
        self.number += 1
        _keep(f"{self.number:02}_{name}.png", await self.picture())

    async def fill(self, form: str, **values: str) -> None:
        """And send it: the form that holds `form`."""
        words = json.dumps(values)
        await self.leave(
            f"(() => {{ const form = document.querySelector({form!r}).closest('form'); for (const [name, value] of "
            f"Object.entries({words})) form.querySelector(`[name=${{name}}]`).value = value; form.requestSubmit("
            "form.querySelector('button')); })()"
        )

    async def answered(self) -> None:
        there = "!document.querySelector('[data-stream]') && !!document.querySelector('.messages .text')"
        async with asyncio.timeout(SECONDS):
            while not await self._there(there):  # noqa: ASYNC110
                await asyncio.sleep(0.1)

    def complaints(self) -> list[str]:
        said = [
            each["params"] for each in self.events if each["method"] in ("Log.entryAdded", "Runtime.exceptionThrown")
        ]
        return [
            json.dumps(each) for each in said if each.get("entry", {}).get("level", "error") in ("error", "warning")
        ]


def _keep(name: str, picture: bytes) -> None:
    if folder := os.environ.get("WORKSPACE_PICTURES"):
        (Path(folder) / name).write_bytes(picture)


async def test_the_story_in_a_browser(served: Served, tmp_path: Path) -> None:
    async with Visit(tmp_path / "profile") as browser:
        await browser.watch("Log", "Runtime", "Network", "Page")
        await browser.open(served.link, 1200)
        await browser.looked("setup")
        person = {
            "name": "Ada <b>Lovelace</b>",
            "email": "ada@example.org",
            "password": PASSWORD,
            "organisation": "Bridges",
        }
        await browser.fill("[name=organisation]", **person)
        home = served.root + "/o/bridges"
        await browser.looked("new_chat")
        await browser.fill("[data-composer] textarea", text="Who opened the museum?")
        await browser.answered()
        assert "Otto Meier" in await browser.value("document.querySelector('.assistant').textContent")
        await browser.looked("answer")
        await browser.fill("[data-composer] textarea", text="No, it was Ida Brandt.")
        await browser.answered()
        await browser.looked("asked_back")
        await browser.fill(".asks [name=right]")
        assert "waits for another person" in await browser.value("document.body.textContent")
        await browser.looked("confirmed")
        chat = await browser.value("location.href")
        await browser.open(f"{home}/members", 1200)
        await browser.fill("form.wide [name=email]", email="grace@example.org", role="reviewer")
        await browser.looked("invited")
        link = await browser.value("document.querySelector('#link').value")
        for page in ("members", "corrections", "versions", "jobs", "usage", "audit", "settings", "threads"):
            await browser.open(f"{home}/{page}", 1200, dark=True)
            await browser.looked(f"dark_{page}")
        for address in (chat, f"{home}/corrections", f"{home}/members", f"{home}/audit", f"{served.root}/account"):
            await browser.open(address, 375)
            await browser.looked("phone")
        await browser.forget()
        await browser.open(link, 1200)
        await browser.fill("[name=password]", name="Grace Hopper", password=PASSWORD)
        await browser.open(f"{home}/corrections", 1200)
        await browser.leave("document.querySelector('a.correction').click()")
        await browser.looked("review")
        await browser.fill("[action$='/approve'] button")
        assert "approved" in await browser.value("document.querySelector('.tag').textContent")
        await browser.looked("approved")
        await browser.leave("document.querySelector('.bar form button').click()")
        await browser.looked("signed_out")
        assert not browser.complaints()
