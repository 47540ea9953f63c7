"""No name of an object leads out of the folder of its copies, or to the place of another one."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augment_correction.remote.names import refused_names


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("../x.md", "'..'"),
        ("a/../../x.md", "'..'"),
        ("./x.md", "'.'"),
        ("/etc/passwd", "begins with '/'"),
        ("a//b.md", "'//'"),
        ("a/", "'//'"),
        ("x\0.md", "a character"),
        ("\ud800.md", "Unicode"),
        ("ä" * 128 + ".md", "longer than 255 bytes"),
    ],
)
def test_a_name_that_can_be_no_file_here(name: str, why: str) -> None:
    assert why in refused_names([name, "good.md"]).pop(name)


def test_names_that_are_unusual_and_good() -> None:
    names = ["..x.md", "a/...", "a b/ü.md", "a\\b.md", "x" * 255, "~/x.md", "c:/x.md", "-rf"]
    assert refused_names(names) == {}


def test_an_object_with_the_name_of_a_folder() -> None:
    assert list(refused_names(["a", "a/b/c.md", "a/b", "d.md"])) == ["a", "a/b"]


def test_names_that_differ_in_case_alone_are_told_apart_where_the_disk_does() -> None:
    names = ["A.md", "a.md", "Straße.md", "STRASSE.md", "u\u0308.md", "ü.md"]
    assert refused_names(names) == {}
    folded = refused_names(names, folds=True)
    assert len(folded) == 3 and "differs from A.md in case alone" in folded["a.md"]
    assert list(refused_names(["Docs", "docs/a.md"], folds=True)) == ["Docs"]


@given(st.lists(st.text(st.sampled_from("./\\\0ab"), max_size=12), max_size=6))
def test_no_name_leads_out(names: list[str]) -> None:
    refused = refused_names(names)
    places = [Path("/copy", name) for name in set(names) - refused.keys()]
    assert all(place.is_relative_to("/copy") and ".." not in place.parts for place in places)
    assert len(set(places)) == len(places) and not {parent for each in places for parent in each.parents} & {*places}
