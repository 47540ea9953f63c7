"""One check on fields given by name; the passage is no field of it."""

from __future__ import annotations

from typing import Any

from augment_correction.declarations import CheckName, CheckSpec
from augment_correction.errors import Reject
from augment_correction.stages.checks import CHECKS, run_checks
from augment_correction.stages.checks.finding import Finding, Given


def reason(check: CheckName, /, passage: str = "", spec: dict[str, Any] | None = None, **fields: str) -> str | None:
    try:
        run_checks([CheckSpec(check=check, fields=tuple(fields), **(spec or {}))], {"passage": passage, **fields})
    except Reject as problem:
        return problem.reason
    return None


def finding(check: CheckName, /, passage: str = "", **fields: str) -> Finding:
    return CHECKS[check][0](Given(tuple(fields.items()), passage))
