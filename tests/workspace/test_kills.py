"""kill -9 of the web process while it answers, of a worker in each phase of a job, and of PostgreSQL while both are at work: what was
shown is there, and everything ends once. Many open streams hold no connection."""

from __future__ import annotations

import asyncio
import json
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from augment_correction.workspace import jobs, learning, threads, working
from augment_correction.workspace.answering import follow
from augment_correction.workspace.audit import Actor
from augment_correction.workspace.database import Database
from augment_correction.workspace.settings import Settings
from augment_correction.workspace.tables import ChatMessage, Job, ModelVersion, Organisation, Thread, User, now
from augment_correction.workspace.working import Worker
from tests.workspace.conftest import Server
from tests.workspace.places import PASSWORD, Person, Place, settings_in
from tests.workspace.serving import Served
from tests.workspace.test_versions import TRAINING, all_of, approved, organisation_of

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
    with ada.client.stream("GET", found[1]) as answer:
        for line in answer.iter_lines():
            if line.startswith("data:"):
                shown = re.sub("<[^>]+>", "", json.loads(line.removeprefix("data: "))["html"]).strip()
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


class Killed(BaseException):
    """A worker that is gone: nothing that catches failures catches it."""


def test_one_job_outlives_a_worker_in_each_of_its_phases(
    place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(working, "POLL", 0.05)
    monkeypatch.setattr(jobs, "LEASE", timedelta(0))
    ada = place.owner()
    queue_training(place, ada, monkeypatch, tmp_path / "go")
    (tmp_path / "go").touch()
    for gone, name, after in (
        (working.jobs, "beat", False),  # the job is taken
        (working.Slot, "start", False),  # its start is noted
        (working.Slot, "start", True),  # its process runs
        (working, "harvest", False),  # it has ended
        (working, "harvest", True),  # its version is written down
        (working.jobs, "finish", False),
    ):
        with monkeypatch.context() as dying, pytest.raises(Killed):
            dying.setattr(gone, name, dies(getattr(gone, name), after=after))
            Worker(place.settings, place.site.database).work()
        assert all_of(place, Job)[0].state == "running"
    assert Worker(place.settings, place.site.database).work()
    [job] = all_of(place, Job)
    assert (job.state, job.result) == ("done", "Version 1: the acceptance test accepts it. It can be activated.")
    assert len(all_of(place, ModelVersion)) == 1 and job.tries == 2
    assert not Worker(place.settings, place.site.database).work()


def dies(real: Callable[..., Any], *, after: bool) -> Callable[..., Any]:
    def last(*given: Any, **named: Any) -> Any:
        if after:
            real(*given, **named)
        raise Killed

    return last


def queue_training(place: Place, person: Person, monkeypatch: pytest.MonkeyPatch, go: Path) -> None:
    """One that goes on as soon as there is a file `go`."""
    approved(place, person)
    real = learning.hand_over

    def command(settings: Settings, database: Any, organisation: str) -> list[str]:
        return [sys.executable, str(TRAINING), real(settings, database, organisation)[-1], str(go), "accept", "0"]

    monkeypatch.setattr(working, "hand_over", command)
    with place.site.database.as_system(writes=True) as session:
        actor = Actor(session.execute(select(User.id)).scalar_one())
        jobs.queue(session, actor, organisation_of(place, person), "train", {})


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_the_database_is_killed_while_a_reply_is_made_and_a_job_runs(
    postgres: Server, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(working, "POLL", 0.1)
    monkeypatch.setattr(jobs, "LEASE", timedelta(seconds=0.5))
    (tmp_path / "script.yaml").write_text(SLOW.replace("delay: 30", "delay: 4"))
    place = Place(settings_in(tmp_path / "storage", database_url, model=str(tmp_path / "script.yaml")))
    worker = Worker(place.settings, place.site.database)
    working_thread = threading.Thread(target=worker.run)
    with place.live():
        ada = place.owner()
        queue_training(place, ada, monkeypatch, tmp_path / "go")
        working_thread.start()
        ada.post(ada.at("/threads"), {"text": "Tell me a long story"})
        chat = ada.url
        until(lambda: bool(all_of(place, ChatMessage)[-1].text) and all_of(place, Job)[0].tries == 1)
        postgres.kill()
        ada.client.get(chat)
        page = ada.client.get(chat)
        assert page.status_code == 503 and "Nothing is lost" in page.text
        postgres.start()
        (tmp_path / "go").touch()
        until(lambda: all_of(place, ChatMessage)[-1].state != "streaming" and all_of(place, Job)[0].state == "done")
        assert ada.get(chat) and "word299" in ada.text
    worker.stop()
    working_thread.join(30)
    [said] = [each for each in all_of(place, ChatMessage) if each.role == "assistant"]
    assert said.state == "whole" and said.text.split() == [f"word{number}" for number in range(300)]
    [job] = all_of(place, Job)
    assert (
        job.result == "Version 1: the acceptance test accepts it. It can be activated."
        and len(all_of(place, ModelVersion)) == 1
    )
    place.close()


def until(there: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < end
        time.sleep(0.05)


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
        return len([each async for each in follow(place.site.database, organisation, thread.id, message.id)])

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
