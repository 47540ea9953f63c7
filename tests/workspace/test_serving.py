"""Models are opened once, shared, and closed when others are wanted and nobody uses them."""

from __future__ import annotations

from pathlib import Path

import pytest

from augment_correction.workspace import serving
from augment_correction.workspace.serving import Serving
from tests.workspace.places import settings_in


async def test_the_longest_unused_is_closed_and_never_one_in_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "MOST_OPEN", 2)
    made = Serving(settings_in(tmp_path))
    async with made.using("one", None) as first:
        for name in ("two", "three", "four"):
            async with made.using(name, None):
                pass
        assert first.users == 1
        async with made.using("one", None) as again:
            assert again is first
    async with made.using("four", None), made.using("two", None):
        pass
    async with made.using("one", None) as later:
        assert later is not first
    await made.close()
