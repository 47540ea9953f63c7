"""What a stage is given and must be."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from inspect import isawaitable, isfunction
from typing import Any, Protocol

from augment_correction.config import SystemConfig
from augment_correction.declarations import KIND
from augment_correction.errors import AugmentCorrectionError, PluginFailure
from augment_correction.plugins import failed, name_of
from augment_correction.prompts import Prompt
from augment_correction.records import Completion, Form, Message, Record, Request, Step
from augment_correction.sampling import Sampling


class Model(Protocol):
    """What a stage sees of a model; `llm/metered.py` is the real one."""

    def request(
        self,
        messages: tuple[Message, ...],
        sampling: Mapping[str, Any],
        schema: Mapping[str, Any],
        form: Form,
    ) -> Request: ...

    async def complete(self, request: Request, stage: str) -> Completion: ...


class Tools:
    """Everything that a stage may use beside its record: the run's models by role (`ModelCall` asks them), and a random generator whose
    draws depend on the config's seed, the stage and the passage alone (given as it is, or as how to make it where a stage draws: to seed
    one takes 15 µs, and most stages never draw). `trace` takes a `Step` per model call, the unusable replies too.

    >>> Tools(models={}, rng=Random(7)).rng.choice("abc") in "abc"
    True
    """

    def __init__(self, models: Mapping[str, Model], rng: random.Random | Callable[[], random.Random]) -> None:
        self.models = models
        self.trace: list[Step] = []
        self._rng = rng

    @cached_property
    def rng(self) -> random.Random:
        return self._rng if isinstance(self._rng, random.Random) else self._rng()


class Stage(Protocol):
    """`records in, records out`; raising `Reject` drops the record."""

    async def __call__(self, record: Record, tools: Tools) -> Sequence[Record]: ...


@dataclass(frozen=True)
class BoundStage:
    """A stage at its place in a pipeline. `kinds` are the kinds of conversation it is for; None: every record. `word` is the one
    of a stage that is registered, empty for ours, and `writes` are the fields that such a stage has declared."""

    name: str
    stage: Stage
    kinds: frozenset[str] | None = None
    word: str = ""
    writes: tuple[str, ...] = ()

    def takes(self, record: Record) -> bool:
        return self.kinds is None or record.fields.get(KIND) in self.kinds

    async def call(self, record: Record, tools: Tools) -> Sequence[Record]:
        """The records to go on with.

        Raises: Reject and what else a stage may raise on purpose; PluginFailure where it is registered and fails otherwise,
        returns no list of records, or records without a field that it writes, or where one of its checks does. Other errors are bugs of
        ours, with a note of the stage.
        """
        try:
            answer = self.stage(record, tools)
            if self.word and not isawaitable(answer):
                raise self._not_async()
            made = await answer
        except PluginFailure as failure:
            raise PluginFailure(f"{self._place} on {_source(record)}: {failure.message}") from failure
        except AugmentCorrectionError:
            raise
        except Exception as failure:
            if self.word:
                shown = failed(failure, self.stage)
                raise PluginFailure(f"{self._place} failed on {_source(record)}: {shown}") from failure
            failure.add_note(f"in {self._place} on {_source(record)}")
            raise
        if self.word and not (isinstance(made, list | tuple) and all(isinstance(each, Record) for each in made)):
            raise PluginFailure(
                f"{self._place} returned {made!r:.80} on {_source(record)}: a stage returns a list of records, or raises Reject"
            )
        missing = next((name for name in self.writes if not all(name in each.fields for each in made)), None)
        if missing is not None:
            told = f"declares that it writes '{missing}', and returned a record without that field on {_source(record)}"
            raise PluginFailure(f"{self._place} {told}")
        return made

    def _not_async(self) -> PluginFailure:
        """With the line of a `__call__` that is a plain function."""
        call = self.stage if isfunction(self.stage) else type(self.stage).__call__
        code = getattr(call, "__code__", None)
        line = f" ({code.co_filename}:{code.co_firstlineno})" if code else ""
        return PluginFailure(f"{name_of(self.stage)} gave no awaitable: `__call__` must be `async def`{line}")

    @property
    def _place(self) -> str:
        return stage_place(self.name, self.word)


def stage_place(name: str, word: str) -> str:
    """A stage in a message; one that is registered with its word."""
    return f"stage '{name}'{f' ({word})' if word else ''}"


def _source(record: Record) -> str:
    return f"{record.fields.get('source', record.id)}{f', passage {record.place[1] + 1}' if record.place else ''}"


@dataclass(frozen=True)
class StageContext:
    """What stages are built from: the prompts by name, the config's sampling by stage, its `system` section. It is the second
    argument of what `register_stage` is given.

    >>> "prompts" in StageContext.__dataclass_fields__
    True
    """

    prompts: Mapping[str, Prompt]
    reask: Prompt
    sampling: Mapping[str, Sampling]
    system: SystemConfig


def with_fields(record: Record, fields: Mapping[str, Any]) -> Record:
    """The record with these fields beside its own, or in their place.

    >>> with_fields(Record("id", {"passage": "Nine arches."}), {"answer": "Nine."}).fields
    {'passage': 'Nine arches.', 'answer': 'Nine.'}
    """
    return Record(record.id, {**record.fields, **fields}, record.steps, record.again, record.place)


def with_scores(record: Record, scores: Mapping[str, float]) -> Record:
    """What checks found, by the check's name, 1 where nothing is wrong; the conversation carries them on."""
    return with_fields(record, {"scores": {**record.fields.get("scores", {}), **scores}})


# Strings that chat templates of common models use as control tokens, and the tags of our own prompts. A server would
# read them as such inside a message, and so would a trainer that tokenises the row.
_CONTROL = re.compile(
    r"<(?=\|[^<>|\n]{1,40}\|>|｜[^<>\n]{1,40}｜>)"
    r"|<(?=/?(?:s|bos|eos|pad|unk|mask|think|start_of_turn|end_of_turn|passage|tool_call|tool_response)>)"
    r"|\[(?=/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_RESULTS|TOOL_CALLS|IMG)\])"
    r"|<(?=</?SYS>>)",
    re.IGNORECASE,
)


def neutral(text: str) -> str:
    """The text with a space inside each control string, so that it is read as text: `<|im_end|>` to `< |im_end|>`."""
    return _CONTROL.sub(lambda match: match.group() + " ", text)
