"""Does the circle close, and does it survive? A model's own failures become its next training, by the program's commands.

    make .venv/installed-dev
    .venv/bin/python -m benchmarks.circle --work circle            # about 15 minutes on two quiet cores
    .venv/bin/python -m benchmarks.circle --work circle --tiny     # about a minute, random weights

Notes on a made-up world, SmolLM2-135M-Instruct, LoRA. `run` makes the rows of the first round (invented mistakes,
stand-by rows); the worker trains on them, with the monitor attached. The monitor asks questions that are neither trained
nor in the gate, and queues what the model got wrong; the worker trains the second round on that, from the first one's
adapter. Each round is gated by `evaluate` against what it went on from, on notes that no row names. Worker and training
are killed with -9 in the first round, worker and gate in the second; each time a worker is started again.

What it does not show: large models, other seeds, many rounds, knowledge that is not in the prompt. An answer counts as
right where it says what the reference says; whatever the words alone cannot tell counts as wrong.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from augment_correction.llm.hf_weights import dequantised
from augment_correction.monitor.keeping import MonitorStore
from augment_correction.worker.adding import add_entries
from augment_correction.worker.config import WorkerConfig
from augment_correction.worker.context import WorkerContext
from augment_correction.worker.jobs import Job
from augment_correction.worker.status import open_context, snapshot
from benchmarks.circle.cuts import Cut, calls, cuts, journal, kill
from benchmarks.circle.project import REAL, TINY, Scale, stage
from benchmarks.circle.table import repeated, table
from benchmarks.learning import SMALL

ROUNDS = 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="a new folder for everything that is made")
    parser.add_argument("--tiny", action="store_true", help="a model of two layers and random weights")
    parser.add_argument("--minutes", type=float, default=60, help="after which it gives up")
    parser.add_argument("--seed", type=int, default=7)
    chosen = parser.parse_args()
    begun, root = time.monotonic(), chosen.work.resolve()
    if root.exists():
        parser.error(f"{root} exists: --work names a folder that this run makes itself")
    root.mkdir(parents=True)
    scale = TINY if chosen.tiny else REAL
    circle = Circle(stage(root, scale, _model(root, chosen.tiny), chosen.seed), scale, begun + 60 * chosen.minutes)
    try:
        circle.turn()
    finally:
        circle.clear()
    print("\n".join(circle.lines()))
    print(f"{time.monotonic() - begun:.0f} s")


def _model(root: Path, tiny: bool) -> Path:
    if not tiny:
        return dequantised(SMALL)
    from tests.training.making import tiny_llama

    return tiny_llama(root / "model")


class Circle:
    def __init__(self, config: WorkerConfig, scale: Scale, until: float) -> None:
        self.config, self.scale, self.until = config, scale, until
        self.root = config.project.root
        self.cut: list[tuple[Cut, Job]] = []

    def turn(self) -> None:
        self.command("run", "run.yaml")
        add_entries(self.config, [self.root / "first"], "normal")
        for cut in cuts(self.scale.gate):
            with self.worker():
                self.wait(lambda cut=cut: self.is_due(cut), cut.name)  # type: ignore[misc]
            self.strike(cut)
        with self.worker():
            self.wait(lambda: len(self.decided) >= ROUNDS, "the last round is decided")
            self.command("worker", "stop", "worker.yaml")
            self.wait(lambda: not snapshot(self.context)["workers"], "the worker stops")

    def clear(self) -> None:
        """What outlives a worker, after a failure."""
        if (self.config.root / "worker.sqlite").exists() and (job := self.context.jobs.running()):
            kill(self.context, job)

    def is_due(self, cut: Cut) -> bool:
        if not (self.config.root / "worker.sqlite").exists():
            return False
        job = self.context.jobs.running()
        return job is not None and cut.due(self.context, job)

    def strike(self, cut: Cut) -> None:
        """The worker is dead by now; what it started is not."""
        job = self.context.jobs.running()
        assert job is not None, "it was due in a running job"
        kill(self.context, job)
        cut.after(self.context, job)
        self.cut.append((cut, job))
        if job.round == ROUNDS:
            self.context.places.marker("pause").touch()  # what this round queued is for another day
        say(f"cut: {cut.name}, in round {job.round}")

    @contextmanager
    def worker(self) -> Iterator[None]:
        """Killed at the end, whatever it does then."""
        words = [sys.executable, "-m", "augment_correction", "worker", "run", str(self.root / "worker.yaml")]
        process = subprocess.Popen(words, cwd=self.root)
        try:
            yield
        finally:
            process.kill()
            process.wait()

    def wait(self, true: Callable[[], object], what: str) -> None:
        while not true():
            self.refuse_failure()
            if time.monotonic() > self.until:
                raise SystemExit(f"waited in vain: {what}; {self.config.root / 'logs'} says what was done")
            time.sleep(0.02)

    def refuse_failure(self) -> None:
        if (self.config.root / "worker.sqlite").exists():
            for job in self.context.jobs.all():
                if job.state == "failed":
                    raise SystemExit(f"job {job.id} failed: {job.reason}")

    def command(self, *arguments: str) -> None:
        say(" ".join(arguments))
        subprocess.run([sys.executable, "-m", "augment_correction", *arguments], cwd=self.root, check=True)

    @property
    def context(self) -> WorkerContext:
        return open_context(self.config)

    @property
    def decided(self) -> list[int]:
        return [made.number for made in self.context.jobs.rounds() if made.decision]

    def lines(self) -> Iterator[str]:
        keep = MonitorStore(self.root / "monitor")
        yield from table(keep, snapshot(self.context))
        survived = sum(cut.survived(self.context, job) for cut, job in self.cut)
        yield f"\nkills survived: {survived} of {len(self.cut)} ({', '.join(cut.name for cut, _ in self.cut)})"
        again = sum(calls(journal(self.context, job), "asked_again") for _, job in self.cut)
        yield f"calls asked twice: {again} by the gate, {repeated(list(keep.decided()), self.scale.asked)} by the monitor"


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    os.environ |= {"HF_HUB_OFFLINE": "1", "OMP_WAIT_POLICY": "PASSIVE", "TOKENIZERS_PARALLELISM": "false"}
    main()
