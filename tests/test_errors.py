"""What an error tells its reader to do."""

from __future__ import annotations

import json
from importlib import metadata
from typing import Any

import pytest

from augment_correction.errors import MissingExtra, installing


class Installed:
    def __init__(self, direct_url: dict[str, Any] | None) -> None:
        self._told = direct_url and json.dumps(direct_url)

    def read_text(self, name: str) -> str | None:
        return self._told if name == "direct_url.json" else None


@pytest.mark.parametrize(
    ("told", "command"),
    [
        (None, 'pip install "augment-correction[train]"'),
        (
            {"url": "file:///home/a%20b/house", "dir_info": {"editable": True}},
            'pip install -e "/home/a b/house[train]"',
        ),
        ({"url": "file:///srv/house", "dir_info": {}}, 'pip install "/srv/house[train]"'),
        (
            {"url": "https://git.example/house.git", "vcs_info": {"vcs": "git", "commit_id": "1f"}},
            'pip install "augment-correction[train] @ git+https://git.example/house.git"',
        ),
    ],
)
def test_a_missing_extra_is_installed_from_where_the_package_came(
    told: dict[str, Any] | None, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metadata, "distribution", lambda name: Installed(told))
    assert MissingExtra("train", "train").hint == command


def test_a_package_that_is_not_installed_at_all_has_a_command_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", nothing)
    assert installing("ray") == 'pip install "augment-correction[ray]"'
