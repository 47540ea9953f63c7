"""One run whose models are files, with today's prompts or those of another revision."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from augment_correction.config import load_config
from augment_correction.progress import live_display
from augment_correction.project import bundled
from augment_correction.runner import RunResult, run
from benchmarks.replay.serving import served

KINDS = {"correct_after_mistake": 4, "stand_by": 3, "user_wrong": 1, "partial": 1, "self_noticed": 1}
FOREVER = 7 * 24 * 3600.0
"""Seconds: a person may answer tomorrow."""
PROMPTS = ("prompts", "pipelines")


def ask(
    folder: Path,
    documents: Path,
    count: int,
    *,
    revision: str | None = None,
    config: Path | None = None,
    pipeline: str = "correction",
    checks: Sequence[str] = (),
    system: Mapping[str, Any] | None = None,
) -> RunResult:
    """Make conversations of `count` passages of the documents, the same ones whatever the prompts."""
    folder.mkdir(parents=True, exist_ok=True)
    if revision:
        _check_out(revision, folder)
    with served(folder) as address:
        path = folder / "config.yaml"
        written = {
            "pipeline": pipeline,
            "api": _models(config) or {role: _served(role, address) for role in ("small", "large", "judge")},
            "path": {"input_dir": str(documents.resolve()), "output_dir": str(folder.resolve() / "output")},
            "system": {
                "prompt_template": "chatml", "chunk_size": 600, "use_subset": True, "subset_size": count, "seed": 42,
                "concurrency_limit": 64, **(system or {}),
            },
            "shares": {"kind": KINDS},
            "checks": dict.fromkeys(checks, True),
        }  # fmt: skip
        path.write_text(yaml.safe_dump(written), "utf-8")
        return run(load_config(path), watch=live_display)


def _served(role: str, address: str) -> dict[str, Any]:
    return {"model": role, "base_url": address, "api_key": "none", "timeout": FOREVER}


def _models(config: Path | None) -> dict[str, Any]:
    """The models of a config of the user's own."""
    if config is None:
        return {}
    api = load_config(config).api
    return {
        role: model.model_dump(mode="json", exclude_unset=True)
        for role in ("small", "large", "judge")
        if (model := getattr(api, role))
    }


def _check_out(revision: str, folder: Path) -> None:
    """The prompts and pipelines of a revision, beside the config: a project's own are found first."""
    packed = subprocess.run(
        ["git", "archive", "--format=tar", revision, *PROMPTS], cwd=bundled(), check=True, capture_output=True
    ).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")
