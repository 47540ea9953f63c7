"""Whether a reply keeps to the answer that is right: a small model that is shown an example answers the example."""

from __future__ import annotations

from augment_correction.grading.contrast import contrast
from augment_correction.stages.checks.contract import FINE, CheckInput, CheckResult
from augment_correction.stages.checks.wording import stems


def keeps(given: CheckInput) -> CheckResult:
    """The first field is the reply, the second what is right. The share of its words that the reply has, and nothing
    where one of its numbers is missing."""
    (first, reply), (_, right), *_ = given.texts
    own = stems(right)
    share = len(own & stems(reply)) / len(own) if own else 1.0
    score = 0.0 if contrast(right, reply).numbers_removed else share
    return (
        FINE
        if score == 1.0
        else CheckResult(
            score, "other_answer", f'{first} says something else than this right answer: "{right}". Keep to it'
        )
    )
