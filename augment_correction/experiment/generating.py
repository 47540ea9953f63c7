"""Training examples for weak items, out of a pipeline: each variation of each source item is a passage of its own."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

from augment_correction.config import RunConfig
from augment_correction.errors import AugmentCorrectionError, BudgetExhausted, ExitCode, Interrupted, UserError
from augment_correction.experiment.config import STUDENT, VERIFIER, ExperimentConfig
from augment_correction.experiment.operations import Example, Generated, Source
from augment_correction.export.chat_template import ChatTemplate
from augment_correction.export.labelled import TokenRow, token_rows
from augment_correction.export.tokenizer import Tokenizer
from augment_correction.grading import grade
from augment_correction.grading.text import words
from augment_correction.models import MadeConfig
from augment_correction.records import Conversation, Passage, Turn, content_id
from augment_correction.results.finished import open_run
from augment_correction.rows import Item
from augment_correction.runner import run
from augment_correction.runner.state import Watch
from augment_correction.selection.candidate import Candidate
from augment_correction.selection.guard import Guard
from augment_correction.selection.similar import SIMILAR, normal, similarity

PLAIN = "plain"
ANGLES = (
    "Ask for the same fact in other words.",
    "Ask from the other side: what was the answer becomes part of the question, and the answer names what was asked about.",
    "Ask for another fact that stands beside it in the source.",
    "Ask it as somebody would in the middle of a task, in one sentence of context.",
    "Ask why or how it is so, where the source says that.",
)
"""What a variation does, by turns."""
NUMBER = re.compile(r"\d+")


@dataclass(frozen=True)
class Counting:
    """The student's own tokenizer and chat template: trained tokens are counted as its training counts them."""

    tokenizer: Tokenizer
    template: ChatTemplate

    def trained(self, conversations: Sequence[Conversation]) -> list[int]:
        rows = token_rows(conversations, self.template, self.tokenizer)
        return [row.trained if isinstance(row, TokenRow) else 0 for row in rows]


def card(item: Item) -> str:
    """All that an example may be made from: the passage where there is one, the question, and the answer, which is right."""
    passage = f"{item.passage}\n\n" if item.passage else ""
    return f"{passage}Question: {item.asked}\nAnswer: {item.reference}"


def passages_of(sources: Iterable[Source]) -> list[Passage]:
    """One for each variation. Its number stands in the text, by which a run tells its passages apart."""
    return [
        Passage(
            f"{card(source.item)}\n(Example {number + 1})",
            source=f"{source.item.id}#{number}",
            metadata={
                "question": source.item.question,
                "reference": source.item.reference,
                "answer": source.looked.seen.answer or "(none)",
                "angle": ANGLES[number % len(ANGLES)],
            },
        )
        for source in sources
        for number in source.numbers
    ]


class _GenerationRun(MadeConfig, RunConfig):
    """The config of the run that makes the data."""

    PLACES: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "pipeline": ("data_generation", "pipeline"),
        "sampling": ("data_generation",),
        "checks": (VERIFIER,),
    }

    def sampling_of(self, stage: str) -> str:
        return "data_generation"

    def shorter(self, stage: str) -> str:
        return "shorten the passages of the questions"


def run_config_of(config: ExperimentConfig, folder: Path, left: Decimal | None) -> RunConfig:
    """Of the run that makes the data in `folder` for `left` USD at most."""
    chosen = config.data_generation
    writer = config.writer
    roles = {"large": writer, "judge": VERIFIER if config.verifier else writer, "small": writer, "target": STUDENT}
    pipeline = f"{chosen.pipeline}_critique" if chosen.self_critique else chosen.pipeline
    made = _GenerationRun.model_validate(
        {
            "pipeline": pipeline,
            "api": {role: config.by_role[name] for role, name in roles.items()},
            "path": {"output_dir": str(folder), "prompts": config.path.prompts},
            "system": {
                "loss_on": "answers", "prompt_template": "chatml", "seed": config.seed,
                "concurrency_limit": config.concurrency_limit, "chunk_unit": "characters",
            },
            "sampling": {"variation": {"temperature": chosen.temperature, "top_p": chosen.top_p}},
            "checks": {"supported": config.checked_by is not None},
            "cost": {"max_usd": left},
        }
    )  # fmt: skip
    return made.made_of(config, roles)


