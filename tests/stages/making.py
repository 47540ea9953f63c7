"""Stages by hand, and a model that says what it is told to."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from augment_correction.config import SystemConfig
from augment_correction.declarations import AskStage, CheckSpec, JudgeStage, StageDeclaration
from augment_correction.prompts import Prompt, load_prompt
from augment_correction.records import Completion, Form, Message, Record, Request
from augment_correction.sampling import Sampling
from augment_correction.stages import StageContext, Tools
from augment_correction.stages.base import Stage
from augment_correction.stages.building import BUILDERS
from augment_correction.usage import Usage

FIELDS = ("initial_question", "flawed_answer", "followup_confirmation", "correct_answer")


class Says:
    """A model that gives these replies in turn; a pair is (reply, finish reason)."""

    def __init__(self, *replies: str | tuple[str, str] | Exception) -> None:
        self.replies = list(replies)
        self.asked: list[Request] = []

    def request(
        self,
        messages: tuple[Message, ...],
        sampling: Mapping[str, Any],
        schema: Mapping[str, Any],
        form: Form,
    ) -> Request:
        return Request(messages, "tiny", sampling, schema, form)

    async def complete(self, request: Request, stage: str) -> Completion:
        self.asked.append(request)
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        text, finish_reason = reply if isinstance(reply, tuple) else (reply, "stop")
        return Completion(text, None, finish_reason, Usage(1, 1))

    @property
    def heard(self) -> list[str]:
        """The last message of each request."""
        return [request.messages[-1].content for request in self.asked]


def surroundings(folder: Path, **more: Any) -> StageContext:
    def prompt(name: str, text: str) -> Prompt:
        path = folder / f"{name}.jinja"
        path.write_text(text)
        return load_prompt(path)

    prompts = {
        "question": prompt("question", "{% system %}Rules.{% endsystem %}{% user %}{{ passage }}{% enduser %}"),
        "reask": prompt("reask", "{% user %}(Wrong: {{ problem }}.){% enduser %}"),
    }
    return StageContext(prompts, prompts["reask"], more.get("sampling", {}), SystemConfig(**more.get("system", {})))


def build(folder: Path, stage: StageDeclaration, **more: Any) -> Stage:
    return BUILDERS[type(stage)](stage, surroundings(folder, **more))


def judge(**more: Any) -> JudgeStage:
    return JudgeStage(stage="judge", name="judgement", model="small", prompt="question", **more)


def ask(checks: tuple[CheckSpec, ...] = (), **more: Any) -> AskStage:
    more = {"fields": FIELDS, "reasks": 2, **more}
    return AskStage(stage="ask", name="conversation", model="large", prompt="question", checks=checks, **more)


def tools(model: Says) -> Tools:
    return Tools(dict.fromkeys(("small", "large", "judge", "target"), model), random.Random(0))


def record(**fields: Any) -> Record:
    return Record("id", {"passage": "The bridge has nine arches.", **fields})


def sampling(**values: Any) -> Sampling:
    return Sampling(**values)
