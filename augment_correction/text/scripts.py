"""Scripts that put no space between words, or write a word with a sign or two. One table for graders, checks and duplicates, so that
a language is the same to all of them."""

from __future__ import annotations

UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
"""Thai, Lao, Burmese, Khmer, Japanese and Chinese, as ranges for a regular expression's brackets."""
HANGUL = "\uac00-\ud7af"
"""Korean has spaces; its particles stand at the word without one."""
NO_FULL_STOP = "\u0e00-\u0fff\u1780-\u17ff"
"""Thai, Lao, Tibetan and Khmer end a sentence without a mark that others know."""


def says_much(sign: str) -> bool:
    """Whether a word of its script has one or two signs: Japanese, Chinese, Korean."""
    return "\u3040" <= sign <= "\u9fff" or "\uac00" <= sign <= "\ud7af"
