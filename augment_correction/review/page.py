"""The page, in the look of a run's report, out of its parts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from html import unescape
from importlib.resources import files

from augment_correction.report.page import assemble, part


@dataclass(frozen=True, slots=True)
class Page:
    """`policy` is the one inside it, with what only a header may say."""

    body: bytes
    policy: str


def review_page(name: str) -> Page:
    """`name` is the run's. The rows are asked for by the page's script."""
    style = part("report.css") + _part("review.css")
    scripts = [part("dom.js"), part("conversation.js"), _part("review.js")]
    body = assemble(f"{name}: review", style, scripts, {"name": name}, "", asks_its_server=True)
    found = re.search(rb'Content-Security-Policy" content="([^"]*)"', body)
    assert found
    return Page(body, f"{unescape(found[1].decode())}; frame-ancestors 'none'")


@cache
def _part(name: str) -> str:
    return files("augment_correction.review").joinpath("parts", name).read_text("utf-8")
