"""By hand what the monitor does in a training: a model's answers to a file of questions, and rows made of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from augment_correction.config import RunConfig
from augment_correction.errors import InputError
from augment_correction.failures import Failure
from augment_correction.jsonlines import json_rows
from augment_correction.monitor.asking import Asking, question
from augment_correction.monitor.items import ANSWER, QUESTION, Item, read_items, text_of
from augment_correction.monitor.keeping import write_json
from augment_correction.monitor.making import breakdown, make_rows, write_rows
from augment_correction.monitor.sorting import Reply, Sorter
from augment_correction.records import Completion

TARGET = "target"


def beside(path: Path, what: str) -> Path:
    """`answers.jsonl` -> `answers.journal`: the folder of what belongs to the file."""
    return path.with_name(f"{path.stem}.{what}")


def answer(
    config: RunConfig, source: Path, target: Path, sampling: Mapping[str, Any], most: int | None, system: str | None
) -> dict[str, Any]:
    """Write {prompt, answer, golden, model, finish_reason} for each question; returns what was paid. The journal beside
    `target` is what a later call goes on from.

    Raises: UserError.
    """
    items = read_items(source)[:most]
    asking = Asking(config, TARGET, beside(target, "journal"), sampling)
    replies, paid = asking.ask([question(item.question, system) for item in items])
    asked = [(item, reply) for item, reply in zip(items, replies, strict=True) if reply is not None]
    write_rows(target, (_answer_row(item, reply, config.model(TARGET).model) for item, reply in asked))
    return {**paid, "answered": len(asked), "refused": len(items) - len(asked)}


def _answer_row(item: Item, reply: Completion, model: str) -> dict[str, Any]:
    return {
        "prompt": item.question,
        "answer": reply.text,
        "golden": item.reference,
        "model": model,
        "finish_reason": reply.finish_reason,
    }


def from_answers(
    config: RunConfig, source: Path, answers: Path, target: Path, stand_by_share: float
) -> tuple[dict[str, Any], list[Failure]]:
    """Write the rows and their metadata; returns the metadata and every graded answer.

    Raises: UserError.
    """
    known = {item.question: item for item in read_items(source)}
    answered = list(_answers(answers, known))
    if not answered:
        raise InputError(f"{answers} answers no question of {source}", hint="the questions are compared as they stand")
    work = beside(target, "run")
    failures = []
    for origin_model in dict.fromkeys(model for _, _, model in answered):
        asked = [(item, reply) for item, reply, model in answered if model == origin_model]
        failures += Sorter(config, work / "judge").sort(asked, model=origin_model)
    rows = make_rows(failures, work, stand_by_share=stand_by_share, seed=config.system.seed)
    write_rows(target, rows)
    verdicts = Counter(each.verdict for each in failures)
    metadata = {
        "timestamp": datetime.now().strftime("%Y%m%d_%H%M%S"),
        "num_examples": len(rows),
        "breakdown": breakdown(rows),
        "stats": {
            "total_evals": verdicts["right"] + verdicts["wrong"],
            "correct_first_try": verdicts["right"],
            "needed_correction": verdicts["wrong"],
            "undecided": verdicts["undecided"],
            "unanswered": len(known) - len({each.item for each in failures}),
        },
    }
    write_json(target.with_suffix(".json"), metadata)
    return metadata, failures


def _answers(path: Path, known: Mapping[str, Item]) -> Iterator[tuple[Item, Reply, str]]:
    for place, row in json_rows(path):
        item = known.get(text_of(row, QUESTION, place))
        if item is not None:
            given = next((row[name] for name in ANSWER if isinstance(row.get(name), str)), "")
            yield item, Reply(given, str(row.get("finish_reason") or "stop")), str(row.get("model") or "")


def code_counts(failures: Sequence[Failure]) -> Counter[str]:
    return Counter(pattern for each in failures for pattern in each.patterns)


def preview(path: Path, most: int) -> list[dict[str, Any]]:
    with path.open("rb") as file:
        return [orjson.loads(line) for _, line in zip(range(most), file, strict=False)]
