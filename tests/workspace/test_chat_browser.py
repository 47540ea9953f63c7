"""A chat as a browser shows it: a reply while it is written, and when each message was written, by the clock of whoever reads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest
import yaml
from sqlalchemy import select

from augment_correction.workspace.database import Database
from augment_correction.workspace.tables import ChatMessage
from tests.report.browser import CHROMIUM
from tests.workspace.places import PASSWORD
from tests.workspace.serving import Served
from tests.workspace.test_browser import Visit

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium")]
OWNER = {"name": "Ada", "email": "ada@example.org", "password": PASSWORD, "organisation": "Bridges"}
HOSTILE = "\n\n".join(
    [
        *(
            "Before",
            "<script>window.hacked = 1</script>",
            "<img src=x onerror='window.hacked = 1'>",
            "[x](javascript:window.hacked=1)",
        ),
        "```js</code></pre><script>window.hacked = 1</script>\n</code></pre><svg onload='window.hacked = 1'>\n```",
        "- <iframe srcdoc='<script>parent.hacked = 1</script>'>\n- ![x](https://evil.example/x.png)",
        *("<scr", "ipt>window.hacked = 1</scr", "ipt>", "[x](https://x.example/)", "The end"),
    ]
)
SCRIPT = yaml.safe_dump(
    {
        "delay": 4,
        "rules": [
            {
                "contains": "Ander",
                "text": f"The **bridge** of Ander:\n\n```\nnine = 9\n```\n\nIts stone came from the {'far ' * 40}quarry.",
            },
            {"contains": "hostile", "text": HOSTILE},
            {"contains": "", "text": "Otto Meier opened it in 1911."},
        ],
    }
)


@pytest.fixture
async def visit(tmp_path: Path) -> AsyncIterator[Visit]:
    """A new chat of an owner; what the model says is the script."""
    served = Served(tmp_path, f"sqlite:///{tmp_path}/workspace.db", SCRIPT)
    served.start()
    async with Visit(tmp_path / "profile") as browser:
        await browser.watch("Log", "Runtime", "Network", "Page")
        await browser.open(served.link, 1200)
        await browser.fill("[name=organisation]", **OWNER)
        yield browser
        assert browser.complaints() == []
    served.stop()


async def test_days_and_times_are_those_of_the_reader(visit: Visit, tmp_path: Path) -> None:
    for _ in range(2):
        await visit.say("Who opened the museum?")
    assert await visit.value("document.querySelectorAll('.day').length") == 0  # all of it is of today
    database = Database(f"sqlite:///{tmp_path}/workspace.db")
    moments = ("2025-12-30T14:58:00Z", "2025-12-30T15:02:00Z", "2025-12-31T01:00:00Z", "2025-12-31T16:00:00Z")
    with database.as_system(writes=True) as session:
        said = session.execute(select(ChatMessage).order_by(ChatMessage.position)).scalars()
        for message, moment in zip(said, moments, strict=True):
            message.created = datetime.fromisoformat(moment)
    database.close()
    await visit._call("Emulation.setTimezoneOverride", timezoneId="Asia/Tokyo")
    await visit.open(await visit.value("location.href"), 1200)
    shown = "[...document.querySelectorAll('.day, [data-clock]')].map((each) => each.textContent)"
    assert await visit.value(shown) == [
        "Tuesday, 30 December 2025", "23:58", "Wednesday, 31 December 2025", "00:02", "10:00", "Thursday, 1 January 2026", "01:00",
    ]  # fmt: skip
    assert await visit.value("document.querySelector('[data-clock]').title") == "30 Dec 2025, 23:58"


PLACES = """[...document.querySelectorAll('.messages > li, .messages > .assistant:last-child .text > *:not(:last-child), .composer')].map((each) =>
  [each.tagName, each.offsetTop, each.offsetHeight])"""
"""Where the messages stand, and the blocks of the last one."""


async def test_a_reply_is_rendered_while_it_is_written_and_nothing_jumps_at_its_end(visit: Visit) -> None:
    await visit.say("Who opened the museum?")
    await visit.write("Tell me of Ander")
    await visit.press("Enter")
    streaming = "document.querySelector('.words')"
    await visit.there(f"!!{streaming} && !!{streaming}.querySelector('pre > code')")
    assert await visit.value(f"{streaming}.querySelector('strong').textContent") == "bridge"
    assert "**" not in await visit.value(f"{streaming}.textContent")
    await visit.value(f"window.stays = {streaming}.querySelector('strong'); 0")
    await visit.write("Something else")  # the next message, meanwhile
    await visit.there(f"!!{streaming}.querySelector('pre + p')")
    during = []
    while await visit.value(f"!!{streaming}"):
        assert await visit.value("window.stays.isConnected")  # what was marked in it stays marked
        during = await visit.value(PLACES) or during
        await asyncio.sleep(0.05)
    await visit.there("document.querySelector('#answered').textContent.includes('quarry')")
    after = await visit.value(PLACES)
    assert [each[1] for each in during] == [each[1] for each in after]
    assert await visit.value("document.querySelectorAll('[action$=\"/again\"]').length") == 1
    assert await visit.value("document.querySelector('[data-composer] textarea').value") == "Something else"
    assert await visit.value("window.innerHeight + window.scrollY - document.body.scrollHeight") >= -1


async def test_a_hostile_reply_is_harmless_while_it_comes(visit: Visit) -> None:
    await visit.write("Be hostile")
    await visit.press("Enter")
    await visit.there("!!document.querySelector('.words')")
    await visit.value(
        "window.seen = new Set(); new MutationObserver(() => document.querySelectorAll('.assistant .text *').forEach((each) => "
        "[each.tagName, ...each.getAttributeNames()].forEach((name) => seen.add(name)))"
        ").observe(document.querySelector('.messages'), {childList: true, subtree: true}); 0"
    )
    await visit.there("document.querySelector('#answered').textContent.includes('The end')")
    assert await visit.value("[...window.seen].sort()") == ["A", "CODE", "LI", "P", "PRE", "UL", "class", "href", "rel"]
    assert await visit.value("window.hacked") is None
    links = "[...document.querySelectorAll('.assistant .text a')].map((each) => each.href)"
    assert await visit.value(links) == ["https://evil.example/x.png", "https://x.example/"]


INSIDE = """((selector) => { const box = document.querySelector(selector).getBoundingClientRect();
  return box.height > 0 && box.top >= 0 && box.bottom <= window.innerHeight + 1; })"""
"""Whether all of an element is in the window."""


@pytest.mark.parametrize("width", [375, 1200])
async def test_what_matters_is_in_sight(visit: Visit, width: int) -> None:
    home = (await visit.value("location.href")).removesuffix("/threads")
    for _ in range(3):  # on a phone the list of chats comes after the chat
        await visit.say("Who opened the museum?", home)
    for _ in range(4):
        await visit.open(await visit.value("location.href"), width)
        assert await visit.value(f"{INSIDE}('.composer')")
        await visit.say("And who paid for it?")
    assert await visit.value(f"{INSIDE}('.composer') && {INSIDE}('.messages > li:last-child')")
    flagged = "#" + await visit.value("document.querySelector('.assistant').id")
    await visit.fill(f"{flagged} [name=right]", right="It was Ida Brandt.")
    assert await visit.value(f"{INSIDE}('.notice') && {INSIDE}({flagged!r})")
    await visit.press_link(".user .tools a")
    await visit.there("document.activeElement.id === 'edited'")
    assert await visit.value(f"{INSIDE}('#edited')")


async def test_the_first_field_and_the_wrong_one_have_the_focus(visit: Visit) -> None:
    root = (await visit.value("location.href")).partition("/o/")[0]
    await visit.forget()
    await visit.open(f"{root}/login", 1200)
    await visit.write("ada@example.org")
    await visit.fill("[name=password]", password="a wrong password of a person", code="x")
    assert await visit.value("document.querySelector('[name=email]').value") == "ada@example.org"
    await visit.sign_in(root, "ada@example.org")
    await visit.open(f"{root}/account", 1200)
    await visit.fill("[autocomplete=new-password]", current=PASSWORD, password="short")
    assert await visit.value("document.activeElement.autocomplete") == "new-password"
    visit.events.clear()  # a form that is refused is told in the console, too
