"""The wheel alone, far from the checkout: it carries all that a run needs."""

from __future__ import annotations

import configparser
import json
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_an_installed_wheel_runs_the_smoke_config_and_writes_nothing_among_its_own_files(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist")],
        cwd=ROOT, check=True, capture_output=True,
    )  # fmt: skip
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        archive.extractall(site)
        [entries] = [name for name in names if name.endswith("/entry_points.txt")]
        command = configparser.ConfigParser()
        command.read_string(archive.read(entries).decode())
    module, _, function = command["console_scripts"]["augment-correction"].partition(":")
    for needed in (
        "_bundled/prompts/filter.jinja",
        "_bundled/pipelines/correction.yaml",
        "py.typed",
        "llm/scripted.yaml",
    ):
        assert f"augment_correction/{needed}" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    # -P and a fresh PYTHONPATH: the extracted wheel, not the checkout, is what is imported.
    code = (
        f"import augment_correction, sys; sys.argv[0] = 'augment_correction'; from {module} import {function} as main; "
    )
    code += f"assert augment_correction.__file__.startswith({str(site)!r}); sys.exit(main())"
    made = subprocess.run(
        [sys.executable, "-P", "-c", f"import sys; sys.path.insert(0, {str(site)!r}); {code}", "run", "configs/smoke.yaml"],
        cwd=elsewhere, capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path),
        "PYTHONPATH": str(site)},
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    rows = json.loads((elsewhere / "outputs/smoke/axolotl_correction_conversations.json").read_text())
    assert len(rows) >= 3
    assert not (site / "augment_correction" / "_bundled" / "outputs").exists()
