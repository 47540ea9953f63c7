"""Approved corrections as what is trained and what is asked to prove it: a run of `pipelines/chat_correction.yaml`, sorted by kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from augment_correction.config import PathConfig, RunConfig
from augment_correction.corrections.config import CHATTING, PROBING, TARGET, ChatConfig
from augment_correction.corrections.correction import Correction
from augment_correction.declarations import SeveralStage, SpreadStage
from augment_correction.errors import ExitCode, InputError, UserError
from augment_correction.grading import grade
from augment_correction.llm.queries import Query as Ask
from augment_correction.llm.queries import QueryRun, messages
from augment_correction.models import MadeConfig
from augment_correction.parsing import final_answer
from augment_correction.pipeline import Pipeline, load_pipeline
from augment_correction.pipeline_settings import find_pipeline
from augment_correction.records import Conversation, Passage, content_id
from augment_correction.results.finished import open_run
from augment_correction.rows import ASKS_AGAIN, Item, item_of, read_rows
from augment_correction.runner import run
from augment_correction.runner.state import Watch
from augment_correction.selection.similar import QuestionIndex, ShingledText
from augment_correction.store.json_files import write_lines

DEMONSTRATION = "demonstration"
TRAINED = ("demonstration", "correct_after_mistake", "plain")
"""Kinds of conversation that `method: sft` trains; the others are probes."""
PROBES = ("paraphrase", "portability", "neighbour")


@dataclass
class Material:
    """What a round is made of, and the files of it. `kinds` counts rows and probes, `dropped` what is left out, by what it is."""

    folder: Path
    kinds: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)

    @property
    def training(self) -> Path:
        return self.folder / "training.jsonl"

    @property
    def probes(self) -> Path:
        return self.folder / "probes.jsonl"


def prepare(config: ChatConfig, approved: Sequence[Correction], folder: Path, watch: Watch | None) -> Material:
    """Run the pipeline over the corrections, and write the rows to train and the probes. Started again it asks only what is missing.

    Raises: KeyboardInterrupt, UserError where the run was stopped; ConfigError where a model that it needs is not named.
    """
    made = _made(config, approved, watch)
    material = Material(folder)
    rows = _rows(config, approved, made, material)
    probes = [
        *_asked_again(approved),
        *_unseen(_probes(approved, made), rows, material),
        *_retention(config),
    ]
    rows += _keep(config, probes, material)
    material.kinds.update(row["kind"] for row in rows)
    material.kinds.update(f"probe {row['probe']}" for row in probes)
    write_lines(material.probes, probes)
    write_lines(material.training, rows)
    return material


def pipeline_of(config: ChatConfig) -> Pipeline:
    """The config's pipeline with its numbers of wordings and demonstrations, and without what `context: follow_up` does not need."""
    section = config.corrections
    counts = {"wordings": section.num_prompt_variations, "demonstrations": section.num_expert_demos_per_prompt}
    pipeline = load_pipeline(find_pipeline(config))
    stages: list[Any] = []
    for stage in pipeline.stages:
        if isinstance(stage, SeveralStage) and stage.name in counts:
            stage = stage.model_copy(update={"count": counts[stage.name]})
        if isinstance(stage, SpreadStage) and section.context == "follow_up":
            into = {word: tuple(each for each in kinds if each != DEMONSTRATION) for word, kinds in stage.into.items()}
            stage = stage.model_copy(update={"into": into})
        stages.append(stage)
    return pipeline.model_copy(update={"stages": tuple(stages)})


class _PreparingRun(MadeConfig, RunConfig):
    """The config of the run that makes rows and probes of corrections."""

    def shorter(self, stage: str) -> str:
        return "withdraw the longest corrections"


