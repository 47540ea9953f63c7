"""What lies before the reviewer: the run's conversations, what is decided about each, and how a new decision is made of what the page
sends. It knows nothing of HTTP."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from augment_correction.errors import InputError
from augment_correction.export import ChatTemplate, Tokenizer
from augment_correction.export.cutting import fitted_segments
from augment_correction.export.proofs import prove
from augment_correction.export.segments import segments
from augment_correction.export.turn_labels import TurnLabels
from augment_correction.export.verify import tokenised
from augment_correction.records import Conversation, Turn
from augment_correction.report.writing import FOUND
from augment_correction.results.decisions import Decisions, ReviewDecision, ReviewState, state_of
from augment_correction.results.finished import MadeRun
from augment_correction.results.reexport import run_template, run_tokenizer
from augment_correction.results.reviewed import asking_stage, edited
from augment_correction.selection import question_of
from augment_correction.store import REVIEW, Outcome, StoredChunk

SHOWN = 160
"""Characters of a question in the list."""
STATES = ("open", "approved", "rejected", "ask_again")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the list."""

    id: str
    passage: str
    part: int
    kind: str
    title: str
    question: str


class OutdatedPage(InputError):
    """A decision about what is not the last state of a conversation: it would silently replace that of somebody else."""


class Desk:
    """Used by several threads of a server: one at a time is at the desk.

    Raises: InputError where the run has not come to its end or kept nothing.
    """

    def __init__(self, made: MadeRun, *, by: str = "", tokenizer: str | None = None) -> None:
        self._made, self._by = made, by
        self._lock = threading.RLock()
        self._template: ChatTemplate = run_template(made)
        self._tokenizer: Tokenizer | None = run_tokenizer(made, tokenizer)
        self._pipeline = made.manifest.get("pipeline") or {}
        self._labels = TurnLabels(self._pipeline)
        self._decisions = Decisions(made.folder.decisions)
        self.entries = list(self._entries())
        self._place = {entry.id: number for number, entry in enumerate(self.entries)}
        if not self.entries:
            raise InputError(
                f"the run in {made.folder.root} has no conversations to review",
                hint="rejected.jsonl lists the reasons",
            )

    def _entries(self) -> Iterator[Entry]:
        """Those of the dataset, and those that a person has taken out of it."""
        for chunk, outcome in self._made.results.outcomes():
            if outcome.status == "kept" or outcome.stage == REVIEW:
                conversation = outcome.conversation(chunk)
                title = str(chunk.places[0]["title"]) if chunk.places else ""
                question = " ".join(question_of(conversation).split())[:SHOWN]
                yield Entry(conversation.id, chunk.id, outcome.part, conversation.kind, title, question)

    # ------------------------------------------------------------------------------------------------ looking

    def overview(self) -> dict[str, Any]:
        """The whole list, and how far the reviewer is."""
        with self._lock:
            self._refresh()
            rows = [
                [entry.id, entry.kind, entry.title, entry.question, self._state(entry.id), self._is_edited(entry.id)]
                for entry in self.entries
            ]
            return {"rows": rows, "counts": self._counts()}

    def row(self, id_: str) -> dict[str, Any]:
        """All that the page shows of one conversation, as it stands now.

        Raises: InputError where there is no such conversation.
        """
        with self._lock:
            self._refresh()
            entry = self._entry(id_)
            chunk, outcome = self._stored(entry)
            bare = outcome.conversation(chunk)
            standing = self._decisions.of(id_) or ReviewState(entry.passage)
            now = edited(bare, standing.edits, self._decisions.path) if standing.edits else bare
            found = {name: value for name, value in now.provenance.items() if name in FOUND and value is not None}
            return {
                "id": id_, "kind": now.kind, "title": entry.title, "text": chunk.text, "tokens": chunk.tokens,
                "places": chunk.places, "scaffold": now.train_scaffold, "turns": list(self._turns(now, bare)),
                "found": {name: value for name, value in found.items() if name != "edited"},
                "can_ask_again": asking_stage(outcome, self._pipeline) is not None,
                **self._told(id_), "counts": self._counts(),
            }  # fmt: skip

    def _turns(self, now: Conversation, before: Conversation) -> Iterator[dict[str, Any]]:
        """As they are shown: one that begins with a masked mistake as two, with the same `number`."""
        labels = self._labels.of(now.kind, [(turn.role, turn.train) for turn in now.turns])
        for number, (turn, old, label) in enumerate(zip(now.turns, before.turns, labels, strict=True)):
            shown = {
                "number": number,
                "role": turn.role,
                "train": turn.train,
                "is": label,
                "edited": turn.text != old.text,
            }
            if turn.masked:
                mistake, rest = turn.text[: turn.masked], turn.text[turn.masked :]
                yield {**shown, "train": False, "is": "mistake", "part": "mistake", "text": mistake}
                yield {**shown, "part": "rest", "text": rest.strip()}
            else:
                yield {**shown, "part": "whole", "text": turn.text}

    # ----------------------------------------------------------------------------------------------- deciding

    def decide(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Write down what the page sends: `conversation`, `action`, and `reason`, or `turn` with `text` and `mistake`; and `seen`,
        the number of decisions about this conversation that it showed.

        Raises: OutdatedPage where there are more by now; InputError where it cannot be: an unknown conversation or action, a text
        that is empty, a mask that would be wrong.
        """
        with self._lock:
            self._refresh()
            entry = self._entry(_text(asked, "conversation"))
            self._stored(entry)
            action = _text(asked, "action")
            if asked.get("seen", (now := self._decisions.lines(entry.id))) != now:
                raise OutdatedPage(
                    "another person, or this page in another window, has decided about this conversation meanwhile"
                )
            proof = None
            if action in ("approve", "reject", "undo"):
                reason = _text(asked, "reason").strip()
                made = ReviewDecision(entry.id, entry.passage, action, by=self._by, reason=reason)  # type: ignore[arg-type]
            elif action == "ask_again":
                made = self._asked_again(entry, _text(asked, "reason").strip())
            elif action == "edit":
                made, proof = self._edit(entry, asked)
            else:
                raise InputError(f"no action is called {action!r}")
            self._decisions.add(made)
            return {**self._told(entry.id), "proof": proof, "counts": self._counts()}

    def _asked_again(self, entry: Entry, reason: str) -> ReviewDecision:
        _, outcome = self._stored(entry)
        stage = asking_stage(outcome, self._pipeline)
        if stage is None:
            raise InputError("no model wrote this conversation, so that nothing can be asked again")
        times = self._made.results.asked_again(entry.passage).get(stage, 0)
        return ReviewDecision(
            entry.id, entry.passage, "ask_again", by=self._by, reason=reason, stage=stage, times=times
        )

    def _edit(self, entry: Entry, asked: Mapping[str, Any]) -> tuple[ReviewDecision, str]:
        chunk, outcome = self._stored(entry)
        bare = outcome.conversation(chunk)
        number = asked.get("turn")
        if type(number) is not int or not 0 <= number < len(bare.turns):
            raise InputError(f"the conversation has no turn {number!r}")
        text, mistake = _text(asked, "text").strip(), _text(asked, "mistake").strip()
        old: Turn = bare.turns[number]
        if not text or (old.masked and not mistake):
            raise InputError("a message must not be empty: reject the conversation instead")
        if mistake and not old.masked:
            raise InputError("this message has no masked beginning")
        joint = _joint(old) if mistake else ""
        made = ReviewDecision(
            entry.id,
            entry.passage,
            "edit",
            by=self._by,
            turn=number,
            text=f"{mistake}{joint}{text}",
            masked=len(mistake),
        )
        standing = self._decisions.of(entry.id) or ReviewState(entry.passage)
        return made, self._proof(edited(bare, {**standing.edits, number: made}, self._decisions.path))

    def _proof(self, conversation: Conversation) -> str:
        """That the mask is right in the edited text, too, as far as it can be seen here.

        Raises: InputError where it would be wrong.
        """
        if self._tokenizer is None:
            parts = segments(conversation, self._template)
            trained = sum(len(part.text) for part in parts if part.label)
            return f"mask placed: {trained:,} characters trained (there is no tokenizer to check the tokens)"
        stored = fitted_segments([conversation], self._template, self._tokenizer)
        (row,) = tokenised([conversation], stored, self._template, self._tokenizer)
        # Without a seamless cut the row is trained as a whole: the run's files see to that.
        wrong = [problem for problem in prove(row, self._tokenizer) if problem.proof != "seam"]
        if wrong:
            raise InputError(
                f"the mask would be wrong ({wrong[0].proof}): {wrong[0].detail}", hint="change the wording"
            )
        trained = sum(len(ids) for ids, part in zip(row.pieces, row.segments, strict=True) if part.label)
        return f"mask checked: {trained:,} of {len(row.joined):,} tokens trained"

    # ------------------------------------------------------------------------------------------------- helpers

    def _refresh(self) -> None:
        """Another reviewer may have written meanwhile."""
        if state_of(self._decisions.path) != self._decisions.digest:
            self._decisions = Decisions(self._decisions.path)

    def _entry(self, id_: str) -> Entry:
        if id_ not in self._place:
            raise InputError(f"the run has no conversation {id_!r}", hint="load the page again")
        return self.entries[self._place[id_]]

    def _stored(self, entry: Entry) -> tuple[StoredChunk, Outcome]:
        """Raises: InputError where another run in the folder has left it out or asked it anew."""
        for chunk, outcome in self._made.results.unrevised(entry.passage):
            if chunk.seq is not None and outcome.part == entry.part and outcome.body["conversation"]["id"] == entry.id:
                return chunk, outcome
        raise InputError(
            "the run was made again meanwhile, and this conversation is no longer part of it",
            hint="end the review and start it again",
        )

    def _told(self, id_: str) -> dict[str, Any]:
        standing = self._decisions.of(id_)
        reason = standing.reason if standing else ""
        seen = self._decisions.lines(id_)
        return {"state": self._state(id_), "reason": reason, "edited": self._is_edited(id_), "seen": seen}

    def _state(self, id_: str) -> str:
        standing = self._decisions.of(id_)
        return (standing.verdict if standing else None) or "open"

    def _is_edited(self, id_: str) -> bool:
        standing = self._decisions.of(id_)
        return bool(standing and standing.edits)

    def _counts(self) -> dict[str, int]:
        counts = Counter(self._state(entry.id) for entry in self.entries)
        edits = sum(self._is_edited(entry.id) for entry in self.entries)
        return {**{state: counts[state] for state in STATES}, "edited": edits, "all": len(self.entries)}


def _joint(turn: Turn) -> str:
    """The white space between the mistake and what follows it."""
    rest = turn.text[turn.masked :]
    return rest[: len(rest) - len(rest.lstrip())] or " "


def _text(asked: Mapping[str, Any], name: str) -> str:
    found = asked.get(name, "")
    if not isinstance(found, str):
        raise InputError(f"{name} must be a text")
    return found
