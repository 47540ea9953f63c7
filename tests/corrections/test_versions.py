"""Versions never change; one of them is active, and every activation is kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from augment_correction.corrections.config import load_chat
from augment_correction.corrections.versions import Version, Versions
from augment_correction.errors import InputError

MADE = Version(
    0, None, "/models/base", "sdft", (1, 2), "hash", "/a/final", "/a/e.json", "/a/e.html", "accept", (), "now"
)


@pytest.fixture
def versions(tmp_path: Path) -> Versions:
    made = Versions(tmp_path)
    for number in range(1, 4):
        made.add(replace(MADE, data=f"hash {number}", adapter=f"/a{number}/final"))
    return made


def test_they_are_numbered_and_found_by_their_data(versions: Versions) -> None:
    assert [each.id for each in versions.all()] == [1, 2, 3]
    found = versions.made_of("hash 2")
    assert found is not None and found.id == 2 and versions.made_of("other") is None


def test_a_rollback_goes_back_one_more_each_time(versions: Versions) -> None:
    assert versions.active() is None
    for number in (1, 2, 3):
        versions.activate(number)
    back = [versions.roll_back() for _ in range(3)]
    assert [each.id if each else None for each in back] == [2, 1, None]
    with pytest.raises(InputError, match="no version is active"):
        versions.roll_back()


def test_one_that_was_not_accepted_needs_force(versions: Versions) -> None:
    refused = versions.add(replace(MADE, data="bad", outcome="reject", reasons=("neighbours moved",)))
    with pytest.raises(InputError, match="not accepted \\(reject\\): neighbours moved"):
        versions.activate(refused.id)
    versions.activate(refused.id, force=True)
    assert versions.active() == refused
    with pytest.raises(InputError, match="there is no version 9"):
        versions.activate(9)


def test_an_activation_that_a_kill_cut_short_did_not_happen(versions: Versions, tmp_path: Path) -> None:
    versions.activate(1)
    with (tmp_path / "versions" / "active.jsonl").open("ab") as file:
        file.write(b'{"version": 2, "who')
    active = versions.active()
    assert active is not None and active.id == 1


def test_the_active_version_is_worn_by_its_own_model_only(versions: Versions, tmp_path: Path) -> None:
    versions.activate(2)
    hf = ["api.target_mode=hf", "api.target_model=/models/base"]
    worn, number = versions.worn(load_chat("chat", hf))
    assert (worn.model("target").adapter, number) == ("/a2/final", 2)
    _, number = versions.worn(load_chat("chat", ["api.target_mode=hf", "api.target_model=/models/other"]))
    assert number is None
    _, number = versions.worn(load_chat("chat"))
    assert number is None