def run_config_of(config: ChatConfig) -> RunConfig:
    """Of the pipeline over corrections, in one folder for all rounds: what an earlier one paid for is not asked again."""
    large = next(role for role in ("large", "judge", TARGET) if role in config.by_role)
    made = _PreparingRun(
        pipeline=pipeline_of(config),
        api=config.api.model_copy(update={"large": config.model(large)}),
        path=PathConfig(
            output_dir=str(config.folder / "prepared"),
            prompts=config.path.prompts,
            default_prompts=config.path.default_prompts,
        ),
        training=config.training.model_copy(update={"base_model": config.model(TARGET).model}),
        system=config.system.model_copy(update={"loss_on": "answers"}),
        sampling={name: each for name, each in config.sampling.items() if name not in (CHATTING, PROBING)},
        shares=config.shares,
        checks=config.checks,
        cost=config.cost,
    )
    return made.made_of(config, {"large": large})


def passages_of(approved: Sequence[Correction]) -> list[Passage]:
    """What the pipeline reads of each."""
    return [_passage(each) for each in approved]


def trained_kinds(config: ChatConfig) -> tuple[str, ...]:
    """The kinds of conversation of which a training row is made."""
    return TRAINED if config.corrections.method == "sft" else (DEMONSTRATION,)


def _made(config: ChatConfig, approved: Sequence[Correction], watch: Watch | None) -> dict[int, list[Conversation]]:
    """What the pipeline makes of each correction."""
    result = run(run_config_of(config), watch=watch, passages=passages_of(approved))
    if result.exit_code is ExitCode.INTERRUPTED:
        raise KeyboardInterrupt
    if result.exit_code not in (ExitCode.DONE, ExitCode.REJECTS):
        raise UserError(result.stopped or "the run was interrupted", hint=result.hint)
    made: dict[int, list[Conversation]] = {each.id: [] for each in approved}
    with open_run(config.folder / "prepared") as opened:
        for chunk, outcome in opened.results.outcomes("kept"):
            for place in chunk.places:
                made[int(place["source"].removeprefix("correction "))].append(outcome.conversation(chunk))
    return made


def _passage(correction: Correction) -> Passage:
    passage = correction.failure().passage()
    return Passage(passage.text, source=f"correction {correction.id}", metadata=passage.metadata)


# ---------------------------------------------------------------------------------------------------------- probes


def _asked_again(approved: Sequence[Correction]) -> Iterator[dict[str, Any]]:
    """The corrected question itself, by which three things are measured; a model is asked once for all of them."""
    for each in approved:
        for kind in ASKS_AGAIN:
            yield _probe(each, kind, each.statement.question, each.statement.right)


def _probes(approved: Sequence[Correction], made: Mapping[int, Sequence[Conversation]]) -> Iterator[dict[str, Any]]:
    for each in approved:
        for conversation in made[each.id]:
            if conversation.kind in PROBES:
                question, answer = (turn.text for turn in conversation.turns)
                right = each.statement.right if conversation.kind == "paraphrase" else answer
                yield _probe(each, conversation.kind, question, right)


def _probe(correction: Correction, kind: str, question: str, reference: str) -> dict[str, Any]:
    return {
        "id": f"{correction.id}-{kind}-{content_id(question, reference)[:8]}",
        "group": f"correction {correction.id}",
        "question": question,
        "reference": reference,
        "probe": kind,
        "correction": str(correction.id),
        "old_answer": correction.statement.wrong,
    }


def _unseen(
    probes: Iterable[dict[str, Any]], rows: Sequence[Mapping[str, Any]], material: Material
) -> Iterator[dict[str, Any]]:
    """Those that no training row gives away, each once: what is trained cannot be a test of what was understood."""
    index = QuestionIndex.of([_question_in(row) for row in rows])
    seen = set()
    for probe in probes:
        if index.nearest(ShingledText(probe["question"])):
            material.dropped[f"{probe['probe']} probes that a training row asks, or nearly"] += 1
        elif probe["id"] not in seen:
            seen.add(probe["id"])
            yield probe


def _retention(config: ChatConfig) -> Iterator[dict[str, Any]]:
    for item in items_of(config, "retention"):
        yield {"id": f"retention-{item.id}", "question": item.asked, "reference": item.reference, "probe": "retention"}


# ------------------------------------------------------------------------------------------------------ what is trained


