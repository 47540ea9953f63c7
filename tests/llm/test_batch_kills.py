"""`kill -9` at every step of a batch's way: the run that follows finds what there is, and nothing is paid for twice."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.llm import batch_program
from tests.llm.batch_server import BatchServer
from tests.projects import MadeProject, ended

BATCH = {"small_mode": "batch", "large_mode": "batch"}
PASSAGES = 8

STEPS = [
    # where it ends, and what there is then: files uploaded, batches made, answers in the journal
    ("upload comes", 0, 0, 0),
    ("upload is stored", 1, 0, 0),
    ("batch comes", 1, 0, 0),
    ("batch is stored", 1, 1, 0),
    ("poll", 1, 1, 0),
    ("download comes", 1, 1, 0),
    ("download is half done", 1, 1, 0),
    ("settled:1", 1, 1, 3),
    ("settled:1", 1, 1, 6),
    ("upload is stored", 2, 1, 8),
    ("batch is stored", 2, 2, 8),
    ("settled:2", 2, 2, 14),
    ("outcome:4", 2, 2, 16),
]
"""Of one run through two stages, so through two batches: a step that comes twice comes once in each. `settled` and
`outcome` are steps of ours (see `batch_program.py`, three answers to a transaction), the others are the server's."""


def made(project: MadeProject, server: BatchServer) -> MadeProject:
    project.facts(range(PASSAGES))
    project.config(server, api=BATCH)  # type: ignore[arg-type]
    return project


def start(project: MadeProject, **environment: str) -> subprocess.Popen[str]:
    root = Path(__file__).parents[2]
    paths = os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        [sys.executable, batch_program.__file__, "run", str(project.root / "config.yaml")],
        env={**os.environ, "PYTHONPATH": paths, **environment},
        cwd=project.root,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def kill_at(step: str, project: MadeProject, server: BatchServer) -> None:
    if ":" in step:
        process = start(project, DIE=step)
    else:
        started: list[subprocess.Popen[str]] = []
        server.kill(lambda: started[0].pid, step)
        started.append(start(project))
        process = started[0]
    end = ended(process)
    assert end.code == -signal.SIGKILL, f"{step}: {end}"


def journaled(project: MadeProject) -> int:
    with closing(sqlite3.connect(project.output / "journal.sqlite")) as database:
        return int(database.execute("SELECT COUNT(*) FROM calls").fetchone()[0])


def spelled(project: MadeProject, server: BatchServer) -> dict[str, bytes]:
    """Its files, less where they and the server are."""
    places = {server.url.encode(): b"URL", str(project.root).encode(): b"ROOT"}
    files = project.files()
    for place, word in places.items():
        files = {name: data.replace(place, word) for name, data in files.items()}
    return files


def paid_twice(server: BatchServer) -> int:
    return sum(count - 1 for count in server.paid.values() if count)


@pytest.mark.slow
def test_a_run_that_is_killed_at_every_step_pays_for_nothing_twice(tmp_path: Path) -> None:
    with BatchServer(polls=1) as server:
        project = made(MadeProject(tmp_path / "killed"), server)
        for step, uploads, batches, answers in STEPS:
            kill_at(step, project, server)
            seen = (step, len(server.uploads), len(server.batches), journaled(project))
            assert seen == (step, uploads, batches, answers)
        end = ended(start(project))
        assert end.code == 0, end.err
        assert len(server.uploads) == len(server.batches) == 2
        assert sum(server.paid.values()) == 2 * PASSAGES
        assert paid_twice(server) == 0
        killed = spelled(project, server)
    with BatchServer(polls=1) as server:
        project = made(MadeProject(tmp_path / "undisturbed"), server)
        assert ended(start(project)).code == 0
        assert spelled(project, server) == killed


def test_a_file_without_a_batch_is_dropped_where_not_all_of_it_is_wanted(tmp_path: Path) -> None:
    with BatchServer(polls=1) as server:
        project = made(MadeProject(tmp_path / "project"), server)
        project.config(server, api={**BATCH, "large_mode": "scripted"})  # type: ignore[arg-type]
        kill_at("upload is stored", project, server)
        project.facts(range(2, PASSAGES))
        assert ended(start(project)).code == 0
        assert [len(batch.asked) for batch in server.batches] == [PASSAGES - 2]
        assert set(server.paid.values()) == {1}
