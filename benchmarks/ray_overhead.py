"""What `--engine ray` costs beside the local engine, on one machine and the same server.

    python -m benchmarks.ray_overhead [--chunks 2000] [--actors 1 2 4] [--concurrency 64] [--latency 0.2]

Needs the extra `ray`. Each engine runs twice, with few and with all passages: the difference is what a passage costs,
and what is left over is what it costs to begin. CPU is user + system, by kind of process, read from /proc while the
run goes on; the server's is not in it. The driver's is told apart: `while it runs`, which is what bounds a cluster, and the
journals and files at the end.
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
    """CPU seconds of this process and of all below it, the dead ones too as they were last seen."""

    def __init__(self) -> None:
        self._seen: dict[int, tuple[str, float]] = {}
        self._ended = threading.Event()
        self.begun = self.running = 0.0
        """CPU seconds of this process when the first passage was asked for, and from there until the last one had come back."""

    def sums(self) -> dict[str, float]:
        self._look()
        sums: Counter[str] = Counter()
        for kind, seconds in self._seen.values():
            sums[kind] += seconds
        sums["driver while it runs"] = self.running
        sums["driver at the end and before"] = sums.pop("driver") - self.running
        return dict(sums)

    @contextmanager
    def watching(self, state: Any) -> Iterator[None]:
        def poll() -> None:
            while not self._ended.wait(0.3):
                self._look()

        sampler, kind = self, type(state)

        class Noting(kind):  # type: ignore[misc,valid-type]
            def __setattr__(self, name: str, value: Any) -> None:
                if name == "phase" and value == "running":
                    sampler.begun = time.process_time()
                if name == "phase" and value == "writing":
                    sampler.running = time.process_time() - sampler.begun
                super().__setattr__(name, value)

        state.__class__ = Noting
        threading.Thread(target=poll, daemon=True).start()
        yield
        self._ended.set()

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


def one_run(engine: str, base_url: str, chunks: int, concurrency: int, actors: int) -> None:
    """A cluster of its own: another one on this machine would share its cores, and its end would be this run's."""
    from augment_correction import load_config
    from augment_correction.runner import run
    from benchmarks.throughput import passage

    sampler = Sampler()
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
            import ray

            ray.init("local", num_cpus=actors, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
        result = run(loaded, engine=engine, watch=sampler.watching)  # type: ignore[arg-type]
        wall = time.monotonic() - begun
        assert result.kept == chunks, result
    print(json.dumps({"wall": wall, "cpu": sampler.sums()}))


def measure(engine: str, chunks: int, actors: int, arguments: argparse.Namespace) -> dict[str, Any]:
    at_once = arguments.concurrency * actors
    given = ["--engine", engine, "--chunks", str(chunks), "--concurrency", str(at_once), "--actors", str(actors)]
    made, seen = measured("benchmarks.ray_overhead", given, ["--latency", str(arguments.latency)])
    return {**made, "window": seen["last"] - seen["first"]}


def compare(engine: str, actors: int, arguments: argparse.Namespace) -> None:
    few, all_ = (measure(engine, chunks, actors, arguments) for chunks in (arguments.few, arguments.chunks))
    more = arguments.chunks - arguments.few
    cpu = {kind: all_["cpu"].get(kind, 0) - few["cpu"].get(kind, 0) for kind in all_["cpu"]}
    ideal = arguments.chunks * arguments.latency / (arguments.concurrency * actors)
    print(
        f"{engine} x {actors}  wall {all_['wall']:.1f} s; window over ideal {all_['window'] / ideal:.2f}; "
        f"CPU per passage {1000 * sum(cpu.values()) / more:.2f} ms; to begin {sum(few['cpu'].values()):.1f} s CPU, "
        f"{few['wall']:.1f} s wall"
    )
    for kind, seconds in sorted(cpu.items(), key=lambda item: -item[1]):
        print(f"         {kind:<29} {1000 * seconds / more:6.3f} ms per passage", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chunks", type=int, default=2000)
    parser.add_argument("--few", type=int, default=256, help="passages of the shorter run")
    parser.add_argument("--actors", type=int, nargs="+", default=[1], help="of the runs on Ray")
    parser.add_argument("--concurrency", type=int, default=64, help="per actor, for each of two models")
    parser.add_argument("--latency", type=float, default=0.2)
    parser.add_argument("--engine", choices=["local", "ray"], help=argparse.SUPPRESS)
    parser.add_argument("--base-url", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.engine:
        given = arguments.base_url, arguments.chunks, arguments.concurrency, arguments.actors[0]
        one_run(arguments.engine, *given)
        return
    print(
        f"{arguments.chunks} passages, 2 requests each, {arguments.concurrency} at once for each of two models and actor"
    )
    compare("local", 1, arguments)
    for actors in arguments.actors:
        compare("ray", actors, arguments)


if __name__ == "__main__":
    main()
