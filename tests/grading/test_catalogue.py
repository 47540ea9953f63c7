"""Every code has one entry, and every entry is found from a code."""

from __future__ import annotations

import pytest

from augment_correction.grading.catalogue import CATALOGUE, Code, pattern_of


def test_names_are_unique_and_every_entry_is_told_in_full() -> None:
    assert len({code.name for code in CATALOGUE}) == len(CATALOGUE) == 22
    assert all(code.group and code.meaning and code.threshold and code.example for code in CATALOGUE)


@pytest.mark.parametrize("code", CATALOGUE, ids=lambda code: code.name)
def test_a_code_with_its_number_is_found(code: Code) -> None:
    assert pattern_of(code.name.replace("_X", "_6")) is code


@pytest.mark.parametrize("text", ["LENGTH_SHORT_BY_X_TOKENS", "SIMILARITY_%", "TOO_BRIE", "", "INDEX"])
def test_what_is_no_code_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="TOO_BRIEF"):
        pattern_of(text)
