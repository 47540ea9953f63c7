"""A report read back as its page would: by an HTML parser that knows nothing of how it was made."""

from __future__ import annotations

import base64
import json
import re
import zlib
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

HOSTILE = """# </script><script>document.title='OWNED'</script><img src=x onerror="document.title='OWNED'">

Markup <b>bold</b> </style></title><!-- <script> --> was found by Ada Brenn in 1951, {{ rows }} and ${title} beside it.
]]> &lt;script&gt; \\u003c/script> <svg onload="document.title='OWNED'"> ends here. The mill of Pell was built in 1777.
"""
UNICODE = (
    "Turned \u202egnp.exe\u202c, zero\u200bwidth, separators \u2028 and \u2029, nothing \ufffe, astral \U00010330, "
    "\u05e9\u05dc\u05d5\u05dd, \u6771\u4eac\u306f\u65e5\u672c\u306e\u9996\u90fd\u3067\u3042\u308b\u3002 "
    "It was measured in 1888 by Ivo Castell.\n"
)


@dataclass
class Page(HTMLParser):
    """What stands in the page's elements; `scripts` are (attributes, content)."""

    root: Path
    tags: list[str] = field(default_factory=list)
    scripts: list[tuple[dict[str, str | None], str]] = field(default_factory=list)
    policy: str = ""

    def __post_init__(self) -> None:
        super().__init__()
        self._in_script = False
        self.text = (self.root / "report.html").read_text("utf-8")
        self.feed(self.text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._in_script = tag == "script"
        found = dict(attrs)
        if tag == "script":
            self.scripts.append((found, ""))
        if found.get("http-equiv") == "Content-Security-Policy":
            self.policy = found["content"] or ""

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False

    def handle_data(self, data: str) -> None:
        if self._in_script:
            attributes, before = self.scripts[-1]
            self.scripts[-1] = attributes, before + data

    def part(self, name: str) -> str:
        [content] = [content for attributes, content in self.scripts if attributes.get("id") == name]
        return content

    @property
    def index(self) -> dict[str, Any]:
        made: dict[str, Any] = json.loads(self.part("index"))
        return made

    def rows(self) -> list[dict[str, Any]]:
        """Of all shards, in order."""
        found: list[dict[str, Any]] = []
        for shard in self.index["shards"]:
            assert shard["first"] == len(found)
            packed = self.part("rows") if shard["name"] is None else self._shard(shard["name"])
            found += json.loads(zlib.decompress(base64.b64decode(packed, validate=True)))
            assert len(found) - shard["first"] == shard["count"]
        return found

    def _shard(self, name: str) -> str:
        text = (self.root / "report_data" / name).read_text("ascii")
        called = re.fullmatch(r'report_shard\("([\w.-]+)","([A-Za-z0-9+/=]*)"\);\n', text)
        assert called and called[1] == name
        return called[2]

    def statuses(self) -> list[str]:
        return [self.index["classes"][number][0] for number in self.index["rows"]]
