"""Approved corrections as what is trained and what is asked to prove it: a run of `pipelines/chat_correction.yaml`, sorted by kind."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from augment_correction.config import PathConfig, RunConfig
from augment_correction.corrections.config import TARGET, ChatConfig
from augment_correction.corrections.correction import Correction
from augment_correction.declarations import SeveralStage, SpreadStage
from augment_correction.errors import ExitCode, UserError
from augment_correction.grading import grade
from augment_correction.grading.text import normal
from augment_correction.monitor.asking import Asking, Question, messages
from augment_correction.parsing import final_answer
from augment_correction.pipeline import Pipeline, load_pipeline
from augment_correction.plan import find_pipeline
from augment_correction.records import Conversation, Passage
from augment_correction.results.finished import open_run
from augment_correction.rows import Item, item_of, read_rows
from augment_correction.runner import RunState, run
from augment_correction.store.folder import atomic_write

DEMONSTRATION = "demonstration"
TRAINED = ("demonstration", "correct_after_mistake", "plain")
"""Kinds of conversation that `method: sft` trains; the others are probes."""
PROBES = ("paraphrase", "portability", "neighbour")
Watch = Callable[[RunState], AbstractContextManager[object]]


@dataclass
class Material:
    """What a round is made of, and the files of it. `kinds` counts rows, `dropped` those that are not used with the reason."""

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
    made = _made(config, approved, folder / "prepared", watch)
    probes, probed = _probes(config, approved, made)
    material = Material(folder)
    rows = _rows(config, approved, made, probed, material)
    for kind in (each["probe"] for each in probes):
        material.kinds[f"probe {kind}"] += 1
    _write(material.probes, probes)
    _write(material.training, rows)
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


def _made(
    config: ChatConfig, approved: Sequence[Correction], folder: Path, watch: Watch | None
) -> dict[int, list[Conversation]]:
    """What the pipeline makes of each correction."""
    large = config.api.large or config.api.judge or config.api.target
    run_config = RunConfig(
        pipeline=pipeline_of(config),
        api=config.api.model_copy(update={"large": large}),
        path=PathConfig(
            output_dir=str(folder), prompts=config.path.prompts, default_prompts=config.path.default_prompts
        ),
        system=config.system.model_copy(update={"loss_on": "answers"}),
        sampling={name: each for name, each in config.sampling.items() if name != "chat"},
        cost=config.cost,
    )
    run_config._project = config.project
    passages = [_passage(each) for each in approved]
    result = run(run_config, watch=watch, passages=passages)
    if result.exit_code is ExitCode.INTERRUPTED:
        raise KeyboardInterrupt
    if result.exit_code not in (ExitCode.DONE, ExitCode.REJECTS):
        raise UserError(result.stopped or "the run was stopped", hint=result.hint)
    made: dict[int, list[Conversation]] = {each.id: [] for each in approved}
    with open_run(folder) as opened:
        for chunk, outcome in opened.results.outcomes("kept"):
            for place in chunk.places:
                made[int(place["source"].removeprefix("correction "))].append(outcome.conversation(chunk))
    return made


def _passage(correction: Correction) -> Passage:
    passage = correction.failure().passage()
    return Passage(passage.text, source=f"correction {correction.id}", metadata=passage.metadata)


def _probes(
    config: ChatConfig, approved: Sequence[Correction], made: Mapping[int, Sequence[Conversation]]
) -> tuple[list[dict[str, Any]], set[str]]:
    """The gate's rows; and the questions, of which none may be trained but those of the corrections themselves."""
    rows = []
    for each in approved:
        said = each.statement
        rows.append(_probe(each, "efficacy", said.question, said.right))
        for conversation in made[each.id]:
            if conversation.kind in PROBES:
                question, answer = (turn.text for turn in conversation.turns)
                reference = said.right if conversation.kind == "paraphrase" else answer
                rows.append(_probe(each, conversation.kind, question, reference))
    rows += [
        {"id": f"retention-{item.id}", "question": item.question, "reference": item.reference, "probe": "retention"}
        for item in _items(config, config.corrections.retention)
    ]
    asked = {normal(str(row["question"])) for row in rows if row["probe"] != "efficacy"}
    return list({row["id"]: row for row in rows}.values()), asked


def _probe(correction: Correction, kind: str, question: str, reference: str) -> dict[str, Any]:
    row = {
        "id": f"{correction.id}-{kind}-{normal(question)[:80]}",
        "group": f"correction {correction.id}",
        "question": question,
        "reference": reference,
        "probe": kind,
        "correction": str(correction.id),
    }
    return row | ({"old_answer": correction.statement.wrong} if kind in ("efficacy", "paraphrase") else {})


def _rows(
    config: ChatConfig,
    approved: Sequence[Correction],
    made: Mapping[int, Sequence[Conversation]],
    probed: set[str],
    material: Material,
) -> list[dict[str, Any]]:
    """What is trained, in the spelling that `train` reads for the method."""
    distils = config.corrections.method != "sft"
    rows: list[dict[str, Any]] = []
    for each in approved:
        mine = [one for one in made[each.id] if one.kind in TRAINED]
        kept = [one for one in mine if normal(_question(one)) not in probed]
        material.dropped["asked_by_a_probe"] += len(mine) - len(kept)
        new = _distilled(config, each, kept) if distils else [_spelled(one, each) for one in kept]
        material.kinds.update(row["kind"] for row in new)
        rows += new
    keep = [item for item in _items(config, config.corrections.keep) if normal(item.question) not in probed]
    own = own_right_answers(config, keep, material.folder / "keep")
    material.dropped["keep_not_known"] += len(keep) - len(own)
    material.kinds["keep"] += len(own)
    return rows + [_keep_row(item, answer, distils) for item, answer in own]


def own_right_answers(config: ChatConfig, items: Sequence[Item], folder: Path) -> list[tuple[Item, str]]:
    """What the base model says to questions that it answers right: words of its own, which cost it nothing to keep."""
    if not items:
        return []
    asking = Asking(config, TARGET, folder)
    replies, _ = asking.ask([Question(messages(item.asked), {"temperature": 0, "max_tokens": 256}) for item in items])
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
    return [
        _distil(correction, _question(each), each.turns[-1].text, DEMONSTRATION)
        for each in kept
        if each.kind == DEMONSTRATION
    ]


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
    spoken = (("user", item.question), ("assistant", answer))
    rows = [{"role": role, "content": text, "train": role == "assistant"} for role, text in spoken]
    return {"messages": rows, "kind": "keep"}


def _question(each: Conversation) -> str:
    return next(turn.text for turn in each.turns if turn.role == "user")


def _items(config: ChatConfig, file: str | None) -> list[Item]:
    """Raises: InputError where the file holds a row that is none."""
    return [item for _, item in read_rows(config.project.resolve(file), item_of)] if file else []


def _write(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    with atomic_write(path) as file:
        for row in rows:
            file.write(orjson.dumps(row) + b"\n")


def rivals(approved: Sequence[Correction]) -> list[tuple[Correction, Correction]]:
    """Pairs that answer one question in two ways."""
    by_subject: defaultdict[str, list[Correction]] = defaultdict(list)
    for each in approved:
        by_subject[each.statement.subject].append(each)
    return [
        (same[0], other)
        for same in by_subject.values()
        for other in same[1:]
        if other.statement.claim != same[0].statement.claim
    ]
