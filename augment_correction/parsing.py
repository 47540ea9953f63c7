"""Model text to fields. Only the final answer is read: what stands in `<think>` never counts, and of several
answers the last complete one does, because a reasoning model drafts before it answers."""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Literal

from augment_correction.errors import Reject
from augment_correction.json_text import values_in

_THINK_END = re.compile(r"</(?:think|thinking|reasoning)\s*>", re.IGNORECASE)
_THINK_START = re.compile(r"<(?:think|thinking|reasoning)\s*>", re.IGNORECASE)


def final_answer(text: str) -> str:
    """What follows the reasoning. Reasoning that was opened and never closed leaves no answer: "" is returned."""
    ends = list(_THINK_END.finditer(text))
    if ends:
        text = text[ends[-1].end() :]
    unclosed = _THINK_START.search(text)
    return (text[: unclosed.start()] if unclosed else text).strip()


@lru_cache(maxsize=64)
def _tag(name: str) -> re.Pattern[str]:
    return re.compile(rf"<\s*+(/?)\s*+{re.escape(name)}\s*>", re.IGNORECASE)


def read_tags(text: str, names: Sequence[str]) -> dict[str, str]:
    """`<name>value</name>` for each of `names`, in this order: the last complete set in the final answer.

    Raises: Reject("no_answer" | "missing_field" | "empty_field").

    >>> read_tags("Here it is: <answer>Nine arches.</answer>", ("answer",))
    {'answer': 'Nine arches.'}
    """
    answer = _answer_of(text)
    tags = {name: _Tags(answer, name) for name in names}
    for start, _ in reversed(tags[names[0]].openings):
        fields = _tags_from(answer, start, tags)
        if fields is not None:
            return _not_empty(fields)
    missing = next((name for name in names if not tags[name].complete), names[0])
    raise Reject("missing_field", f"the reply has no complete <{missing}>...</{missing}> in the asked order")


class _Tags:
    """Where one name's tags stand. A reply of nothing but openings is looked through once for all of them."""

    def __init__(self, text: str, name: str) -> None:
        self._places: dict[str, list[tuple[int, int]]] = {"": [], "/": []}
        for found in _tag(name).finditer(text):
            self._places[found[1]].append(found.span())

    @property
    def openings(self) -> list[tuple[int, int]]:
        return self._places[""]

    @property
    def complete(self) -> bool:
        return all(self._places.values())

    def next(self, sign: Literal["", "/"], at: int) -> tuple[int, int] | None:
        places = self._places[sign]
        found = bisect_left(places, (at, 0))
        return places[found] if found < len(places) else None


def _tags_from(text: str, position: int, tags: Mapping[str, _Tags]) -> dict[str, str] | None:
    fields = {}
    for name, places in tags.items():
        opening = places.next("", position)
        closing = opening and places.next("/", opening[1])
        if not opening or not closing:
            return None
        fields[name] = opening[1], closing[0]
        position = closing[1]
    return {name: text[start:end].strip() for name, (start, end) in fields.items()}


def read_json(text: str, names: Sequence[str]) -> dict[str, str]:
    """The last JSON object in the final answer that holds all of `names` as text; prose and fences around it are fine.

    Raises: Reject("no_answer" | "invalid_json" | "missing_field" | "empty_field").

    >>> read_json('Here it is: {"answer": "Nine arches."}', ("answer",))
    {'answer': 'Nine arches.'}
    """
    answer = _answer_of(text)
    objects = list(_objects(answer))
    if not objects:
        raise Reject("invalid_json", "the reply holds no JSON object")
    for found in reversed(objects):
        if all(isinstance(found.get(name), str) for name in names):
            return _not_empty({name: str(found[name]).strip() for name in names})
    missing = [name for name in names if not isinstance(objects[-1].get(name), str)]
    raise Reject("missing_field", f"the reply's JSON has no text under {', '.join(missing)}")


def read_json_lists(text: str, names: Sequence[str], lists: Sequence[str]) -> dict[str, str | tuple[str, ...]]:
    """The last JSON object in the final answer that holds all of `names` as text and all of `lists` as lists of texts; a
    single text is a list of one. Other texts of it are given back, too.

    Raises: Reject("no_answer" | "invalid_json" | "missing_field" | "empty_field").

    >>> read_json_lists('{"supported": "yes", "evidence": "nine arches"}', ("supported",), ("evidence",))
    {'supported': 'yes', 'evidence': ('nine arches',)}
    """
    objects = list(_objects(_answer_of(text)))
    if not objects:
        raise Reject("invalid_json", "the reply holds no JSON object")
    for found in reversed(objects):
        listed = {name: given for name in lists if (given := _texts(found.get(name))) is not None}
        said = {name: value.strip() for name, value in found.items() if isinstance(value, str) and name not in lists}
        if len(listed) == len(lists) and said.keys() >= {*names}:
            _not_empty({name: said[name] for name in names})
            return {**said, **listed}
    missing = [name for name in names if not isinstance(objects[-1].get(name), str)]
    missing += [name for name in lists if _texts(objects[-1].get(name)) is None]
    raise Reject("missing_field", f"the reply's JSON has no usable {', '.join(missing)}")


