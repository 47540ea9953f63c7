"""Every passage ends in exactly one class, and a class can be asked again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from augment_correction import load_config, run
from augment_correction.pipeline import load_pipeline
from augment_correction.project import bundled
from augment_correction.results.classes import CLASSES, REPEATABLE, class_of

PIPELINE = load_pipeline(bundled() / "pipelines" / "correction.yaml")


@pytest.mark.parametrize(
    ("status", "stage", "reason", "expected"),
    [
        ("kept", None, None, "kept"),
        ("failed", "masked_conversation", "server_error", "error"),
        ("rejected", "judgement", "unsuitable", "filtered"),
        ("gate", "selection", "drawn", "gate"),
        ("rejected", "selection", "duplicate", "filtered"),
        ("rejected", "judgement", "unclear_verdict", "invalid"),
        ("rejected", "masked_conversation", "unsuitable", "invalid"),
        ("rejected", "masked_conversation", "refused", "refused"),
        ("rejected", "masked_conversation", "request_refused", "refused"),
        ("rejected", "masked_conversation", "truncated", "truncated"),
        ("rejected", "masked_conversation", "not_different", "invalid"),
    ],
)
def test_the_class_of_an_outcome(status: str, stage: str | None, reason: str | None, expected: str) -> None:
    assert class_of(PIPELINE, status, stage, reason) == expected
    assert expected in CLASSES


def project(folder: Path, script: str) -> Path:
    (folder / "in").mkdir(exist_ok=True)
    rows = [{"text": f"Town number {number} was founded in {1800 + number}. It has a harbour."} for number in range(5)]
    (folder / "in" / "towns.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "script.yaml").write_text(script)
    (folder / "config.yaml").write_text(
        "pipeline: correction\n"
        "api: {small_model: s, small_mode: scripted, large_model: l, large_mode: scripted, large_script: script.yaml}\n"
        "path: {input_dir: ./in, output_dir: ./out}\nsystem: {prompt_template: chatml}\n"
    )
    return folder / "config.yaml"


BROKEN = "rules:\n  - {contains: 'Town number 3', text: 'I am not sure.'}\n"


def test_the_classes_sum_up_to_the_passages(tmp_path: Path) -> None:
    result = run(load_config(project(tmp_path, BROKEN)))
    assert sum(result.counts["classes"].values()) == result.counts["chunks"] == 5
    assert result.counts["classes"] == dict.fromkeys(CLASSES, 0) | {"kept": 4, "invalid": 1}


def test_a_class_that_is_asked_again_is_asked_at_its_last_stage_only(tmp_path: Path) -> None:
    path = project(tmp_path, BROKEN)
    first = run(load_config(path))
    project(tmp_path, "{}")
    unchanged = run(load_config(path))
    assert unchanged.kept == 4, "a reject of an earlier run is final until somebody wants it asked again"
    again = run(load_config(path), retry=["invalid"])
    assert again.kept == 5
    assert again.tokens["small"]["requests"] == first.tokens["small"]["requests"] == 5
    assert again.tokens["large"]["requests"] == first.tokens["large"]["requests"] + 1
    assert "asking again about 1 passage" in again.notices


def test_only_what_a_reply_decided_can_be_asked_again() -> None:
    assert set(REPEATABLE) == set(CLASSES) - {"kept", "gate", "error", "pending"}
