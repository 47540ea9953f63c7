"""Everything that can be found out about an evaluation's config without a paid call."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from augment_correction.errors import AugmentCorrectionError
from augment_correction.evals.config import EvalConfig, load_evaluation
from augment_correction.evals.questions import Questions, read_questions
from augment_correction.evals.running import notices, own_folder
from augment_correction.evals.significance import FEW_GROUPS
from augment_correction.evals.training import refuse_trained, training_of
from augment_correction.prompts import PromptLibrary
from augment_correction.runner.finding import Finding, note, small_gate, writable, wrong
from augment_correction.runner.model_checks import check_models


async def check_evaluation(path: str | Path, overrides: Sequence[str] = (), *, models: bool = True) -> list[Finding]:
    """`models`: those that it names are looked for; a worker puts others in their place."""
    try:
        config = load_evaluation(path, overrides)
    except AugmentCorrectionError as failure:
        return list(wrong(failure))
    findings = [Finding(True, f"config {path}"), *map(note, notices(config)), *_questions(config, trained=models)]
    try:
        findings.append(writable("output folder", own_folder(config).root, "set path.output_dir"))
    except AugmentCorrectionError as failure:
        findings += wrong(failure)
    return findings + (await check_models(config, config.by_role) if models else [])


def _questions(config: EvalConfig, *, trained: bool) -> Iterator[Finding]:
    library = PromptLibrary(config.project, (config.path.prompts,))
    try:
        questions = read_questions(config, library)
        library.load(config.grading.prompt)
    except AugmentCorrectionError as failure:
        yield from wrong(failure)
        return
    yield from _held_out(questions)
    if not trained:
        return
    try:
        paths, told = training_of(config)
        refuse_trained(config.project, paths, questions.items)
    except AugmentCorrectionError as failure:
        yield from wrong(failure)
    else:
        yield from map(note, told)


def _held_out(questions: Questions) -> Iterator[Finding]:
    gate, *others = questions
    if gate.items or not questions.probes:
        yield Finding(True, f"held-out set: {len(gate.items)} questions, doubted in {len(gate.pushbacks)} ways")
        yield from small_gate("the held-out set holds", len(gate.items), "name a larger held-out set")
    for each in others:
        yield Finding(True, f"{each.name}: {len(each.items)} questions")
    if questions.probes and len(questions.corrections) < FEW_GROUPS:
        few = f"{len(questions.corrections)} corrections are probed; with fewer than {FEW_GROUPS} the result is a spot check and the decision stays undecided"
        yield note(few)
