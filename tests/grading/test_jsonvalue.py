"""JSON by value."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augment_correction.grading.jsonvalue import (
    beside_json,
    clashes,
    every_json,
    find_json,
    looks_like_json,
    same_value,
    whole_json,
)

leaves = st.none() | st.booleans() | st.integers() | st.text()
json_values = st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)
containers = st.lists(json_values) | st.dictionaries(st.text(), json_values)


@given(containers)
def test_any_value_is_read_back_whole_fenced_and_from_prose(value: object) -> None:
    text = json.dumps(value, indent=1)
    expected = whole_json(json.dumps(value, sort_keys=True))
    for found in (whole_json(text), whole_json(f"```json\n{json.dumps(value)}\n```"), find_json(f"Here: {text}")):
        if "```" not in text:
            assert same_value(found, expected)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ('{"a": 1, "b": [1, 2]}', '{"b":[1.0,2],"a":1e0}', True),
        ("[0.1]", "[0.10]", True),
        ("[1]", "[true]", False),
        ('["1"]', "[1]", False),
        ("[1, 2]", "[2, 1]", False),
        ("[null]", "[0]", False),
        ('{"a": 1}', '{"a": 1, "b": 2}', False),
    ],
)
def test_equality_is_by_value(one: str, other: str, same: bool) -> None:
    assert same_value(whole_json(one), whole_json(other)) is same


@pytest.mark.parametrize("text", ["5", '"word"', "{'a': 1}", '{"a": 1', '{"a": NaN}', "see {this}", "[" * 5000, ""])
def test_what_is_no_object_or_array_is_refused(text: str) -> None:
    for read in (whole_json, find_json):
        with pytest.raises(ValueError):
            read(text)


def test_json_that_is_begun_is_recognised() -> None:
    assert looks_like_json(' {"a": ') and looks_like_json("```json\n{") and not looks_like_json("a: 1")


@pytest.mark.parametrize(
    ("one", "other", "clash"),
    [
        ([1, 2], [1, 3], True),
        ([1, 2], [1, 2, 3], False),
        ([1, "a"], [1, "b"], False),
        ({"a": 1}, {"a": 2}, True),
        ({"a": 1}, {"b": 2}, False),
        ({"a": [True]}, {"a": [False]}, True),
        ("a", 1, False),
        (None, 0, True),
    ],
)
def test_values_of_one_shape_clash_where_no_paraphrase_explains_it(one: object, other: object, clash: bool) -> None:
    assert clashes(one, other) is clash


def test_lists_clash_in_one_shape_alone() -> None:
    assert clashes([1, 2], [1, 3]) and clashes([[True]], [[False]]) and clashes({"a": None}, {"a": 0})
    assert not clashes([1, 2], [1, 3, 4]) and not clashes([1], [1]) and not clashes({"a": 1}, {"b": 2})
    assert not clashes(["x"], ["y"]) and not clashes([1], [[1]]) and not clashes("1", 1)


def test_of_several_values_the_last_is_found_in_fences_before_prose() -> None:
    assert find_json("[1] and [2]") == [2] and every_json("[1] and [2]") == [[1], [2]]
    assert every_json("[9]\n```json\n[1]\n```\n```json\n[2]\n```") == [[1], [2]]


def test_what_is_said_beside_the_values() -> None:
    assert beside_json('It is not [1], it is {"a": "no"}.').split() == ["It", "is", "not", ",", "it", "is", "."]
    assert beside_json("Here: ```json\n[1]\n``` as asked [sic").split() == ["Here:", "as", "asked", "[sic"]
