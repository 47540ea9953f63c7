"""Trying mistakes: pytest collects the tests once, and each mistake is put into a process forked from there.

A function gets the code of the mistaken one in its place, so that nothing is imported again; the file on the disk has the
mistake, too, for the programs that a test starts. What is run as a module is imported, or as tests are collected, cannot be
put in so late: it is tried by a process that imports everything anew.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any, NamedTuple

from benchmarks.mutations import Mutation

PATIENCE = 8.0
SECONDS_TO_START = 30.0
TOO_LATE = 77
"""What a forked process ends with where the mistake cannot be put into a function that is there already."""
OURS = ("augment_correction", "tests", "benchmarks", "__main__", "sitecustomize")
LEFT_TO_CHILDREN = ("ray",)  # it starts threads as it is imported


class Trial(NamedTuple):
    module: Path
    mutation: Mutation


class Trials:
    """A plugin of pytest that runs the tests in forked processes: once without a mistake, then once for each."""

    def __init__(self, trials: Sequence[Trial], tree: Path) -> None:
        self.trials, self.tree = trials, tree
        self.files = {str(trial.module) for trial in trials}
        self.early: set[tuple[str, int]] = set()
        self.reached: dict[str, list[tuple[str, int]] | None] = {}
        """What each test called; None where that is not known."""
        self.seconds: dict[str, float] = {}
        self._called = self.early
        self._limits: dict[str, float] = {}

    def follow(self, frame: FrameType, event: str, arg: object) -> None:
        if event == "call" and frame.f_code.co_filename in self.files:
            self._called.add((frame.f_code.co_filename, frame.f_code.co_firstlineno))

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        if self._limits:
            signal.setitimer(signal.ITIMER_REAL, self._limits[nodeid])  # which ends the process
        else:
            sys.setprofile(self.follow)
        self._called = set()
        self.seconds[nodeid] = -time.monotonic()

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        self.seconds[nodeid] += time.monotonic()
        # Python takes a profiler away that fails, as every function does where the stack is full
        self.reached[nodeid] = sorted(self._called) if self._limits or sys.getprofile() == self.follow else None

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed and self._limits:
            os._exit(1)

    def pytest_runtestloop(self, session: Any) -> bool:
        if session.testsfailed:
            raise session.Failed("the tests cannot be collected without a mistake")
        sys.setprofile(None)
        code = forked(lambda: self._unmutated(session), 1800)
        if code:
            raise session.Failed("the tests fail or hang without a mistake")
        found = json.loads((self.tree.parent / "reached.json").read_text())
        reached = places_of(found["reached"])
        results: dict[int, bool] = {}
        items = {item.nodeid: item for item in session.items}
        for number, trial in enumerate(self.trials):
            place = (str(trial.module), trial.mutation.function)
            if not trial.mutation.function or place in self.early:
                continue
            limits = {name: 5 + PATIENCE * found["seconds"][name] for name in fastest(found["seconds"], reached, place)}
            chosen = [items[name] for name in limits]
            with in_the_file(trial) as sound:
                ended = forked(partial(self._mutated, trial, sound, chosen, limits), sum(limits.values()))
            if ended != TOO_LATE:
                results[number] = ended != 0
                (self.tree.parent / "results.json").write_text(json.dumps(results))
        return True

    def _unmutated(self, session: Any) -> int:
        run(session.items)
        sys.setprofile(None)
        modules = [name for name in sys.modules if name.split(".")[0] not in OURS + LEFT_TO_CHILDREN]
        found = {"reached": self.reached, "seconds": self.seconds, "modules": modules, "early": sorted(self.early)}
        (self.tree.parent / "reached.json").write_text(json.dumps(found))
        return 1 if session.testsfailed else 0

    def _mutated(self, trial: Trial, sound: str, chosen: Sequence[Any], limits: dict[str, float]) -> int:
        if not put_in(trial, sound):
            return TOO_LATE
        self._limits = limits
        run(chosen)
        return 0


Reached = Mapping[str, set[tuple[str, int]] | None]


def places_of(stored: Mapping[str, list[list[Any]] | None]) -> Reached:
    return {name: places and {(file, line) for file, line in places} for name, places in stored.items()}


def fastest(seconds: Mapping[str, float], reached: Reached, place: tuple[str, int]) -> list[str]:
    """The tests that called the function, or may have; all of them where none called it in the tests' own process."""
    sure = any(called and place in called for called in reached.values())
    found = [name for name, called in reached.items() if not sure or called is None or place in called]
    return sorted(found, key=seconds.__getitem__)


def run(items: Sequence[Any]) -> None:
    for number, item in enumerate(items):
        following = items[number + 1] if number + 1 < len(items) else None
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)


