"""What `--engine ray` costs beside the local engine, on one machine and the same server.

    python -m benchmarks.ray_overhead [--chunks 2000] [--actors 1 2 4] [--concurrency 64] [--latency 0.2]

Needs the extra `ray`. CPU is user + system, by kind of process, read from /proc while the run goes on; the server's is not
in it. A passage's is counted from when `--few` have come back until all have, so that nothing of the start is in it: what a driver
takes there is what bounds a cluster. `At the end` is what it takes for journals and files, once all have come back. A driver that
waits is not idle: Ray's threads and the look at the board take some of every second. It is measured with a server that takes
20 seconds (`--idle`) and printed separately, because its share of a passage grows with the time that a passage takes.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.measuring import measured

TICKS = os.sysconf("SC_CLK_TCK")
KINDS = {
    "ray::FollowPassages": "actors",
    "documents.worker": "reader",
    "ray::Board": "board",
    "ray::": "ray tasks",
    "gcs_server": "gcs",
    "raylet": "raylet",
}


class Sampler:
    """CPU seconds of this process and of all below it, from when `few` passages had come back; with 0 from when all are under way."""

    def __init__(self, few: int) -> None:
        self._seen: dict[int, tuple[str, float]] = {}
        self._ended = threading.Event()
        self._few = few
        self.marks: list[tuple[int, float, dict[str, float]]] = []
        """(passages that had come back, when, CPU seconds by kind): at the start, with few of them where the run is long enough for a look
        at that moment, and with all."""

    def sums(self) -> dict[str, float]:
        self._look()
        sums: Counter[str] = Counter()
        for kind, seconds in [*self._seen.values()]:
            sums[kind] += seconds
        return {**sums, "driver": time.process_time()}

    @contextmanager
    def watching(self, state: Any) -> Iterator[None]:
        self._mark(state.finished)

        def poll() -> None:
            while len(self.marks) < 2 and not self._ended.wait(0.2):
                under_way = sum(counts.in_flight for counts in state.stages.values())
                if (state.finished >= self._few) if self._few else (under_way == state.total):
                    self._mark(state.finished)

        sampler, kind = self, type(state)

        class Noting(kind):  # type: ignore[misc,valid-type]
            def __setattr__(self, name: str, value: Any) -> None:
                if name == "phase" and value == "writing":
                    sampler._mark(self.finished)
                super().__setattr__(name, value)

        state.__class__ = Noting
        threading.Thread(target=poll, daemon=True).start()
        yield
        self._ended.set()

    def _mark(self, finished: int) -> None:
        self.marks.append((finished, time.monotonic(), self.sums()))

    def _look(self) -> None:
        parents: dict[int, int] = {}
        found: dict[int, tuple[str, float]] = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                title = (folder / "cmdline").read_bytes().decode(errors="replace")
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            pid = int(folder.name)
            parents[pid] = int(fields[1])
            found[pid] = (title, (int(fields[11]) + int(fields[12])) / TICKS)
        for pid, (title, seconds) in found.items():
            if pid == os.getpid():
                self._seen[pid] = ("driver", seconds)
            elif _below(pid, os.getpid(), parents):
                kind = next((kind for word, kind in KINDS.items() if word in title[:200]), "other")
                if not title and pid in self._seen:  # a process that has ended has lost its title
                    kind = self._seen[pid][0]
                self._seen[pid] = (kind, seconds)


def _below(pid: int, ancestor: int, parents: dict[int, int]) -> bool:
    while pid in parents:
        pid = parents[pid]
        if pid == ancestor:
            return True
    return False


def one_run(engine: str, base_url: str, chunks: int, concurrency: int, actors: int, few: int) -> None:
    """A cluster of its own: another one on this machine would share its cores, and its end would be this run's."""
    from augment_correction import load_config
    from augment_correction.runner import run
    from benchmarks.throughput import passage

    sampler = Sampler(few)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "inputs").mkdir()
        with (folder / "inputs" / "passages.jsonl").open("w") as file:
            for number in range(chunks):
                file.write(json.dumps({"text": passage(number)}) + "\n")
        models = {
            role: {"model": role, "base_url": base_url, "api_key": "none", "concurrency": concurrency}
            for role in ("small", "large")
        }
        config = {"pipeline": "correction", "api": models, "system": {"prompt_template": "chatml"}}
        paths = {"path": {"input_dir": "./inputs", "output_dir": "./out"}}
        (folder / "config.yaml").write_text(json.dumps(config | paths))
        begun = time.monotonic()
        loaded = load_config(folder / "config.yaml")
        if engine == "ray":
            # Of 15, beside other work on a machine, it is time that is measured.
            os.environ.update(RAY_worker_niceness="0")
            import ray

            ray.init("local", num_cpus=actors, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
        result = run(loaded, engine=engine, watch=sampler.watching)  # type: ignore[arg-type]
        wall = time.monotonic() - begun
        assert result.kept == chunks, result
    last, until, after = sampler.marks[-1]
    first, since, before = [mark for mark in sampler.marks if mark[0] < last][
        -1
    ]  # a short run has all back at the second
    passages = last - first
    waiting = (after["driver"] - before["driver"]) / (until - since)
    cpu = {kind: (seconds - before.get(kind, 0)) / passages for kind, seconds in after.items()}
    end = (sampler.sums()["driver"] - after["driver"]) / chunks
    print(
        json.dumps(
            {
                "wall": wall,
                "cpu": cpu,
                "end": end,
                "begin": sum(before.values()),
                "pace": (until - since) / passages,
                "waiting": waiting,
            }
        )
    )


def measure(engine: str, actors: int, chunks: int, few: int, latency: float, concurrency: int) -> dict[str, Any]:
    given = {"engine": engine, "chunks": chunks, "concurrency": concurrency * actors, "actors": actors, "few": few}
    words = [word for name, value in given.items() for word in (f"--{name}", str(value))]
    return measured("benchmarks.ray_overhead", words, ["--latency", str(latency)])[0]


def compare(engine: str, actors: int, arguments: argparse.Namespace) -> None:
    made = measure(engine, actors, arguments.chunks, arguments.few, arguments.latency, arguments.concurrency)
    ideal = arguments.latency / (arguments.concurrency * actors)
    print(
        f"{engine} x {actors}  wall {made['wall']:.1f} s; pace over ideal {made['pace'] / ideal:.2f}; "
        f"CPU per passage {1000 * (sum(made['cpu'].values()) + made['end']):.2f} ms; until --few had come {made['begin']:.1f} s CPU"
    )
    if engine == "ray":
        waiting = measure(engine, actors, 32, 0, arguments.idle, arguments.concurrency)["waiting"]
        print(f"         a driver that waits takes {1000 * waiting:.1f} ms of every second")
        made["cpu"]["driver, by passages"] = made["cpu"]["driver"] - waiting * made["pace"]
    for kind, seconds in [*sorted(made["cpu"].items(), key=lambda item: -item[1]), ("driver at the end", made["end"])]:
        if seconds:  # a process that had ended before has none
            print(f"         {kind:<19} {1000 * seconds:6.3f} ms per passage", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chunks", type=int, default=2000)
    parser.add_argument("--few", type=int, default=500, help="passages that come back before it is counted")
    parser.add_argument("--actors", type=int, nargs="+", default=[1], help="of the runs on Ray")
    parser.add_argument("--concurrency", type=int, default=64, help="per actor, for each of two models")
    parser.add_argument("--latency", type=float, default=0.2)
    parser.add_argument(
        "--idle", type=float, default=20, help="seconds of a reply while the driver is measured that only waits"
    )
    parser.add_argument("--engine", choices=["local", "ray"], help=argparse.SUPPRESS)
    parser.add_argument("--base-url", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.engine:
        given = arguments.base_url, arguments.chunks, arguments.concurrency, arguments.actors[0]
        one_run(arguments.engine, *given, arguments.few)
        return
    print(
        f"{arguments.chunks} passages, 2 requests each, {arguments.concurrency} at once for each of two models and actor"
    )
    compare("local", 1, arguments)
    for actors in arguments.actors:
        compare("ray", actors, arguments)


if __name__ == "__main__":
    main()
