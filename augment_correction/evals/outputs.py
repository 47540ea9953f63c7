"""The files of an evaluation; each appears whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from augment_correction.evals.interview import GradedReply, Transcript
from augment_correction.evals.interviewing import Answers
from augment_correction.evals.page import evaluation_page
from augment_correction.evals.questions import QuestionSet
from augment_correction.store.folder import atomic_write
from augment_correction.store.json_files import write_json, write_lines


def write_outputs(
    root: Path, report: Mapping[str, Any], sets: Iterable[QuestionSet], answers: Answers
) -> dict[str, Path]:
    """By name. `evaluation.json` comes last: where it stands, the others belong to it."""
    files = {name: root / name for name in ("items.jsonl", "evaluation.html", "evaluation.json")}
    rows = [row for questions in sets for row in item_rows(questions, answers)]
    write_lines(files["items.jsonl"], rows)
    with atomic_write(files["evaluation.html"]) as file:
        file.write(evaluation_page(root.name, report, rows))
    write_json(files["evaluation.json"], report)
    return files


def item_rows(questions: QuestionSet, answers: Answers) -> Iterator[dict[str, Any]]:
    """Each item with every model's conversations and grades, in the order of the held-out set."""
    for item in questions.items:
        told = answers.told.get((questions.name, item.id), {})
        yield {
            "set": questions.name,
            "id": item.id,
            "group": item.group,
            "context": item.context,
            "question": item.question,
            "reference": item.reference,
            "flawed": item.flawed,
            "kind": item.kind,
            "probe": item.probe,
            "correction": item.correction or None,
            "old_answer": item.old_answer,
            "source": item.source,
            "evidence": item.evidence,
            "models": {model: [_told(each) for each in told[model]] for model in sorted(told)},
        }


def _told(told: Transcript) -> dict[str, Any]:
    second = {name: {"said": each.pushback, **_answer(each.answer)} for name, each in told.second.items()}
    return {"first": _answer(told.first), "second": second}


def _answer(answer: GradedReply) -> dict[str, Any]:
    verdict = answer.verdict
    return {
        "text": answer.reply.text,
        "problem": answer.reply.problem,
        "right": verdict.right,
        "by": verdict.by,
        "why": verdict.why,
        "match": verdict.match,
        "judge": verdict.judge,
    }
