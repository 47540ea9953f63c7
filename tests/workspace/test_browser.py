"""The story in a real browser, served as a user serves it: set up, chat, correct, invite, approve, train, look at the verdict, activate,
compare, withdraw, roll back; documents, rows, decisions; on both databases, in light and dark, on a phone; without a word in the console
and without a serious complaint of axe. WORKSPACE_PICTURES names a folder that keeps what was seen."""

from __future__ import annotations

import asyncio
import json
import lzma
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.report.browser import CHROMIUM, SECONDS, Browser
from tests.workspace.places import PASSWORD
from tests.workspace.serving import Served
from tests.workspace.test_corrections import SCRIPT

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium")]
AXE = lzma.decompress(Path(__file__).with_name("axe-core-4.14.1.min.js.xz").read_bytes()).decode()
"""Deque's checks of accessibility as npm has them (MPL 2.0), packed."""
VIOLATIONS = """axe.run(document, {resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa',
  'best-practice']}).then((found) => found.violations.filter((each) => each.impact !== 'minor').map((each) =>
  `${each.impact} ${each.id}: ${each.help}: ${each.nodes.map((node) => node.html.slice(0, 200)).join(' | ')}`))"""
SPOKEN = SCRIPT.replace('"Ida"', '"it was Ida"').replace("contains: museum", 'contains: "the museum?"')
"""Words that no prompt of a pipeline has."""
PICTURES = os.environ.get("WORKSPACE_PICTURES")
FACT, OTHER_FACT = "Who opened the museum?", "Which stone has the museum?"
DOCUMENT = (
    "The bridge of Ander has nine arches. It was built in 1911 by Jon Prell. The stone came from the quarry of Talmar. "
    * 3
)
OTHER_DOCUMENT = (
    "The lighthouse of Vrede stands on the northern cape. It was lit in 1874 and burns gas since 1902. " * 4
)


@pytest.fixture
def served(tmp_path: Path, database_url: str) -> Iterator[Served]:
    (tmp_path / "trained.yaml").write_text('rules: [{contains: museum, text: "Ida Brandt opened the museum."}]')
    made = Served(tmp_path, database_url, f"delay: 0.3{SPOKEN}", backend="local", program="tests.workspace.quick")
    made.start()
    yield made
    (tmp_path / "go").touch()  # no training is left behind
    made.stop()


class Visit(Browser):
    """Looks at every page that it comes to."""

    number = 0
    checks = True

    async def looked(self, name: str) -> None:
        if not self.checks:
            return
        if not await self.value("'axe' in window"):
            await self.value(f"{AXE}; 0")
        assert not await self.value(VIOLATIONS), name
        assert await self.too_wide() <= 0, name
        self.number += 1
        await self.keep(f"{self.number:02}_{name}")

    async def keep(self, name: str) -> None:
        """What is in the window, for whoever wants to see it: to draw and to pack it takes longer than to look at it."""
        if PICTURES:
            await asyncio.to_thread(Path(PICTURES, f"{name}.png").write_bytes, await self.picture())

    async def fill(self, form: str, **values: str) -> None:
        """And send it: the form that holds `form`."""
        words = json.dumps(values)
        await self.leave(
            f"(() => {{ const form = document.querySelector({form!r}).closest('form'); for (const [name, value] of "
            f"Object.entries({words})) form.querySelector(`[name=${{name}}]`).value = value; form.requestSubmit("
            "form.querySelector('button')); })()"
        )

    async def say(self, text: str, home: str = "") -> str:
        """In the chat that is open, or in a new one of `home`; the first answer of it, once the model has answered."""
        if home:
            await self.open(f"{home}/threads", 1200)
        await self.fill("[data-composer] textarea", text=text)
        await self.there("!document.querySelector('[data-stream]') && !!document.querySelector('.messages .text')")
        return str(await self.value("document.querySelector('.assistant').textContent"))

    async def ended(self) -> None:
        """The job whose page this is; the page follows it by itself."""
        await self.there("!document.querySelector('[data-live]') && !!document.querySelector('#live .tag')")

    async def there(self, expression: str) -> None:
        """On this page or one that it becomes."""
        async with asyncio.timeout(SECONDS):
            while not await self._there(expression):  # noqa: ASYNC110
                await asyncio.sleep(0.1)

    async def words(self) -> str:
        return str(await self.value("document.querySelector('main').textContent.replace(/\\s+/g, ' ')"))

    async def press_link(self, selector: str) -> None:
        await self.leave(f"document.querySelector({selector!r}).click()")

    async def sign_in(self, root: str, email: str) -> None:
        await self.forget()
        await self.open(f"{root}/login", 1200)
        await self.fill("[name=password]", email=email, password=PASSWORD)

    async def choose(self, selector: str, *files: Path) -> None:
        """Files for an upload."""
        document = await self._call("DOM.getDocument")
        field = await self._call("DOM.querySelector", nodeId=document["root"]["nodeId"], selector=selector)
        await self._call("DOM.setFileInputFiles", nodeId=field["nodeId"], files=[str(each) for each in files])

    def complaints(self) -> list[str]:
        """Of the console, but that a page which is not there is not there."""
        said = [
            each["params"] for each in self.events if each["method"] in ("Log.entryAdded", "Runtime.exceptionThrown")
        ]
        loud = [each for each in said if each.get("entry", {}).get("level", "error") in ("error", "warning")]
        return [json.dumps(each) for each in loud if not each.get("entry", {}).get("url", "").endswith("/nothing")]


