"""`evaluation.html`: one file in the look of a run's report, which needs no network."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import orjson

from augment_correction.report.page import assemble, part

SCRIPTS = ("figures", "result", "conversations", "probes", "app")
"""In the order in which they stand in the page, after the report's own `dom`."""


def evaluation_page(title: str, report: Mapping[str, Any], rows: Iterable[Mapping[str, Any]]) -> bytes:
    """The report is in the page as it is; the rows, which are many and long, are compressed."""
    packed = base64.b64encode(zlib.compress(orjson.dumps(list(rows)), 9)).decode()
    style = part("report.css") + _part("evaluation.css")
    scripts = [part("dom.js"), *(_part(f"{name}.js") for name in SCRIPTS)]
    return assemble(f"{title}: evaluation", style, scripts, {"name": title, **report}, packed)


@cache
def _part(name: str) -> str:
    return files("augment_correction.evals").joinpath("page", name).read_text("utf-8")
