"""Unicode's normal forms in linear time.

`unicodedata.normalize` puts the marks over and under a letter into their order by moving each past those before it: one letter with
80,000 marks of two kinds in turn took six seconds, and a megabyte of them a quarter of an hour. Marks in order are only read.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import groupby
from typing import Literal

Form = Literal["NFC", "NFKC"]
_MANY = 32
"""Marks: no writing sets so many on a letter, and so few cost nothing in any order."""
_MAY_BE_MARKS = re.compile(rf"[^\w\s\x00-\u02ff]{{{_MANY},}}")


def normalised(form: Form, text: str) -> str:
    """What `unicodedata.normalize` makes of it."""
    if not text.isascii():
        text = _MAY_BE_MARKS.sub(lambda run: _in_order(form, run.group()), text)
    return unicodedata.normalize(form, text)


def _in_order(form: Form, run: str) -> str:
    """Taken apart and sorted as the standard sorts them (UAX 15, canonical ordering): marks that stand between two other signs, by class."""
    apart = "".join(unicodedata.normalize("NFD" if form == "NFC" else "NFKD", sign) for sign in run)
    return "".join(
        "".join(sorted(signs, key=unicodedata.combining) if marks else signs)
        for marks, signs in groupby(apart, key=lambda sign: unicodedata.combining(sign) > 0)
    )
