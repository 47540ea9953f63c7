"""The whole circle with a model of random weights, two rounds and two power cuts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the extra train")
pytest.importorskip("trl", reason="needs the extra train")

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_circle_closes_and_survives(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "benchmarks.circle",
        "--work",
        str(tmp_path / "circle"),
        "--tiny",
        "--minutes",
        "8",
    ]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    made = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    rounds = [line for line in made.stdout.splitlines() if " accepted: right second answers " in line]
    assert [" the base model " in line for line in rounds] == [True, False], made.stdout
    assert "| round 1 |" in rounds[1]
    assert "kills survived: 2 of 2" in made.stdout
    assert "calls asked twice: 0 by the gate, 0 by the monitor" in made.stdout
