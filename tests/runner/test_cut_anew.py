"""What a run would ask again because passages are cut otherwise is said before it asks."""

from __future__ import annotations

import signal
import sqlite3
from contextlib import closing
from typing import Any

from augment_correction.runner import RunState, run
from tests.projects import MadeProject
from tests.servers import ModelServer, facts

TEXT = "CHAPTER I\n\n{}\n\nCHAPTER II\n\n{}".format(
    *("\n\n".join(" ".join(fact for fact in facts(range(at, at + 3))) for at in part) for part in ((0, 3), (6, 9)))
)


def of_cutting(notices: Any) -> list[str]:
    return [notice for notice in notices if "cut otherwise" in notice]


def as_by_an_older_version(project: MadeProject) -> None:
    with closing(sqlite3.connect(project.output / "journal.sqlite")) as database, database:
        database.execute("DROP TABLE cut")
        database.execute("DELETE FROM written")


def test_it_is_said_before_the_first_request(project: MadeProject, server: ModelServer) -> None:
    project.write("inputs/book.txt", TEXT)
    assert of_cutting(project.run(server, system={"chunk_size": 3000}).notices) == []
    asked = server.count()
    heard: list[tuple[int, str]] = []

    class Watching:
        def __init__(self, state: RunState) -> None:
            state.notices = Heard(state.notices)

        def __enter__(self) -> None: ...

        def __exit__(self, *_: object) -> None: ...

    class Heard(list[str]):
        def append(self, notice: str) -> None:
            heard.append((server.count(), notice))
            super().append(notice)

    result = run(project.load(server, system={"chunk_size": 60}), watch=Watching)
    [(count, notice)] = [each for each in heard if "cut otherwise" in each[1]]
    assert count == asked < server.count()
    assert "1 of the 1 passages" in notice and f"{result.counts['chunks']} are asked about anew" in notice
    assert of_cutting(run(project.load(server, system={"chunk_size": 60})).notices) == []


def test_looking_is_shown_and_can_be_interrupted(project: MadeProject, server: ModelServer) -> None:
    project.facts(range(4))
    project.run(server)
    as_by_an_older_version(project)
    slow = (
        "import asyncio; from augment_correction.runner import cut_anew; from augment_correction.runner.source import ReadStep\n"
        "async def slowly(plan):\n"
        "    for _ in range(600):\n"
        "        yield ReadStep((), (), ())\n"
        "        await asyncio.sleep(0.1)\n"
        "cut_anew.read_passages = slowly"
    )
    running = project.start(before=slow)
    assert running.stderr is not None
    for line in running.stderr:
        if "looking whether documents are cut as before" in str(line):
            break
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=30)
    assert running.returncode == 130


def test_nothing_is_said_where_an_older_version_cut_the_same(project: MadeProject, server: ModelServer) -> None:
    project.facts(range(4))
    project.run(server)
    as_by_an_older_version(project)
    asked = server.count()
    assert of_cutting(project.again().notices) == []
    assert server.count() == asked
