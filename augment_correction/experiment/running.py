"""One experiment from its config to its files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from augment_correction.config_files import ASKED_OVER_HTTP, KEYS_BY_HOST, require_keys, with_environment_keys
from augment_correction.errors import ExitCode, InputError
from augment_correction.evals.config import JUDGE
from augment_correction.experiment.config import STUDENT, ExperimentConfig
from augment_correction.experiment.course import Course
from augment_correction.experiment.drawing import experiment_page
from augment_correction.experiment.generating import Counting, run_config_of
from augment_correction.experiment.log import append
from augment_correction.experiment.operations import Operations
from augment_correction.experiment.places import Places, read_json
from augment_correction.experiment.real import RealOperations
from augment_correction.experiment.rounds import open_final, probe, run_rounds
from augment_correction.experiment.sealing import Sets, read_sets, seal, sealed_in
from augment_correction.export.chat_template import ChatTemplate
from augment_correction.export.tokenizer import load_tokenizer
from augment_correction.ledger import require_prices
from augment_correction.llm.hf_weights import model_folder
from augment_correction.llm.scoring import ABLE
from augment_correction.pipeline_settings import check_pipeline
from augment_correction.prompts import PromptLibrary
from augment_correction.runner.state import Watch
from augment_correction.store import RunFolder
from augment_correction.store.folder import atomic_write
from augment_correction.store.json_files import write_json

Say = Callable[[str, Mapping[str, Any]], None]
FINE = ("SUPPORTED",)


@dataclass(frozen=True)
class ExperimentResult:
    """`report` is what stands in `experiment.json`; `exit_code` is DONE where the hypothesis is supported, REJECTS otherwise."""

    exit_code: ExitCode
    report: dict[str, Any]
    files: dict[str, Path] = field(default_factory=dict)


def refuse(config: ExperimentConfig) -> None:
    """What can be known to be wrong before anybody is asked.

    Raises: InputError, ConfigError.
    """
    scored = config.weak_by != "wrong" or config.decision.figure == "nll"
    hosted = config.student.mode in ASKED_OVER_HTTP and config.student.host in KEYS_BY_HOST
    if scored and (hosted or config.student.mode not in ABLE):
        raise config.error(
            (STUDENT, "mode"),
            f"{config.student.model} (mode {config.student.mode}{f', {config.student.host}' if hosted else ''}) tells no "
            f"log-probabilities of a given answer, which weak_by: {config.weak_by} and decision.figure: {config.decision.figure} need",
            "use weak_by: wrong and decision.figure: accuracy, or a student in mode hf or vllm",
        )
    require_prices(config, config.by_role)
    PromptLibrary(config.project, (config.path.prompts,)).load(config.grading.prompt)
    if config.student.mode == "hf":
        check_pipeline(run_config_of(config, config.output_dir, None))
    if config.checked_by is None and not config.data_generation.allow_unverified_self:
        raise config.error(
            ("generator",),
            "the student would write its own training data without any other model to verify them, so that its mistakes would be trained",
            "name a generator or a verifier that is another model, or set data_generation.allow_unverified_self: true; "
            "the report says so then",
        )


def run_experiment(
    config: ExperimentConfig,
    say: Say = lambda name, figures: None,
    notice: Callable[[str], None] = lambda line: None,
    watch: Watch | None = None,
) -> ExperimentResult:
    """Started again it goes on: nothing is asked, made or trained twice.

    Raises: NothingWeak (exit 3) where there is nothing to train on; UserError, BudgetExhausted, Interrupted.
    """
    refuse(config)
    config = with_environment_keys(config)
    require_keys(config, config.by_role if config.student.mode == "hf" else (STUDENT, JUDGE))
    sets = read_sets(config)
    places = Places(config.output_dir)
    with RunFolder(places.root).held():
        sealed = seal(places.root, config, sets)
        say("sealed", sealed)
        if config.student.mode != "hf":
            return _probed(config, sets, RealOperations(config, places, None, notice), places, _noting(places, say))
        operations = RealOperations(config, places, counting_of(config), notice, watch)
        return conclude(config, sets, operations, places, sealed, _noting(places, say))


def _probed(config: ExperimentConfig, sets: Sets, operations: Operations, places: Places, say: Say) -> ExperimentResult:
    """What can be found out about a student that is not at hand to be trained."""
    probe(Course(config, sets, operations, places, say))
    why = f"a student in mode {config.student.mode} can be asked but not trained; its weak areas are in {places.weak_areas}"
    say("ended", {"why": f"{why}; to train it, name its weights with mode: hf"})
    return ExperimentResult(ExitCode.DONE, {}, {places.weak_areas.name: places.weak_areas})


def _noting(places: Places, say: Say) -> Say:
    """Which phase has begun is written down, too, for `status`."""

    def noted(name: str, figures: Mapping[str, Any]) -> None:
        if name == "phase":
            write_json(places.progress, dict(figures))
        say(name, figures)

    return noted


def conclude(
    config: ExperimentConfig,
    sets: Sets,
    operations: Operations,
    places: Places,
    sealed: Mapping[str, Any],
    say: Say,
) -> ExperimentResult:
    """All rounds, the final set, and the files."""
    course = Course(config, sets, operations, places, say)
    run_rounds(course)
    final = open_final(course)
    report = report_of(course, sealed, final)
    write_page(places, report, sealed)
    append(config.log, config, report)
    write_json(places.result, report)
    say("concluded", report)
    done = ExitCode.DONE if report["hypothesis"]["outcome"] in FINE else ExitCode.REJECTS
    return ExperimentResult(done, report, {each.name: each for each in (places.result, places.page, config.log)})


def write_page(places: Places, report: Mapping[str, Any], sealed: Mapping[str, Any]) -> None:
    with atomic_write(places.page) as file:
        file.write(experiment_page(places.root.name, report, sealed))


def drawn_again(places: Places) -> dict[str, Any]:
    """The report of a finished experiment, whose page is written anew.

    Raises: InputError where it has not come to its end.
    """
    sealed, report = sealed_in(places.root), read_json(places.result)
    if report is None:
        runs = RunFolder(places.root).busy()
        raise InputError(
            f"the experiment in {places.root} is not finished",
            hint="it is running: `experiment status` shows where it stands"
            if runs
            else "the same `experiment run` starts or resumes it",
        )
    write_page(places, report, sealed)
    return dict(report)


def report_of(course: Course, sealed: Mapping[str, Any], final: dict[str, Any] | None) -> dict[str, Any]:
    """The same answers and adapters make the same bytes: no time stands in it."""
    config = course.config
    outcome, why = verdict(course, final)
    return {
        "hypothesis": {"text": config.hypothesis, "outcome": outcome, "why": why},
        "preregistration": hashlib.sha256(orjson.dumps(sealed, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16],
        "current": course.current,
        "unverified": config.checked_by is None,
        "rounds": course.told,
        "final": final,
        "spending": {
            role: {name: value for name, value in spent.items() if name not in ("retries", "requests")}
            for role, spent in course.operations.spending().items()
        },
        "config": config.without_secrets(),
    }


def verdict(course: Course, final: Mapping[str, Any] | None) -> tuple[str, str]:
    """SUPPORTED where a round says so and the final set, which nothing was chosen by, does not turn against it."""
    outcomes = [each.hypothesis for each in course.judged]
    if "SUPPORTED" in outcomes:
        number = outcomes.index("SUPPORTED") + 1
        turned = [
            f"{name} {found['value']:+.4f}"
            for name, found in (final or {}).get("differences", {}).items()
            if found is not None and found["value"] <= course.config.decision.margin
        ]
        if turned:
            return "UNDECIDED", f"round {number} supports it, and the final set does not show it: {', '.join(turned)}"
        return "SUPPORTED", f"round {number} supports it" + (", and the final set shows it, too" if final else "")
    if outcomes[-1] == "NOT SUPPORTED":
        return "NOT SUPPORTED", "; ".join(each.text for each in course.judged[-1].reasons if each.holds is False)
    return "UNDECIDED", "; ".join(each.text for each in course.judged[-1].reasons if each.holds is None)


def counting_of(config: ExperimentConfig) -> Counting:
    """The student's tokenizer and chat template, as its training takes them.

    Raises: InputError where it has none on this machine.
    """
    place = config.project.resolve(config.student.model)
    folder = model_folder(place if place.is_dir() else config.student.model)
    tokenizer = load_tokenizer(str(folder), folder)
    if not tokenizer.chat_template:
        raise InputError(
            f"the student's tokenizer in {folder} has no chat template", hint="write it to chat_template.jinja there"
        )
    bos = tokenizer.bos_token if tokenizer.writes_bos else ""
    return Counting(
        tokenizer, ChatTemplate("the student's chat template", tokenizer.chat_template, bos, tokenizer.eos_token)
    )
