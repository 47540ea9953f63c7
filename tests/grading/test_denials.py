"""What a text denies."""

from __future__ import annotations

import pytest

from augment_correction.grading.denials import denied


@pytest.mark.parametrize(
    "text",
    ["It isn't so", "nicht so", "no es así", "ce n'est pas", "non è", "não é", "is niet", "не так", "to nie", "není to",
     "är inte", "er ikke", "değil", "ليس", "नहीं है", "不是", "ではありません", "아닙니다", "ei ole ei"],
)  # fmt: skip
def test_a_denial_is_seen_in_any_of_these_languages(text: str) -> None:
    assert denied(text)
