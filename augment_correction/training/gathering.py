"""All conversations of a training, from runs and files of failures, and what was left out of them with the reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from augment_correction.errors import InputError
from augment_correction.export import ChatTemplate
from augment_correction.failures import PIPELINE, RowProblem, SourceFile, quiet_config, read_files
from augment_correction.failures import conversations as imported
from augment_correction.records import Conversation
from augment_correction.results.finished import open_run
from augment_correction.results.reexport import run_conversations, run_template
from augment_correction.selection.candidate import Candidate, question_of
from augment_correction.selection.gate import gate_file, gate_questions
from augment_correction.selection.guard import Guard
from augment_correction.selection.similar import ShingledText
from augment_correction.store import RunFolder
from augment_correction.training.config import TrainConfig
from augment_correction.training.demonstrations import Demonstration, read_demonstrations, teacher_prompts


@dataclass
class Gathered:
    """`origins[i]` is the source of conversation i; `templates` are those that the runs were written with; `gates` are
    the files whose questions are kept out, in their order; `demonstrations`, by the conversation's id, what the teacher of a
    self-distillation sees."""

    conversations: list[Conversation] = field(default_factory=list)
    origins: list[SourceFile] = field(default_factory=list)
    sources: list[SourceFile] = field(default_factory=list)
    problems: list[RowProblem] = field(default_factory=list)
    templates: list[ChatTemplate] = field(default_factory=list)
    gates: dict[Path, None] = field(default_factory=dict)
    demonstrations: dict[str, Demonstration] = field(default_factory=dict)

    def drop(self, index: int, problem: RowProblem) -> None:
        self.origins[index].rejected[problem.reason] += 1
        self.problems.append(problem)


def gather(config: TrainConfig, kept_back: Iterable[Conversation] = ()) -> Gathered:
    """All that may be trained: without what a gate asks, or what is `kept_back` to be measured.

    Raises: InputError where a file or folder cannot be used.
    """
    made = Gathered()
    for named in (gate_file(config.project.resolve(each)) for each in config.gate):
        if not named.is_file():
            raise InputError(
                f"there is no held-out set at {named}",
                hint="name the gate.jsonl of a run, or the folder of the run",
            )
        made.gates[named] = None
    (_demonstrations if config.distils else _corrections)(made, config)
    gate, retention = Guard(), Guard()
    for path in made.gates:
        for item in gate_questions(path):
            gate.add_item(item)
    for each in kept_back:
        retention.add(each.id, None, ShingledText(question_of(each)), question_of(each))
    return _without(made, gate, retention)


def _corrections(made: Gathered, config: TrainConfig) -> None:
    files: list[tuple[Path, Literal[1, 2] | None]] = []
    for path, schema in _named(config):
        run = _run_of(path)
        if run is None:
            files.append((path, schema))
        else:
            made.gates[run.gate] = None
            made.sources.append(SourceFile(path))
            _add(made, [(each, made.sources[-1]) for each in _of_run(made, run)])
    if files:
        _import(made, files, config)


def _demonstrations(made: Gathered, config: TrainConfig) -> None:
    prompts = teacher_prompts(config)
    for path, _ in _named(config):
        read = read_demonstrations(path, prompts, made.demonstrations)
        made.sources.append(read.source)
        made.problems += read.problems
        _add(made, [(each, read.source) for each in read.conversations])


def retention(config: TrainConfig) -> list[Conversation]:
    """The rows that guard against forgetting; none where the config names no file.

    Raises: InputError where a row of the file has no question or reference.
    """
    if config.retention is None:
        return []
    read = read_files([(config.project.resolve(config.retention), 2)])
    if read.problems:
        first = read.problems[0]
        detail = f"{first.place}: {first.detail} (in all {len(read.problems)} rows)"
        raise InputError(detail, hint=first.remedy)
    return [each for each, _ in imported(read, quiet_config(PIPELINE, config.output / "retention", config.seed))]


def _named(config: TrainConfig) -> Iterator[tuple[Path, Literal[1, 2] | None]]:
    keys: tuple[tuple[tuple[str, ...], Literal[1, 2] | None], ...]
    keys = ((config.data, None), (config.self_critique_data, 1), (config.hard_failures_data, 2))
    for paths, schema in keys:
        for each in paths:
            path = config.project.resolve(each)
            if not path.exists():
                raise InputError(
                    f"there are no training data at {path}", hint="name a run's output folder, or a file of failures"
                )
            yield path, schema


def _run_of(path: Path) -> RunFolder | None:
    """The run's own folder, or that of its dataset file, whose rows are better taken from the journal."""
    folder = RunFolder(path if path.is_dir() else path.parent)
    return folder if path in (folder.root, folder.dataset) else None


def _of_run(made: Gathered, run: RunFolder) -> Iterator[Conversation]:
    with open_run(run.root) as opened:
        template = run_template(opened)
        if template not in made.templates:
            made.templates.append(template)
        for each in run_conversations(opened):
            made.sources[-1].read += 1
            yield each


def _import(made: Gathered, files: list[tuple[Path, Literal[1, 2] | None]], config: TrainConfig) -> None:
    """Curated files go through their pipeline, whose run stays beside the training for a look at its rows."""
    read = read_files(files)
    made.sources += read.sources
    found = imported(read, quiet_config(PIPELINE, config.output / "failures", config.seed))
    made.problems += read.problems
    _add(made, found)


def _add(made: Gathered, found: list[tuple[Conversation, SourceFile]]) -> None:
    made.conversations += [each for each, _ in found]
    made.origins += [source for _, source in found]


def _without(made: Gathered, gate: Guard, retention: Guard) -> Gathered:
    """Leave out what is asked to measure, and what stands there twice."""
    kept: list[int] = []
    seen: set[str] = set()
    for index, each in enumerate(made.conversations):
        candidate = Candidate(each)
        if found := gate.overlap(candidate):
            made.drop(
                index, problem_of(each, "in_gate", found.detail, "nothing to do: the held-out set must not be trained")
            )
        elif found := retention.overlap(candidate):
            remedy = "nothing to do: retention rows are measured and never trained"
            made.drop(index, problem_of(each, "in_retention", found.detail, remedy))
        elif each.id in seen:
            made.drop(
                index,
                problem_of(each, "duplicate", "another file has the same row", "nothing to do: the row is used once"),
            )
        else:
            seen.add(each.id)
            kept.append(index)
    return kept_only(made, kept)


def problem_of(each: Conversation, reason: str, detail: str, remedy: str) -> RowProblem:
    known = each.provenance
    return RowProblem(
        str(known.get("file", f"conversation {each.id}")), int(known.get("line", 0)), reason, detail, remedy
    )


def kept_only(made: Gathered, kept: list[int]) -> Gathered:
    made.conversations = [made.conversations[index] for index in kept]
    made.origins = [made.origins[index] for index in kept]
    return made
