"""Right, wrong or undecided: by the words of the reference where they can tell, else by a judge, else by nobody."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from augment_correction.errors import Reject
from augment_correction.failures import Failure, Verdict
from augment_correction.grading import error_codes, grade
from augment_correction.llm.queries import Query, QueryRun
from augment_correction.models import ModelConfig, ModelsConfig
from augment_correction.monitor.config import JUDGE
from augment_correction.parsing import final_answer, read_verdict
from augment_correction.prompts import PromptLibrary
from augment_correction.records import Completion
from augment_correction.rows import Item
from augment_correction.stages import neutral
from augment_correction.stages.model_call import text_schema

PROMPT = "checks/grade"
UNENDED = ("TRUNCATED", "NO_EOS")
SCHEMA = text_schema(("reason", "verdict"), verdict=["right", "wrong"])


@dataclass(frozen=True, slots=True)
class RawReply:
    """`text` as the model wrote it, reasoning and all. `ended`: it ended its turn itself; None where nobody says so, since a
    server's `stop` may be that of a stop string."""

    text: str
    finish_reason: str = "stop"
    ended: bool | None = None

    @classmethod
    def of(cls, made: Completion | None, model: ModelConfig) -> RawReply:
        """An empty one where the model refused. Asked without stop strings, only `hf` tells how a turn ended."""
        if made is None:
            return cls("")
        return cls(made.text, made.finish_reason, made.finish_reason == "stop" if model.mode == "hf" else None)


class Sorter:
    """`config` names the judge, if there is one; its calls and their journal go to `folder`."""

    def __init__(self, config: ModelsConfig | None = None, folder: Path = Path()) -> None:
        self._config = config if config is not None and JUDGE in config.by_role else None
        self._folder = folder

    def sort(
        self,
        asked: Sequence[tuple[Item, RawReply]],
        *,
        model: str = "",
        step: int | None = None,
        failed: Callable[[Exception], None] | None = None,
    ) -> list[Failure]:
        """One for each. `failed` is told of a judge that cannot be asked: what words cannot tell then stays undecided.

        Raises: what asking the judge raises, where nobody is told of it.
        """
        seen = [replace(_seen(item, reply), model=model, step=step) for item, reply in asked]
        open_ = [index for index, each in enumerate(seen) if each.verdict == "undecided" and each.answer]
        if self._config is not None and open_:
            try:
                judged = self._judge(self._config, [seen[at] for at in open_])
            except Exception as failure:
                if failed is None:
                    raise
                failed(failure)
                judged = [replace(seen[at], why=f"the judge failed: {failure}") for at in open_]
            for index, each in zip(open_, judged, strict=True):
                seen[index] = each
        return [_usable(each) for each in seen]

    def _judge(self, config: ModelsConfig, failures: Sequence[Failure]) -> list[Failure]:
        prompt = PromptLibrary(config.project, ()).load(PROMPT)
        questions = [Query(prompt.render(_shown(each)), {"temperature": 0}) for each in failures]
        replies, _ = QueryRun(config, JUDGE, self._folder, SCHEMA, "json").ask(questions)
        return [_judged(each, reply.text if reply else "") for each, reply in zip(failures, replies, strict=True)]


def _shown(failure: Failure) -> dict[str, str]:
    return {"question": failure.question, "reference": failure.reference, "attempt": neutral(failure.answer)}


def _seen(item: Item, reply: RawReply) -> Failure:
    answer = final_answer(reply.text)
    seen = grade(answer, item.reference, question=item.question)
    codes = error_codes(
        answer, item.reference, question=item.question, finish_reason=reply.finish_reason, ended=reply.ended
    )
    verdict: Verdict = "undecided" if seen.right is None else "right" if seen.right else "wrong"
    return Failure(
        item.asked, item.reference, answer, verdict, codes, seen.why,
        item=item.key, category=item.category, finish_reason=reply.finish_reason,
    )  # fmt: skip


def _judged(failure: Failure, reply: str) -> Failure:
    try:
        right, why = read_verdict(reply, "right", "wrong")
    except Reject:
        return replace(failure, why="the judge's reply cannot be read")
    # What is right has no codes but those on how the turn ended; the words alone could not know that it is.
    codes = tuple(code for code in failure.codes if code in UNENDED) if right else failure.codes
    return replace(failure, verdict="right" if right else "wrong", why=f"judge: {why}", codes=codes)


def _usable(failure: Failure) -> Failure:
    """Nothing can be learned from an answer that is not there, and no answer stands by that was cut off."""
    if not failure.answer:
        return replace(failure, verdict="undecided", why="it answered nothing")
    if failure.verdict == "right" and set(UNENDED) & set(failure.codes):
        return replace(failure, verdict="undecided", why="what it says is right, and it did not come to an end")
    return failure
