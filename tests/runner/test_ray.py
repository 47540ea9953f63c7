"""A real Ray cluster of two nodes on this machine: nothing that is killed loses what was paid. `make check-ray`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.projects import Ended, MadeProject, ended
from tests.servers import ModelServer, fails

if find_spec("ray") is None:
    pytest.skip("ray is not installed: make check-ray", allow_module_level=True)

pytestmark = pytest.mark.slow  # all of them on one cluster

ROOT = Path(__file__).parents[2]
PASSAGES = 120
CONCURRENCY = 8
ARGUMENTS = ("--engine", "ray", "--ray-address")


PROGRAM = """
import sys

from augment_correction import Passage, RunConfig, load_pipeline, run
from augment_correction.project import bundled

if __name__ == "__main__":
    pipeline = load_pipeline(bundled() / "pipelines" / "correction.yaml").model_copy(update={"name": "of_my_own"})
    models = {role: {"model": role, "mode": "scripted"} for role in ("small", "large")}
    config = RunConfig(pipeline=pipeline, api=models, path={"output_dir": "out"}, system={"prompt_template": "chatml"})
    passages = [Passage(f"The bridge of Ander{n} was built of stone in {1700 + n}. It has {n} arches.") for n in range(12)]
    result = run(config, passages=passages, engine="ray", ray_address=sys.argv[1])
    print(result.counts["chunks"], len(list(result.conversations())))
"""


class Nodes:
    def __init__(self) -> None:
        clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.runner.ray_nodes"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=clean, cwd=ROOT,
        )  # fmt: skip
        self.address = self._answer()

    def both_up(self) -> None:
        self._say("up")

    def kill_second(self) -> None:
        self._say("kill")

    @property
    def pid(self) -> int:
        return self._process.pid

    def stop(self) -> None:
        self._process.communicate(timeout=60)

    def _say(self, word: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()
        assert self._answer() == "done"

    def _answer(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


@pytest.fixture(scope="module")
def cluster() -> Iterator[Nodes]:
    nodes = Nodes()
    yield nodes
    nodes.stop()


@pytest.fixture
def nodes(cluster: Nodes) -> Nodes:
    cluster.both_up()
    return cluster


@pytest.fixture(autouse=True)
def reaches_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray's processes talk over this machine's own address, which the guard of the other tests takes for foreign."""
    monkeypatch.delenv("PYTHONPATH", raising=False)


def on(nodes: Nodes, project: MadeProject) -> Ended:
    """The program on the cluster, to its end; a busy machine takes half a minute to start the actors."""
    return ended(project.start(*ARGUMENTS, nodes.address), 240)


def actors(nodes: Nodes) -> list[int]:
    """Process ids of this cluster's: Ray titles a process by what it runs."""
    parents, found = {}, []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            title = (folder / "cmdline").read_bytes()
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if title.startswith(b"ray::FollowPassages"):
            found.append(int(folder.name))

    def below(pid: int) -> bool:
        while pid in parents and pid != nodes.pid:
            pid = parents[pid]
        return pid == nodes.pid

    return [pid for pid in found if below(pid)]


def is_local_result(project: MadeProject, server: ModelServer | None = None) -> bool:
    """Whether the files are, byte for byte, what one machine makes of the same documents alone."""
    made = project.files()
    project.output.rename(project.root / "ray-out")
    if server is not None:
        server.delay = 0.0
        server.forget()
    project.again()
    alone = project.files()
    assert sorted(made) == sorted(alone)
    assert [name for name in made if made[name] != alone[name]] == []
    return True


def asked_twice(server: ModelServer) -> int:
    return sum(count - 1 for count in server.questions().values())


class TestUndisturbed:
    def test_the_files_are_those_of_one_machine(self, project: MadeProject, nodes: Nodes) -> None:
        project.facts([*range(40), *range(5)])
        shares = {"kind": {"correct_after_mistake": 2, "stand_by": 1, "user_wrong": 1}}
        project.config(meta_datagen={"do_meta_datagen": True}, shares=shares)
        made = on(nodes, project)
        assert made.code == 0, made
        assert not (project.output / "journals").exists()
        assert is_local_result(project)

    def test_a_pipeline_built_in_python_works_on_passages_from_memory(self, project: MadeProject, nodes: Nodes) -> None:
        program = project.write("program.py", PROGRAM)
        made = subprocess.run(
            [sys.executable, str(program), nodes.address],
            cwd=project.root, capture_output=True, text=True, timeout=240, check=False,
        )  # fmt: skip
        assert made.stdout.split() == ["12", "12"], made.stderr

    def test_paid_calls_answer_a_changed_pipeline(
        self, project: MadeProject, nodes: Nodes, server: ModelServer
    ) -> None:
        """Another plan makes every passage again; what its first stage asks has been asked before."""
        project.facts(range(20))
        project.config(server)
        assert project.run(server).kept == 20
        server.forget()
        project.config(server, sampling={"masked_conversation": {"temperature": 0.9}})
        assert on(nodes, project).code == 0
        assert (server.count("small"), server.count("large")) == (0, 20)


