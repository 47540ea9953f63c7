"""One check on fields given by name; the passage is no field of it."""

from __future__ import annotations

from typing import Any

from augment_correction.declarations import CheckSpec
from augment_correction.errors import Reject
from augment_correction.stages.checks import CHECKS, run_checks
from augment_correction.stages.checks.contract import CheckInput, CheckResult


def reason(check: str, /, passage: str = "", spec: dict[str, Any] | None = None, **fields: str) -> str | None:
    try:
        run_checks([CheckSpec(check=check, fields=tuple(fields), **(spec or {}))], {"passage": passage, **fields})
    except Reject as problem:
        return problem.reason
    return None


def finding(check: str, /, passage: str = "", **fields: str) -> CheckResult:
    return CHECKS[check][0](CheckInput(tuple(fields.items()), passage))
