"""The locked versions are those that `pyproject.toml` and the Makefile allow, and what an audit says of them is told."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest
from packaging.utils import canonicalize_name

from tests.dependencies import LOCK, ROOT, locked, told, wanted


def test_the_lock_has_a_version_that_fits_of_all_that_is_wanted() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    versions = locked(LOCK.read_text("utf-8"))
    asked = list(wanted(project, ["dev"]))
    assert len(asked) > 30 and {"torch", "ray", "aiohttp", "pytest", "trl"} <= {
        each.name.split("[")[0] for each in asked
    }
    missing = [
        str(each)
        for each in asked
        if not each.specifier.contains(versions.get(canonicalize_name(each.name), "0"), prereleases=True)
    ]
    assert not missing, f"`make lock` resolves them: {missing}"


def test_the_locked_torch_is_the_one_that_make_installs() -> None:
    [version] = re.findall(r"^TORCH \?= torch==(\S+)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert locked(LOCK.read_text("utf-8"))["torch"] == version


def package(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "version": "1.0", "vulns": []} | more


FLAW = {"id": "PYSEC-1", "fix_versions": ["1.1"]}
UNREACHED = {"name": "b", "skip_reason": "not found"}


@pytest.mark.parametrize(
    ("packages", "line", "vulnerable"),
    [
        ([package("a"), package("b")], "0 known vulnerabilities in 2 packages", False),
        ([package("a", vulns=[FLAW]), package("b")], "a 1.0: PYSEC-1, mended in 1.1", True),
        ([package("a"), UNREACHED], "nothing is known of b", False),
        ([UNREACHED], "PyPI's database of vulnerabilities cannot be reached: nothing is known of 1 packages", False),
    ],
)
def test_what_an_audit_found(packages: list[dict[str, Any]], line: str, vulnerable: bool) -> None:
    lines, found = told({"dependencies": packages})
    assert lines[0] == line or line in lines
    assert found is vulnerable