# ------------------------------------------------------------------------------------- putting a mistake in


@contextmanager
def in_the_file(trial: Trial) -> Iterator[str]:
    """The text without the mistake."""
    whole = trial.module.read_text("utf-8")
    trial.module.write_text(trial.mutation.source, "utf-8")
    # Two texts of one length and one second would be one to Python's cache.
    os.utime(trial.module, (_Clock.now(),) * 2)
    try:
        yield whole
    finally:
        trial.module.write_text(whole, "utf-8")


class _Clock:
    _seconds = 10**9

    @classmethod
    def now(cls) -> int:
        cls._seconds += 10
        return cls._seconds


Place = tuple[tuple[str, int], ...]


def codes(code: CodeType, place: Place = ()) -> Iterator[tuple[Place, CodeType]]:
    """Every piece of code in it, by its names from the outside in; a number tells those of one name apart."""
    yield place, code
    seen: Counter[str] = Counter()
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes(constant, (*place, (constant.co_name, seen[constant.co_name])))
            seen[constant.co_name] += 1


def put_in(trial: Trial, sound: str) -> bool:
    """Whether a function that is there has the mistake now."""
    file = str(trial.module)
    places = {code: place for place, code in codes(compile(sound, file, "exec", dont_inherit=True))}
    mistaken = dict(codes(compile(trial.mutation.source, file, "exec", dont_inherit=True)))
    changed = False
    for function in [each for each in gc.get_objects() if type(each) is FunctionType]:
        place = places.get(function.__code__)
        other = mistaken.get(place) if place else None
        if other is not None and other != function.__code__:
            try:
                function.__code__ = other
            except ValueError:  # it closes over other names
                return False
            changed = True
    return changed


# ------------------------------------------------------------------------------------- processes


def pytest_in(tree: Path, arguments: Sequence[str], trials: Trials | None = None) -> int:
    """In a forked process: pytest, in the copy."""
    import threading

    os.chdir(tree)
    sys.path.insert(0, str(tree))
    for name in [name for name in sys.modules if name.split(".")[0] == "benchmarks"]:
        del sys.modules[name]
    for name in [name for name in os.environ if name.startswith("PYTEST_")]:
        del os.environ[name]
    os.environ["PYTHONPATH"] = str(tree)
    os.environ.setdefault("PATIENCE_SECONDS", "15")
    with (tree.parent / "output.txt").open("w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    import hypothesis
    import pytest

    found_is_enough = (hypothesis.Phase.explicit, hypothesis.Phase.generate)  # no search for the smallest example
    hypothesis.settings.register_profile("mutate", phases=found_is_enough, database=None, print_blob=False)
    hypothesis.settings.load_profile("mutate")
    options = ["-q", "-x", "-p", "no:cacheprovider", f"--basetemp={tree.parent}/made", "-o", "addopts="]
    options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # of plugins that the parent has imported
    if trials is None:
        return int(pytest.main([*options, *arguments]))
    threading.setprofile(trials.follow)
    sys.setprofile(trials.follow)  # not settrace, which hypothesis takes for itself and does not give back
    return int(pytest.main([*options, *arguments], plugins=[trials]))


def results(tree: Path, trials: Sequence[Trial], tests: Sequence[Path]) -> Iterator[tuple[Trial, bool]]:
    """Whether each mistake was noticed."""
    answered = tree.parent / "results.json"
    answered.write_text("{}")
    plugin = Trials(trials, tree)
    code = forked(lambda: pytest_in(tree, [str(test) for test in tests], plugin), 24 * 3600)
    if code:
        raise SystemExit((tree.parent / "output.txt").read_text()[-3000:])
    known = {int(number): seen for number, seen in json.loads(answered.read_text()).items()}
    yield from ((trials[number], seen) for number, seen in known.items())
    before = json.loads((tree.parent / "reached.json").read_text())
    import_all(before["modules"])
    reached = places_of(before["reached"])
    for number, trial in enumerate(trials):
        if number not in known:
            chosen = fastest(before["seconds"], reached, (str(trial.module), trial.mutation.function))
            limit = SECONDS_TO_START + PATIENCE * sum(before["seconds"][test] for test in chosen)
            with in_the_file(trial):
                yield trial, forked(partial(pytest_in, tree, chosen), limit) != 0


def import_all(names: Sequence[str]) -> None:
    """So that the processes forked later need not."""
    for name in names:
        try:
            importlib.import_module(name)
        except Exception:  # some are made by others as they are imported; the children import them themselves
            continue


def forked(work: Callable[[], int], limit: float) -> int | None:
    """What the work returned, in a process of its own; None where it took too long."""
    child = os.fork()
    if not child:
        code = 3
        try:
            os.setsid()
            code = work()
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
