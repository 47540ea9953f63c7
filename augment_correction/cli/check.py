"""`check`: what is wrong with a config and all it names, before a run finds out."""

from __future__ import annotations

import asyncio

import typer

from augment_correction.cli import Config, Overrides, app
from augment_correction.errors import ExitCode


@app.command(epilog="Example: python -m augment_correction check configs/correction_api.yaml")
def check(config: Config, overrides: Overrides = None) -> None:
    """Check a config, its pipeline, prompts and their wiring, the input folder, keys and servers. Costs nothing."""
    from augment_correction.runner.checking import check_run

    findings = asyncio.run(check_run(config, overrides or []))
    for finding in findings:
        print(f"{'ok     ' if finding.ok else 'WRONG  '}{finding.what}")
        if finding.remedy:
            print(f"         remedy: {finding.remedy}")
    wrong = sum(not finding.ok for finding in findings)
    print(f"{wrong} of {len(findings)} checks failed" if wrong else "all good")
    raise typer.Exit(int(ExitCode.USER if wrong else ExitCode.DONE))
