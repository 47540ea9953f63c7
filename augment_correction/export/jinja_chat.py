"""Chat templates as Transformers renders them, but for the date: every render writes the same one.

Source: `transformers.utils.chat_template_utils._compile_jinja_template` (5.24): its globals, its `tojson` and its
`generation` block.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser

from augment_correction.sandbox import BoundedSandbox

FIXED_DATE = datetime(2024, 7, 26)
"""The date that Llama 3.1's and 3.2's templates write where nobody tells them another. Today's would make other rows
of the same run tomorrow."""


class _Generation(Extension):
    """`{% generation %}...{% endgeneration %}` marks what the assistant says, for trainers that ask the template for their
    mask. Ours does not come from there (`export/segments.py`), so the block is its content. What is set in it is forgotten after it, as in Transformers."""

    tags = {"generation"}  # noqa: RUF012  (as the base class declares it)

    def parse(self, parser: Parser) -> nodes.Node:
        line = next(parser.stream).lineno
        return nodes.Scope(parser.parse_statements(("name:endgeneration",), drop_needle=True)).set_lineno(line)


def chat_environment() -> BoundedSandbox:
    env = BoundedSandbox(trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, loopcontrols])
    env.add_filter("tojson", _tojson)
    env.globals["raise_exception"] = _raise_exception
    env.globals["strftime_now"] = FIXED_DATE.strftime
    return env


def _raise_exception(message: str) -> None:
    raise jinja2.TemplateError(message)


def _tojson(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)
