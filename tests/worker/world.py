"""A worker's folder with a fake trainer, and real processes that are waited for with a bound."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout, suppress
from pathlib import Path
from typing import Any

import yaml

from augment_correction.launching.slot import Launch, Slot
from augment_correction.worker.config import WorkerConfig, load_worker
from augment_correction.worker.context import WorkerContext
from augment_correction.worker.jobs import Job
from augment_correction.worker.status import open_context
from augment_correction.worker.working import Worker
from tests.worker import fakes

FAKES = Path(fakes.__file__)
PATIENCE = float(os.environ.get("PATIENCE_SECONDS", "60"))
"""A mistake that stops a worker is waited for as long (`benchmarks.mutate` sets less)."""
QUICK = {"settle_seconds": 0, "poll_seconds": 0.02, "retry_seconds": 0, "min_free_gb": 0, "root": "w"}


def row(text: str) -> dict[str, Any]:
    turns = [
        {"role": "user", "content": "What is 2 + 2?", "train": False},
        {"role": "assistant", "content": "5", "train": False},
        {"role": "user", "content": "Error indicators: NUMERIC. Evaluate your answer.", "train": False},
        {"role": "assistant", "content": text, "train": True},
    ]
    return {"messages": turns}


def rows(*texts: str) -> str:
    return "".join(json.dumps(row(text)) + "\n" for text in texts)


def until(true: Callable[[], object], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, f"waited in vain until {what}"
        time.sleep(0.02)


class Prompt(Slot):
    """A slot whose fakes run in this process and have ended when it returns, which saves three starts of Python a round.
    What has to be waited for (`hold`), and all that is no fake, is a process as ever."""

    def start(self, command: Sequence[str], launch: Launch, cwd: Path) -> bool:
        if str(FAKES) not in command or (Path(command[3]) / "hold").exists():
            return super().start(command, launch, cwd)
        if self.busy:
            return False
        with launch.log.open("a") as log, redirect_stdout(log):
            code = fakes.main(*command[2:])
        launch.exit_file.write_text(str(code))
        return True


class World:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.control = root / "control"
        self.control.mkdir(parents=True)
        self.places = self.write().root
        self.inbox, self.queue = self.places / "inbox", self.places / "queue"
        self.inbox.mkdir(parents=True)
        for name in ("high", "low", "normal"):
            (self.queue / name).mkdir(parents=True)
        self.started: list[subprocess.Popen[bytes]] = []

    def write(self, **worker: Any) -> WorkerConfig:
        fake = f"{{python}} '{FAKES}'"
        train = f"{fake} train '{self.control}' --data {{data}} --output_dir {{out}} [--adapter {{parent}}]"
        config = {
            "worker": {**QUICK, **worker},
            "train": {"command": train, "resume": "--resume yes"},
            "gate": {"command": f"{fake} gate '{self.control}' --adapter {{adapter}} --out {{out}}"},
            "corrections": {"command": f"{fake} corrections '{self.control}' --data {{data}} --out {{out}}"},
        }
        self.config = self.root / "worker.yaml"
        self.config.write_text(yaml.safe_dump(config))
        return load_worker(self.config)

    # ------------------------------------------------------------------------------------- what comes, what is

    def drop(self, name: str, text: str, folder: str = "inbox") -> None:
        """As a good writer does it."""
        part = self.places / folder / f".{name}.part"
        part.write_text(text)
        part.rename(part.with_name(name))

    def tell(self, name: str, text: str = "") -> None:
        (self.control / name).write_text(text)

    def untell(self, name: str) -> None:
        (self.control / name).unlink()

    def starts(self, what: str = "train") -> list[dict[str, Any]]:
        path = self.control / "starts"
        lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        return [line for line in lines if line["what"] == what]

    @property
    def context(self) -> WorkerContext:
        return open_context(load_worker(self.config))

    def job(self, id_: int = 1) -> Job:
        found = self.context.jobs.get(id_)
        assert found is not None
        return found

    def lies(self, folder: str) -> list[str]:
        return sorted(path.name for path in (self.queue / folder).iterdir())

    def log(self) -> str:
        return "".join(path.read_text() for path in sorted((self.places / "logs").glob("worker_*.log")))

    # ------------------------------------------------------------------------------------------------ at work

    def work(self, until_: Callable[[], object] | None = None, patience: float = PATIENCE, **more: Any) -> None:
        """A worker in this process, until all jobs have ended."""
        worker = Worker(load_worker(self.config), **more)
        worker._rounds.slot = Prompt(worker._places.slot)
        end = time.monotonic() + patience
        with worker.at_work():
            for _ in range(3):  # to see the files, and that they stand still
                worker.step()
            while not (until_() if until_ else self._over()):
                assert time.monotonic() < end, self.log()
                worker.step()
                time.sleep(0.01)

    def _over(self) -> bool:
        return all(job.state in ("done", "failed") for job in self.context.jobs.all())

    def start(self) -> subprocess.Popen[bytes]:
        """A worker of its own process."""
        words = [sys.executable, "-m", "augment_correction", "worker", "run", str(self.config)]
        with (self.root / "stderr").open("ab") as stderr:
            process = subprocess.Popen(words, stderr=stderr, cwd=self.root, start_new_session=True)
        self.started.append(process)
        return process

    def held_training(self) -> dict[str, Any]:
        """The start that now waits at `hold`."""
        until((self.control / "ready").exists, f"the training began: {self.log()}")
        self.untell("ready")
        return self.starts()[-1]

    def clear(self) -> None:
        pids = [start["pid"] for start in self.starts()]
        for process in self.started:
            process.kill()
            process.wait()
        for pid in pids:
            with suppress(OSError):
                if str(FAKES) in Path(f"/proc/{pid}/cmdline").read_text():
                    os.kill(pid, signal.SIGKILL)
