"""`report.html` out of its parts: the page's own style and script, and the data, which the page treats as data only."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import orjson

SCRIPTS = ("dom", "data", "charts", "overview", "documents", "conversation", "browse", "duplicates", "app")
"""In the order in which they stand in the page."""


def page(title: str, index: dict[str, Any], first_rows: str) -> bytes:
    """`first_rows` is base64."""
    return assemble(title, part("report.css"), [part(f"{name}.js") for name in SCRIPTS], index, first_rows)


def assemble(
    title: str,
    style: str,
    scripts: Iterable[str],
    index: Mapping[str, Any],
    rows: str,
    *,
    asks_its_server: bool = False,
) -> bytes:
    """Any page of this look. A policy in it lets no other inline script run and no request leave it, but for those to its own
    server where it has one; else it may load the scripts beside it, which hold its rows."""
    script = "(() => {\n'use strict';\n" + "\n".join(scripts) + "\n})();\n"
    parts = {
        "policy": "; ".join(
            (
                "default-src 'none'",
                f"script-src '{_hash(script)}'" + ("" if asks_its_server else " 'self' file:"),
                f"style-src '{_hash(style)}'",
                "img-src data:",
                *(["connect-src 'self'"] if asks_its_server else []),
                "base-uri 'none'",
                "form-action 'none'",
            )
        ),
        "title": title.translate({ord(char): f"&#{ord(char)};" for char in "<>&\"'"}),
        "style": style,
        "index": json_in_html(index),
        "rows": rows,
        "script": script,
    }
    # One pass: what is put in is never looked at again.
    return re.sub(r"\{\{(\w+)\}\}", lambda mark: parts[mark.group(1)], part("report.html")).encode()


def json_in_html(data: Any) -> str:
    """JSON that can stand in a script element: neither `</script>` nor `<!--` can come up in it."""
    text = orjson.dumps(data).decode()
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text


@cache
def part(name: str) -> str:
    return files("augment_correction.report").joinpath("page", name).read_text("utf-8")


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
