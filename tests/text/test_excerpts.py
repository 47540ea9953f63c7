"""Beginnings of texts."""

from __future__ import annotations

from augment_correction.text.excerpts import excerpt, line_of


def test_only_what_is_longer_is_cut_and_says_so() -> None:
    assert [excerpt("Ida Brandt opened it.", most) for most in (21, 11, 10)] == [
        "Ida Brandt opened it.", "Ida Brandt [...]", "Ida Brandt [...]",
    ]  # fmt: skip
    assert line_of("Ida Brandt\nopened  it.", 17) == "Ida Brandt opened [...]"