def _rows(
    config: ChatConfig,
    approved: Sequence[Correction],
    made: Mapping[int, Sequence[Conversation]],
    material: Material,
) -> list[dict[str, Any]]:
    """In the spelling that `train` reads for the method."""
    distils = config.corrections.method != "sft"
    rows: list[dict[str, Any]] = []
    for each in approved:
        mine = [one for one in made[each.id] if one.kind in trained_kinds(config)]
        new = _distilled(config, each, mine) if distils else [_spelled(one, each) for one in mine]
        if not new:
            material.dropped["corrections of which the writer made no row"] += 1
        rows += new
    return rows


def _keep(config: ChatConfig, probes: Sequence[Mapping[str, Any]], material: Material) -> list[dict[str, Any]]:
    """Questions that the base model answers right, with its own answers; none that a probe asks."""
    index = QuestionIndex.of([str(probe["question"]) for probe in probes])
    items = items_of(config, "keep")
    free = [item for item in items if not index.nearest(ShingledText(item.asked))]
    known = own_right_answers(config, free, config.folder / "keep")
    material.dropped["questions to keep that a probe asks"] += len(items) - len(free)
    material.dropped["questions to keep that the base model does not answer right"] += len(free) - len(known)
    return [_keep_row(item, answer, config.corrections.method != "sft") for item, answer in known]


def own_right_answers(config: ChatConfig, items: Sequence[Item], folder: Path) -> list[tuple[Item, str]]:
    """What the base model says to questions that it answers right: words of its own, which cost it nothing to keep."""
    if not items:
        return []
    asking = QueryRun(config, TARGET, folder)
    replies, _ = asking.ask([Ask(messages(item.asked), {"temperature": 0, "max_tokens": 256}) for item in items])
    known = []
    for item, reply in zip(items, replies, strict=True):
        text = final_answer(reply.text) if reply and reply.finish_reason == "stop" else ""
        if text and grade(text, item.reference, question=item.question).right:
            known.append((item, text))
    return known


def _distilled(config: ChatConfig, correction: Correction, kept: Sequence[Conversation]) -> list[dict[str, Any]]:
    said = correction.statement
    if config.corrections.context == "follow_up":
        message = said.message or f"That is not right. {said.right}"
        return [_distil(correction, said.question, message, "follow_up")]
    return [_distil(correction, _question(each), each.turns[-1].text, DEMONSTRATION) for each in kept]


def _distil(correction: Correction, question: str, context: str, shown: str) -> dict[str, Any]:
    return {
        "question": question, "context": context, "context_kind": shown, "answer": correction.statement.right,
        "kind": shown, "group": f"correction {correction.id}",
    }  # fmt: skip


def _spelled(each: Conversation, correction: Correction) -> dict[str, Any]:
    spoken = [
        {"role": turn.role, "content": turn.text, "train": turn.train and turn.role == "assistant"}
        for turn in each.turns
    ]
    return {"messages": spoken, "kind": each.kind, "group": f"correction {correction.id}"}


def _keep_row(item: Item, answer: str, distils: bool) -> dict[str, Any]:
    if distils:
        return {"question": item.question, "context": answer, "answer": item.reference, "kind": "keep"}
    spoken = (("user", item.asked), ("assistant", answer))
    rows = [{"role": role, "content": text, "train": role == "assistant"} for role, text in spoken]
    return {"messages": rows, "kind": "keep"}


def _question(each: Conversation) -> str:
    return next(turn.text for turn in each.turns if turn.role == "user")


def _question_in(row: Mapping[str, Any]) -> str:
    return str(row["question"]) if "question" in row else str(row["messages"][0]["content"])


def items_of(config: ChatConfig, key: Literal["keep", "retention"]) -> list[Item]:
    """Those of the file that `corrections` names under `key`; none where it names none.

    Raises: ConfigError where the file cannot be read, or a row of it has no question or reference.
    """
    file = getattr(config.corrections, key)
    try:
        return [item for _, item in read_rows(config.project.resolve(file), item_of)] if file else []
    except InputError as failure:
        raise config.error(("corrections", key), f"corrections.{key}: {failure.message}", failure.hint) from None
