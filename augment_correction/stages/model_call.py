"""The loop under every question: ask, read, and ask again with what was wrong, a bounded number of times."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, TypeVar

from augment_correction.declarations import ModelStage
from augment_correction.errors import Reject
from augment_correction.parsing import final_answer
from augment_correction.prompts import Prompt
from augment_correction.records import Completion, Form, Message, Record, Request, Step
from augment_correction.sampling import Sampling
from augment_correction.stages.base import Model, StageContext, Tools, neutral

ReadT = TypeVar("ReadT")
NEW_DRAW = 100
"""Where the numbering of tries goes on when the user has a stage asked anew."""
REPLY_SHOWN = 6000
"""Characters of a reply that the model sees again beside what was wrong with it: one that never ended would fill its context."""


class ModelCall:
    """A prepared model call of a stage: its prompt, the form of the reply and the sampling. `form` is how a reply spells
    the stage's `reply_fields`: `tags` (<name>...</name>), `json`, `verdict` or `text`; `schema` is the JSON schema of them, a text
    under each name where it is not given.

    Inside a stage of your own:

        class Translate:
            def __init__(self, stage, context):
                self.call = ModelCall(stage, context, "tags")

            async def __call__(self, record, tools):
                def read(reply):
                    fields = read_tags(reply, ("translation",))
                    return fields, fields

                return [with_fields(record, await self.call.ask(record, tools, read))]

    >>> ModelCall.ask.__name__
    'ask'
    """

    def __init__(
        self,
        stage: ModelStage,
        context: StageContext,
        form: Form = "tags",
        schema: Mapping[str, Any] | None = None,
    ) -> None:
        self.stage = stage
        self.prompt: Prompt = context.prompts[stage.prompt]
        self.schema = text_schema(stage.reply_fields) if schema is None else schema
        self.form = form
        self._reask = context.reask
        self.sampling = Sampling().merged(stage.sampling).merged(context.sampling.get(stage.name)).sent()

    async def ask(
        self,
        record: Record,
        tools: Tools,
        read: Callable[[str], tuple[ReadT, Mapping[str, Any]]],
        named: Mapping[str, Any] = MappingProxyType({}),
    ) -> ReadT:
        """`read` turns a reply into (what the stage wants, what a person should see of it), or raises Reject. `named`
        are values for the prompt beside the record's fields.

        Raises: Reject with the last reply's reason, when no reply was usable.
        """
        messages = self.prompt.render({**record.fields, **named})
        asked = messages
        model = tools.models[self.stage.model]
        for attempt in range(self.stage.reasks + 1):
            request = self.request(model, record, asked, attempt)
            completion = await model.complete(request, self.stage.name)
            try:
                check_finish(completion, self.stage.name)
                value, parsed = read(completion.text)
            except Reject as problem:
                tools.trace.append(self.step(request, None, problem))
                if attempt == self.stage.reasks or problem.reason == "refused":
                    raise
                asked = self._asked_again(messages, completion.text, problem)
            else:
                tools.trace.append(self.step(request, parsed))
                return value
        raise AssertionError("the loop returns or raises")

    def request(self, model: Model, record: Record, asked: tuple[Message, ...], draw: int) -> Request:
        """`sample` makes it another call than the one before: two replies that are wrong in the same way lead to the
        same words, and the journal would answer with the wrong reply. A fixed seed moves for the same reason."""
        number = draw + record.again.get(self.stage.name, 0) * NEW_DRAW
        sampling = self.sampling
        if number and "seed" in sampling:
            sampling = {**sampling, "seed": sampling["seed"] + number}
        request = model.request(asked, sampling, self.schema, self.form)
        return replace(request, sample=number) if number else request

    def _asked_again(self, messages: tuple[Message, ...], reply: str, problem: Reject) -> tuple[Message, ...]:
        """The same question, the reply to it and what was wrong with that; what stands before stays byte-identical, for
        prefix caches. A part of the prompt of the role that spoke last goes below its words, since chat templates want the
        roles in turn."""
        note = self._reask.render({"problem": problem.detail or problem.reason, "reply": _shown(reply)})
        asked = list(messages)
        for role, content in ((each.role, each.content) for each in note if each.content and each.role != "system"):
            if asked[-1].role == role:
                asked[-1] = Message(role, f"{asked[-1].content}\n\n{content}")
            else:
                asked.append(Message(role, content))
        return tuple(asked)

    def step(self, request: Request, parsed: Mapping[str, Any] | None, problem: Reject | None = None) -> Step:
        return Step(
            stage=self.stage.name,
            model=request.model,
            prompt=self.prompt.fingerprint,
            call=request.key,
            parsed=parsed,
            reason=problem.reason if problem else "",
            detail=problem.explained if problem else "",
        )


def _shown(reply: str) -> str:
    """Without the reasoning, which servers want back from nobody, and without what a chat template would obey."""
    said = neutral(final_answer(reply))
    return said if len(said) <= REPLY_SHOWN else f"{said[:REPLY_SHOWN]} [...]"


def check_finish(completion: Completion, stage: str | None = None) -> None:
    """`stage` is whose `sampling` a config may set.

    Raises: Reject where the reply did not come to its end.
    """
    if completion.finish_reason == "length":
        raise Reject(
            "truncated", "the reply was cut off at the token limit. Answer more briefly", _more_room(completion, stage)
        )
    if completion.finish_reason == "content_filter":
        raise Reject("refused", "the server's content filter stopped the reply")


def _more_room(completion: Completion, stage: str | None) -> str | None:
    """For a person; the model is told to be brief, in the same words whether it thought or not."""
    if not completion.thought:
        return None
    tokens = completion.usage.reasoning
    spent = f"{tokens:,} tokens of it" if tokens else "much of it"
    limit = f" or sampling.{stage}.max_tokens" if stage else ""
    return f"{spent} went into reasoning before the answer: raise reasoning_tokens of the model{limit}"


def text_schema(names: tuple[str, ...], **enums: list[str]) -> dict[str, Any]:
    """An object with a text under each name, and nothing else (what strict servers demand)."""
    properties: dict[str, Any] = {
        name: {"type": "string", "enum": enums[name]} if name in enums else {"type": "string"} for name in names
    }
    return {
        "type": "object",
        "properties": properties,
        "required": list(names),
        "additionalProperties": False,
    }
