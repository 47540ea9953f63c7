"""Whether a message of a chat corrects the assistant, and what it says is right. A person confirms it: nothing is trained on the
word of a detector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from augment_correction.corrections.correction import Statement
from augment_correction.errors import Reject, RequestRefused
from augment_correction.llm.metered import MeteredModel
from augment_correction.parsing import read_objects
from augment_correction.prompts import Prompt
from augment_correction.records import Message
from augment_correction.sampling import Sampling
from augment_correction.stages.base import neutral
from augment_correction.stages.model_call import check_finish, text_schema

PROMPT = "chat/detect"
FIELDS = ("is_correction", "question", "wrong", "right", "quote")
SCHEMA = text_schema(FIELDS, is_correction=["yes", "no"])
SAMPLING = Sampling(temperature=0, max_tokens=400)
WORDS: Mapping[str, bool] = {"yes": True, "true": True, "no": False, "false": False}
LOOKED_AT = 8
"""Messages before the one that is looked at: what is further back is rarely what it corrects."""
NAMED = {"question": "question", "wrong": "wrong answer", "right": "right answer"}


@dataclass(frozen=True, slots=True)
class Detected:
    """`verdict` is `undecided` where the detector's reply cannot be used, and `why` says so; `said` is there for a correction."""

    verdict: Literal["correction", "none", "undecided"]
    said: Statement | None = None
    why: str = ""


async def detect(model: MeteredModel, prompt: Prompt, before: Sequence[Message], message: str) -> Detected:
    """Look at one message of the user, with what was said before it.

    Raises: what the model's `complete` raises, but RequestRefused.
    """
    if not any(each.role == "assistant" for each in before):
        return Detected("none", why="the assistant has said nothing yet")
    request = model.request(question(prompt, before, message), SAMPLING.sent(), SCHEMA, "json")
    try:
        completion = await model.complete(request, "detect")
        check_finish(completion)
        return read_detected(completion.text, message)
    except (Reject, RequestRefused) as problem:
        return Detected("undecided", why=f"the detector's reply cannot be used: {problem}")


def question(prompt: Prompt, before: Sequence[Message], message: str) -> tuple[Message, ...]:
    """What the detector is asked about one message."""
    chat = "\n".join(f"{each.role}: {neutral(each.content)}" for each in before[-LOOKED_AT:])
    return prompt.render({"chat": chat, "message": neutral(message)})


def read_detected(reply: str, message: str) -> Detected:
    """Strict: what is neither a plain yes nor a plain no is undecided, and so is a yes that lacks its question or answers.

    Raises: Reject where the reply holds no answer.
    """
    found = next((each for each in reversed(read_objects(reply)) if "is_correction" in each), None)
    if found is None:
        return Detected("undecided", why="the detector's reply has no is_correction")
    told = _told(found["is_correction"])
    if told is None:
        return Detected("undecided", why=f"is_correction is {str(found['is_correction'])[:40]!r}, neither yes nor no")
    if not told:
        return Detected("none")
    texts = {name: found.get(name) for name in ("question", "wrong", "right")}
    if missing := [NAMED[name] for name, text in texts.items() if not isinstance(text, str) or not text.strip()]:
        return Detected("undecided", why=f"the detector reported a correction without the {' and the '.join(missing)}")
    question, wrong, right = (str(text).strip() for text in texts.values())
    said = Statement(question, wrong, right, message.strip())
    if said.claim == Statement("", "", wrong).claim:
        return Detected("undecided", why="the detector names the same answer as the wrong and as the right one")
    return Detected("correction", said)


def _told(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    return WORDS.get(value.strip().casefold()) if isinstance(value, str) else None
