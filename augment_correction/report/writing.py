"""One pass over the rows: texts into shards, figures into sums, questions into the index of near duplicates."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from augment_correction.report.coverage import File, files
from augment_correction.report.duplicates import SIMILAR, Group, QuestionIndex
from augment_correction.report.page import page
from augment_correction.report.reading import Row, rows
from augment_correction.report.shards import ShardWriter
from augment_correction.report.sums import Classes, Lengths, funnel, spending
from augment_correction.store import Journal, Results, RunFolder, StoredChunk
from augment_correction.store.folder import atomic_write
from augment_correction.usage import Price

UNREAD_SHOWN, GROUPS_SHOWN, TEXTS_SHOWN = 2000, 2000, 6
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

    `about` is what `run.json` says (its `pipeline`), empty where there is none. `prices` are by role. `story` names a
    passage's file under `debug_outputs/`.
    """
    pipeline = about.get("pipeline") or {}
    shards = ShardWriter(folder.root / "report_data")
    read = _Reading(journal, results, _turn_labels(pipeline), story)
    for row in rows(folder.journal):
        shards.add(read.take(row))
    shards.close_shard()
    index = {
        "pipeline": {"name": pipeline.get("name", ""), "about": pipeline.get("about", "")},
        **read.figures(pipeline, files(folder.journal, read.seqs)),
        "spending": spending(journal.totals(), prices),
        "shards": shards.shards,
    }
    path = folder.root / "report.html"
    with atomic_write(path) as file:
        file.write(page(f"{pipeline.get('name') or 'run'}: report", index, shards.inline))
    shards.finish()
    return path


class _Reading:
    def __init__(self, journal: Journal, results: Results, labels: dict[str, list[str]], story: Story | None) -> None:
        self._journal, self._results, self._labels, self._story = journal, results, labels, story
        self.seqs: array[int] = array("q")
        self._classes = Classes()
        self._questions = QuestionIndex()
        self._passages = Lengths("passage", "tokens")
        self._turns = {name: Lengths(name, "characters") for name in ("question", "mistake", "correction")}

    def take(self, row: Row) -> dict[str, Any]:
        """Count a row; returns what the page shows of it."""
        number = len(self.seqs)
        self.seqs.append(row.seq)
        self._classes.add(row)
        if row.part == 0:
            self._passages.seen[row.tokens] += 1
        chunk = StoredChunk(row.chunk_id, row.seq, row.text, self._results.places(row.chunk_id))
        shown: dict[str, Any] = {"id": row.chunk_id, "text": row.text, "tokens": row.tokens, "places": chunk.places}
        if self._story and row.status != "pending":
            shown["story"] = self._story(chunk)
        if row.status == "kept":
            shown |= self._conversation(number, row.body["conversation"])
        elif row.status != "pending":
            shown |= {"detail": row.body["detail"], "reply": self._last_reply(row.body["steps"])}
        shown["steps"] = _steps(row.body.get("steps", ()))
        return shown

    def _conversation(self, number: int, made: dict[str, Any]) -> dict[str, Any]:
        labels = self._labels.get(made["kind"], [])
        if len(labels) != len(made["turns"]):
            labels = _guessed_labels(made["turns"])
        turns = [
            {"role": turn["role"], "train": turn["train"], "text": turn["text"], "is": label}
            for turn, label in zip(made["turns"], labels, strict=True)
        ]
        question = next((turn["text"] for turn in turns if turn["role"] == "user"), None)
        if question is not None:
            self._questions.add(number, question)
            self._turns["question"].seen[len(question)] += 1
        for turn in turns:
            if turn["is"] in ("mistake", "correction"):
                self._turns[turn["is"]].seen[len(turn["text"])] += 1
        return {"conversation": made["id"], "scaffold": made["train_scaffold"], "turns": turns}

    def _last_reply(self, steps: list[dict[str, Any]]) -> str | None:
        """What the model said where it could not be used; a verdict's own words are in the reason already."""
        if not steps or "call" not in steps[-1] or "parsed" in steps[-1]:
            return None
        call = self._journal.read(steps[-1]["call"])
        return call.completion.text if call else None

    def figures(self, pipeline: Mapping[str, Any], covered: list[File]) -> dict[str, Any]:
        counts = self._classes.counts()
        unread, groups = self._results.unread(), self._questions.groups()
        return {
            "documents": sum(file.documents for file in covered),
            "characters": sum(file.characters for file in covered),
            "passages": self._passages.seen.total(),
            "classes": [[*name, counts[name]] for name in self._classes.names],
            "rows": self._classes.of_row.tolist(),
            "funnel": funnel(pipeline.get("stages", ()), counts),
            "lengths": [lengths.as_json() for lengths in (self._passages, *self._turns.values())],
            "files": [file.as_json() for file in covered],
            "unread": [[each.source, each.reason, each.detail] for each in unread[:UNREAD_SHOWN]],
            "unread_count": len(unread),
            "duplicates": {
                "similar": SIMILAR,
                "groups_count": len(groups),
                "rows_count": sum(1 + len(group.others) for group in groups),
                "groups": [_group(group) for group in groups[:GROUPS_SHOWN]],
            },
        }


def _group(group: Group) -> dict[str, Any]:
    """The same words are shown once, with how often they came."""
    texts: dict[str, list[Any]] = {group.question: [group.row, 1.0, group.question[:300], 1]}
    for row, similarity, text in group.others:
        texts.setdefault(text, [row, similarity, text[:300], 0])[3] += 1
    shown = list(texts.values())[:TEXTS_SHOWN]
    members = [group.row, *(row for row, *_ in group.others)]
    more = len(members) - sum(times for *_, times in shown)
    return {"count": len(members), "rows": members, "shown": shown, "more": more}


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


def _turn_labels(pipeline: Mapping[str, Any]) -> dict[str, list[str]]:
    """What each turn is, by kind of conversation: as the pipeline's `compose` stages say."""
    return {
        stage["kind"]: [turn.get("is") or turn["role"] for turn in stage["turns"]]
        for stage in pipeline.get("stages", ())
        if stage["stage"] == "compose"
    }


def _guessed_labels(turns: list[dict[str, Any]]) -> list[str]:
    """Without a pipeline: a masked answer is the mistake, the last trained one the correction."""
    answers = [index for index, turn in enumerate(turns) if turn["role"] == "assistant" and turn["train"]]
    return [
        "mistake" if turn["role"] == "assistant" and not turn["train"]
        else "correction" if answers and index == answers[-1]
        else turn["role"]
        for index, turn in enumerate(turns)
    ]  # fmt: skip
