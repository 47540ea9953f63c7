"""`kill -9` at every step of a batch's way: the run that follows finds what there is, and pays for nothing twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.llm import batch_program
from tests.llm.batch_server import BatchServer, answered, unanswered
from tests.projects import Ended, MadeProject, ended
from tests.servers import passage_in

BATCH = {"small_mode": "batch", "large_mode": "batch"}
PASSAGES = 8

STEPS = [
    "upload comes",
    "upload is stored",
    "batch comes",
    "batch is stored",
    "poll",
    "download comes",
    "download is half done",
]
"""Steps of the server's, each of them at its first batch (the filter's) or its second (the conversations')."""
OWN_STEPS = ["settled:1", "settled:2", "settled:4", "outcome:1", "outcome:4"]
"""Steps of ours: between two transactions of answers, and while the passages are being finished."""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[BatchServer, dict[str, bytes]]:
    """The files of a run that nothing happened to."""
    with BatchServer(polls=1) as server:
        project = made(MadeProject(tmp_path_factory.mktemp("undisturbed") / "project"), server)
        assert ended(start(project)).code == 0
        return server, without_port(project, server)


@pytest.fixture
def batch_server() -> Iterator[BatchServer]:
    with BatchServer(polls=1) as running:
        yield running


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


def killed_and_resumed(project: MadeProject, server: BatchServer, step: str, time_: int = 1) -> Ended:
    processes: list[subprocess.Popen[str]] = []
    server.kill(lambda: processes[0].pid, step, time_)
    processes.append(start(project))
    assert ended(processes[0]).code == -signal.SIGKILL
    return ended(start(project))


def without_port(project: MadeProject, server: BatchServer) -> dict[str, bytes]:
    return {name: data.replace(server.url.encode(), b"URL") for name, data in project.files().items()}


def paid_twice(server: BatchServer) -> int:
    return sum(count - 1 for count in server.paid.values())


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("step", STEPS)
def test_killed_at_a_step_of_the_servers(
    project: MadeProject,
    batch_server: BatchServer,
    undisturbed: tuple[BatchServer, dict[str, bytes]],
    step: str,
    batch: int,
) -> None:
    second = {"poll": 3}.get(step, 2)
    again = killed_and_resumed(made(project, batch_server), batch_server, step, 1 if batch == 1 else second)
    assert again.code == 0, again.err
    assert len(batch_server.uploads) == 2, "a file was uploaded twice"
    assert len(batch_server.batches) == 2, "a batch was made twice"
    assert paid_twice(batch_server) == 0
    assert sum(batch_server.paid.values()) == 2 * PASSAGES
    assert without_port(project, batch_server) == undisturbed[1]


@pytest.mark.parametrize("step", OWN_STEPS)
def test_killed_at_a_step_of_ours(
    project: MadeProject, batch_server: BatchServer, undisturbed: tuple[BatchServer, dict[str, bytes]], step: str
) -> None:
    made(project, batch_server)
    assert ended(start(project, DIE=step)).code == -signal.SIGKILL
    again = ended(start(project))
    assert again.code == 0, again.err
    assert len(batch_server.uploads) == 2
    assert len(batch_server.batches) == 2
    assert paid_twice(batch_server) == 0
    assert without_port(project, batch_server) == undisturbed[1]
