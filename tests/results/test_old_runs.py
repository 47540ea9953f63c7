"""A run folder of an earlier version: the program of today asks nothing again and writes the same rows.

`tests/data/run_before_results.tar.xz` is a project with its own pipelines and prompts and the output of `run
configs/old.yaml`, made by the program as it was before the package `results` was there. A change that must ask anew (other
journal keys, another chunker) makes another such archive, says so in the changelog, and is a cost to every user.
"""

from __future__ import annotations

import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path

import orjson
import pytest
import yaml

from augment_correction.config import load_config
from augment_correction.errors import ExitCode
from augment_correction.runner import run

ARCHIVE = Path(__file__).parents[1] / "data" / "run_before_results.tar.xz"
THERE = "/tmp/oldrun/demo"
"""Where it was made."""
TODAYS = {"run.json", "journal.sqlite", ".lock", "report.html"}
"""What a newer version may add to, or is no product."""


MADE_SAFE = {"exports/trl/messages.jsonl": "exports/trl/train.jsonl"}
"""Exports that taught the mistakes: TRL read no mask in them."""


BASE = "Qwen/Qwen2.5-7B"
"""What `training.base_model` was where a config did not say it."""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(tmp_path, filter="data")
    return tmp_path / "demo"


def calls(output: Path) -> int:
    with closing(sqlite3.connect(output / "journal.sqlite")) as database:
        count: int = database.execute("SELECT COUNT(*) FROM calls").fetchone()[0]
        return count


def products(output: Path) -> dict[str, object]:
    """The Axolotl configs without the place of the folder, which they name."""
    made: dict[str, object] = {}
    for path in output.rglob("*"):
        if not path.is_file() or path.name in TODAYS or "debug_outputs" in path.parts:
            continue
        data = path.read_bytes()
        if path.suffix == ".yaml":
            made[str(path.relative_to(output))] = str(yaml.safe_load(data)).replace(str(output.parent), THERE)
        else:
            made[str(path.relative_to(output))] = data
    return made


def test_nothing_is_asked_again_and_every_row_is_the_same(project: Path) -> None:
    output = project / "old"
    before, paid = products(output), calls(output)
    assert paid == 46 and len(before) > 12
    result = run(load_config(project / "configs" / "old.yaml", [f"training.base_model={BASE}"]))
    assert result.exit_code is ExitCode.DONE and result.kept == 10
    assert calls(output) == paid
    assert sum(tokens["requests"] for tokens in result.tokens.values()) == paid
    after = products(output)
    for earlier, today in MADE_SAFE.items():
        del before[earlier], after[today]
    assert sorted(after) == sorted(before)
    assert [name for name in before if after[name] != before[name]] == []


def test_the_manifest_still_says_what_it_said(project: Path) -> None:
    path = project / "old" / "run.json"
    before = orjson.loads(path.read_bytes())
    run(load_config(project / "configs" / "old.yaml"))
    after = orjson.loads(path.read_bytes())
    for key in ("counts", "plan", "prompts", "pipeline", "dataset"):
        assert after[key] == before[key], key
