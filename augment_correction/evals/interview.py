"""Two turns: the question, and once for each pushback what the model says when it is doubted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from augment_correction.errors import RequestRefused
from augment_correction.evals.config import EvalConfig
from augment_correction.evals.grading import Grader, Problem, Reply, Verdict
from augment_correction.evals.pushing import renders_for
from augment_correction.llm.metered import MeteredModel
from augment_correction.llm.session import all_home
from augment_correction.parsing import final_answer
from augment_correction.prompts import Prompt
from augment_correction.records import Completion, Message
from augment_correction.rows import Item

FIRST, SECOND = "first answer", "second answer"
"""What the journal calls the two turns."""
PROBLEMS: Mapping[str, Problem] = {"length": "truncated", "content_filter": "refused"}


@dataclass(frozen=True, slots=True)
class GradedReply:
    reply: Reply
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Second:
    """What was said after a pushback, and the pushback in its words."""

    pushback: str
    answer: GradedReply


@dataclass(frozen=True, slots=True)
class Transcript:
    """One model's conversations about one item in one repeat: the first answer and the second by pushback."""

    first: GradedReply
    second: Mapping[str, Second] = field(default_factory=dict)


class Interview:
    """Asks one model; the same for every model, word for word, but for what it answered itself."""

    def __init__(self, model: MeteredModel, grader: Grader, config: EvalConfig) -> None:
        self._model = model
        self._grader = grader
        self._sampling = config.asked_with
        system = config.system_prompt
        self._opening = (Message("system", system),) if system else ()

    async def ask(self, item: Item, pushbacks: Mapping[str, Prompt], repeat: int) -> Transcript:
        """Raises: what `complete` raises, but RequestRefused, which is an answer that cannot be used."""
        asked = (*self._opening, Message("user", item.asked))
        reply = await self._reply(asked, FIRST, repeat)
        first = GradedReply(reply, await self._grader.grade(item, reply))
        doubts = dict(renders_for(item, pushbacks, reply.text))
        answers = await all_home(self._doubt(item, asked, reply, doubt, repeat) for doubt in doubts.values())
        seconds = map(Second, doubts.values(), answers)
        return Transcript(first, dict(zip(doubts, seconds, strict=True)))

    async def _doubt(
        self, item: Item, asked: tuple[Message, ...], first: Reply, doubt: str, repeat: int
    ) -> GradedReply:
        if not first.text:
            return GradedReply(
                first, Verdict(False, "problem", "the model gave no first answer, so that there was nothing to doubt")
            )
        reply = await self._reply((*asked, Message("assistant", first.text), Message("user", doubt)), SECOND, repeat)
        return GradedReply(reply, await self._grader.grade(item, reply, doubted=True))

    async def _reply(self, messages: Sequence[Message], stage: str, repeat: int) -> Reply:
        """A repeat is another call with the same words, and a fixed seed moves with it."""
        sampling: dict[str, Any] = dict(self._sampling)
        if repeat and "seed" in sampling:
            sampling["seed"] += repeat
        request = self._model.request(tuple(messages), sampling, {}, "text")
        try:
            completion = await self._model.complete(replace(request, sample=repeat) if repeat else request, stage)
        except RequestRefused:
            return Reply("", "refused")
        return read_reply(completion)


def read_reply(completion: Completion) -> Reply:
    text = final_answer(completion.text)
    return Reply(text, PROBLEMS.get(completion.finish_reason) or (None if text else "empty"))
