"""What of a request a server does not take, found in its own words, and how the request can be asked instead.

No two servers say it alike, so the sentences are read for what they have in common: the name of a parameter, and a range,
a successor or a refusal beside it. The sentences that were seen stand in `tests/llm/test_refusals.py`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from augment_correction.errors import RequestRefused
from augment_correction.records import Request

LIMIT_NAMES = ("max_tokens", "max_completion_tokens", "max_output_tokens", "max_new_tokens")
SCHEMA, SYSTEM = "schema", "system role"
LEAST_ROOM = 16
"""Tokens; a reply that has less room than this is not worth asking for."""


@dataclass(frozen=True, slots=True)
class Within:
    """A value that is taken lies between these; `open_low` and `open_high` exclude the bound itself."""

    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False

    def holds(self, value: float) -> bool:
        above = value > self.low if self.open_low else value >= self.low
        return above and (value < self.high if self.open_high else value <= self.high)

    def nearest(self, value: float) -> float | int:
        """A value inside as close to this one as makes sense: a temperature of 0 in (0, 1] becomes 0.01."""
        if self.holds(value):
            return value
        if value <= self.low:
            made = self.low + (0.01 if self.open_low else 0)
        else:
            made = self.high - (0.01 if self.open_high else 0)
        return int(made) if isinstance(value, int) else made


@dataclass(frozen=True, slots=True)
class Renamed:
    """The server wants the parameter under another name."""

    name: str


@dataclass(frozen=True, slots=True)
class Room:
    """Prompt and reply together have `context` tokens; the refused prompt had `read`."""

    context: int
    read: int


Instead = Within | Renamed | Room


class PartRefused(RequestRefused):
    """The server says which part of the request it does not take: SCHEMA, SYSTEM, or the name of a sampling parameter;
    `instead` is how it would take it, and None where it must be left out."""

    def __init__(self, message: str, part: str, *, status: int | None = None, instead: Instead | None = None) -> None:
        super().__init__(message, status=status)
        self.part, self.instead = part, instead


class Moderated(RequestRefused):
    """The server's moderation does not let this text through: the passage's matter, never the model's."""


_SCHEMA_WORDS = ("response_format", "json_schema", "structured", "guided_json", "grammar")
_NO_SYSTEM = re.compile(
    r"system role (?:is )?not supported|not support\w* (?:the )?[\"'`]?system|[\"'`]?system[\"'`]? (?:role|message|prompt)s?"
    r"[^.]{0,30}not (?:be )?(?:support|allow)|roles must alternate|developer instruction is not enabled"
)
_NOT_TAKEN = re.compile(
    r"unsupported|not support|not permitted|unrecognized|unknown|unexpected|extra (?:inputs|fields)|deprecated|no longer"
    r"|not (?:allowed|available|accepted|valid)|cannot be (?:set|used)|only \S+ (?:is|are) (?:allowed|supported)"
)
_NOT_BOTH = re.compile(
    r"(?:cannot|can't|can not|must not|may not|not) (?:be )?both|only one|mutually exclusive|at the same time|not .{0,30}together"
)
_MODERATION = re.compile(
    r"moderation|flagged|content.?(?:filter|policy|management)|safety (?:system|filter|polic)|usage polic"
)
_CONTEXT = re.compile(
    r"(?:context (?:length|window|size)|max_model_len|model length)\D{0,30}?(\d[\d,]*)|(?<![\d,])(\d[\d,]*)(?:-| )token context"
)
_READ = re.compile(
    r"(?<![\d,])(\d[\d,]*) (?:tokens )?(?:in|from) (?:the |your )?(?:messages|prompt|input)|(?<![\d,])(\d[\d,]*) (?:input|prompt) tokens"
    r"|(?:prompt|input|messages)\D{0,30}?(\d[\d,]*) (?:input )?tokens|(?<![\d,])(\d[\d,]*) inputs? tokens"
)
_NUMBER = r"(-?\d[\d,]*(?:\.\d+)?)"


def speaks_of_context(words: str) -> bool:
    """A text that is longer than the model takes is the text's matter, and not the model's."""
    return bool(_CONTEXT.search(words.lower()))


def is_moderation(words: str) -> bool:
    return bool(_MODERATION.search(words.lower()))


def refused_part(request: Request, words: str) -> tuple[str, Instead | None] | None:
    """Which part, and what instead of it; None where something else is wrong."""
    said = re.sub(r"[`'\"]", "", words.lower())
    if request.structured and any(word in said for word in _SCHEMA_WORDS):
        return SCHEMA, None
    if refuses_system(request, words):
        return SYSTEM, None
    for look in (_room, _renamed, _one_of_two, _range):
        found = look(request, said)
        if found is not None:
            return found
    if _NOT_TAKEN.search(said):
        return next(((name, None) for name in _named(request, said)), None)
    return None


