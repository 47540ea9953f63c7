"""Do the tests notice a small mistake in a module that decides? Mistakes are drawn, put in one by one, and tried.

    python -m benchmarks.mutate                             four mistakes in each module, and which were not noticed
    python -m benchmarks.mutate --module limiter --each 40  forty in one module
    python -m benchmarks.mutate --module limiter --line 84  every one of a line

A mistake is noticed where a test beside its module fails, or takes eight times as long as it took. Each is tried in a copy
of the tree, by a process forked from one that has imported the libraries already; of the tests, only those that called the
function run (all of them where none called it in the tests' own process).
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import NamedTuple

from benchmarks.mutations import Mutation, mutations

ROOT = Path(__file__).parents[1]
PATIENCE = 8.0
SECONDS_TO_START = 30.0
TREE = ("augment_correction", "tests", "benchmarks", "pipelines", "configs", "prompts", "inputs", "docs")
OURS = ("augment_correction", "tests", "benchmarks", "__main__", "sitecustomize")
LEFT_TO_CHILDREN = ("ray",)  # it starts threads as it is imported


class Group(NamedTuple):
    modules: str
    tests: str


GROUPS = {
    "masks": Group(
        "export/segments export/masking export/cutting",
        "export/test_masking export/test_segments export/test_cutting",
    ),
    "checks": Group(
        "stages/checks/* stages/ground stages/quotes", "stages/test_checks* stages/test_ground stages/test_quotes"
    ),
    "calls": Group(
        "llm/metered llm/limiter llm/pace", "llm/test_metered llm/test_limiter llm/test_pace llm/test_adapting"
    ),
    "money": Group("ledger", "test_ledger llm/test_metered"),
    "journal": Group("store/database store/journal", "store/test_database store/test_journal*"),
    "chunker": Group("documents/chunking", "documents/test_chunking"),
    "statistics": Group(
        "evals/significance evals/decision evals/looks grading/flips",
        "evals/test_significance evals/test_decision evals/test_looks evals/test_metrics grading/test_flips",
    ),
    "grader": Group("grading/*", "grading/test_*"),
    "worker": Group(
        "worker/jobs worker/rounds launching/slot worker/intake worker/entries worker/log",
        "worker/test_jobs worker/test_log worker/test_hostile worker/test_intake worker/test_rounds "
        "launching/test_slot",
    ),
    "config": Group("config", "test_config"),
    "sandboxes": Group(
        "sandbox prompts export/jinja_chat export/chat_template",
        "test_sandbox test_prompts export/test_chat_template",
    ),
}


class Tests:
    """A plugin of pytest: the functions of some files that each test calls, by their first lines, and how long each takes."""

    def __init__(self, files: Sequence[str]) -> None:
        self.files = set(files)
        self.reached: dict[str, list[tuple[str, int]]] = {}
        self.seconds: dict[str, float] = {}
        self._called: set[tuple[str, int]] = set()

    def follow(self, frame: FrameType, event: str, arg: object) -> None:
        if event == "call" and frame.f_code.co_filename in self.files:
            self._called.add((frame.f_code.co_filename, frame.f_code.co_firstlineno))

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._called = set()
        self.seconds[nodeid] = -time.monotonic()

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        self.seconds[nodeid] += time.monotonic()
        self.reached[nodeid] = sorted(self._called)


def inside(tree: Path, arguments: Sequence[str], tests: Tests | None) -> int:
    """In a forked process: pytest, in the copy."""
    import threading

    os.chdir(tree)
    sys.path.insert(0, str(tree))
    for name in [name for name in sys.modules if name.split(".")[0] == "benchmarks"]:
        del sys.modules[name]
    for name in [name for name in os.environ if name.startswith("PYTEST_")]:
        del os.environ[name]
    os.environ["PYTHONPATH"] = str(tree)
    with (tree.parent / "output.txt").open("w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    import hypothesis
    import pytest

    found_is_enough = (hypothesis.Phase.explicit, hypothesis.Phase.generate)  # no search for the smallest example
    hypothesis.settings.register_profile("mutate", phases=found_is_enough, database=None, print_blob=False)
    hypothesis.settings.load_profile("mutate")
    if tests is not None:
        threading.setprofile(tests.follow)
        sys.setprofile(tests.follow)  # not settrace, which hypothesis takes for itself and does not give back
    options = ["-q", "-x", "-p", "no:cacheprovider", f"--basetemp={tree.parent}/made", "-o", "addopts="]
    options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # of plugins that the parent has imported
    code = int(pytest.main([*options, *arguments], plugins=[tests] if tests else []))
    sys.setprofile(None)
    if tests is not None:
        modules = [name for name in sys.modules if name.split(".")[0] not in OURS + LEFT_TO_CHILDREN]
        found = {"reached": tests.reached, "seconds": tests.seconds, "modules": modules}
        (tree.parent / "reached.json").write_text(json.dumps(found))
    return code


def forked(tree: Path, arguments: Sequence[str], limit: float, tests: Tests | None = None) -> int | None:
    """Pytest's exit code; None where it took too long."""
    child = os.fork()
    if not child:
        code = 3
        try:
            os.setsid()
            code = inside(tree, arguments, tests)
        finally:
            os._exit(code)
    end = time.monotonic() + limit
    status: int | None = None
    while status is None and time.monotonic() < end:
        done, found = os.waitpid(child, os.WNOHANG)
        status = os.waitstatus_to_exitcode(found) if done else None
        time.sleep(0.02)
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)  # whatever the tests started, too
    if status is None:
        os.waitpid(child, 0)
    return status


