"""Rows of self-distillation on their way to a training: what the student is asked, and what the teacher sees in its place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from augment_correction.errors import ConfigError, InputError
from augment_correction.export import ChatTemplate, Tokenizer
from augment_correction.export.labelled import TokenRow, token_rows
from augment_correction.export.masking import IGNORED
from augment_correction.failures import RowProblem, SourceFile
from augment_correction.prompts import Prompt, PromptLibrary
from augment_correction.records import Conversation, Message, Turn, content_id
from augment_correction.rows import Demonstrated, RowError, Shown, demonstrated, each_row
from augment_correction.stages import neutral
from augment_correction.training.config import TrainConfig


@dataclass(frozen=True, slots=True)
class Demonstration:
    """One row: `teacher` are the messages that the teacher reads where the student reads the conversation's own, without its
    last turn. `answer` is what a right answer says; empty where nobody told."""

    teacher: tuple[Message, ...]
    context: str
    shown: Shown
    answer: str
    question: str


def teacher_prompts(config: TrainConfig) -> Mapping[Shown, Prompt]:
    """Raises: ConfigError where one is not there, or does not show the question and the context."""
    library = PromptLibrary(config.project)
    named: Mapping[Shown, str] = {"demonstration": config.teacher_prompt, "follow_up": config.follow_up_prompt}
    found = {shown: library.load(name) for shown, name in named.items()}
    for prompt in found.values():
        unknown = sorted(prompt.variables ^ {"question", "context"})
        if unknown:
            what = "does not show" if unknown[0] in ("question", "context") else "reads an unknown variable:"
            raise ConfigError(
                f"{prompt.path} {what} {unknown[0]}", hint="a teacher's prompt reads question and context"
            )
    return found


@dataclass
class DemonstrationFile:
    """What a file of rows came to. `conversations[i]` ends with the answer that stands in the row, or else with its context: by
    it rows are held out and compared, and it is not what is trained."""

    source: SourceFile
    conversations: list[Conversation]
    problems: list[RowProblem]


def read_demonstrations(
    path: Path, prompts: Mapping[Shown, Prompt], made: dict[str, Demonstration]
) -> DemonstrationFile:
    """Adds to `made`, by the conversation's id.

    Raises: InputError where the file cannot be read, or is none of rows.
    """
    if path.is_dir():
        raise InputError(
            f"{path} is a folder, and self-distillation trains on files of rows with a context",
            hint="name a .jsonl file of demonstrations (docs/reference/rows.md), or set method: sft",
        )
    read = DemonstrationFile(SourceFile(path, rejected=Counter()), [], [])
    for line, found in each_row(path, demonstrated):
        read.source.read += 1
        if isinstance(found, RowError):
            _drop(read, RowProblem(str(path), line, found.reason, found.of_the_row, found.hint or "", found.at))
            continue
        conversation, demonstration = _row(found, prompts, str(path), line)
        made.setdefault(conversation.id, demonstration)
        read.conversations.append(conversation)
    return read


def _drop(read: DemonstrationFile, problem: RowProblem) -> None:
    read.source.rejected[problem.reason] += 1
    read.problems.append(problem)


def _row(
    found: Demonstrated, prompts: Mapping[Shown, Prompt], file: str, line: int
) -> tuple[Conversation, Demonstration]:
    asked = tuple(replace(turn, text=neutral(turn.text)) for turn in found.asked)
    context, answer, question = neutral(found.context), neutral(found.answer), asked[-1].text
    before = tuple(Message(turn.role, turn.text) for turn in asked[:-1])
    teacher = (*before, *prompts[found.shown].render({"question": question, "context": context}))
    id_ = content_id("demonstrated", *(f"{turn.role} {turn.text}" for turn in asked), found.shown, context, answer)
    turns = (*asked, Turn("assistant", answer or context, train=True))
    belongs = {"group": found.group} if found.group else {}
    known = {"origin": "imported", "file": file, "line": line, **belongs}
    conversation = Conversation(id_, "demonstrated", turns, False, known)
    return conversation, Demonstration(teacher, context, found.shown, answer, question)


def longest_prompts(
    conversations: Iterable[Conversation],
    demonstrations: Mapping[str, Demonstration],
    template: ChatTemplate,
    tokenizer: Tokenizer,
) -> Iterator[int]:
    """Tokens of the longer prompt of each row, the teacher's or the student's; 0 where the chat template refuses one."""
    listed = list(conversations)
    seen = [_as_the_teacher_sees(each, demonstrations[each.id]) for each in listed]
    sides = (token_rows(side, template, tokenizer) for side in (listed, seen))
    for student, teacher in zip(*sides, strict=True):
        rows = [row for row in (student, teacher) if isinstance(row, TokenRow)]
        yield max(map(_prompt, rows)) if len(rows) == 2 else 0


def _as_the_teacher_sees(conversation: Conversation, demonstration: Demonstration) -> Conversation:
    turns = [Turn(message.role, message.content, train=False) for message in demonstration.teacher]
    return replace(conversation, turns=(*turns, conversation.turns[-1]))


def _prompt(row: TokenRow) -> int:
    return next((at for at, label in enumerate(row.labels) if label != IGNORED), len(row.ids))
