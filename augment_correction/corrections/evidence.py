"""What speaks for a correction and against it: arithmetic, the documents that the config names, and a model that is not the one
corrected. A user may be wrong, and a model that is trained on it would be wrong for everybody."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from augment_correction.corrections.correction import Evidence, Statement
from augment_correction.errors import Reject, RequestRefused
from augment_correction.grading import grade
from augment_correction.grading.text import content_words, stem
from augment_correction.llm.metered import MeteredModel
from augment_correction.parsing import read_objects
from augment_correction.prompts import Prompt
from augment_correction.records import Chunk
from augment_correction.sampling import Sampling
from augment_correction.stages.base import neutral
from augment_correction.stages.model_call import check_finish, text_schema

PROMPT = "chat/evidence"
MOST_PASSAGES = 2
"""That are read about one correction."""
VERDICTS = ("supports", "contradicts", "unknown")
SCHEMA = text_schema(("reason", "verdict"), verdict=list(VERDICTS))
SAMPLING = Sampling(temperature=0, max_tokens=300)
LONGEST_QUESTION = 5000
"""Characters of one that is about a sum; in a longer one of numbers alone each would be tried as the beginning of it."""
_SUM = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?:\s*[-+*/x×÷]\s*\d+(?:\.\d+)?)+(?![\w.]*\w)")
_OPERATORS: Mapping[type, Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


@dataclass(frozen=True)
class Witness:
    """Who is asked: a model, and the passages of documents with where they stand. `is_corrected`: it is the very model that was
    corrected, whose own opinion is no evidence; it may still read a passage."""

    model: MeteredModel
    prompt: Prompt
    passages: Sequence[tuple[str, Chunk]] = ()
    is_corrected: bool = False

    async def evidence(self, said: Statement) -> list[Evidence]:
        """Raises: what the model's `complete` raises, but RequestRefused."""
        found = [each for each in [arithmetic(said)] if each]
        for place, chunk in nearest(said, self.passages):
            found.append(await self._ask(said, chunk.text, f"the document {place}"))
        if not self.is_corrected:
            found.append(await self._ask(said, "", f"the model {self.model.config.model}"))
        return [each for each in found if each.verdict != "unknown"]

    async def _ask(self, said: Statement, passage: str, by: str) -> Evidence:
        named = {"question": said.question, "right": said.right, "wrong": said.wrong, "passage": passage}
        messages = self.prompt.render({name: neutral(text) for name, text in named.items()})
        request = self.model.request(messages, SAMPLING.sent(), SCHEMA, "json")
        try:
            completion = await self.model.complete(request, "evidence")
            check_finish(completion)
            return read_evidence(completion.text, by)
        except (Reject, RequestRefused) as problem:
            return Evidence(by, "unknown", f"its reply cannot be used: {problem}")


def read_evidence(reply: str, by: str) -> Evidence:
    """Raises: Reject where the reply holds no answer."""
    found = next((each for each in reversed(read_objects(reply)) if "verdict" in each), {})
    verdict = str(found.get("verdict", "")).strip().casefold()
    if verdict not in VERDICTS:
        return Evidence(by, "unknown", "its reply names no verdict")
    return Evidence(
        by, cast(Literal["supports", "contradicts", "unknown"], verdict), str(found.get("reason", "")).strip()[:500]
    )


def arithmetic(said: Statement) -> Evidence | None:
    """Where the question holds one sum, what it comes to. None where it holds none, or the answer is no number."""
    sums = _SUM.findall(said.question) if len(said.question) <= LONGEST_QUESTION else []
    if len(sums) != 1:
        return None
    value = _value(sums[0])
    if value is None:
        return None
    told = grade(said.right, value, "numbers").right
    if told is None:
        return None
    return Evidence("arithmetic", "supports" if told else "contradicts", f"{sums[0].strip()} is {value}")


def _value(text: str) -> str | None:
    """As a person writes it; None where it cannot be worked out."""
    plain = text.replace("x", "*").replace("×", "*").replace("÷", "/")
    try:
        made = _of(ast.parse(plain.strip(), mode="eval").body)
    except (SyntaxError, ValueError, ZeroDivisionError, OverflowError, RecursionError, MemoryError):
        return None
    return f"{made:.10g}"


def _of(node: ast.expr) -> float:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return float(node.value)
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        return _OPERATORS[type(node.op)](_of(node.left), _of(node.right))
    raise ValueError(ast.dump(node))


def nearest(said: Statement, passages: Sequence[tuple[str, Chunk]]) -> list[tuple[str, Chunk]]:
    """The passages that share the most words with the question and the two answers; none that shares fewer than half of the
    question's."""
    asked = {stem(word) for word in content_words(said.question)}
    wanted = asked | {stem(word) for word in content_words(f"{said.right} {said.wrong}")}
    scored = []
    for place, chunk in passages:
        words = {stem(word) for word in content_words(chunk.text)}
        if asked and len(asked & words) * 2 >= len(asked):
            scored.append((len(wanted & words), place, chunk))
    scored.sort(key=lambda each: (-each[0], each[1], each[2].index))
    return [(place, chunk) for _, place, chunk in scored[:MOST_PASSAGES]]