@pytest.mark.slow
async def test_the_story_in_a_browser(served: Served, database_url: str, tmp_path: Path) -> None:
    async with Visit(tmp_path / "profile") as browser:
        browser.checks = database_url.startswith("sqlite")  # how a page looks does not depend on it
        await browser.watch("Log", "Runtime", "Network", "Page")
        home = served.root + "/o/bridges"
        await a_correction_is_approved(browser, served, home)
        await browser.sign_in(served.root, "ada@example.org")
        await a_version_is_trained_and_activated(browser, home, tmp_path / "go")
        await it_is_compared_and_rolled_back(browser, home)
        await documents_become_rows(browser, home, tmp_path)
        if browser.checks:
            await every_page_is_looked_at(browser, served.root, home)
        assert browser.complaints() == []


async def a_correction_is_approved(browser: Visit, served: Served, home: str) -> None:
    await browser.open(served.link, 1200)
    await browser.looked("setup")
    person = {
        "name": "Ada <b>Lovelace</b>",
        "email": "ada@example.org",
        "password": PASSWORD,
        "organisation": "Bridges",
    }
    await browser.fill("[name=organisation]", **person)
    await browser.looked("new_chat")
    assert "Otto Meier" in await browser.say(FACT)
    await browser.looked("answer")
    await browser.say("No, it was Ida Brandt.")
    await browser.looked("asked_back")
    await browser.fill(".asks [name=right]")
    assert "waits for another person" in await browser.value("document.body.textContent")
    await browser.looked("confirmed")
    await browser.say(OTHER_FACT, home)
    await browser.fill("[name=right]", right="Granite of Talmar")
    await browser.open(f"{home}/members", 1200)
    await browser.fill("form.wide [name=email]", email="grace@example.org", role="reviewer")
    await browser.looked("invited")
    link = await browser.value("document.querySelector('#link').value")
    await browser.forget()
    await browser.open(link, 1200)
    await browser.looked("invitation")
    await browser.fill("[name=password]", name="Grace Hopper", password=PASSWORD)
    for number in range(2):
        await browser.open(f"{home}/corrections", 1200)
        if not number:
            await browser.looked("queue")
        await browser.press_link("a.correction")
        await browser.looked("review")
        await browser.fill("[action$='/approve'] button")
        assert "approved" in await browser.value("document.querySelector('.card .tag').textContent")
    await browser.looked("approved")
    await browser.leave("document.querySelector('.bar form button').click()")
    await browser.looked("signed_out")


async def a_version_is_trained_and_activated(browser: Visit, home: str, go: Path) -> None:
    await browser.open(f"{home}/versions", 1200)
    await browser.looked("before_training")
    await browser.press_link("[action$='/versions'] button")
    await browser.there("!!document.querySelector('.steps progress') && !!document.querySelector('.curve')")
    assert "Training" in await browser.words()
    await browser.looked("training")
    await asyncio.to_thread(go.touch)
    await browser.ended()
    assert "done" in await browser.value("document.querySelector('#live .tag').textContent")
    await browser.looked("trained")
    await browser.press_link("#live .button")
    words = await browser.words()
    assert "accepted" in words and "efficacy" in words and "100 %" in words and FACT in words and OTHER_FACT in words
    await browser.looked("verdict")
    await browser.fill("[action$='/activate'] button")
    assert "Version 1" in await browser.value("document.querySelector('.now .large').textContent")
    await browser.looked("activated")
    said = await browser.say(FACT, home)
    assert "Ida Brandt" in said and "version 1" in said
    await browser.looked("answered_by_version_1")


