"""The kept conversations looked at as a set, once all are there and before a file is written.

What comes of it is derived: it depends on the outcomes, the config and `gate.jsonl`, and nothing is asked for it. So it
is made anew by every run; another config gives another selection of what was paid for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from augment_correction.plan import Plan
from augment_correction.records import Conversation
from augment_correction.results.decisions import Decisions
from augment_correction.results.finished import open_run
from augment_correction.results.reviewed import review_of, told
from augment_correction.selection import (
    DETAILS,
    Benchmarks,
    Candidate,
    Duplicates,
    Gate,
    Kept,
    LeftOut,
    Weighed,
    balance,
    gate_item,
    read_gate,
    weigh,
)
from augment_correction.store import Excluded, Results
from augment_correction.store.folder import atomic_write
from augment_correction.store.json_files import write_json

Rule = Callable[[Candidate], LeftOut | None]
Key = tuple[str, int]


@dataclass
class Selected:
    """`files` by name."""

    files: dict[str, Path] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    review: dict[str, int] = field(default_factory=dict)
    """How many conversations a person approved, rejected, edited, and marked to be asked again."""


def select(plan: Plan, results: Results) -> Selected:
    """Set apart what does not go into the dataset, and write `gate.jsonl` and `decontamination.json`.

    The gate comes first: its questions decide about all others. Then what a person has rejected is left out, then what gives away a benchmark is left out, so that
    it cannot be the one that is kept of several duplicates; the balance is struck among what is left.

    Raises: UserError where a benchmark, another run's folder or the held-out set cannot be read.
    """
    config, made = plan.config, Selected()
    gate = Gate(config.system.seed, config.gate.share, read_gate(plan.folder.gate))
    review = review_of(results, Decisions(plan.folder.decisions))
    results.set_reviewed((), review.revised, review.decisions)
    made.notices += told(review.counts)
    made.review = dict(review.counts)
    apart = _kept_for_gate(gate, results) if gate.may_take or results.marked_for_gate() else []
    gated = {(row.chunk_id, row.part) for row in apart}
    apart += (row for row in review.excluded if (row.chunk_id, row.part) not in gated)
    taken = {(row.chunk_id, row.part) for row in apart}
    with ExitStack() as stack:
        benchmarks = _benchmarks(plan)
        duplicates = _duplicates(plan, results, stack)
        wanted = (gate if gated or gate else None, benchmarks, duplicates)
        rules: list[Rule] = [rule.left_out for rule in wanted if rule is not None]
        rest: list[Weighed] = []
        for key, candidate in _candidates(results) if rules or config.selection.at_most else ():
            if key in taken:
                continue
            left_out = next(filter(None, (rule(candidate) for rule in rules)), None)
            if left_out:
                apart.append(_rejected(key, left_out))
            elif config.selection.at_most:
                rest.append(weigh(candidate, key, config.system.seed))
    balanced = balance(rest, config.selection.at_most)
    apart += (_rejected(key, left_out) for key, left_out in balanced.left_out.items())
    results.set_apart(apart)
    if balanced.unmet:
        shares = ", ".join(f"{name}: {config.selection.at_most[name]:g}" for name in balanced.unmet)
        made.notices.append(f"selection.at_most {{{shares}}} was not applied, because no row would be left")
    _write_gate(plan, gate, results, made)
    _write_decontamination(plan, benchmarks, made)
    return made


def _candidates(results: Results) -> Iterator[tuple[Key, Candidate]]:
    for chunk, outcome in results.conversations():
        yield (chunk.id, outcome.part), Candidate(outcome.conversation(chunk), outcome.part)


def _rejected(key: Key, left_out: LeftOut) -> Excluded:
    return Excluded(*key, "rejected", left_out.reason, left_out.detail)


# --------------------------------------------------------------------------------------------------- the rules


def _kept_for_gate(gate: Gate, results: Results) -> list[Excluded]:
    taken = ((key, gate.takes(candidate)) for key, candidate in _candidates(results))
    return [Excluded(*key, "gate", why, DETAILS[why]) for key, why in taken if why]


def _benchmarks(plan: Plan) -> Benchmarks | None:
    wanted = plan.config.selection
    if not wanted.benchmarks:
        return None
    files = {name: plan.config.project.resolve(name) for name in wanted.benchmarks}
    return Benchmarks(files, wanted.benchmark_ngram)


def _duplicates(plan: Plan, results: Results, stack: ExitStack) -> Duplicates | None:
    """Knows the questions of the other runs, whose folders stay open for the comparisons."""
    wanted = plan.config.selection
    if wanted.duplicates is None:
        return None
    runs = {"": results}

    def look_up(kept: Kept) -> Conversation:
        assert kept.chunk_id is not None
        return runs[kept.run].conversation(kept.chunk_id, kept.part)

    for name in wanted.across:
        runs[name] = stack.enter_context(open_run(plan.config.project.resolve(name))).results
    duplicates = Duplicates(wanted.duplicates, look_up, sum(each.counts()["kept"] for each in runs.values()))
    for run, others in runs.items():
        for _, candidate in _candidates(others) if not run else _rows_of(others):
            duplicates.foresee(candidate)
    for name in wanted.across:
        for _, candidate in _rows_of(runs[name]):
            duplicates.remember(candidate, name)
    return duplicates


def _rows_of(results: Results) -> Iterator[tuple[Key, Candidate]]:
    """Of a run that has come to its end: what is in its dataset."""
    for chunk, outcome in results.outcomes("kept"):
        yield (chunk.id, outcome.part), Candidate(outcome.conversation(chunk), outcome.part)


# --------------------------------------------------------------------------------------------------- the files


def _write_gate(plan: Plan, gate: Gate, results: Results, made: Selected) -> None:
    """Earlier lines stay as they are and new ones follow: a file that was handed on is the beginning of the later one."""
    path, counts = plan.folder.gate, results.counts()
    new = counts["gate"] - gate.made_again
    if new:
        before = path.read_bytes() if path.exists() else b""
        with atomic_write(path) as file:
            file.write(before)
            for item in _new_items(plan, gate, results):
                file.write(orjson.dumps(item) + b"\n")
    if new or gate:
        made.files["gate"] = path
    if gone := len(gate) - gate.made_again:
        made.notices.append(
            f"gate.jsonl holds {gone} items whose document or conversation this run does not have; they stay in the "
            "held-out set (move the file away to draw a new one)"
        )
    if plan.config.gate.share and not counts["gate"] and not gate and counts["kept"]:
        made.notices.append(
            f"gate.share is {plan.config.gate.share:g} but none of the documents was drawn, so that there is no held-out set"
        )


def _new_items(plan: Plan, gate: Gate, results: Results) -> Iterator[dict[str, object]]:
    with_mistake = {
        stage.kind for stage in plan.pipeline.compositions if any(turn.is_ == "mistake" or turn.after for turn in stage.turns)
    }  # fmt: skip
    for chunk, outcome in results.outcomes("gate"):
        conversation = outcome.conversation(chunk)
        if not gate.holds(conversation.id):
            group = gate.group_of(conversation)
            yield gate_item(conversation, chunk.text, group, has_mistake=conversation.kind in with_mistake)


def _write_decontamination(plan: Plan, benchmarks: Benchmarks | None, made: Selected) -> None:
    path = plan.folder.decontamination
    if benchmarks is None:
        path.unlink(missing_ok=True)
        return
    made.files["decontamination"] = path
    write_json(path, benchmarks.report())