class TestKilled:
    @pytest.fixture
    def slow(self, project: MadeProject, server: ModelServer) -> ModelServer:
        server.delay = 0.4
        project.facts(range(PASSAGES))
        project.config(server, system={"concurrency_limit": CONCURRENCY})
        return server

    def finish(
        self, project: MadeProject, nodes: Nodes, server: ModelServer, *kills: tuple[int, Callable[[], None]]
    ) -> int:
        """Kill while the run is under way, each when so many requests have come; returns how many were sent twice."""
        process = project.start(*ARGUMENTS, nodes.address)
        for requests, kill in kills:
            server.wait_for(requests, process, 240)
            assert actors(nodes)
            kill()
        made = ended(process, 180)
        assert made.code == 0, made
        twice = asked_twice(server)
        print(f"{2 * PASSAGES} questions, {twice} asked twice")
        assert len(server.questions()) == 2 * PASSAGES
        return twice

    def test_actors(self, project: MadeProject, nodes: Nodes, slow: ModelServer) -> None:
        """First one, then every one. Half of the limit is what one may have had in flight, for each of the two models. What comes
        of it is what one machine makes, no limit was passed, and the next run has nothing to do."""

        def kill_one() -> None:
            assert len(actors(nodes)) == 2
            os.kill(actors(nodes)[0], signal.SIGKILL)

        def kill_all() -> None:
            for actor in actors(nodes):
                os.kill(actor, signal.SIGKILL)

        kills = (PASSAGES // 2, kill_one), (3 * PASSAGES // 2, kill_all)
        assert self.finish(project, nodes, slow, *kills) <= 3 * CONCURRENCY
        assert slow.most_in_flight <= 2 * CONCURRENCY
        slow.forget()
        (project.output / "axolotl_correction_conversations.json").unlink()
        assert on(nodes, project).code == 0
        assert slow.count() == 0
        assert is_local_result(project, slow)

    def test_a_node(self, project: MadeProject, nodes: Nodes, slow: ModelServer) -> None:
        assert self.finish(project, nodes, slow, (PASSAGES // 2, nodes.kill_second)) <= CONCURRENCY
        assert is_local_result(project, slow)

    def test_the_driver(self, project: MadeProject, nodes: Nodes, slow: ModelServer) -> None:
        """The next run takes in the journals of the dead actors, on whichever engine."""
        process = project.start(*ARGUMENTS, nodes.address)
        slow.wait_for(PASSAGES, process, 240)
        process.kill()
        process.communicate()
        end = time.monotonic() + 60
        while actors(nodes) and time.monotonic() < end:
            time.sleep(0.1)
        assert list((project.output / "journals").glob("*.sqlite"))
        assert project.again().kept == PASSAGES
        print(f"{2 * PASSAGES} questions, {asked_twice(slow)} asked twice")
        assert asked_twice(slow) <= 2 * CONCURRENCY
        assert is_local_result(project, slow)


class TestStopped:
    def test_ctrl_c_drains_and_the_same_command_goes_on(
        self, project: MadeProject, nodes: Nodes, server: ModelServer
    ) -> None:
        server.delay = 0.4
        project.facts(range(PASSAGES))
        project.config(server, system={"concurrency_limit": CONCURRENCY})
        process = project.start(*ARGUMENTS, nodes.address)
        server.wait_for(PASSAGES // 2, process, 240)
        process.send_signal(signal.SIGINT)
        made = ended(process, 60)
        assert made.code == 130, made
        assert "pending" in made.out
        assert server.unanswered() == []
        assert on(nodes, project).code == 0
        assert asked_twice(server) == 0
        assert is_local_result(project, server)

    def test_ctrl_c_twice_does_not_wait(self, project: MadeProject, nodes: Nodes, server: ModelServer) -> None:
        server.delay = 40
        project.facts(range(20))
        project.config(server, api={"small_timeout": 100})
        process = project.start(*ARGUMENTS, nodes.address)
        server.wait_for(4, process, 240)
        process.send_signal(signal.SIGINT)
        time.sleep(2)
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert ended(process, 30).code == 130
        server.delay = 0
        assert project.again().kept == 20

    def test_a_refused_key_stops_all_actors(self, project: MadeProject, nodes: Nodes, server: ModelServer) -> None:
        server.delay = 0.1
        server.where("Ander50 ", fails(401, "bad key"))
        project.facts(range(PASSAGES))
        project.config(server, system={"concurrency_limit": CONCURRENCY})
        made = on(nodes, project)
        assert made.code == 2
        assert "bad key" in made.out
        assert "sk-small" not in made.out + made.err
        assert len(server.questions()) < 2 * PASSAGES

    def test_the_cap_is_kept_by_all_together(self, project: MadeProject, nodes: Nodes, server: ModelServer) -> None:
        project.facts(range(PASSAGES))
        prices = {
            f"cost_per_million_{role}_{side}": 1000 for role in ("small", "large") for side in ("input", "output")
        }
        project.config(server, system={"concurrency_limit": CONCURRENCY}, cost={**prices, "max_usd": 60})
        made = on(nodes, project)
        assert made.code == 4, made
        assert "cap of 60 USD" in made.out
        spent = sum(project.tokens(role)["total_cost"] for role in ("small", "large"))
        assert 30 < spent <= 60

    def test_a_server_inside_the_run_is_refused(self, project: MadeProject) -> None:
        """Before a cluster is looked for."""
        project.facts(range(3))
        project.config(api={"small_mode": "embedded", "small_model": "qwen2.5-0.5b"})
        made = project.command(*ARGUMENTS, "127.0.0.1:1")
        assert made.code == 2
        assert "small_base_url" in made.err

    def test_no_cluster_there(self, project: MadeProject) -> None:
        project.facts(range(3))
        project.config()
        made = project.command(*ARGUMENTS, "127.0.0.1:1")
        assert made.code == 2
        assert "no Ray cluster" in made.err
