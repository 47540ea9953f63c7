from __future__ import annotations

import subprocess
import sys

import pytest

from augment_correction.errors import MissingExtra, installing
from augment_correction.runner import run
from tests.projects import MadeProject


def test_the_extra_is_named(project: MadeProject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, "augment_correction.runner.cluster.engine", raising=False)
    project.facts(range(3))
    with pytest.raises(MissingExtra) as caught:
        run(project.load(), engine="ray")
    assert caught.value.hint == installing("ray")


def test_a_local_run_imports_none_of_it(project: MadeProject) -> None:
    project.facts(range(3))
    config = project.config()
    program = (
        "import sys; from augment_correction import load_config; from augment_correction.runner import run;"
        f"run(load_config({str(config)!r}));"
        "print([name for name in sys.modules if name.split('.')[0] == 'ray' or 'runner.cluster' in name])"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert ended.stdout.strip() == "[]"
