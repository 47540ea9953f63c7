"""What the monitor says: the block of an evaluation, and the lines of a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from augment_correction.failures import Failure
from augment_correction.text.excerpts import line_of

SHOWN = 200
"""Characters of an answer."""
WORDS = {"right": "MATCH", "wrong": "MISMATCH", "undecided": "UNDECIDED"}


def block(step: int, last: int, failures: Sequence[Failure], share: float) -> str:
    of = f" / {last} ({100 * step / last:.1f}%)" if last > 0 else ""
    lines = [f"LIVE INFERENCE - Step {step}{of}", "=" * 32]
    for number, each in enumerate(failures, 1):
        lines += [
            f"Example {number}/{len(failures)}: {line_of(each.question, SHOWN)}",
            f"   Expected: {line_of(each.reference, SHOWN)}",
            f"   Predicted: {line_of(each.answer, SHOWN)}",
            f"   -> {WORDS[each.verdict]}{_why(each)}",
        ]
    lines.append(f"{share:.1%} of the time so far is the monitor's")
    return "\n".join(lines)


def _why(failure: Failure) -> str:
    if failure.verdict == "undecided":
        return f": {failure.why}"
    return f": {' | '.join(failure.codes)}" if failure.codes else ""


def made_lines(metadata: Mapping[str, Any]) -> str:
    if not metadata["num_examples"]:
        return f"Self-Correction: no row of {metadata['file']}: {metadata['why']}"
    lines = f"Self-Correction: Generated {metadata['num_examples']} examples -> {metadata['file']}"
    return lines + (f"\n   Queued for training: {metadata['queued']}" if metadata["queued"] else "")


def scalars(failures: Sequence[Failure], share: float) -> dict[str, float]:
    """For TensorBoard. Undecided answers are in no accuracy."""
    verdicts = Counter(each.verdict for each in failures)
    decided = verdicts["right"] + verdicts["wrong"]
    codes = Counter(pattern for each in failures for pattern in each.patterns)
    return {
        **({"monitor/accuracy": verdicts["right"] / decided} if decided else {}),
        **({"monitor/undecided": verdicts["undecided"]} if failures else {}),
        "monitor/seconds_share": share,
        **{f"monitor/{pattern}": count for pattern, count in codes.items()},
    }
