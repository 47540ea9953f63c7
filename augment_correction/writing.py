"""How texts are written: scripts that put no space between words, and the fences of Markdown. One table for graders, checks and
duplicates, so that a language is the same to all of them."""

from __future__ import annotations

import re

UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
"""Thai, Lao, Burmese, Khmer, Japanese and Chinese, as ranges for a regular expression's brackets."""
HANGUL = "\uac00-\ud7af"
"""Korean has spaces; its particles stand at the word without one."""
NO_FULL_STOP = "\u0e00-\u0fff\u1780-\u17ff"
"""Thai, Lao, Tibetan and Khmer end a sentence without a mark that others know."""
FENCE = re.compile(r"^[ \t]*(?:```|~~~)", re.MULTILINE)
"""A line that opens or closes a block of code."""
FENCED_JSON = re.compile(r"```(?:json)?[ \t]*\n?(.*?)```", re.DOTALL | re.IGNORECASE)
"""What stands in a block that is named `json`, or not named."""
