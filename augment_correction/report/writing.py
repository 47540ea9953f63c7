"""One pass over the rows: texts into shards, figures into sums, questions into the index of near duplicates."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from augment_correction.declarations import KIND
from augment_correction.export.turn_labels import TurnLabels
from augment_correction.records import UnreadInput
from augment_correction.report.coverage import File, files
from augment_correction.report.duplicates import SIMILAR, QuestionGroups
from augment_correction.report.page import page
from augment_correction.report.shards import ShardWriter
from augment_correction.report.sums import Classes, Lengths, drawn_shares, funnel, spending
from augment_correction.store import Journal, Outcome, Results, RunFolder, StoredChunk
from augment_correction.store.folder import atomic_write
from augment_correction.usage import Price

FOUND = (
    "origin", "edited", "pushback", "doubt_says", "error_type", "wrong_span", "right_span", "evidence", "supported", "right_share",
    "scores", "codes",
)  # fmt: skip
"""What is shown of a conversation's provenance."""
UNREAD_SHOWN, GROUPS_SHOWN = 2000, 2000
Story = Callable[[StoredChunk], str]


def write_report(
    folder: RunFolder,
    journal: Journal,
    results: Results,
    *,
    about: Mapping[str, Any],
    prices: Mapping[str, Price | None],
    story: Story | None = None,
) -> Path:
    """Write `report.html`, and `report_data/` where it does not hold all rows; the same journal makes the same bytes.

    `about` is what `run.json` says (its `pipeline`, `counts` and `openings`), empty where there is none. `prices` are by role. `story` names a
    passage's file under `debug_outputs/`.
    """
    pipeline = about.get("pipeline") or {}
    shards = ShardWriter(folder.root / "report_data")
    kept = int((about.get("counts") or {}).get("kept", 0))
    read = _Reading(journal, results.unread(), TurnLabels(pipeline), story, QuestionGroups(kept, folder.root))
    for chunk, outcome in results.passages():
        shards.add(read.take(chunk, outcome))
    shards.close_shard()
    index = {
        "pipeline": {"name": pipeline.get("name", ""), "about": pipeline.get("about", "")},
        **read.figures(pipeline, files(results, read.seqs)),
        "drawn": drawn_shares(pipeline.get("draws") or {}, (about.get("counts") or {}).get("drawn") or {}),
        "openings": about.get("openings") or {},
        "spending": spending(journal.totals(), prices),
        "shards": shards.shards,
    }
    path = folder.root / "report.html"
    with atomic_write(path) as file:
        file.write(page(f"{pipeline.get('name') or 'run'}: report", index, shards.inline))
    shards.finish()
    return path


