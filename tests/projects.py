"""Projects in a temporary folder, and the real program run on them."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import yaml

from augment_correction.config import RunConfig, load_config
from augment_correction.runner import RunResult, run
from tests.servers import ModelServer, facts

DERIVED = (".lock", "journal.sqlite", "journal.sqlite-wal", "journal.sqlite-shm", "logs")
"""Not made to be compared: the lock, the database's own pages, servers' chatter."""


def bound_by_permissions() -> tuple[str, ...]:
    """What to write before a command so that files refuse it what their permissions refuse, also where root runs the
    tests. Raises: AssertionError where root cannot give that power up."""
    if os.geteuid():
        return ("env",)
    prefix = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")
    assert shutil.which("setpriv"), "setpriv is missing; Debian has it in util-linux"
    subprocess.run([*prefix, "true"], check=True)
    return prefix


@dataclass
class Ended:
    """A process that has ended."""

    code: int
    out: str
    err: str


@dataclass
class MadeProject:
    """A folder with `inputs/` and a config; every method that asks runs the whole program."""

    root: Path

    def __post_init__(self) -> None:
        (self.root / "inputs").mkdir(parents=True)
        (self.root / "prompts").mkdir()

    @property
    def output(self) -> Path:
        return self.root / "out"

    # ------------------------------------------------------------------------------------------ its files

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def facts(self, numbers: Iterable[int], name: str = "facts.jsonl") -> list[str]:
        """A JSONL document per number, each of them one passage."""
        texts = facts(numbers)
        self.write(f"inputs/{name}", "".join(json.dumps({"text": text}) + "\n" for text in texts))
        return texts

    def config(self, server: ModelServer | None = None, **sections: dict[str, Any] | str) -> Path:
        """`config.yaml` with models at `server`, or scripted ones without; sections are laid over. A pipeline that asks a
        target model gets one."""
        roles = ("small", "large", *(("target",) if sections.get("pipeline") == "correction_on_policy" else ()))
        api: dict[str, Any] = {f"{role}_model": role for role in roles}
        for role in roles:
            if server is None:
                api[f"{role}_mode"] = "scripted"
            else:
                api |= {
                    f"{role}_base_url": server.url,
                    f"{role}_api_key": f"sk-{role}-0123456789",
                    f"{role}_timeout": 20,
                }
        made: dict[str, Any] = {
            "pipeline": "correction",
            "api": api,
            "path": {"input_dir": "./inputs", "output_dir": "./out"},
            "system": {"prompt_template": "chatml", "chunk_size": 400},
        }
        for name, section in sections.items():
            made[name] = {**made.get(name, {}), **section} if isinstance(section, dict) else section
        return self.write("config.yaml", yaml.safe_dump(made))

    def load(self, server: ModelServer | None = None, **sections: dict[str, Any] | str) -> RunConfig:
        return load_config(self.config(server, **sections))

    # ------------------------------------------------------------------------------------------ its runs

    def run(self, server: ModelServer | None = None, **sections: dict[str, Any] | str) -> RunResult:
        """In this process."""
        return run(self.load(server, **sections))

    def again(self) -> RunResult:
        """The same config once more, in this process."""
        return run(load_config(self.root / "config.yaml"))

    def start(self, *arguments: str, before: str = "pass") -> subprocess.Popen[str]:
        """`python -m augment_correction run config.yaml ...` in a process of its own; `before` is Python that it runs
        first, for a limit or a defect to plant."""
        program = f"import sys; {before}; from augment_correction.cli import main; sys.exit(main())"
        python = ["-c", program] if before != "pass" else ["-m", "augment_correction"]
        return subprocess.Popen(
            [sys.executable, *python, "run", str(self.root / "config.yaml"), *arguments],
            cwd=self.root,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def command(self, *arguments: str) -> Ended:
        """The same, to its end."""
        return ended(self.start(*arguments))

    # ------------------------------------------------------------------------------------- what they left

    def files(self, output: Path | None = None) -> dict[str, bytes]:
        """Every file of an output folder (the project's own) that is made to be read."""
        root = output or self.output
        named = {path.relative_to(root): path for path in root.rglob("*") if path.is_file()}
        return {str(name): path.read_bytes() for name, path in named.items() if name.parts[0] not in DERIVED}

    def dataset(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = json.loads((self.output / "axolotl_correction_conversations.json").read_text())
        return rows

    def rejected(self) -> list[dict[str, Any]]:
        return [orjson.loads(line) for line in (self.output / "rejected.jsonl").read_bytes().splitlines()]

    def tokens(self, role: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.output / f"{role}_model_tokens.json").read_text())
        return found


def prices(*usd: float) -> dict[str, Any]:
    """`cost` per million tokens: of the small model's input and output, then of the large one's."""
    sides = [f"cost_per_million_{role}_{side}" for role in ("small", "large") for side in ("input", "output")]
    return dict(zip(sides, usd, strict=True))


async def until(condition: Callable[[], object], seconds: float = 20) -> None:
    """Let other tasks work until `condition()` holds."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.001)


def ended(process: subprocess.Popen[str], seconds: float = 60) -> Ended:
    out, err = process.communicate(timeout=seconds)
    return Ended(process.returncode, out, err)


def adds_up(result: RunResult) -> bool:
    counts = result.counts
    return bool(
        counts["kept"] + counts["gate"] + counts["rejected"] + counts["failed"] + counts["pending"] == counts["chunks"]
    )
