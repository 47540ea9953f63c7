"""What the checks say of some 700 conversations, good ones and with known faults, as it was when somebody last looked."""

from __future__ import annotations

from typing import Any

from augment_correction.stages.checks import CHECKS
from augment_correction.stages.checks.contract import CheckInput
from benchmarks.checks import ALL, SPECS
from benchmarks.checks_cases import CORRECT, FLAWED, Case, build
from tests.recorded import differences

FIELDS = {name: (spec.fields, spec.words) for name, (spec, _) in SPECS.items()}
MORE = {"keeps": ((CORRECT, FLAWED), None), "length": ((FLAWED, CORRECT), (8, 30))}


def findings(case: Case) -> dict[str, list[Any]]:
    """Of the checks that have something to say."""
    said = {}
    for name, (fields, words) in (*FIELDS.items(), *MORE.items()):
        texts = tuple((field, case.fields[field]) for field in fields)
        made = CHECKS[name][0](CheckInput(texts, case.fields["passage"], words))
        assert 0 <= made.score <= 1
        if made.score < 1:
            told = [made.reason] if name == "keeps" else [made.reason, made.detail]
            said[name] = [round(made.score, 1 if name == "language" else 3), *told]
    return said


def test_findings_scores_and_what_the_model_is_told() -> None:
    cases = [*build(held_out=False), *build()]
    found = {
        " | ".join((case.fault or "good", *(case.fields[name] for name in (*ALL, "passage")))): findings(case)
        for case in cases
    }
    assert differences("findings", found) == []
