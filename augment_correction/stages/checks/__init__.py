"""The free checks: pure functions of text. Each gives a score from 0 to 1 and, where something is wrong, a reason and a
detail that is also what the model is told when it is asked again, so a detail says what to do."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

from augment_correction.declarations import FEWEST_FIELDS, CheckSpec
from augment_correction.errors import PluginFailure, Reject
from augment_correction.plugins import failed, name_of
from augment_correction.stages.checks.complete import complete
from augment_correction.stages.checks.contract import Check, CheckInput, CheckResult
from augment_correction.stages.checks.differ import differ
from augment_correction.stages.checks.giveaway import no_giveaway
from augment_correction.stages.checks.keeps import keeps
from augment_correction.stages.checks.language import language
from augment_correction.stages.checks.leftovers import no_links, no_tags
from augment_correction.stages.checks.length import length
from augment_correction.stages.checks.refusal import no_refusal
from augment_correction.stages.checks.standing import stands_alone

__all__ = ["CHECKS", "VERSIONS", "CheckInput", "CheckResult", "new_scores", "register_check", "run_checks"]

CHECKS: dict[str, tuple[Check, float]] = {
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
VERSIONS: dict[str, str] = {}
"""Of the checks that are registered."""


def register_check(
    name: str, check: Check, *, at_least: float = 0.5, fewest_fields: int = 1, version: str = "1"
) -> None:
    """Register a check of your own, so that pipelines can name it: `checks: [{check: NAME, fields: [answer]}]`.

    `check` is a pure function of a `CheckInput` that returns a `CheckResult`; a score under `at_least` (0 to 1) rejects the record
    with the result's reason (without one, with the check's name), or has the stage ask again with its detail. What it returns
    or raises besides ends the run with an error that names it. `fewest_fields` is how many fields a pipeline must give it, 2 for one that compares. Raise
    `version` when the check decides otherwise: passages that an earlier version decided are then decided anew.

    Call it before a pipeline that names it is made; in an installed package, in the module that its entry point
    `augment_correction.plugins` names. To register the same name again replaces your own check.

    Raises: ValueError where the name is one of ours, or not lower-case words joined by `_`.

    >>> def no_digits(given: CheckInput) -> CheckResult:
    ...     for field, text in given.texts:
    ...         if any(sign.isdigit() for sign in text):
    ...             return CheckResult(0.0, "digits", f"{field} holds digits; write numbers as words")
    ...     return CheckResult(1.0)
    >>> register_check("no_digits", no_digits)
    >>> CheckSpec(check="no_digits", fields=("answer",)).check
    'no_digits'
    """
    if name in FEWEST_FIELDS and name not in VERSIONS:
        raise ValueError(f"'{name}' is a check of augment_correction: give yours another name")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise ValueError(f"the name of a check is lower-case words joined by _, not {name!r}")
    FEWEST_FIELDS[name] = fewest_fields
    CHECKS[name] = (check, at_least)
    VERSIONS[name] = version


def run_checks(specs: Sequence[CheckSpec], fields: Mapping[str, Any]) -> dict[str, float]:
    """The scores by check, the lowest of a check that runs twice.

    Raises: Reject by the first check that fails; PluginFailure where a registered one has a bug.
    """
    scores: dict[str, float] = {}
    for spec in specs:
        if any(str(fields.get(name)) in words for name, words in spec.unless.items()):
            continue
        check, limit = CHECKS[spec.check]
        texts = tuple((name, str(fields[name])) for name in spec.fields)
        given = CheckInput(texts, str(fields.get("passage", "")), spec.words)
        finding = _registered(spec.check, check, given) if spec.check in VERSIONS else check(given)
        if finding.score < (limit if spec.at_least is None else spec.at_least):
            raise Reject(finding.reason, finding.detail)
        scores[spec.check] = round(min(finding.score, scores.get(spec.check, 1.0)), 3)
    return scores


def _registered(name: str, check: Check, given: CheckInput) -> CheckResult:
    """Its result; without a reason the check's name is one."""
    try:
        found: Any = check(given)
    except Exception as failure:
        raise PluginFailure(f"check '{name}' ({name_of(check)}) failed: {failed(failure, check)}") from failure
    wrong = ""
    if not isinstance(found, CheckResult):
        wrong = "a check returns a CheckResult"
    elif isinstance(found.score, bool) or not isinstance(found.score, Real) or not 0 <= float(found.score) <= 1:
        wrong = "the score is a number from 0 to 1"
    elif not isinstance(found.reason, str) or not isinstance(found.detail, str):
        wrong = "the reason and the detail are texts"
    if wrong:
        raise PluginFailure(f"check '{name}' ({name_of(check)}) returned {found!r:.120}: {wrong}")
    return CheckResult(float(found.score), found.reason or name, found.detail)


def new_scores(fields: Mapping[str, Any], scores: Mapping[str, float]) -> dict[str, Any]:
    """What a stage adds to a record's fields: the scores of all its checks so far."""
    return {"scores": {**fields.get("scores", {}), **scores}} if scores else {}
