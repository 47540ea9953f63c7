"""What `--engine ray` costs beside the local engine, on one machine and the same server.

    python -m benchmarks.ray_overhead [--chunks 2000] [--concurrency 64] [--latency 0.2]

Needs the extra `ray`. Each engine runs twice, with few and with all passages: the difference is what a passage costs,
and what is left over is what it costs to begin. CPU is user + system, by kind of process, read from /proc while the
run goes on; the server's is not in it.
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
    "ray::MapWorker": "actors",
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

    def sums(self) -> dict[str, float]:
        self._look()
        sums: Counter[str] = Counter()
        for kind, seconds in self._seen.values():
            sums[kind] += seconds
        return dict(sums)

    @contextmanager
    def watching(self, _: Any) -> Iterator[None]:
        def poll() -> None:
            while not self._ended.wait(0.3):
                self._look()

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
                self._seen[pid] = ("this process", seconds)
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


def one_run(engine: str, base_url: str, chunks: int, concurrency: int) -> None:
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
        # A cluster of its own: another one on this machine would share its cores, and its end would be this run's.
        result = run(loaded, engine=engine, ray_address="local", watch=sampler.watching)  # type: ignore[arg-type]
        wall = time.monotonic() - begun
        assert result.kept == chunks, result
    print(json.dumps({"wall": wall, "cpu": sampler.sums()}))


def measure(engine: str, chunks: int, arguments: argparse.Namespace) -> dict[str, Any]:
    given = ["--engine", engine, "--chunks", str(chunks), "--concurrency", str(arguments.concurrency)]
    made, seen = measured("benchmarks.ray_overhead", given, ["--latency", str(arguments.latency)])
    return {**made, "window": seen["last"] - seen["first"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chunks", type=int, default=2000)
    parser.add_argument("--few", type=int, default=256, help="passages of the shorter run")
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--latency", type=float, default=0.2)
    parser.add_argument("--engine", choices=["local", "ray"], help=argparse.SUPPRESS)
    parser.add_argument("--base-url", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.engine:
        one_run(arguments.engine, arguments.base_url, arguments.chunks, arguments.concurrency)
        return
    ideal = arguments.chunks * arguments.latency / arguments.concurrency
    print(f"{arguments.chunks} passages, 2 requests each, {arguments.concurrency} at once for each of two models")
    for engine in ("local", "ray"):
        few, all_ = (measure(engine, chunks, arguments) for chunks in (arguments.few, arguments.chunks))
        more = arguments.chunks - arguments.few
        cpu = {kind: all_["cpu"].get(kind, 0) - few["cpu"].get(kind, 0) for kind in all_["cpu"]}
        print(
            f"{engine:<6} wall {all_['wall']:.1f} s; window over ideal {all_['window'] / ideal:.2f}; "
            f"CPU per passage {1000 * sum(cpu.values()) / more:.2f} ms; to begin {sum(few['cpu'].values()):.1f} s CPU, "
            f"{few['wall']:.1f} s wall"
        )
        for kind, seconds in sorted(cpu.items(), key=lambda item: -item[1]):
            print(f"         {kind:<13} {1000 * seconds / more:6.2f} ms per passage")


if __name__ == "__main__":
    main()
