"""One evaluation from a config to its files."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson

from augment_correction.config_files import require_keys, with_environment_keys
from augment_correction.documents import counting
from augment_correction.errors import AugmentCorrectionError, ExitCode, InputError
from augment_correction.evals.config import JUDGE, EvalConfig
from augment_correction.evals.decision import decide
from augment_correction.evals.grading import Grader
from augment_correction.evals.interview import Interview
from augment_correction.evals.interviewing import Answers, Interviews, phases
from augment_correction.evals.looks import Looks
from augment_correction.evals.outputs import write_outputs
from augment_correction.evals.probes import measure_probes
from augment_correction.evals.questions import Questions, QuestionSet, read_questions
from augment_correction.evals.results import agreed, graded_by, measure
from augment_correction.evals.training import refuse_trained, training_of
from augment_correction.ledger import Ledger
from augment_correction.llm.hf_weights import named_by_weights
from augment_correction.llm.metered import Halt
from augment_correction.llm.opening import open_models
from augment_correction.llm.session import Session, database_of, interruptible
from augment_correction.plugins import recorded
from augment_correction.prompts import Prompt, PromptLibrary
from augment_correction.runner.state import RunState, StageCounts, Watch, unwatched
from augment_correction.store import Database, RunFolder


@dataclass(frozen=True)
class Evaluation:
    """What an evaluation came to. `report` is what stands in `evaluation.json`, None where it was stopped early: figures
    of a part of the questions would be taken for those of all. `cost` is USD, None where a price is unknown; `exit_code` is
    DONE where every tuned model is accepted, and REJECTS otherwise.

    >>> Evaluation(ExitCode.DONE, tokens={}, cost=None, seconds=1.5).report is None
    True
    """

    exit_code: ExitCode
    tokens: Mapping[str, dict[str, Any]]
    cost: Decimal | None
    seconds: float
    report: dict[str, Any] | None = None
    files: dict[str, Path] = field(default_factory=dict)
    notices: tuple[str, ...] = ()
    stopped: str | None = None
    hint: str | None = None


def evaluate(config: EvalConfig, *, watch: Watch | None = None) -> Evaluation:
    """Ask, grade, measure and decide, in a program without an event loop of its own; `evaluate_async` takes the same arguments, and
    says what they mean.

    Raises: UserError where it cannot start, above all where a tuned model was trained on the questions.

    >>> models = {name: {"model": name, "mode": "scripted"} for name in ("base", "tuned")}
    >>> evaluation = evaluate(EvalConfig(gate=("gate.jsonl",), models=models, path={"output_dir": "outputs/evaluated"}))
    >>> evaluation.report["decisions"]["tuned"]["outcome"] in ("accept", "reject", "undecided")
    True
    """
    return asyncio.run(evaluate_async(config, watch=watch))


async def evaluate_async(config: EvalConfig, *, watch: Watch | None = None) -> Evaluation:
    """Run the evaluation: ask, grade, measure, decide, and write all files. `watch(state)` is entered for the time of it and may poll the
    state, for a display. The same call resumes and asks only what has not been answered.

    Raises: UserError where it cannot start, above all where a tuned model was trained on the questions.

    >>> models = {name: {"model": name, "mode": "scripted"} for name in ("base", "tuned")}
    >>> config = EvalConfig(gate=("gate.jsonl",), models=models, path={"output_dir": "outputs/evaluated_in_a_loop"})
    >>> asyncio.run(evaluate_async(config)).stopped is None
    True
    """
    config = with_environment_keys(config)
    require_keys(config, config.by_role)
    library = PromptLibrary(config.project, (config.path.prompts,))
    questions, judging = read_questions(config, library), library.load(config.grading.prompt)
    training, told = training_of(config)
    refuse_trained(config.project, training, questions.items)
    config = named_by_weights(config, config.by_role)
    state = RunState({name: StageCounts(name) for name in config.models}, "questions", ("right", "wrong"))
    state.total = sum(len(each.items) for each in questions)
    state.notices += [*told, *notices(config)]
    folder = own_folder(config)
    with folder.held(), database_of(folder) as database, (watch or unwatched)(state):
        return await _evaluate(config, questions, judging, folder, database, state)


def notices(config: EvalConfig) -> Iterator[str]:
    if config.judge is None and config.grading.by == "auto":
        yield "the config names no judge model: answers that matching cannot grade stay ungraded"
    if config.repeats > 1 and not config.asked_with.get("temperature"):
        yield "repeats have no effect at temperature 0: the model gives the same answer again"


def own_folder(config: EvalConfig) -> RunFolder:
    """Raises: ConfigError where it is the folder of a run."""
    folder = RunFolder(config.output_dir)
    if folder.manifest.exists():
        raise config.error(
            ("path", "output_dir"),
            f"{folder.root} is the output folder of a run",
            "set another path.output_dir for the evaluation",
        )
    return folder


async def _evaluate(
    config: EvalConfig,
    questions: Questions,
    judging: Prompt,
    folder: RunFolder,
    database: Database,
    state: RunState,
) -> Evaluation:
    session = Session.on(
        database,
        config,
        config.by_role,
        folder.logs,
        counting(notice=state.notices.append),
        lambda what, done, total: setattr(state, "loading", (what, done, total) if what else None),
        state.notices.append,
    )
    halt = session.halt
    ledger = state.ledger = session.ledger
    interviews = Interviews(config, questions, state, halt)
    judged = [JUDGE] if config.judge else []
    async with interruptible(halt, lambda: state.phase == "starting", state.notices.append):
        for names in phases(config):
            state.phase = "starting"
            async with open_models(config, [*names, *judged], session) as models:
                state.loading, state.phase = None, "asking"
                grader = Grader(config.grading, judging, models.get(JUDGE), config.seed)
                asked = {name: Interview(models[name], grader, config) for name in names}
                await interviews.ask(asked, list(models.values()))
            if halt.cause is not None:
                break
    await database.flush()
    return _ended(config, questions, interviews.answers, folder, ledger, halt, state)


def _ended(
    config: EvalConfig,
    questions: Questions,
    answers: Answers,
    folder: RunFolder,
    ledger: Ledger,
    halt: Halt,
    state: RunState,
) -> Evaluation:
    tokens = {role: ledger.as_json(role) for role in config.by_role}
    seconds, cause = time.monotonic() - state.started, halt.cause
    if isinstance(cause, AugmentCorrectionError):
        return Evaluation(
            cause.exit_code, tokens, ledger.cost(), seconds,
            notices=tuple(state.notices), stopped=cause.message, hint=cause.hint,
        )  # fmt: skip
    state.phase = "writing"
    looks = Looks(config, questions.gate.items)
    report = report_of(config, questions, answers, tokens, looks)
    try:
        files = write_outputs(folder.root, report, questions, answers)
    except OSError as failure:
        raise InputError(
            f"the files cannot be written to {folder.root}: {failure.strerror or failure}",
            hint="free some space there or make it writable, and run the same command again: finished calls are not repeated",
        ) from failure
    note_looks(looks, report, state)
    accepted = all(each["outcome"] == "accept" for each in report["decisions"].values())
    code = ExitCode.DONE if accepted else ExitCode.REJECTS
    return Evaluation(code, tokens, ledger.cost(), seconds, report, files, tuple(state.notices))


def note_looks(looks: Looks, report: Mapping[str, Any], state: RunState) -> None:
    try:
        looks.note(report["decisions"])
    except OSError as failure:
        state.notices.append(f"this look at the held-out set could not be counted: {failure}")


def report_of(
    config: EvalConfig,
    questions: Questions,
    answers: Answers,
    tokens: Mapping[str, dict[str, Any]],
    looks: Looks,
) -> dict[str, Any]:
    """What stands in `evaluation.json`: the same answers make the same bytes."""
    models = list(config.models)
    gate = measure(questions.gate, answers, models, config.seed)
    retention = {name: measure(each, answers, models, config.seed) for name, each in questions.retention.items()}
    probes = measure_probes(questions, answers, models, config.seed)
    return {
        "base": config.base,
        "models": {name: model.model for name, model in config.models.items()},
        "decisions": {
            name: decide(config.limits, gate, retention, name, looks.number(name), probes).as_json()
            for name in config.tuned
        },
        "gate": gate,
        "retention": retention,
        "probes": probes,
        "grading": {"by": graded_by(answers), "judge_and_match": agreed(answers)},
        "failed": {": ".join(key): why for key, why in sorted(answers.failed.items())},
        "questions": {each.name: _digest(each) for each in questions},
        # Retries depend on the weather; what was paid does not.
        "spending": {
            role: {name: value for name, value in spent.items() if name != "retries"} for role, spent in tokens.items()
        },
        **recorded(),
        "config": config.without_secrets(),
    }


def _digest(questions: QuestionSet) -> str:
    """Tells whether two evaluations asked and graded by the same questions."""
    rows = [[item.id, item.question, item.reference] for item in questions.items]
    return hashlib.sha256(orjson.dumps(rows)).hexdigest()[:16]
