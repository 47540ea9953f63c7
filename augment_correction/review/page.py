"""Pages that ask their own server, in the look of a run's report, out of their parts."""

from __future__ import annotations

import re
from functools import cache
from html import unescape
from importlib.resources import files
from typing import Literal

from augment_correction.report.page import assemble, part
from augment_correction.review.local import PageResponse


def served_page(name: str, what: Literal["review", "live"]) -> PageResponse:
    """`name` is the run's. The page's script asks for what it shows. Its policy is in it, and goes along as a header with what
    only a header may say."""
    style = part("report.css") + _part(f"{what}.css")
    scripts = [part("dom.js"), part("conversation.js"), _part(f"{what}.js")]
    body = assemble(f"{name}: {what}", style, scripts, {"name": name}, "", asks_its_server=True)
    found = re.search(rb'Content-Security-Policy" content="([^"]*)"', body)
    assert found
    return PageResponse(body, "text/html; charset=utf-8", f"{unescape(found[1].decode())}; frame-ancestors 'none'")


@cache
def _part(name: str) -> str:
    return files("augment_correction.review").joinpath("parts", name).read_text("utf-8")
