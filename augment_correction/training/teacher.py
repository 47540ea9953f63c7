"""Whether the teacher of a self-distillation gives the right answer when it sees the context: asked before the first step, by
free generation. What it was shown may be wrong, or too hard for it to use; such a row would teach a mistake.

Judged by what the base model writes by itself, never by how probable it finds the right answer: the two part widely
(arXiv 2502.11177). Its answers are in the journal of `teacher/` in the training's folder, so that no row is asked twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, Self

from augment_correction.failures import RowProblem
from augment_correction.grading import grade
from augment_correction.llm.queries import Query, QueryRun
from augment_correction.models import ModelConfig, ModelsConfig
from augment_correction.parsing import final_answer
from augment_correction.records import Conversation
from augment_correction.training.config import TrainConfig
from augment_correction.training.demonstrations import Demonstration
from augment_correction.training.gathering import problem_of
from augment_correction.training.prepared import Prepared
from augment_correction.training.preparing import without
from augment_correction.usage import Price

ROLE = "teacher"
THINKING_OFF: Mapping[str, bool] = {"enable_thinking": False}
"""Of the chat template's arguments; templates that know no such thing do not look at it."""
FAILED = "teacher_failed"
Outcome = Literal["right", "wrong", "undecided", "ungraded"]


@dataclass(frozen=True, slots=True)
class TeacherAnswer:
    """What the base model answered with the context before it; `ungraded` where the row names no right answer."""

    text: str
    outcome: Outcome
    why: str = ""


class _Teacher(ModelsConfig):
    """The base model as it answers in this process."""

    COMMAND = "train"
    asked: ModelConfig

    @property
    def by_role(self) -> dict[str, ModelConfig]:
        return {ROLE: self.asked}

    def model(self, role: str) -> ModelConfig:
        return self.asked

    def with_models(self, models: Mapping[str, ModelConfig]) -> Self:
        return self.model_copy(update={"asked": models[ROLE]})

    def price(self, role: str) -> Price | None:
        return None

    @property
    def max_usd(self) -> Decimal | None:
        return None

    @property
    def concurrency(self) -> int:
        return 1


def teacher_answers(config: TrainConfig, demonstrations: Sequence[Demonstration], folder: str) -> list[TeacherAnswer]:
    """One for each, in their order; `folder` holds the base model.

    Raises: InputError, MissingExtra or ModelUnusable where the model cannot be opened.
    """
    model = ModelConfig(model=folder, mode="hf", extra_body={"chat_template_kwargs": dict(THINKING_OFF)})
    sampling = {"temperature": 0, "max_tokens": config.max_completion_length}
    asking = QueryRun(_Teacher(asked=model), ROLE, config.output / "teacher")
    replies, _ = asking.ask([Query(each.teacher, sampling) for each in demonstrations])
    said = [final_answer(reply.text) if reply else "" for reply in replies]
    return [_graded(text, each) for text, each in zip(said, demonstrations, strict=True)]


def _graded(text: str, demonstration: Demonstration) -> TeacherAnswer:
    if not demonstration.answer:
        return TeacherAnswer(text, "ungraded")
    found = grade(text, demonstration.answer, question=demonstration.question)
    outcome: Outcome = "undecided" if found.right is None else "right" if found.right else "wrong"
    return TeacherAnswer(text, outcome, found.why)


def checked(prepared: Prepared, say: Callable[[str], None] = lambda line: None) -> Prepared:
    """Without the rows whose teacher fails. The others end with the teacher's own answer, by which the held-out ones are
    compared; where the config asks for no check, all stay as they are.

    Raises: NothingLeft; what `teacher_answers` raises.
    """
    config, gathered = prepared.config, prepared.gathered
    if not config.distils or not config.teacher_check:
        return prepared
    rows = list(gathered.conversations)
    say(f"the base model answers {len(rows):,} questions with their context")
    answers = teacher_answers(config, [gathered.demonstrations[each.id] for each in rows], str(prepared.folder))
    found = dict(zip((each.id for each in rows), answers, strict=True))
    dropped = {
        each.id: _problem(each, found[each.id], gathered.demonstrations[each.id])
        for each in rows
        if found[each.id].outcome == "wrong"
        or (found[each.id].outcome == "undecided" and config.teacher_undecided == "drop")
    }
    counts = [
        (each, sum(answer.outcome == each for answer in answers))
        for each in ("right", "wrong", "undecided", "ungraded")
    ]
    told = ", ".join(f"{count:,} {outcome}" for outcome, count in counts if count)
    notice = f"the teacher's answers: {told}; left out: {len(dropped):,}"
    say(notice)
    made = without(prepared, dropped, {each: answer.text for each, answer in found.items()})
    made.notices.append(notice)
    return made


def _problem(row: Conversation, answer: TeacherAnswer, demonstration: Demonstration) -> RowProblem:
    said = " ".join(answer.text.split())[:200]
    what, remedy = "is not", "correct the context or the answer, or show it more plainly"
    if answer.outcome == "undecided":
        what = "may be something else than"
        remedy = "name the answer by the words that decide, or set teacher_undecided: keep"
    detail = (
        f"with its context the base model answers {said!r}, which {what} {demonstration.answer[:200]!r} ({answer.why})"
    )
    return problem_of(row, FAILED, detail, remedy)
