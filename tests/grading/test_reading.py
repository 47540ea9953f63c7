"""Words of texts in scripts with and without spaces."""

from __future__ import annotations

from augment_correction.grading.reading import longest_first, read


def test_scripts_without_spaces_are_cut_at_what_is_known() -> None:
    assert read("東京です", longest_first(["東京", "です"])) == ("東京", "です")
    assert read("京都です", longest_first(["東京", "です"])) == ("京", "都", "です")
    assert read("l'Italie") == ("italie",)
