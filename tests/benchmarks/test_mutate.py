"""The program that puts mistakes in: what it puts in is run, and what it leaves out is still there to be left out."""

from __future__ import annotations

import importlib.util
import sys
from contextlib import suppress
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from benchmarks import mutate
from benchmarks.mutation_trials import Trial, Trials, fastest, in_the_file, put_in
from benchmarks.mutations import Mutation, mutations

SOURCE = """
from functools import lru_cache

LIMIT = 3

@lru_cache(maxsize=8)
def few(number):
    return number < LIMIT

class Box:
    def sizes(self, numbers):
        return [number + 1 for number in numbers if self.fits(number)]

    def fits(self, number):
        return few(number) or number == 7
"""


@pytest.fixture
def made(tmp_path: Path) -> ModuleType:
    path = tmp_path / "a_module_of_a_test.py"
    path.write_text(SOURCE)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def mistake(was: str, becomes: str) -> Mutation:
    return next(each for each in mutations(SOURCE) if (each.was, each.becomes) == (was, becomes))


@pytest.mark.parametrize(
    ("was", "becomes", "sizes"),
    [
        ("number < LIMIT", "(number <= LIMIT)", [3, 4, 8]),  # behind a decorator
        ("1", "(2)", [4, 9]),  # inside a comprehension
        ("few(number) or number == 7", "(few(number) and number == 7)", []),
    ],
)
def test_a_function_that_is_there_makes_the_mistake(made: ModuleType, was: str, becomes: str, sizes: list[int]) -> None:
    box, path = made.Box(), Path(str(made.__file__))
    assert box.sizes([2, 3, 7]) == [3, 8]
    made.few.cache_clear()
    trial = Trial(path, mistake(was, becomes))
    with in_the_file(trial) as sound:
        assert put_in(trial, sound) and path.read_text() == trial.mutation.source
        assert box.sizes([2, 3, 7]) == sizes
    assert path.read_text() == SOURCE


def test_what_stands_outside_of_all_functions_cannot_be_put_in_late(made: ModuleType) -> None:
    mutation = mistake("3", "(4)")
    assert mutation.function == 0 and mutation.row == "LIMIT = 3"
    assert not put_in(Trial(Path(str(made.__file__)), mutation), SOURCE)


def test_what_a_test_calls_is_known_behind_one_that_fills_the_stack(made: ModuleType) -> None:
    def deep() -> None:
        deep()

    def call_few() -> None:
        made.few(1)

    mutation = mistake("number < LIMIT", "(number <= LIMIT)")
    file, before = Path(str(made.__file__)), sys.getprofile()
    trials = Trials([Trial(file, mutation)], file.parent)
    try:
        for name, test in (("deep", deep), ("few", call_few), ("none", int)):
            trials.pytest_runtest_logstart(name)
            with suppress(RecursionError):
                test()
            trials.pytest_runtest_logfinish(name)
    finally:
        sys.setprofile(before)
    place = (str(file), mutation.function)
    assert trials.reached == {"deep": None, "few": [place], "none": []}
    seconds = {"deep": 2.0, "few": 1.0, "none": 0.5}
    assert fastest(seconds, {"deep": None, "few": {place}, "none": set()}, place) == ["few", "deep"]
    assert fastest(seconds, {"deep": None, "few": set(), "none": set()}, place) == ["none", "few", "deep"]


def test_a_mistake_that_is_left_out_is_one_that_would_be_put_in() -> None:
    listed = yaml.safe_load(mutate.EQUIVALENT.read_text("utf-8"))
    assert listed and all(entry["why"].endswith(".") for entry in listed)
    for module in {entry["module"] for entry in listed}:
        source = (mutate.ROOT / "augment_correction" / module).read_text("utf-8")
        left_out = mutate.equivalent(module)
        assert len(left_out) == sum(len(entry["mistakes"]) for entry in listed if entry["module"] == module)
        assert left_out.keys() <= {mutation.key for mutation in mutations(source)}, module


def test_the_same_words_twice_in_a_row_are_two_mistakes() -> None:
    row = "for at in range(1, most + 1):"
    keys = [each.key for each in mutations(f"{row}\n    pass\n") if each.becomes == "(0)"]
    assert keys == [(row, "1", "(0)", 1), (row, "1", "(0)", 2)]


def test_the_share_is_of_what_can_be_noticed() -> None:
    count = mutate.Count()
    count.noticed, count.missed, count.equivalent = 9, 1, 3
    count += count
    assert str(count) == "26 | 6 | 18 of 20 | 90 % |"
