"""Strict YAML: what is refused, and that the place is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from augment_correction.errors import ConfigError
from augment_correction.sampling import Declaration
from augment_correction.yamlfile import parse_yaml

HERE = Path("here.yaml")


class Inner(Declaration):
    chunk_size: int = 1


class Outer(Declaration):
    inner: Inner = Inner()
    items: tuple[Inner, ...] = ()


def place(failure: pytest.ExceptionInfo[ConfigError]) -> tuple[int | None, int | None]:
    return failure.value.line, failure.value.column


def test_words_that_yaml_1_1_takes_for_booleans_stay_words() -> None:
    assert parse_yaml("a: yes\nb: no\nc: on\nd: off\ne: true\nf: False", HERE).data == {
        "a": "yes", "b": "no", "c": "on", "d": "off", "e": True, "f": False,
    }  # fmt: skip


def test_learning_rates_are_numbers() -> None:
    assert parse_yaml("lr: 1e-4", HERE).data == {"lr": 1e-4}


def test_a_key_that_stands_twice_is_refused() -> None:
    with pytest.raises(ConfigError, match="'a' stands twice") as failure:
        parse_yaml("a: 1\nb: 2\na: 3", HERE)
    assert place(failure) == (3, 1)


@pytest.mark.parametrize("value", ["!!PLACEHOLDER!!", "./in/!!PLACEHOLDER!!", '"!!PLACEHOLDER!!"'])
def test_a_placeholder_left_in_names_its_key(value: str) -> None:
    with pytest.raises(ConfigError, match=r"'api\.key' is still a !!PLACEHOLDER!!") as failure:
        parse_yaml(f"api:\n  key: {value}", HERE)
    assert failure.value.line == 2


def test_a_syntax_error_has_its_line() -> None:
    with pytest.raises(ConfigError, match=r"here\.yaml:2:") as failure:
        parse_yaml("a: 1\nb: [", HERE)
    assert failure.value.hint


def test_an_unknown_key_asks_did_you_mean() -> None:
    with pytest.raises(ConfigError, match=r"unknown key 'inner\.chunk_sise'") as failure:
        parse_yaml("inner:\n  chunk_sise: 3", HERE).validate(Outer)
    assert place(failure) == (2, 3)
    assert failure.value.hint == "did you mean 'chunk_size'?"


def test_every_problem_is_told_with_its_line() -> None:
    with pytest.raises(ConfigError) as failure:
        parse_yaml("items:\n  - chunk_size: x\n  - chunk_size: 1\n    other: 2", HERE).validate(Outer)
    assert "items.0.chunk_size" in str(failure.value)
    assert "line 4: unknown key 'items.1.other'" in str(failure.value)


def test_merge_keys_work() -> None:
    text = "base: &base\n  chunk_size: 5\ninner:\n  <<: *base\n"
    assert parse_yaml(text, HERE).data["inner"] == {"chunk_size": 5}
