"""JSON in an answer, compared by value: key order, spacing and 1.0 for 1 make no difference; "1", 1 and true are three."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NoReturn

from augment_correction.json_text import values_in
from augment_correction.text.fences import FENCED_JSON

_LOOKS_LIKE_JSON = re.compile(r"\s*+(?:[\[{]|```json)", re.IGNORECASE)

_OPENS = re.compile(r"\[|\{(?=\s*[\"}])")


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


# Decimal, so that 0.1 is compared as it stands there.
_DECODER = json.JSONDecoder(parse_float=Decimal, parse_int=Decimal, parse_constant=_refuse)


def whole_json(text: str) -> Any:
    """The object or array that is all of `text`, but for a fence around it; a bare number or word is no JSON here.

    Raises: ValueError.
    """
    fenced = FENCED_JSON.fullmatch(text.strip())
    plain = (fenced.group(1) if fenced else text).strip()
    if not plain.startswith(("{", "[")):
        raise ValueError("neither an object nor an array")
    return _decode(plain)


def find_json(text: str) -> Any:
    """The last object or array in prose, in fences first.

    Raises: ValueError where there is none.
    """
    return every_json(text)[-1]


def every_json(text: str) -> list[Any]:
    """The objects and arrays in its fences, else in its prose.

    Raises: ValueError where there is none.
    """
    for places in (FENCED_JSON.findall(text), [text]):
        if found := [value for place in places for value, _, _ in _containers(place)]:
            return found
    raise ValueError("no JSON object or array")


def beside_json(text: str) -> str:
    """What is said around its fences, objects and arrays."""
    prose = FENCED_JSON.sub(" ", text)
    parts, done = [], 0
    for _, start, end in _containers(prose):
        parts.append(prose[done:start])
        done = end
    return " ".join((*parts, prose[done:]))


def looks_like_json(text: str) -> bool:
    """It starts as JSON does, whether or not it can be read."""
    return bool(_LOOKS_LIKE_JSON.match(text))


def same_value(one: Any, other: Any) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same_value(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same_value, one, other))
    return type(one) is type(other) and bool(one == other)


def clashes(one: Any, other: Any) -> bool:
    """Of one shape, with a number, a true or false, or a null that differs: no paraphrase can explain that."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and any(clashes(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and any(map(clashes, one, other))
    plain = not isinstance(one, str | dict | list) and not isinstance(other, str | dict | list)
    return plain and not same_value(one, other)


def _decode(text: str) -> Any:
    try:
        return _DECODER.decode(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _containers(text: str) -> Iterator[tuple[Any, int, int]]:
    """(value, start, end)"""
    return values_in(text, _OPENS, _DECODER.raw_decode, too_deep=1)
