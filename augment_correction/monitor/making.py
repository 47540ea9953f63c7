"""From graded answers to rows: the pipeline `from_failures` through the ordinary run, and its conversations with our mask.

The mask of a row is said at its messages, `train`; so the rows are made with `loss_on: answers`, which a flag at each
message can say whole. No row trains the wrong answer: what trainers of this kind have called an initial attempt (the
question, and the wrong answer as its completion) is never made, and `breakdown.initial_attempts` is always 0.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from augment_correction.errors import InputError, UserError
from augment_correction.export.source import masked_by_message
from augment_correction.failures import Failure, distinct, make, quiet_config, read_failures
from augment_correction.monitor.keeping import (
    EXAMPLES_OF_A_WRONG_ANSWER,
    Batch,
    MonitorStore,
    chosen_file,
    read_json,
)
from augment_correction.records import Conversation, content_id
from augment_correction.store.folder import atomic_write
from augment_correction.store.json_files import write_json, write_lines

Row = dict[str, Any]
PIPELINE = "from_failures"
ROWS_OF_A_RIGHT_ANSWER = 2
"""It stands by it, and evaluates it."""
JUDGED = "--set api.judge_model=MODEL"
NAMES = {
    "self_evaluation_wrong": "self_evaluations",
    "self_evaluation_right": "self_evaluations",
    "correct_after_mistake": "corrections",
    "plain": "standard_qa",
    "stand_by": "stand_by",
}


def make_rows(failures: Sequence[Failure], folder: Path, *, stand_by_share: float, seed: int) -> list[Row]:
    """The run of the pipeline stays in `folder`, with its report. Made again from the same answers they are the same.

    Raises: UserError where nothing could be made.
    """
    chosen = choose(failures, stand_by_share, seed)
    if not chosen:
        counts = Counter(each.verdict for each in failures)
        raise InputError(
            f"no training row can be made from {counts['right']} right and {counts['undecided']} undecided answers: a row needs a "
            "wrong answer, and there is none",
            hint=f"use harder questions, or have a model grade the undecided ones: {JUDGED}",
        )
    with atomic_write(chosen_file(folder)) as file:  # later batches leave these answers out, even where this one fails
        file.writelines(each.line() for each in chosen)
    made = make(chosen, quiet_config(PIPELINE, folder, seed))
    return [_row(each) for failure in made for each in failure.conversations]


def choose(failures: Iterable[Failure], share: float, seed: int) -> list[Failure]:
    """All wrong answers, and as many right ones as make up `share` of the rows, drawn by the seed."""
    every = distinct(failures)
    wrong = [each for each in every if each.verdict == "wrong"]
    right = sorted((each for each in every if each.verdict == "right"), key=lambda each: content_id(str(seed), each.id))
    wanted = EXAMPLES_OF_A_WRONG_ANSWER * len(wrong) * share / (1 - share)
    return [*wrong, *right[: round(wanted / ROWS_OF_A_RIGHT_ANSWER)]]


def _row(made: Conversation) -> Row:
    if not masked_by_message(made):
        raise InputError(
            f"the pipeline made a {made.kind} whose mask changes inside a message, which these rows cannot say",
            hint="take `after` out of its turns",
        )
    messages = [{"role": turn.role, "content": turn.text, "train": turn.train} for turn in made.turns]
    return {"messages": messages, "kind": made.kind, "origin": made.provenance["origin"], "id": made.id}


def breakdown(rows: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    counts = Counter(NAMES.get(row["kind"], row["kind"]) for row in rows)
    return {**dict.fromkeys(("initial_attempts", *NAMES.values()), 0), **counts}


# ------------------------------------------------------------------------------------------- decided batches


def decide(keep: MonitorStore, now: datetime, step: int | None = None) -> Batch:
    """A file of what is in the buffer, for `finish` to make; `step` is that of the newest answer where none is given.

    Raises: InputError where no training has left its plan.
    """
    plan, stamp = read_json(keep.plan), now.strftime("%Y%m%d_%H%M%S")
    if step is None:
        step = max((each.step or 0 for each in read_failures(keep.buffer)), default=0)
    stem = f"self_correction_step{step}_{stamp}"
    return keep.close_buffer(stem, {"step": step, "timestamp": stamp, **plan, "stats": _stats(keep)})


def _stats(keep: MonitorStore) -> dict[str, int]:
    verdicts = Counter(each.verdict for each in keep.decided())
    right, wrong = verdicts["right"], verdicts["wrong"]
    return {"total_evals": right + wrong, "correct_first_try": right, "needed_correction": wrong}


def finish(keep: MonitorStore) -> Iterator[dict[str, Any]]:
    """Make the file of every batch that is open, and queue it; the metadata of each. Started again after a kill it does
    what is left; only a file that was queued in the moment of the kill is queued twice, as the same bytes.

    Raises: what one of them raised, after all the others; it stays open, as it does where it is interrupted.
    """
    failed: dict[str, Exception] = {}
    with keep.making():
        for batch in keep.open_batches():
            try:
                made = _finished(keep, batch)
            except Exception as failure:
                failed[batch.stem] = failure
            else:
                yield made | {"file": str(batch.rows)}
    _tell_of(failed)


def _tell_of(failed: Mapping[str, Exception]) -> None:
    for failure in failed.values():
        if len(failed) == 1 or not isinstance(failure, UserError):
            raise failure
    if failed:
        lines = "".join(f"\n  {stem}: {failure}" for stem, failure in failed.items())
        raise InputError(f"{len(failed)} files could not be written and are left for the next call:{lines}")


def _finished(keep: MonitorStore, batch: Batch) -> dict[str, Any]:
    plan, filed = read_json(batch.plan), {each.id for each in keep.filed(but=batch)}
    every = list(read_failures(batch.failures))
    unfiled = [each for each in every if each.id not in filed]
    if not choose(unfiled, plan["stand_by_share"], plan["seed"]):
        wrong = any(each.verdict == "wrong" for each in every)
        why = "all its wrong answers are already in other files" if wrong else "it holds no wrong answer"
        empty = _metadata(keep, batch, plan, []) | {"queued": None, "why": why}
        write_json(batch.metadata, empty)
        return empty
    rows = make_rows(unfiled, batch.folder, stand_by_share=plan["stand_by_share"], seed=plan["seed"])
    write_lines(batch.rows, rows)
    queue = Path(plan["queue"]) if plan["queue"] else None
    queued = _copy(batch.rows, queue) if queue else None
    metadata = _metadata(keep, batch, plan, rows) | {"queued": str(queued) if queued else None}
    write_json(batch.metadata, metadata)
    if queue:
        _copy(batch.metadata, queue)
    return metadata


def _metadata(keep: MonitorStore, batch: Batch, plan: Mapping[str, Any], rows: Sequence[Row]) -> dict[str, Any]:
    earlier = [read_json(each.metadata) for each in keep.batches() if each.metadata.exists() and each != batch]
    return {
        "step": plan["step"],
        "timestamp": plan["timestamp"],
        "num_examples": len(rows),
        "breakdown": breakdown(rows),
        "stats": {
            **plan["stats"],
            "files_generated": sum(bool(each["num_examples"]) for each in earlier) + bool(rows),
            "examples_generated": sum(each["num_examples"] for each in earlier) + len(rows),
        },
    }


def _copy(path: Path, folder: Path) -> Path:
    target = folder / path.name
    with atomic_write(target) as file, path.open("rb") as source:
        shutil.copyfileobj(source, file)
    return target
