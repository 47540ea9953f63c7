"""kill -9 of the web process while it answers: what was shown is there, and the chat goes on. Many open streams hold no connection."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from augment_correction.workspace import threads
from augment_correction.workspace.answering import follow
from augment_correction.workspace.database import Database
from augment_correction.workspace.tables import ChatMessage, Organisation, Thread, User, now
from tests.workspace.places import PASSWORD, Place
from tests.workspace.serving import Served

SLOW = 'delay: 30\nrules: [{contains: "", text: "' + " ".join(f"word{number}" for number in range(300)) + '"}]\n'


@pytest.fixture
def served(tmp_path: Path, database_url: str) -> Iterator[Served]:
    made = Served(tmp_path, database_url, SLOW)
    made.start()
    yield made
    made.kill()


def test_the_web_process_is_killed_while_it_answers(served: Served, database_url: str) -> None:
    ada = served.person()
    ada.get(served.link)
    ada.post(served.link, {"name": "Ada", "email": "ada@example.org", "password": PASSWORD, "organisation": "Bridges"})
    ada.post("/o/bridges/threads", {"text": "Tell me a long story"})
    found = re.search(r'data-stream="([^"]+)"', ada.page)
    assert found
    shown = ""
    with ada.client.stream("GET", f"{found[1]}?from=0") as answer:
        for line in answer.iter_lines():
            if line.startswith("data:"):
                shown += line.removeprefix('data: "').removesuffix('"')
            if len(shown) > 60:
                served.kill()
                break
    served.start()
    database = Database(database_url)
    with database.as_system(writes=True) as session:  # as if its silence had lasted
        session.execute(update(ChatMessage).values(beat=now() - 2 * threads.SILENT))
    database.close()
    path = found[1].rsplit("/", 2)[0]
    ada.get(path)
    assert shown in ada.text and threads.BROKEN_OFF in ada.text
    ada.post(path, {"text": "Go on"})
    assert ada.status == 200 and "data-stream" in ada.page


async def test_fifty_open_streams_hold_no_connection_and_pages_answer(open_place: Callable[..., Place]) -> None:
    place = open_place(pool=5)
    ada = await asyncio.to_thread(place.owner)
    with place.site.database.as_system(writes=True) as session:
        organisation = session.execute(select(Organisation.id)).scalar_one()
        user = session.execute(select(User.id)).scalar_one()
        thread = Thread(org_id=organisation, author_id=user, title="x")
        session.add(thread)
        session.flush()
        message = ChatMessage(
            org_id=organisation, thread_id=thread.id, position=0, role="assistant", text="so far", state="streaming",
            author_id=user, beat=now() + timedelta(hours=1),
        )  # fmt: skip
        session.add(message)

    async def watch() -> int:
        return len([each async for each in follow(place.site.database, organisation, thread.id, message.id, 0)])

    streams = [asyncio.create_task(watch()) for _ in range(50)]
    held, begun = [], time.monotonic()
    pool = place.site.database.engine.pool
    while time.monotonic() - begun < 3:
        held.append(pool.checkedout())  # type: ignore[attr-defined]
        await asyncio.sleep(0.01)
    await asyncio.to_thread(ada.get, ada.at("/members"))
    assert ada.status == 200 and max(held) <= 5 and min(held) == 0
    with place.site.database.as_system(writes=True) as session:
        session.execute(update(ChatMessage).values(state="whole", text="so far, so good"))
    assert await asyncio.gather(*streams) == [2] * 50
