"""One name of a class stands for one thing."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "augment_correction"
OF_THE_WORKSPACE_TOO = {"Database", "Job", "Worker"}
"""The workspace has a database of its own, with jobs and a worker beside those of `store` and `worker`."""


def test_no_two_classes_have_one_name() -> None:
    places = defaultdict(list)
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(path.relative_to(PACKAGE).parts[0])
    assert len(places) > 300
    twice = {name: found for name, found in places.items() if len(found) > 1}
    assert twice.keys() == OF_THE_WORKSPACE_TOO
    assert all(found.count("workspace") == 1 and len(found) == 2 for found in twice.values())
