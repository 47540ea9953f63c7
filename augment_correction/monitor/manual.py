"""By hand what the monitor does in a training: a model's answers to a file of questions, and rows made of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from augment_correction.config import RunConfig
from augment_correction.errors import InputError
from augment_correction.failures import Failure
from augment_correction.llm.queries import Query, QueryRun, messages
from augment_correction.models import ModelConfig
from augment_correction.monitor.items import read_items
from augment_correction.monitor.making import breakdown, make_rows
from augment_correction.monitor.sorting import RawReply, Sorter
from augment_correction.records import Completion
from augment_correction.rows import Answer, Item, answer_of, read_rows
from augment_correction.store.json_files import write_json, write_lines

TARGET = "target"
Say = Callable[[str], None]


def beside(path: Path, what: str) -> Path:
    """`answers.jsonl` -> `answers.journal`: the folder of what belongs to the file."""
    return path.with_name(f"{path.stem}.{what}")


def answer(
    config: RunConfig,
    source: Path,
    target: Path,
    sampling: Mapping[str, Any],
    most: int | None,
    system: str | None,
    *,
    fresh: bool = False,
    say: Say = lambda line: None,
) -> dict[str, Any]:
    """Write {prompt, answer, golden, model, finish_reason} for each question, and `ended` where that is known; returns what
    was paid. The journal beside `target` is what a later call goes on from, unless it is to be `fresh`: the old one is
    then put aside.

    Raises: UserError.
    """
    _keep_apart([target], [source])
    items = read_items(source, say)[:most]
    journal = beside(target, "journal")
    if fresh and journal.exists():
        journal.rename(journal.with_name(f"{journal.name}.{datetime.now():%Y%m%d_%H%M%S}"))
    asking = QueryRun(config, TARGET, journal)
    replies, paid = asking.ask([Query(messages(item.asked, system), sampling) for item in items])
    asked = [(item, reply) for item, reply in zip(items, replies, strict=True) if reply is not None]
    write_lines(target, (_answer_row(item, reply, config.model(TARGET)) for item, reply in asked))
    old = sum(reply.cached for _, reply in asked)
    return {**paid, "answered": len(asked), "refused": len(items) - len(asked), "old": old}


def _answer_row(item: Item, made: Completion, model: ModelConfig) -> dict[str, Any]:
    reply = RawReply.of(made, model)
    return {
        "prompt": item.asked,
        "answer": reply.text,
        "golden": item.reference,
        "model": model.model,
        "finish_reason": reply.finish_reason,
        **({} if reply.ended is None else {"ended": reply.ended}),
    }


def _keep_apart(written: Iterable[Path], read: Iterable[Path]) -> None:
    sources = {path.resolve() for path in read}
    for path in written:
        if path.resolve() in sources:
            raise InputError(f"{path} is an input file and would be overwritten", hint="name another --output")


def from_answers(
    config: RunConfig,
    source: Path,
    answers: Path,
    target: Path,
    stand_by_share: float,
    say: Say = lambda line: None,
) -> tuple[dict[str, Any], list[Failure]]:
    """Write the rows and their metadata; returns the metadata and every graded answer.

    Raises: UserError.
    """
    about = target.with_suffix(".json")
    if about == target:
        raise InputError(
            f"{target} is where the metadata of the rows goes", hint=f"--output {target.with_suffix('.jsonl')}"
        )
    _keep_apart([target, about], [source, answers])
    known = {item.asked: item for item in read_items(source, say)}
    every = [given for _, given in read_rows(answers, answer_of)]
    answered = [(known[given.question], _reply(given), given.model) for given in every if given.question in known]
    if not answered:
        raise InputError(
            f"{answers} answers no question of {source}", hint="questions are compared character by character"
        )
    work = beside(target, "run")
    failures = []
    for origin_model in dict.fromkeys(model for _, _, model in answered):
        asked = [(item, reply) for item, reply, model in answered if model == origin_model]
        failures += Sorter(config, work / "judge").sort(asked, model=origin_model)
    rows = make_rows(failures, work, stand_by_share=stand_by_share, seed=config.system.seed)
    write_lines(target, rows)
    metadata = {
        "timestamp": datetime.now().strftime("%Y%m%d_%H%M%S"),
        "num_examples": len(rows),
        "breakdown": breakdown(rows),
        "stats": {
            **_verdicts(failures),
            "unanswered": len(known) - len({each.item for each in failures}),
            "unknown": len(every) - len(answered),
        },
    }
    write_json(about, metadata)
    return metadata, failures


def _verdicts(failures: Iterable[Failure]) -> dict[str, int]:
    verdicts = Counter(each.verdict for each in failures)
    return {
        "total_evals": verdicts["right"] + verdicts["wrong"],
        "correct_first_try": verdicts["right"],
        "needed_correction": verdicts["wrong"],
        "undecided": verdicts["undecided"],
    }


def _reply(given: Answer) -> RawReply:
    return RawReply(given.answer, given.finish_reason, given.ended)


def code_counts(failures: Sequence[Failure]) -> Counter[str]:
    return Counter(pattern for each in failures for pattern in each.patterns)


def preview(path: Path, most: int) -> list[dict[str, Any]]:
    with path.open("rb") as file:
        return [orjson.loads(line) for _, line in zip(range(most), file, strict=False)]
