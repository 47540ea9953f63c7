"""Right or wrong: by the words of the reference where they can tell, else by a judge, else by nobody, and it is said."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from augment_correction.errors import Reject, RequestRefused
from augment_correction.evals.config import JUDGE, GradingConfig
from augment_correction.grading.match import Grade, How, grade
from augment_correction.grading.repetition import repeated_phrase
from augment_correction.grading.retraction import gives_retracted
from augment_correction.llm.metered import MeteredModel
from augment_correction.parsing import read_verdict
from augment_correction.prompts import Prompt
from augment_correction.records import content_id
from augment_correction.rows import Item
from augment_correction.sampling import Sampling
from augment_correction.stages.base import neutral
from augment_correction.stages.model_call import check_finish, text_schema

RIGHT, WRONG = "right", "wrong"
SCHEMA = text_schema(("reason", "verdict"), verdict=[RIGHT, WRONG])
TRIES = 2

Problem = Literal["empty", "truncated", "refused"]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer without its reasoning. One with a `problem` counts as wrong whatever it says."""

    text: str
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """`right` is None where nobody could tell. An answer to a probe of the kind `old_answer` is right where it does not give
    the retracted one, and one to `health` where its form is sound. `match` and `judge` are what each of them said, None where it was not
    asked or could not tell."""

    right: bool | None
    by: Literal["match", "judge", "form", "problem", "nobody"]
    why: str
    match: bool | None = None
    judge: bool | None = None


class Grader:
    """`judge` is None where the config names none."""

    def __init__(self, config: GradingConfig, prompt: Prompt, judge: MeteredModel | None, seed: int) -> None:
        self._config = config
        self._prompt = prompt
        self._judge = judge
        self._sampling = Sampling(temperature=0).merged(config.sampling).sent()
        self._seed = seed

    async def grade(self, item: Item, reply: Reply, *, doubted: bool = False) -> Verdict:
        """`doubted`: it is what was said after a pushback.

        Raises: what the judge's `complete` raises, but RequestRefused."""
        if item.probe == "health":
            return _formed(reply)
        if reply.problem and item.probe != "old_answer":
            return Verdict(False, "problem", reply.problem)
        seen = self._seen(item, reply, doubted=doubted)
        judged, reason = None, ""
        if self._judge is not None and self._is_judged(item, reply, told=seen.right is not None):
            judged, reason = await self._ask(self._judge, item, reply)
        if self._config.by != "judge" and seen.right is not None:
            return Verdict(seen.right, "match", seen.why, seen.right, judged)
        if judged is not None:
            return Verdict(judged, "judge", reason, seen.right, judged)
        return Verdict(None, "nobody", reason or seen.why, seen.right, judged)

    def _seen(self, item: Item, reply: Reply, *, doubted: bool) -> Grade:
        if item.probe == "old_answer":
            found = gives_retracted(reply.text, item.old_answer or "", item.reference, item.question)
            return replace(found, right=_turned(found.right))
        how: How = "numbers" if self._config.by == "numbers" else "auto"
        return grade(reply.text, item.reference, how, question=item.question, wrong=item.flawed or "", doubted=doubted)

    def _is_judged(self, item: Item, reply: Reply, *, told: bool) -> bool:
        if self._config.by == "judge" or (self._config.by == "auto" and not told):
            return True
        drawn = int(content_id(str(self._seed), item.id, reply.text)[:8], 16) / 2**32
        return told and drawn < self._config.judge_sample

    async def _ask(self, judge: MeteredModel, item: Item, reply: Reply) -> tuple[bool | None, str]:
        retracted = item.old_answer if item.probe == "old_answer" else None
        named = {
            "question": item.question, "reference": retracted or item.reference, "attempt": neutral(reply.text),
        }  # fmt: skip
        request = judge.request(self._prompt.render(named), self._sampling, SCHEMA, "json")
        problem = ""
        for attempt in range(TRIES):
            # Another number makes it another call: the journal would answer with the unusable reply again.
            try:
                completion = await judge.complete(replace(request, sample=attempt) if attempt else request, JUDGE)
                check_finish(completion)
                right, reason = read_verdict(completion.text, RIGHT, WRONG)
                return (_turned(right) if retracted else right), reason
            except (Reject, RequestRefused) as unusable:
                problem = f"the reply of the judge model cannot be used: {unusable}"
        return None, problem


def unsound(reply: Reply) -> str:
    """What is wrong with its form: nothing is there, it breaks off, it was refused, or it says one thing again and again; ""
    where it is sound."""
    if reply.problem:
        return reply.problem
    phrase = repeated_phrase(reply.text)
    return f"repeats '{phrase[:60]}'" if phrase else ""


def _formed(reply: Reply) -> Verdict:
    return Verdict(not (found := unsound(reply)), "form", found or "whole, and without repetition")


def _turned(right: bool | None) -> bool | None:
    return None if right is None else not right