async def it_is_compared_and_rolled_back(browser: Visit, home: str) -> None:
    await browser.open(f"{home}/versions", 1200)
    await browser.fill("[name=question]", question=FACT, one="", other="1")
    words = await browser.words()
    assert "Otto Meier" in words and "Ida Brandt" in words
    await browser.looked("compared")
    await browser.open(f"{home}/corrections?state=approved", 1200)
    await browser.leave(
        f"[...document.querySelectorAll('a.correction')].find((each) => each.textContent.includes({OTHER_FACT!r})).click()"
    )
    await browser.fill("[action$='/withdraw'] button", reason="It is sandstone")
    assert "withdrawn" in await browser.value("document.querySelector('.card .tag').textContent")
    await browser.looked("withdrawn")
    await browser.open(f"{home}/versions", 1200)
    words = await browser.words()
    assert "0 more and 1 fewer" in words and "The last training took" in words and "$0.06" in words
    await browser.press_link("[action$='/versions'] button")
    await browser.ended()
    await browser.press_link("#live .button")
    words = await browser.words()
    assert "Version 2" in words and FACT in words and OTHER_FACT not in words
    await browser.looked("without_it")
    await browser.open(f"{home}/versions", 1200)
    await browser.fill("[action$='/rollback'] button")
    assert "base model" in await browser.value("document.querySelector('.now .large').textContent")
    await browser.looked("rolled_back")


async def documents_become_rows(browser: Visit, home: str, folder: Path) -> None:
    files = [folder / "bridge.txt", folder / "light.txt"]
    for file, text in zip(files, (DOCUMENT, OTHER_DOCUMENT), strict=True):
        file.write_text(text)
    await browser.open(f"{home}/datasets", 1200)
    await browser.looked("no_dataset")
    await browser.choose("[type=file]", *files)
    await browser.fill("[type=file]", name="Bridges and lights")
    await browser.ended()
    assert "What it takes" in await browser.words() and "2 documents with 2 passages" in await browser.words()
    await browser.looked("dataset_before")
    await browser.fill("[action$='/start'] button")
    assert await browser.value("!!document.querySelector('[data-live] .steps')")
    await browser.looked("run")
    await browser.ended()
    assert "2 conversations" in await browser.words()
    await browser.looked("rows")
    await browser.fill(".row [value=reject] ~ button")
    await browser.leave("document.querySelector('.row:last-of-type [value=approve] ~ button').click()")
    await browser.leave(
        "(() => { const row = [...document.querySelectorAll('.row')].at(-1); const form = row.querySelector('details form'); "
        "[...form.querySelectorAll('textarea')].at(-1).value = 'Nine arches, and no more.'; form.requestSubmit(); })()"
    )
    words = await browser.words()
    assert "dropped" in words and "approved" in words and "edited" in words and "Nine arches, and no more." in words
    await browser.looked("decided")
    await browser.fill("[action$='/write'] button")
    await browser.ended()
    assert "1 conversation" in await browser.words()
    rows = await browser.value(
        "fetch(document.querySelector('[href$=\"/file\"]').href).then((answer) => answer.json())"
    )
    assert len(rows) == 1 and "Nine arches, and no more." in json.dumps(rows)
    report = await browser.value("document.querySelector('[href$=\"/report\"]').href")
    await browser.open(report, 1200)
    await browser.keep("report")


async def every_page_is_looked_at(browser: Visit, root: str, home: str) -> None:
    """In the dark and on a phone; those that were not come to in the light, too."""
    chat = await _first(browser, f"{home}/threads", ".threads li a")
    dataset = await _first(browser, f"{home}/datasets", "a.correction")
    job = await _first(browser, f"{home}/jobs", "td a")
    correction = await _first(browser, f"{home}/corrections?state=approved", "a.correction")
    pages = [
        *(
            f"{home}/{page}"
            for page in ("members", "corrections", "versions", "versions/1", "datasets", "jobs", "usage")
        ),
        *(f"{home}/{page}" for page in ("audit", "settings", "threads", "nothing")),
        *(chat, dataset, job, correction, f"{root}/account", f"{root}/organisations"),
    ]
    for address in pages:
        name = address.removeprefix(home).removeprefix(root).strip("/").split("?")[0].replace("/", "_")
        await browser.open(address, 1200, dark=True)
        await browser.looked(f"dark_{name}")
        await browser.open(address, 375)
        await browser.looked(f"phone_{name}")


async def _first(browser: Visit, address: str, selector: str) -> str:
    await browser.open(address, 1200)
    return str(await browser.value(f"document.querySelector({selector!r}).href"))
