"""The real vLLM, a model for it, and projects that ask it."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from augment_correction.folders import cache_folder
from augment_correction.llm.vllm import VARIABLE
from augment_correction.llm.weights import locate
from tests.projects import Ended, MadeProject, ended
from tests.vllm.processes import Family

HERE = Path(__file__).parent
EXAMPLES = HERE.parents[1] / "inputs" / "examples"
PASSAGES = 5
TIMEOUT = 300.0
ARGUMENTS = ("--enforce-eager", "--dtype", "bfloat16", "--max-model-len", "2048")
ENVIRONMENT = {
    "VLLM_TARGET_DEVICE": "cpu",
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "VLLM_NO_USAGE_STATS": "1",
    "HF_HUB_OFFLINE": "1",
    # Two threads wait for each other at every layer: on two cores shared with other work, 16 tokens per second.
    "OMP_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
}
QUESTION = """{% user %}
{{ passage }}

Write one short question about this text.
{% enduser %}
"""
ANSWERS = """{% user %}
{{ passage }}

Question: {{ initial_question }}
Write a wrong answer of one sentence, then a short doubt, then the right answer of one sentence.
{% enduser %}
"""
ASKING = """name: tiny
stages:
  - stage: chunk
  - stage: ask
    name: question
    model: small
    prompt: question
    reply: json
    fields: [initial_question]
    reasks: 0
    sampling: {temperature: 0.0, max_tokens: 96}
"""
PIPELINE = f"""{ASKING}  - stage: ask
    name: answers
    model: large
    prompt: answers
    reply: json
    fields: [flawed_answer, followup_confirmation, correct_answer]
    reasks: 0
    sampling: {{temperature: 0.0, max_tokens: 224}}
  - stage: compose
    kind: correct_after_mistake
    turns:
      - {{role: user, text: initial_question}}
      - {{role: assistant, text: flawed_answer, is: mistake}}
      - {{role: user, text: followup_confirmation}}
      - {{role: assistant, text: correct_answer, is: correction}}
"""
ASKED = re.compile(r'"POST /v1/chat/completions HTTP/1\.1" 200')


Started = tuple[subprocess.Popen[str], Family]


class Broken(AssertionError):
    """The product did not do what is demanded."""


def demand(holds: object, what: object) -> None:
    if not holds:
        raise Broken(str(what)[-3000:])


@dataclass
class World:
    root: Path
    environment: Path
    model: Path = field(init=False)
    started: list[Started] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Everything that is started from here on finds vLLM by these variables."""
        python = self.environment / "bin" / "python"
        os.environ |= ENVIRONMENT | {VARIABLE: f"{python} -m vllm.entrypoints.openai.api_server"}
        self.model = cache_folder() / "smollm2-135m-hf"
        if not (self.model / "done").is_file():
            self.inside("model", str(locate("smollm2-135m")), str(self.model))

    def inside(self, *arguments: str) -> None:
        command = [str(self.environment / "bin" / "python"), str(HERE / "inside.py"), *arguments]
        made = subprocess.run(command, capture_output=True, text=True, errors="replace")
        if made.returncode:
            sys.exit(f"failed ({made.returncode}): {' '.join(command)}\n{made.stderr[-4000:]}")

    def project(self, name: str, *, pipeline: str = PIPELINE, passages: int = PASSAGES, **changes: Any) -> Project:
        """One whose two roles name the same model, by `mode: vllm`; `changes` are keys of both roles."""
        made = Project(self, MadeProject(self.root / name))
        for file in EXAMPLES.iterdir():
            shutil.copy(file, made.made.root / "inputs")
        made.made.write("pipelines/tiny.yaml", pipeline)
        made.made.write("prompts/question.jinja", QUESTION)
        made.made.write("prompts/answers.jinja", ANSWERS)
        keys = {"model": str(self.model), "mode": "vllm", "arguments": list(ARGUMENTS), "concurrency": 4, **changes}
        api = {f"{role}_{key}": value for role in ("small", "large") for key, value in keys.items()}
        system = {"chunk_size": 120, "use_subset": True, "subset_size": passages}
        made.made.config(pipeline="tiny", api=api, system=system)
        return made

    def clean(self) -> None:
        """End what a proof that failed has left."""
        for process, family in self.started:
            process.kill()
            process.wait()
            family.end()


@dataclass
class Project:
    world: World
    made: MadeProject

    @classmethod
    def named(cls, world: World, name: str) -> Project:
        """One that was made before."""
        made = MadeProject.__new__(MadeProject)
        made.root = world.root / name
        return cls(world, made)

    @property
    def output(self) -> Path:
        return self.made.output

    @property
    def logs(self) -> list[Path]:
        return sorted((self.output / "logs").glob("*.log"))

    @property
    def log(self) -> str:
        return "".join(path.read_text(errors="replace") for path in self.logs)

    @property
    def answered(self) -> int:
        """Chat completions that the server sent, by its own log."""
        return len(ASKED.findall(self.log))

    def start(self, before: str = "pass") -> Started:
        process = self.made.start(before=before)
        family = Family(process.pid)
        self.world.started.append((process, family))
        return process, family

    def finish(self, started: Started) -> Ended:
        """Its end; who came from it is looked at on the way."""
        process, family = started
        until(lambda: bool(family.look()) or process.poll() is not None, "it starts nobody")
        self.wait_for_calls(1, started)
        return ended(process, TIMEOUT)

    def wait_for_calls(self, number: int, started: Started) -> None:
        """Until so many replies are in the journal, or the program has ended."""
        process, family = started

        def there() -> bool:
            family.look()
            return len(self.calls()) >= number or process.poll() is not None

        until(there, f"no {number} calls in the journal: {self.log[-2000:]}")

    def calls(self) -> list[dict[str, Any]]:
        """What the journal holds, in order."""
        return self._rows("calls")

    def failures(self) -> list[dict[str, Any]]:
        return self._rows("failures")

    def _rows(self, table: str) -> list[dict[str, Any]]:
        path = self.output / "journal.sqlite"
        if not path.exists():
            return []
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            database.row_factory = sqlite3.Row
            try:
                return [dict(row) for row in database.execute(f"SELECT * FROM {table} ORDER BY rowid")]
            except sqlite3.OperationalError:  # made, and no table in it yet
                return []

    def manifest(self) -> dict[str, Any]:
        made: dict[str, Any] = orjson.loads((self.output / "run.json").read_bytes())
        return made


def until(there: Callable[[], bool], else_: str, seconds: float = TIMEOUT) -> None:
    deadline = time.monotonic() + seconds
    while not there():
        demand(time.monotonic() < deadline, else_)
        time.sleep(0.1)
