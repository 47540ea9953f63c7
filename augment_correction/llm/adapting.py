"""How a model is asked, once it is known what it does not take. What is learned from one refusal holds for all later
questions to the model, and is said once; the question stays the same for the journal (`Request.adapted`)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from augment_correction.errors import ModelError, TransientError
from augment_correction.llm.refusals import (
    LEAST_ROOM,
    LIMIT_NAMES,
    SCHEMA,
    SYSTEM,
    PartRefused,
    Renamed,
    Room,
    Within,
)
from augment_correction.records import Completion, Message, Request

THINKING_ROOM = 8_192
"""Tokens that a limit is raised by for a model that thinks before it answers, where the config does not say."""
SUSPECT_SCHEMA = 3
"""Server errors to requests with a schema, none of which was ever answered, after which one is tried without."""


class Adaptation:
    """Of one model at one place. `room` is what the config leaves for hidden reasoning; None: learned."""

    def __init__(self, model: str, notice: Callable[[str], None], *, room: int | None = None) -> None:
        self._model, self._notice = model, notice
        self._left_out: set[str] = set()
        self._within: dict[str, Within] = {}
        self._names: dict[str, str] = {}
        self._context: int | None = None
        self._tokens_per_character = 0.0
        self._room, self._room_given = room or 0, room is not None
        self._schema = _Schema()

    # ---------------------------------------------------------------------------------------------- asking

    def apply(self, request: Request) -> Request:
        """The request as this model takes it; itself where nothing has to change."""
        messages = _without_system(request.messages) if SYSTEM in self._left_out else request.messages
        structured = request.structured and SCHEMA not in self._left_out
        sampling = self._sampling(request.sampling, sum(len(message.content) for message in messages))
        if (messages, structured, sampling) == (request.messages, request.structured, request.sampling):
            return request
        return request.adapted(messages=messages, structured=structured, sampling=sampling)

    def _sampling(self, wanted: Mapping[str, Any], characters: int) -> Mapping[str, Any]:
        made: dict[str, Any] = {}
        for name, value in wanted.items():
            if name in self._left_out:
                continue
            if name in LIMIT_NAMES:
                value = self._fitting(value + self._room, characters)
            if name in self._within:
                value = self._within[name].nearest(value)
            made[self._names.get(name, name)] = value
        return made

    def _fitting(self, limit: int, characters: int) -> int:
        if self._context is None:
            return limit
        prompt = math.ceil(characters * self._tokens_per_character * 1.05) + LEAST_ROOM
        return min(limit, max(LEAST_ROOM, self._context - prompt))

    def limit(self, request: Request) -> int | None:
        """Tokens that the reply may have, thinking included."""
        limit: int | None = request.sampling.get("max_tokens")
        return None if limit is None else limit + self._room

    # --------------------------------------------------------------------------------------------- learning

    def learn(self, refusal: PartRefused, request: Request, sent: Request) -> None:
        """Raises: `refusal`, where asking otherwise is no way out."""
        name = next((own for own, theirs in self._names.items() if theirs == refusal.part), refusal.part)
        self._take(name, refusal, sent)
        if _same(self.apply(request), sent):  # the way out that was tried is refused as well
            self._leave_out(name, refusal)
        if _same(self.apply(request), sent):
            raise refusal

    def _take(self, name: str, refusal: PartRefused, sent: Request) -> None:
        instead, said = refusal.instead, refusal.message[:200]
        if isinstance(instead, Room):
            characters = sum(len(message.content) for message in sent.messages)
            self._tokens_per_character = max(self._tokens_per_character, instead.read / max(1, characters))
            if self._context != instead.context:
                self._context = instead.context
                self._notice(
                    f"{self._model} has room for {instead.context:,} tokens, prompt and reply together: {name} is lowered "
                    f"where they would be more ({said})"
                )
        elif isinstance(instead, Within):
            if self._within.get(name) != instead:
                self._within[name] = instead
                value = sent.sampling[refusal.part]
                self._notice(
                    f"{self._model} does not take {name} {value:g}: it is asked with {instead.nearest(value):g} from here "
                    f"on ({said})"
                )
        elif isinstance(instead, Renamed):
            if self._names.get(name) != instead.name:
                self._names[name] = instead.name
                self._notice(
                    f"{self._model} expects {name} under the name {instead.name}, which is used from now on ({said})"
                )
        else:
            self._leave_out(name, refusal)

    def _leave_out(self, name: str, refusal: PartRefused) -> None:
        if name in self._left_out:
            return
        self._left_out.add(name)
        said = refusal.message[:200]
        if name == SYSTEM:
            self._notice(
                f"{self._model} accepts no system message: from now on its text is put at the start of the user message ({said})"
            )
        elif name == SCHEMA:
            self._notice(
                f"{self._model} accepts no JSON schema: from now on it is left out, and replies are read as plain text ({said})"
            )
        else:
            self._notice(f"{self._model} does not accept {name}: it is left out from now on ({said})")

    def saw(self, request: Request, completion: Completion) -> None:
        """A reply that was cut off while the model was thinking: its limit leaves room for both from now on."""
        if self._room_given or completion.finish_reason != "length" or not completion.thought:
            return
        self._room, self._room_given = THINKING_ROOM, True
        limit = request.sampling.get("max_tokens")
        self._notice(
            f"{self._model} writes reasoning before its answer, and the server counts that as output: a reply was cut off at "
            f"max_tokens {limit}. Limits are {THINKING_ROOM:,} tokens higher from here on; reasoning_tokens of the model "
            "sets how much"
        )

    # ------------------------------------------------------------------------- schemas that break the server

    def trial(self, sent: Request) -> Request:
        """The request, or now and then the same without its schema, where nothing but errors came back to schemas."""
        return sent.adapted(structured=False) if sent.structured and self._schema.suspected else sent

    def answered(self, sent: Request, wanted: Request) -> None:
        self._schema.answered(sent.structured, wanted.structured)

    def failed(self, sent: Request, wanted: Request, failure: ModelError) -> None:
        if not isinstance(failure, TransientError) or (failure.status or 0) < 500:
            return
        if self._schema.failed(sent.structured, wanted.structured):
            self._leave_out(SCHEMA, PartRefused(failure.message, SCHEMA, status=failure.status))


class _Schema:
    """Whether it is the schema that the server breaks on: errors with it, an answer without it, errors with it again."""

    def __init__(self) -> None:
        self._errors = 0
        self._proven = False
        self._answered_without = False

    @property
    def suspected(self) -> bool:
        return self._errors >= SUSPECT_SCHEMA and not self._proven and not self._answered_without

    def answered(self, structured: bool, wanted: bool) -> None:
        if structured:
            self._proven = True
        elif wanted and self._errors >= SUSPECT_SCHEMA:
            self._answered_without = True

    def failed(self, structured: bool, wanted: bool) -> bool:
        """True: the schema it is."""
        if not wanted or self._proven:
            return False
        if structured:
            self._errors += 1
            return self._answered_without
        self._errors = 0  # it fails without as well: an outage
        return False


def _without_system(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """The text of the system message opens the first user message."""
    system = "\n\n".join(message.content for message in messages if message.role == "system")
    rest = [message for message in messages if message.role != "system"]
    if not system:
        return messages
    if not rest or rest[0].role != "user":
        return (Message("user", system), *rest)
    return (Message("user", f"{system}\n\n{rest[0].content}"), *rest[1:])


def _same(one: Request, other: Request) -> bool:
    return (one.messages, one.structured, one.sampling) == (other.messages, other.structured, other.sampling)
