"""A chat as a browser shows it: when each message was written, by the clock of whoever reads."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from augment_correction.workspace.database import Database
from augment_correction.workspace.tables import ChatMessage
from tests.report.browser import CHROMIUM
from tests.workspace.places import PASSWORD
from tests.workspace.serving import Served
from tests.workspace.test_browser import Visit

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium")]
OWNER = {"name": "Ada", "email": "ada@example.org", "password": PASSWORD, "organisation": "Bridges"}
SCRIPT = """
rules:
  - {contains: "", text: "Otto Meier opened it in 1911."}
"""


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