class _Reading:
    def __init__(
        self,
        journal: Journal,
        unread: list[UnreadInput],
        labels: TurnLabels,
        story: Story | None,
        questions: QuestionGroups,
    ) -> None:
        self._journal, self._unread, self._labels, self._story = journal, unread, labels, story
        self.seqs: array[int] = array("q")
        self._classes = Classes()
        self._questions = questions
        self._passages = Lengths("passage", "tokens")
        self._turns = {name: Lengths(name, "characters") for name in ("question", "mistake", "correction")}

    def take(self, chunk: StoredChunk, outcome: Outcome | None) -> dict[str, Any]:
        """Count a row; returns what the page shows of it. A passage without an outcome is shown, too."""
        assert chunk.seq is not None, "the report is of the present run"
        self._classes.add(outcome)
        if not self.seqs or self.seqs[-1] != chunk.seq:
            self._passages.seen[chunk.tokens] += 1
        self.seqs.append(chunk.seq)
        shown: dict[str, Any] = {"id": chunk.id, "text": chunk.text, "tokens": chunk.tokens, "places": chunk.places}
        if outcome is None:
            return shown | {"steps": []}
        body = outcome.body
        if self._story:
            shown["story"] = self._story(chunk)
        if drawn := {name: word for name, word in body.get("drawn", {}).items() if name != KIND}:
            shown["found"] = drawn
        if "conversation" in body:
            made = self._conversation(body["conversation"])
            shown |= made | {"found": shown.get("found", {}) | made["found"]}
        if outcome.status == "kept":
            self._measure(len(self.seqs) - 1, shown["turns"])
        else:
            shown |= {"detail": body["detail"], "reply": self._last_reply(body["steps"])}
        return shown | {"steps": _steps(body["steps"])}

    def _conversation(self, made: dict[str, Any]) -> dict[str, Any]:
        labels = self._labels.of(made["kind"], [(turn["role"], turn["train"]) for turn in made["turns"]])
        turns = [part for turn, label in zip(made["turns"], labels, strict=True) for part in _parts(turn, label)]
        found = {
            name: value for name, value in made.get("provenance", {}).items() if name in FOUND and value is not None
        }
        return {"conversation": made["id"], "scaffold": made["train_scaffold"], "turns": turns, "found": found}

    def _measure(self, number: int, turns: list[dict[str, Any]]) -> None:
        question = next((turn["text"] for turn in turns if turn["role"] == "user"), None)
        if question is not None:
            self._questions.add(number, question)
            self._turns["question"].seen[len(question)] += 1
        for turn in turns:
            if turn["is"] in ("mistake", "correction"):
                self._turns[turn["is"]].seen[len(turn["text"])] += 1

    def _last_reply(self, steps: list[dict[str, Any]]) -> str | None:
        """What the model said where it could not be used; a verdict's own words are in the reason already."""
        if not steps or "call" not in steps[-1] or "parsed" in steps[-1]:
            return None
        call = self._journal.read(steps[-1]["call"])
        return call.completion.text if call else None

    def figures(self, pipeline: Mapping[str, Any], covered: list[File]) -> dict[str, Any]:
        counts = self._classes.counts()
        unread, groups = self._unread, self._questions.groups()
        return {
            "documents": sum(file.documents for file in covered),
            "characters": sum(file.characters for file in covered),
            "passages": self._passages.seen.total(),
            "classes": [[*name, counts[name]] for name in self._classes.names],
            "rows": self._classes.of_row.tolist(),
            "funnel": funnel(pipeline.get("stages", ()), self._classes.ends),
            "lengths": [lengths.as_json() for lengths in (self._passages, *self._turns.values())],
            "files": [file.as_json() for file in covered],
            "unread": [[each.source, each.reason, each.detail] for each in unread[:UNREAD_SHOWN]],
            "unread_count": len(unread),
            "duplicates": {
                "similar": SIMILAR,
                "groups_count": len(groups),
                "rows_count": sum(len(group.rows) for group in groups),
                "groups": [group.as_json() for group in groups[:GROUPS_SHOWN]],
            },
        }


def _parts(turn: Mapping[str, Any], label: str) -> list[dict[str, Any]]:
    """The turn as it is shown: one that begins with a masked mistake as two."""
    masked = turn.get("masked", 0)
    whole = {"role": turn["role"], "train": turn["train"], "text": turn["text"][masked:].lstrip(), "is": label}
    return [whole | {"train": False, "text": turn["text"][:masked], "is": "mistake"}, whole] if masked else [whole]


def _steps(steps: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without what the conversation says again: of what was parsed only a verdict and its reason. The step that names
    why a verdict dropped the record is one with the step of that verdict."""
    shown: list[dict[str, Any]] = []
    for step in steps:
        made = {name: step[name] for name in ("stage", "model", "reason", "detail") if step.get(name)}
        parsed = step.get("parsed") or {}
        if "verdict" in parsed:
            made |= {"verdict": parsed["verdict"], "because": parsed.get("reason", "")}
        if (
            made.get("reason")
            and shown
            and shown[-1].get("verdict") == made.get("reason")
            and shown[-1]["stage"] == made["stage"]
        ):
            shown[-1]["reason"] = made["reason"]
        else:
            shown.append(made)
    return shown
