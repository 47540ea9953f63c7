"""`experiment.html`: one file in the look of a run's report, which needs no network."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from augment_correction.report.page import assemble, part

SCRIPTS = ("figures", "app")


def experiment_page(title: str, report: Mapping[str, Any], sealed: Mapping[str, Any]) -> bytes:
    """Of what stands in `experiment.json` and `preregistration.json`."""
    style = part("report.css") + _of_evaluation("evaluation.css") + _part("experiment.css")
    scripts = [part("dom.js"), *(_part(f"{name}.js") for name in SCRIPTS)]
    return assemble(f"{title}: experiment", style, scripts, {"name": title, "sealed": sealed, **report}, "")


@cache
def _part(name: str) -> str:
    return files("augment_correction.experiment").joinpath("page", name).read_text("utf-8")


def _of_evaluation(name: str) -> str:
    return files("augment_correction.evals").joinpath("page", name).read_text("utf-8")
