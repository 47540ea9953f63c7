"""What a training says to a person, before and after."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from augment_correction.failures.report import source_lines
from augment_correction.training.prepared import Prepared
from augment_correction.training.summary import TrainingResult


def prepared_lines(prepared: Prepared) -> Iterator[str]:
    plan, train, dev = prepared.schedule, prepared.train, prepared.held_out
    yield f"base model {prepared.base}, {prepared.template.name}"
    if prepared.adapter:
        yield f"  continues the adapter {prepared.config.parent}, rank {prepared.config.lora_r}"
    yield from source_lines(prepared.gathered.sources, prepared.gathered.problems)
    apart = f", held apart by {prepared.apart_by}" if prepared.apart_by else ""
    yield f"  train {len(train.rows):,} rows, held out {len(dev.rows):,}{apart}"
    if prepared.config.distils:
        yield from _distilled(prepared)
    else:
        yield f"  {train.trained:,} tokens trained, {train.masked:,} masked"
        yield f"  {prepared.ending:,} of {len(train.rows):,} rows end on a trained end of turn"
    if prepared.retention.rows:
        yield f"  {len(prepared.retention.rows):,} retention rows are measured (not trained)"
    yield (
        f"  {plan.steps:,} steps ({plan.steps_per_epoch:,} an epoch), warm-up {plan.warmup_steps:,}, "
        f"evaluated every {plan.eval_steps or '-'}, saved every {plan.save_steps:,}"
    )
    yield from (f"  note: {notice}" for notice in prepared.notices)


def _distilled(prepared: Prepared) -> Iterator[str]:
    config = prepared.config
    shown = Counter(each.shown for each in prepared.demonstrations)
    contexts = ", ".join(f"{count:,} with a {name.replace('_', '-')}" for name, count in sorted(shown.items()))
    what = (
        "the whole model, teacher: its moving average" if config.method == "sdft_paper" else "teacher: the base model"
    )
    yield f"  {config.method}, {what}; rows {contexts}; answers of up to {config.max_completion_length:,} tokens"
    if config.teacher_check:
        known = prepared.gathered.demonstrations
        graded = sum(bool(known[each.id].answer) for each in prepared.gathered.conversations)
        yield f"  before the first step the teacher answers each row; {graded:,} rows have an answer to grade it by"


def outcome_lines(outcome: TrainingResult) -> Iterator[str]:
    made: dict[str, Any] = outcome.summary
    if outcome.already:
        yield "this training is already finished; use --fresh to train again"
    yield f"stopped after step {made['steps']:,} of {made['planned_steps']:,}: {made['stopped']}"
    if made["eval_loss"]:
        yield f"  {'step':>8} {'eval loss':>10} {'perplexity':>11} {'retention':>10}"
    for step, loss in made["eval_loss"].items():
        rise = made["retention_rise"].get(step)
        mark = "  best" if str(step) == str(made["best_step"]) else "  before" if str(step) == "0" else ""
        yield f"  {step:>8} {loss:>10.4f} {made['perplexity'][step]:>11.2f} {'' if rise is None else f'{rise:+.1%}':>10}{mark}"
    yield from _ending(outcome)


def _ending(outcome: TrainingResult) -> Iterator[str]:
    status, place = outcome.summary["status"], outcome.workspace
    if status == "interrupted":
        yield outcome.again
        return
    if status == "no_better":
        yield "no checkpoint is better on the held-out rows than the starting point: do not use this adapter"
    if status == "nothing":
        yield "no checkpoint meets the limits, so that final/ was not written"
    served = "model" if outcome.model else "adapter"
    for name, path in ((served, place.final), ("summary", place.summary), ("rejected", place.rejected)):
        if path.exists():
            yield f"  {name:<9} {path}"