def copied(to: Path) -> Path:
    without = shutil.ignore_patterns("__pycache__")
    for name in TREE:
        shutil.copytree(ROOT / name, to / name, ignore=without)
    for path in ROOT.glob("*.*"):
        if path.is_file():
            shutil.copy2(path, to)
    return to


def paths(tree: Path, names: str, under: str) -> list[Path]:
    return sorted({path for name in names.split() for path in (tree / under).glob(f"{name}.py")})


class Unmutated(NamedTuple):
    reached: Mapping[str, Sequence[list[str | int]]]
    seconds: Mapping[str, float]

    @classmethod
    def measure(cls, tree: Path, modules: Sequence[Path], tests: Sequence[Path]) -> Unmutated:
        code = forked(tree, [str(test) for test in tests], 900, Tests([str(module) for module in modules]))
        if code:
            raise SystemExit(
                f"the tests fail or hang without a mistake:\n{(tree.parent / 'output.txt').read_text()[-3000:]}"
            )
        found = json.loads((tree.parent / "reached.json").read_text())
        for name in found["modules"]:
            try:
                importlib.import_module(name)
            except Exception:  # some are made by others as they are imported; the children import them themselves
                continue
        return cls(found["reached"], found["seconds"])

    def tests_of(self, module: Path, mutation: Mutation) -> list[str]:
        """The fastest first."""
        place = [str(module), mutation.function]
        found = [test for test, called in self.reached.items() if place in called]
        return sorted(found or self.seconds, key=self.seconds.__getitem__)


def noticed(tree: Path, module: Path, mutation: Mutation, before: Unmutated, clock: Iterator[int]) -> bool:
    chosen = before.tests_of(module, mutation)
    limit = SECONDS_TO_START + PATIENCE * sum(before.seconds[test] for test in chosen)
    whole = module.read_text("utf-8")
    module.write_text(mutation.source, "utf-8")
    os.utime(module, (next(clock),) * 2)  # two texts of one length and one second would be one to Python's cache
    try:
        return forked(tree, chosen, limit) != 0
    finally:
        module.write_text(whole, "utf-8")


def drawn(module: Path, tree: Path, told: argparse.Namespace) -> list[Mutation]:
    found = mutations(module.read_text("utf-8"))
    if told.line:
        return [each for each in found if each.line == told.line]
    return random.Random(f"{told.seed} {module.relative_to(tree)}").sample(found, min(told.each, len(found)))


def tried(tree: Path, told: argparse.Namespace) -> Iterator[tuple[str, bool]]:
    """By group, whether a mistake was noticed."""
    clock = iter(range(10**9, 2 * 10**9, 10))
    for name, group in GROUPS.items():
        modules = [each for each in paths(tree, group.modules, "augment_correction") if told.module in str(each)]
        if not modules or (told.group and told.group != name):
            continue
        before = Unmutated.measure(tree, modules, paths(tree, group.tests, "tests"))
        for module in modules:
            for mutation in drawn(module, tree, told):
                seen = noticed(tree, module, mutation, before, clock)
                yield name, seen
                if not seen:
                    place = f"{module.relative_to(tree / 'augment_correction')}:{mutation.line}"
                    print(f"not noticed: {place}: {mutation.was} -> {mutation.becomes}", flush=True)


def main() -> None:
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("--each", type=int, default=4, help="mistakes drawn in each module (default: 4)")
    flags.add_argument("--seed", default="1", help="draws others (default: 1)")
    flags.add_argument("--module", default="", help="only modules with this in their path")
    flags.add_argument("--group", choices=GROUPS, help="only the modules of this row of the table")
    flags.add_argument("--line", type=int, help="every mistake of this line")
    told = flags.parse_args()
    counts: dict[str, list[bool]] = defaultdict(list)
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    with tempfile.TemporaryDirectory(prefix="mutate-") as folder:
        for name, seen in tried(copied(Path(folder).resolve() / "tree"), told):
            counts[name].append(seen)
    print("| modules | mistakes | noticed |\n|---|---|---|")
    for name, each in counts.items():
        print(f"| {name} | {len(each)} | {100 * sum(each) / len(each):.0f} % |")
    every = [seen for each in counts.values() for seen in each]
    print(f"| all | {len(every)} | {100 * sum(every) / max(1, len(every)):.0f} % |")


if __name__ == "__main__":
    main()
