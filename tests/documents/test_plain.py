from __future__ import annotations

from functools import partial
from pathlib import Path

from augment_correction.documents.plain import markdown_headings
from augment_correction.text.fences import fences
from tests.cpu import cpu

from .files import read

SAMPLE = """\
Intro before any heading.

# Rivers #

Text with a # sign, and #hashtag.

The Setext One
==============

```python
# not a heading
```

~~~
## nor this
```
still code
~~~

Second level
---

Not a title because
two lines stand above
---

   ### Indented ###
####### seven is too many
- item
---
| a |
|---|
##
"""


def test_headings_outside_code(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(SAMPLE)
    [document] = read(tmp_path)[0]
    assert [(heading.level, heading.title) for heading in document.headings] == [
        (1, "Rivers"),
        (1, "The Setext One"),
        (2, "Second level"),
        (3, "Indented"),
    ]
    for heading in document.headings:
        assert heading.title in document.text[heading.start :].split("\n")[0]
    assert (document.title, document.media_type) == ("Rivers", "text/markdown")


def test_a_heading_at_the_very_start() -> None:
    assert [heading.start for heading in markdown_headings("Top\n===\n\n# Next")] == [0, 9]


def test_an_unclosed_fence_swallows_nothing() -> None:
    text = "```\ncode\n\n# Heading\n\ntext"
    assert fences(text) == []
    assert [heading.title for heading in markdown_headings(text)] == ["Heading"]


def test_hostile_markdown_takes_linear_time() -> None:
    for hostile in (
        "#" * 200_000,
        "# " + " #" * 100_000,
        "`" * 200_000,
        "a\n" * 100_000 + "=",
        " " * 200_000,
        "# a" + " " * 200_000 + "b",
    ):
        assert cpu(partial(markdown_headings, hostile)) < 1.5
