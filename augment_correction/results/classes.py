"""What becomes of a passage, in eight words. Every passage of a run is in exactly one of these classes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from augment_correction.pipeline import Pipeline
from augment_correction.store import REVIEW, SELECTION

CLASSES = ("kept", "gate", "filtered", "refused", "truncated", "invalid", "error", "pending")
REPEATABLE = ("filtered", "refused", "truncated", "invalid")
"""What `--retry-failed` asks again; `error` and `pending` are taken up by every run."""


def class_of(pipeline: Pipeline, status: str, stage: str | None, reason: str | None) -> str:
    """gate: kept, but not for training. filtered: a judge or a person said no, or the selection had no use for it. refused: the
    model or its server would not. truncated: cut off at the token limit. invalid: the reply could not be used. error:
    the server failed after all retries."""
    if status in ("kept", "gate"):
        return status
    if status == "failed":
        return "error"
    if stage in (REVIEW, SELECTION) or any(each.name == stage and reason in each.verdicts for each in pipeline.stages):
        return "filtered"
    if reason in ("refused", "request_refused"):
        return "refused"
    return "truncated" if reason == "truncated" else "invalid"


def count_classes(
    pipeline: Pipeline, reasons: Iterable[tuple[str, str, int]], counts: dict[str, Any]
) -> dict[str, int]:
    """`reasons` are (stage, reason, count) of the rejects; `counts` holds kept, gate, failed and pending."""
    classes = dict.fromkeys(CLASSES, 0)
    classes |= {"kept": counts["kept"], "gate": counts["gate"], "error": counts["failed"], "pending": counts["pending"]}
    for stage, reason, count in reasons:
        classes[class_of(pipeline, "rejected", stage, reason)] += count
    return classes
