"""The free checks: pure functions of text. Each gives a score from 0 to 1 and, where something is wrong, a reason and a
detail that is also what the model is told when it is asked again, so a detail says what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from augment_correction.declarations import CheckName, CheckSpec
from augment_correction.errors import Reject
from augment_correction.stages.checks.complete import complete
from augment_correction.stages.checks.differ import differ
from augment_correction.stages.checks.finding import Check, Finding, Given
from augment_correction.stages.checks.giveaway import no_giveaway
from augment_correction.stages.checks.keeps import keeps
from augment_correction.stages.checks.language import language
from augment_correction.stages.checks.leftovers import no_links, no_tags
from augment_correction.stages.checks.length import length
from augment_correction.stages.checks.refusal import no_refusal
from augment_correction.stages.checks.standing import stands_alone

__all__ = ["CHECKS", "Finding", "new_scores", "run_checks"]

CHECKS: Mapping[CheckName, tuple[Check, float]] = {
    "differ": (differ, 0.1),
    "stands_alone": (stands_alone, 0.5),
    "no_links": (no_links, 0.5),
    "no_tags": (no_tags, 0.5),
    "complete": (complete, 0.5),
    "no_refusal": (no_refusal, 0.5),
    "language": (language, 0.3),
    "no_giveaway": (no_giveaway, 0.5),
    "length": (length, 1.0),
    "keeps": (keeps, 0.5),
}
"""Each with the score below which it fails, where the pipeline gives no `at_least`."""


def run_checks(specs: Sequence[CheckSpec], fields: Mapping[str, Any]) -> dict[str, float]:
    """The scores by check, the lowest of a check that runs twice.

    Raises: Reject by the first check that fails.
    """
    scores: dict[str, float] = {}
    for spec in specs:
        if any(str(fields.get(name)) in words for name, words in spec.unless.items()):
            continue
        check, limit = CHECKS[spec.check]
        texts = tuple((name, str(fields[name])) for name in spec.fields)
        finding = check(Given(texts, str(fields.get("passage", "")), spec.words))
        if finding.score < (limit if spec.at_least is None else spec.at_least):
            raise Reject(finding.reason, finding.detail)
        scores[spec.check] = round(min(finding.score, scores.get(spec.check, 1.0)), 3)
    return scores


def new_scores(fields: Mapping[str, Any], scores: Mapping[str, float]) -> dict[str, Any]:
    """What a stage adds to a record's fields: the scores of all its checks so far."""
    return {"scores": {**fields.get("scores", {}), **scores}} if scores else {}