def refuses_system(request: Request, words: str) -> bool:
    """Also behind a 500, where the chat template of llama.cpp's server raises it."""
    return any(message.role == "system" for message in request.messages) and bool(_NO_SYSTEM.search(words.lower()))


def _spellings(name: str) -> tuple[str, ...]:
    return LIMIT_NAMES if name in LIMIT_NAMES else (name,)


def _named(request: Request, said: str) -> Iterator[str]:
    """The request's sampling parameters that are spoken of."""
    for name in request.sampling:
        if any(re.search(rf"\b{word}\b", said) for word in _spellings(name)):
            yield name


def _limit(request: Request) -> str | None:
    return next((name for name in LIMIT_NAMES if name in request.sampling), None)


def _integer(text: str) -> int:
    return int(text.replace(",", ""))


def _room(request: Request, said: str) -> tuple[str, Instead] | None:
    """vLLM and its kin refuse where prompt and limit together are more than the context."""
    limit, context = _limit(request), _CONTEXT.search(said)
    if limit is None or context is None:
        return None
    total = _integer(context[1] or context[2])
    read = _READ.search(said)
    if read is None:
        return None
    tokens = _integer(next(group for group in read.groups() if group))
    if total - tokens < LEAST_ROOM or tokens + request.sampling[limit] <= total:
        return None
    return limit, Room(total, tokens)


def _renamed(request: Request, said: str) -> tuple[str, Instead] | None:
    limit = _limit(request)
    wanted = re.search(r"use (max_completion_tokens|max_tokens)\b", said)
    if limit is None or wanted is None or wanted[1] == limit:
        return None
    return limit, Renamed(wanted[1])


def _one_of_two(request: Request, said: str) -> tuple[str, None] | None:
    """Temperature stays, since pipelines set it on purpose."""
    named = list(_named(request, said))
    if len(named) < 2 or not _NOT_BOTH.search(said):
        return None
    return next(name for name in (*reversed(named),) if name != "temperature"), None


def _range(request: Request, said: str) -> tuple[str, Instead] | None:
    for name in _named(request, said):
        value = request.sampling[name]
        if not isinstance(value, int | float):
            continue
        for bounds in _ranges(said, value):
            if not bounds.holds(value) and bounds.holds(bounds.nearest(value)):
                return name, bounds
    return None


_AT_MOST = (
    r"(?:<=|≤|less than or equal to|at most|no (?:more|greater|larger) than|(?:not|cannot) exceed|up to"
    r"|maximum(?: \w+){0,5}?(?: is| of|:)?)\s*"
)
_AT_LEAST = r"(?:>=|≥|greater than or equal to|at least|no less than|minimum(?: \w+){0,5}?(?: is| of|:)?)\s*"
_BELOW, _ABOVE = r"(?:less than|lower than|smaller than|<)\s*", r"(?:greater than|higher than|larger than|above)\s*"
_INTERVAL = re.compile(rf"([\[(])\s*{_NUMBER}\s*,\s*{_NUMBER}\s*([\])])")
_BETWEEN = re.compile(rf"(?:between|from|range:?|in) {_NUMBER} ?(?:and|to|\.\.|-) ?{_NUMBER}")
_TOO_MUCH = re.compile(rf"(?<![\d,]){_NUMBER} > {_NUMBER}")


def _ranges(said: str, value: float) -> Iterator[Within]:
    """What the words may mean, the most certain first."""

    def number(text: str) -> float:
        return float(text.replace(",", ""))

    for found in _INTERVAL.finditer(said):
        yield Within(number(found[2]), number(found[3]), found[1] == "(", found[4] == ")")
    for found in _BETWEEN.finditer(said):
        yield Within(number(found[1]), number(found[2]))
    for found in _TOO_MUCH.finditer(said):
        if number(found[1]) == value:
            yield Within(high=number(found[2]))
    for found in re.finditer(_AT_MOST + _NUMBER, said):
        yield Within(high=number(found[1]))
    for found in re.finditer(_AT_LEAST + _NUMBER, said):
        yield Within(low=number(found[1]))
    for found in re.finditer(_BELOW + _NUMBER, said):
        yield Within(high=number(found[1]), open_high=True)
    for found in re.finditer(_ABOVE + _NUMBER, said):
        yield Within(low=number(found[1]), open_low=True)
    if re.search(r"\bpositive\b", said):
        yield Within(low=0, open_low=True)
