"""What a person's decisions do to the rows of a run: rejected ones stay out, edited ones are written as they were edited and say so,
and the mask of what was edited is the same decision as before about the new text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from augment_correction.errors import InputError
from augment_correction.records import Conversation, Turn
from augment_correction.results.decisions import Decisions, ReviewDecision, ReviewState, state_of
from augment_correction.stages import neutral
from augment_correction.store import REVIEW, Excluded, Outcome, Results, RunFolder, StoredChunk

EDITED = "edited by a person"
REASONS = {"rejected": "rejected_by_person", "ask_again": "to_ask_again"}


@dataclass
class Review:
    """What the decisions come to for the conversations that a run has. `counts` are approved, rejected, ask_again, edited and
    gone: decisions about conversations that it does not have."""

    excluded: list[Excluded] = field(default_factory=list)
    revised: list[tuple[str, int, Conversation]] = field(default_factory=list)
    ask_again: list[tuple[str, str]] = field(default_factory=list)
    """(passage, stage)"""
    counts: Counter[str] = field(default_factory=Counter)
    decisions: str = ""
    """Their state."""


def review_of(results: Results, decisions: Decisions) -> Review:
    """Raises: InputError where an edit does not fit its conversation."""
    made = Review(decisions=decisions.digest)
    for passage, conversations in decisions.passages().items():
        wanted = set(conversations)
        for chunk, outcome in results.unrevised(passage):
            id_ = outcome.body["conversation"]["id"]
            standing = decisions.of(id_)
            if standing is None or id_ not in wanted or _is_spent(results, standing):
                continue
            if chunk.seq is not None:
                wanted.discard(id_)
            _take(made, chunk, outcome, standing, decisions.path)
        made.counts["gone"] += len(wanted)
    return made


def bring_up_to_date(results: Results, folder: RunFolder) -> None:
    """Lay the decisions over the stored rows, where they are not those that were laid there before."""
    if results.made_with("rows") != state_of(folder.decisions):
        review = review_of(results, Decisions(folder.decisions))
        results.set_reviewed(review.excluded, review.revised, review.decisions)


def edited(conversation: Conversation, edits: Mapping[int, ReviewDecision], path: Path) -> Conversation:
    """With these texts in place of its own, under the id that it had, and with who edited which turns in its provenance.

    Raises: InputError where a turn is not there, or its mask does not fit the text.
    """
    turns = list(conversation.turns)
    for number, decision in edits.items():
        turns[number : number + 1] = [_turn(turns, number, decision, path)]
    last = max(edits.values(), key=lambda each: (each.at, each.line))
    origin = str(conversation.provenance.get("origin") or "synthetic")
    told = {"by": last.by or "a person", "at": last.at, "turns": sorted(edits)}
    provenance = {**conversation.provenance, "origin": f"{origin}, {EDITED}", "edited": told}
    return replace(conversation, turns=tuple(turns), provenance=provenance)


def _turn(turns: list[Turn], number: int, decision: ReviewDecision, path: Path) -> Turn:
    place = f"{path}:{decision.line}" if decision.line else str(path)
    if not 0 <= number < len(turns):
        raise InputError(
            f"{place}: the conversation has no turn {number}: it has {len(turns)}", hint="correct the line"
        )
    turn = turns[number]
    head = neutral((decision.text or "")[: decision.masked])
    text = head + neutral((decision.text or "")[decision.masked :])
    if bool(turn.masked) != bool(decision.masked):
        must = "begins with a mistake, which must stay masked" if turn.masked else "has no masked beginning"
        raise InputError(
            f"{place}: turn {number} {must}", hint="set `masked` to the length of the mistake, or leave it out"
        )
    try:
        return replace(turn, text=text if head else text.strip(), masked=len(head))
    except ValueError as failure:
        raise InputError(f"{place}: the mask does not fit turn {number}: {failure}", hint="correct the line") from None


def _take(made: Review, chunk: StoredChunk, outcome: Outcome, standing: ReviewState, path: Path) -> None:
    """Also where the passage is not part of the present run: when its document comes back, the decisions hold."""
    counts = made.counts if chunk.seq is not None else Counter[str]()
    if standing.edits:
        conversation = edited(_bare(outcome), standing.edits, path)
        made.revised.append((chunk.id, outcome.part, conversation))
        counts["edited"] += 1
    if standing.verdict:
        counts[standing.verdict] += 1
    if standing.verdict in REASONS:
        reason, detail = REASONS[standing.verdict], standing.reason or "no reason was given"
        made.excluded.append(Excluded(chunk.id, outcome.part, "rejected", reason, detail, REVIEW))
    if standing.verdict == "ask_again" and standing.decided:
        made.ask_again.append((chunk.id, standing.decided.stage))


def _bare(outcome: Outcome) -> Conversation:
    """Without its places, which are kept beside it."""
    made = outcome.conversation(StoredChunk(outcome.chunk_id, 0, "", ()))
    own = {name: value for name, value in made.provenance.items() if name not in ("chunk_id", "places")}
    return replace(made, provenance=own)


def _is_spent(results: Results, standing: ReviewState) -> bool:
    """It was asked anew since, and the same came of it."""
    if standing.verdict != "ask_again" or standing.decided is None:
        return False
    return results.asked_again(standing.passage).get(standing.decided.stage, 0) > standing.decided.times


def asking_stage(outcome: Outcome, pipeline: Mapping[str, Any]) -> str | None:
    """The first stage that had a model write something of this conversation; None where no model did."""
    asking = {stage.get("name") or stage["stage"] for stage in pipeline.get("stages", ()) if stage["stage"] == "ask"}
    return next((step["stage"] for step in outcome.body["steps"] if step["stage"] in asking), None)


def is_edited(outcome: Outcome) -> bool:
    """A person has written part of it."""
    return "edited" in outcome.body.get("conversation", {}).get("provenance", {})


def told(counts: Mapping[str, int]) -> Iterator[str]:
    """What a person decided, for the summary."""
    names = {
        "approved": "approved",
        "rejected": "rejected",
        "ask_again": "marked to be asked again",
        "edited": "edited",
    }
    found = [f"{counts[name]:,} {word}" for name, word in names.items() if counts.get(name)]
    if found:
        yield f"a person decided (decisions.jsonl): {', '.join(found)}"
    if counts.get("gone"):
        yield (
            f"decisions.jsonl decides about {counts['gone']:,} conversations that this run does not have (asked anew, or made "
            "by another configuration); they stay in the file"
        )
