"""`experiments/log.md`: one entry for every finished experiment, written by the program that ran it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from augment_correction.experiment.config import RANDOM, TARGETED, ExperimentConfig
from augment_correction.store.folder import atomic_write
from augment_correction.text import read_text

TITLE = "Error-Driven Training"
DECISIONS = {"accept": "ACCEPT", "reject": "REJECT", "undecided": "UNDECIDED"}


def append(path: Path, config: ExperimentConfig, report: Mapping[str, Any], today: date | None = None) -> None:
    """Once for each experiment: one that was gone through again changes its own entry."""
    known = read_text(path) if path.is_file() else "# Experiments\n"
    mark = f"<!-- {config.path.output_dir} {report['preregistration']} -->"
    entries = re.split(r"(?m)^(?=## Experiment )", known)
    own = next((at for at, entry in enumerate(entries) if mark in entry), None)
    count = sum(entry.startswith("## Experiment ") for entry in entries)
    number = _number(entries[own]) if own is not None else count + 1
    day = _day(entries[own]) if own is not None else (today or date.today()).isoformat()
    entry = "\n".join(entry_lines(number, day, mark, config, report)) + "\n"
    if own is None:
        entries.append(("\n" if known and not known.endswith("\n\n") else "") + entry)
    else:
        entries[own] = entry + ("\n" if own < len(entries) - 1 else "")
    with atomic_write(path) as file:
        file.write("".join(entries).encode())


def _number(entry: str) -> int:
    found = re.match(r"## Experiment (\d+)", entry)
    return int(found[1]) if found else 1


def _day(entry: str) -> str:
    found = re.search(r"(?m)^Date: (.*)$", entry)
    return found[1] if found else date.today().isoformat()


def entry_lines(number: int, day: str, mark: str, config: ExperimentConfig, report: Mapping[str, Any]) -> Iterator[str]:
    last = report["rounds"][-1]
    yield f"## Experiment {number}: {TITLE}"
    yield mark
    yield f"Date: {day}"
    yield f"Hypothesis: {report['hypothesis']['text']}"
    yield from ("", "Setup:", *(f"- {each}" for each in _setup(config, last)))
    yield from ("", "Results:", *(f"- {each}" for each in _results(report)))
    yield from ("", "Learnings:", *(f"- {each}" for each in _learnings(config, report)))
    yield from ("", "Next steps:", *(f"- {each}" for each in _next(config, report)))


def _setup(config: ExperimentConfig, last: Mapping[str, Any]) -> Iterator[str]:
    chosen = config.error_driven
    threshold = {
        "perplexity": f"{chosen.perplexity_threshold:g} (perplexity)",
        "excess": f"{chosen.excess_threshold:g} nats (excess)",
        "wrong": "a wrong answer",
    }
    yield f"Model: {config.student.model}"
    yield f"Threshold: {threshold[config.weak_by]}"
    yield f"Variations: {chosen.variations_per_error} per weak item"
    for name, arm in last["arms"].items():
        yield f"Training examples: {arm['rows_in_all']} ({name}, {arm['tokens_in_all']:,} tokens)"
    yield f"Seeds: {len(config.seeds)}; rounds: {config.iterations}; decided by {config.decision.figure}, alpha {config.decision.alpha:g}"


def _results(report: Mapping[str, Any]) -> Iterator[str]:
    for each in report["rounds"]:
        begins = f"Round {each['round']}: " if len(report["rounds"]) > 1 else ""
        base = each["weak_dev"]["base"]
        for arm, after in ((name, made) for name, made in each["weak_dev"].items() if name != "base"):
            if base["perplexity"] is not None and after["perplexity"] is not None:
                percent = 100 * (1 - after["perplexity"] / base["perplexity"])
                yield f"{begins}Baseline perplexity: {base['perplexity']:.2f}; post-training perplexity ({arm}): {after['perplexity']:.2f}; improvement: {percent:.1f}%"
            if base["accuracy"] is not None and after["accuracy"] is not None:
                yield f"{begins}Right answers on weak areas ({arm}): {100 * base['accuracy']:.1f} % -> {100 * after['accuracy']:.1f} %"
        yield f"{begins}Decision: {DECISIONS[each['model']]}; hypothesis {each['hypothesis']}"
    yield f"Hypothesis {report['hypothesis']['outcome']}: {report['hypothesis']['why']}"


def _learnings(config: ExperimentConfig, report: Mapping[str, Any]) -> Iterator[str]:
    last = report["rounds"][-1]
    found = last["efficiency"]
    if found and found["ratio"] is not None and found["low"] is not None:
        yield f"Error-driven is {found['ratio']:.1f}x as efficient as random ({found['low']:.1f} to {found['high']:.1f})"
    elif found:
        yield f"Gain of targeted {found['targeted']:+.4f}, of random {found['random']:+.4f}: the gain of the control is not significant, so that the ratio has no meaning"
    for guard in last["guards"]:
        yield guard["text"] if guard["holds"] else f"Warning: {guard['text']}"
    if last["bad_references"]:
        yield f"{len(last['bad_references'])} reference answers are doubtful (weak_areas.jsonl)"
    if report["unverified"]:
        yield "The student wrote its training data itself, and no other model verified them"


def _next(config: ExperimentConfig, report: Mapping[str, Any]) -> Iterator[str]:
    outcome, last = report["hypothesis"]["outcome"], report["rounds"][-1]
    if len(config.seeds) < 3:
        yield "Train with three seeds or more: one training is one draw"
    if outcome == "UNDECIDED":
        yield f"Give more questions: {last['weak_dev']['base']['items']} dev items were in the weak areas (experiment plan says what they can show)"
    if outcome == "NOT SUPPORTED" and RANDOM in config.arms:
        yield "Targeting did not help here: look at the rows, or compare with items_only (--control random,items_only)"
    if outcome == "SUPPORTED" and config.iterations == 1:
        yield "Test iterative improvement (--iterations 5)"
    if any(guard["holds"] is False and "distinct-2" in guard["text"] for guard in last["guards"]):
        yield "Try it with data_generation.min_diversity_score 0.5 or a higher temperature"
    if TARGETED in last["arms"] and outcome != "NOT SUPPORTED":
        yield "Try other thresholds (--sweep error_driven.perplexity_threshold=30,50,70,100) and variations (--sweep error_driven.variations_per_error=1,5,10,20)"
