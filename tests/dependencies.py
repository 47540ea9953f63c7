"""Known vulnerabilities of the versions in `requirements.lock`, as pip-audit finds them in PyPI's database.

    python -m tests.dependencies

Ends in 1 where there are some. That the database cannot be reached is said and ends in 0: a network must not break a build.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
LOCK = ROOT / "requirements.lock"
SECONDS = 300


def locked(text: str) -> dict[str, str]:
    """Versions by name."""
    lines = (line for line in text.splitlines() if "==" in line and not line.lstrip().startswith("#"))
    pairs = (line.partition(";")[0].strip().split("==") for line in lines)
    return {canonicalize_name(name.strip()): version.strip() for name, version in pairs}


def wanted(project: Mapping[str, Any], extras: Iterable[str]) -> Iterator[Requirement]:
    """The project's requirements with those of some extras, and of the extras that these name."""
    waiting, seen = [*project["dependencies"]], set()
    for extra in extras:
        waiting += project["optional-dependencies"][extra]
    while waiting:
        requirement = Requirement(waiting.pop())
        if canonicalize_name(requirement.name) != canonicalize_name(project["name"]):
            yield requirement
            continue
        for extra in requirement.extras - seen:
            seen.add(extra)
            waiting += project["optional-dependencies"][extra]


def told(report: Mapping[str, Any]) -> tuple[list[str], bool]:
    """Lines for a person about pip-audit's report, and whether a vulnerability is among them."""
    packages = report["dependencies"]
    unknown = [each["name"] for each in packages if "skip_reason" in each]
    if len(unknown) == len(packages):
        return [
            f"PyPI's database of vulnerabilities cannot be reached: nothing is known of {len(packages)} packages"
        ], False
    found = [(each, flaw) for each in packages for flaw in each.get("vulns", ())]
    lines = [
        f"{each['name']} {each['version']}: {flaw['id']}, mended in {', '.join(flaw['fix_versions']) or 'no version'}"
        for each, flaw in found
    ]
    if unknown:
        lines.append(f"nothing is known of {', '.join(unknown)}")
    lines.append(f"{len(found)} known vulnerabilities in {len(packages) - len(unknown)} packages")
    return lines, bool(found)


def main() -> int:
    options = ("--no-deps", "--disable-pip", "--timeout", "20", "--format", "json", "--progress-spinner", "off")
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(LOCK), *options]
    try:
        made = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
        lines, vulnerable = told(json.loads(made.stdout))
    except subprocess.TimeoutExpired:
        lines, vulnerable = [f"PyPI's database of vulnerabilities gave no answer within {SECONDS} seconds"], False
    except (ValueError, KeyError):
        last = made.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        lines, vulnerable = [f"PyPI's database of vulnerabilities cannot be reached: {last[0]}"], False
    print("\n".join(lines))
    return int(vulnerable)


if __name__ == "__main__":
    sys.exit(main())