@dataclass(frozen=True)
class Generation:
    config: ExperimentConfig
    counting: Counting
    watch: Watch | None = None

    def generate(
        self, sources: Sequence[Source], folder: Path, held: Iterable[Item], left: Decimal | None
    ) -> tuple[Generated, dict[str, Any], Decimal]:
        """(the examples, the tokens by role, what the folder has cost so far). What comes too near to a held-out item is lost.

        Raises: UserError where the run was stopped, BudgetExhausted, Interrupted.
        """
        result = run(run_config_of(self.config, folder, left), watch=self.watch, passages=passages_of(sources))
        if result.exit_code not in (ExitCode.DONE, ExitCode.REJECTS):
            raise _stopped(
                result.exit_code, result.stopped or "the generation of training data was interrupted", result.hint
            )
        made: dict[str, Conversation] = {}
        lost: Counter[str] = Counter()
        with open_run(folder) as opened:
            for chunk, outcome in opened.results.outcomes():
                place = chunk.places[0]["source"]
                if outcome.status == "kept":
                    made[place] = outcome.conversation(chunk)
                else:
                    lost[outcome.reason or "failed"] += 1
        kept = self._apart(sources, made, held, lost)
        return Generated(tuple(kept), dict(lost)), result.tokens, result.cost or Decimal(0)

    def _apart(
        self, sources: Sequence[Source], made: dict[str, Conversation], held: Iterable[Item], lost: Counter[str]
    ) -> list[Example]:
        guard, seen, kept = Guard(), Guard(), list[tuple[Source, int, Conversation]]()
        for item in held:
            guard.add_item({"id": item.id, "question": item.question, "passage": item.passage})
        for source in sources:
            for number in source.numbers:
                conversation = made.get(f"{source.item.id}#{number}")
                if conversation is None:
                    continue
                candidate = Candidate(conversation)
                if reason := contradiction(conversation, source.item, self.config.data_generation.min_support):
                    lost[reason] += 1
                elif guard.overlap(candidate):
                    lost["near_held_out"] += 1
                elif (near := seen.overlap(candidate)) and (
                    near.similarity or 1
                ) >= self.config.data_generation.duplicates:
                    lost["duplicate"] += 1
                else:
                    seen.add(conversation.id, None, candidate.question, conversation.turns[0].text)
                    kept.append((source, number, conversation))
        tokens = self.counting.trained([each for _, _, each in kept])
        return [
            Example(each, source.item.id, number, count, support(each, source.item))
            for (source, number, each), count in zip(kept, tokens, strict=True)
            if count
        ]

    def plain(self, items: Sequence[Item]) -> list[Example]:
        made = [
            Conversation(
                content_id(PLAIN, item.asked, item.reference),
                PLAIN,
                (Turn("user", item.asked, False), Turn("assistant", item.reference, True)),
                train_scaffold=False,
            )
            for item in items
        ]
        return [
            Example(each, item.id, None, count)
            for each, item, count in zip(made, items, self.counting.trained(made), strict=True)
        ]


def contradiction(conversation: Conversation, item: Item, least: float) -> str | None:
    """What is wrong with an example by its source alone, whatever the verifier said: small ones believe much. The same question must
    be answered as the reference answers it, no number may come from nowhere, and most words are the source's own."""
    question, answer = conversation.turns[0].text, conversation.turns[-1].text
    if set(NUMBER.findall(answer)) - set(NUMBER.findall(f"{card(item)} {question}")):
        return "number_not_in_source"
    alike = similarity(normal(question), normal(item.question))
    if alike >= SIMILAR and grade(answer, item.reference, "auto", question=item.question).right is False:
        return "wrong_by_reference"
    return "little_support" if support(conversation, item) < least else None


def support(conversation: Conversation, item: Item) -> float:
    """Of the different words of the answer, the share that stands in its source."""
    said = {word for turn in conversation.turns if turn.train for word in words(turn.text)}
    there = set(words(card(item)))
    return len(said & there) / len(said) if said else 0.0


def _stopped(code: ExitCode, message: str, hint: str | None) -> AugmentCorrectionError:
    kinds = {ExitCode.BUDGET: BudgetExhausted, ExitCode.INTERRUPTED: Interrupted}
    return kinds.get(code, UserError)(message, hint=hint)