def _texts(value: object) -> tuple[str, ...] | None:
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        return None
    return tuple(stripped for each in value if (stripped := each.strip()))


def read_items(text: str, key: str, names: Sequence[str]) -> list[dict[str, str]]:
    """The objects under `key` of the last JSON object in the final answer that has a list there, of each `names` as text. A list of
    texts stands for objects with one field. What in it is neither is left out.

    Raises: Reject("no_answer" | "invalid_json" | "missing_field").

    >>> read_items('{"items": ["How many arches?", {"question": "When was it built?"}]}', "items", ("question",))
    [{'question': 'How many arches?'}, {'question': 'When was it built?'}]
    """
    objects = read_objects(text)
    if not objects:
        raise Reject("invalid_json", "the reply holds no JSON object")
    listed = next((found[key] for found in reversed(objects) if isinstance(found.get(key), list)), None)
    if not isinstance(listed, list):
        raise Reject("missing_field", f"the reply's JSON has no list under {key}")
    read = [_fields_of(each, names) for each in listed]
    if not any(read):
        raise Reject("missing_field", f"no entry of {key} has a text under {', '.join(names)}")
    return [each for each in read if each]


def read_objects(text: str) -> list[dict[str, object]]:
    """Every JSON object in the final answer, in order; prose and fences around them are fine.

    Raises: Reject("no_answer") where nothing follows the reasoning.
    """
    return list(_objects(_answer_of(text)))


def _fields_of(entry: object, names: Sequence[str]) -> dict[str, str]:
    """Empty where the entry is not what was asked for."""
    if isinstance(entry, str) and len(names) == 1:
        entry = {names[0]: entry}
    texts = {name: entry.get(name) for name in names} if isinstance(entry, dict) else {}
    fields = {name: value.strip() for name, value in texts.items() if isinstance(value, str)}
    return fields if len(fields) == len(names) and all(fields.values()) else {}


_DECODER = json.JSONDecoder(strict=False)
_OPENS_OBJECT = re.compile(r"\{(?=\s*[\"}])")


def _objects(text: str) -> Iterator[dict[str, object]]:
    for value, _, _ in values_in(text, _OPENS_OBJECT, _DECODER.raw_decode):
        if isinstance(value, dict):
            yield value


def _answer_of(text: str) -> str:
    answer = final_answer(text)
    if not answer:
        raise Reject("no_answer", "nothing follows the reasoning" if text.strip() else "the reply is empty")
    return answer


def _not_empty(fields: dict[str, str]) -> dict[str, str]:
    for name, value in fields.items():
        if not value:
            raise Reject("empty_field", f"{name} is empty")
    return fields


def read_verdict(text: str, keep: str, drop: str) -> tuple[bool, str]:
    """(kept?, reason) from JSON {reason, verdict}, from a line "Verdict: ...", or from the last sentence that names one
    of the two words. A negation before a word turns it round: "not suitable" drops and "not unsuitable" keeps.

    Raises: Reject("no_answer" | "unclear_verdict").
    """
    answer = _answer_of(text)
    for found in reversed(list(_objects(answer))):
        verdict = found.get("verdict")
        if isinstance(verdict, str):
            return _word(verdict, keep, drop), str(found.get("reason", "")).strip()
    labelled = re.findall(r"(?:verdict|judge?ment|answer)\s*[:：]\s*[*_`\"']*([^\n]+)", answer, re.IGNORECASE)
    sentences = [part for part in re.split(r"(?<=[.!?。])\s+|\n+", answer) if part.strip()]
    for place in [*reversed(labelled), *reversed(sentences)]:
        if _verdict_words(place, keep, drop):
            return _word(place, keep, drop), _reason(answer)
    raise Reject("unclear_verdict", f"the reply names neither '{keep}' nor '{drop}'")


def _reason(answer: str) -> str:
    found = re.search(r"reason\s*[:：]\s*([^\n]+)", answer, re.IGNORECASE)
    return (found.group(1) if found else answer).strip()[:500]


@lru_cache(maxsize=16)
def _verdict_pattern(keep: str, drop: str) -> re.Pattern[str]:
    words = "|".join(sorted((re.escape(keep), re.escape(drop)), key=len, reverse=True))
    return re.compile(
        rf"\b((?:not|isn't|never|non)(?!\s+(?:only|just|merely)\b)[\s-]+(?:\w+\s+){{0,2}})?({words})\b",
        re.IGNORECASE,
    )


def _verdict_words(text: str, keep: str, drop: str) -> list[bool]:
    """Each mention as kept or dropped, in order."""
    return [
        (word.lower() == keep.lower()) != bool(negation)
        for negation, word in _verdict_pattern(keep, drop).findall(text)
    ]


def _word(text: str, keep: str, drop: str) -> bool:
    verdicts = set(_verdict_words(text, keep, drop))
    if len(verdicts) != 1:
        raise Reject("unclear_verdict", f"cannot tell '{keep}' from '{drop}' in: {text.strip()[:200]}")
    return verdicts.pop()
