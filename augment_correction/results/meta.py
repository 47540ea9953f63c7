"""Rows that teach a model to run the pipeline's own steps: what it was asked, and the reply that was accepted."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any

from augment_correction.plan import Plan
from augment_correction.results.reviewed import is_edited
from augment_correction.store import REVIEW, Journal, Outcome, Results, StoredChunk


def meta_rows(plan: Plan, journal: Journal, results: Results) -> Iterator[dict[str, Any]]:
    """Of a passage whose question is in the held-out set or in a benchmark there are none: the calls say it all."""
    for chunk, outcomes in groupby(results.outcomes(), key=itemgetter(0)):
        made = [outcome for _, outcome in outcomes]
        if any(outcome.status == "gate" or outcome.reason in ("in_gate", "in_benchmark") for outcome in made):
            continue
        if any(outcome.stage == REVIEW or is_edited(outcome) for outcome in made):
            continue  # what a person has rejected or changed is no reply to learn from
        for outcome in made:
            yield from _stage_rows(plan, journal, chunk, outcome)
            if outcome.status == "kept":
                yield from _extra_rows(plan, chunk, outcome)


def _stage_rows(plan: Plan, journal: Journal, chunk: StoredChunk, outcome: Outcome) -> Iterator[dict[str, Any]]:
    for step in outcome.body["steps"]:
        if step["stage"] not in plan.meta_stages or "parsed" not in step:
            continue
        call = journal.read(step["call"])
        if call is not None:
            messages = [{"role": message.role, "content": message.content} for message in call.messages]
            messages.append({"role": "assistant", "content": call.completion.text})
            yield {"messages": messages, "stage": step["stage"], "model": call.model, "id": chunk.id}


def _extra_rows(plan: Plan, chunk: StoredChunk, outcome: Outcome) -> Iterator[dict[str, Any]]:
    if not plan.extras:
        return
    values = record_fields(chunk, outcome)
    for prompt in plan.extras:
        if prompt.variables - values.keys():
            continue  # another kind of conversation: it never had these fields
        messages = [{"role": message.role, "content": message.content} for message in prompt.render(values)]
        yield {"messages": messages, "stage": prompt.name, "model": None, "id": chunk.id}


def record_fields(chunk: StoredChunk, outcome: Outcome) -> dict[str, Any]:
    """The finished record's fields, as far as a template may read them."""
    place = chunk.places[0]
    fields: dict[str, Any] = {
        "passage": chunk.text,
        "title": place["title"],
        "heading": " > ".join(place["heading"]),
        "source": place["source"],
        "page": place["page"],
        "metadata": {},
    }
    for step in outcome.body["steps"]:
        parsed = step.get("parsed") or {}
        fields |= {name: value for name, value in parsed.items() if name != "verdict"}
        if "reason" in parsed:
            fields[f"{step['stage']}_reason"] = parsed["reason"]
    return fields
