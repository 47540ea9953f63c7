from __future__ import annotations

from collections.abc import Sequence

from augment_correction.declarations import AttemptStage
from augment_correction.errors import Reject
from augment_correction.llm.session import all_home
from augment_correction.parsing import final_answer
from augment_correction.records import Attempt, Message, Record, Step
from augment_correction.stages.base import StageContext, Tools, with_fields
from augment_correction.stages.model_call import ModelCall, check_finish, text_schema


class Attempts:
    """Have the model that is to be trained answer, several times. What it says is not asked again: its mistakes are what
    is wanted."""

    def __init__(self, stage: AttemptStage, context: StageContext) -> None:
        self._stage = stage
        self._call = ModelCall(stage, context, "text", text_schema(stage.reply_fields))

    async def __call__(self, record: Record, tools: Tools) -> Sequence[Record]:
        messages = self._call.prompt.render(record.fields)
        calls = (self._draw(messages, number, record, tools) for number in range(self._stage.samples))
        attempts = []
        for attempt, step in await all_home(calls):
            tools.trace.append(step)
            attempts += [attempt] if attempt else []
        if not attempts:
            raise Reject("no_attempt", "every attempt was empty or cut off at the token limit")
        return [with_fields(record, {"attempts": tuple(attempts)})]

    async def _draw(
        self, messages: tuple[Message, ...], number: int, record: Record, tools: Tools
    ) -> tuple[Attempt | None, Step]:
        model = tools.models[self._stage.model]
        request = self._call.request(model, record, messages, number)
        completion = await model.complete(request, self._stage.name)
        text = final_answer(completion.text)
        try:
            check_finish(completion, self._stage.name)
            if not text:
                raise Reject("no_answer", "nothing follows the reasoning")
        except Reject as problem:
            return None, self._call.step(request, None, problem)
        attempt = Attempt(text, request.model, request.key, request.sampling)
        return attempt, self._call.step(request, {"attempt": text})
