from __future__ import annotations

from pathlib import Path

import pytest

from augment_correction.documents import DocumentInfo
from augment_correction.records import Chunk
from augment_correction.runner.cluster import feed
from augment_correction.runner.cluster.feed import Feed
from augment_correction.runner.source import Placed

INFO = DocumentInfo("d", "Title", "a.txt", "text/plain", {"licence": "CC0"}, 9, 2)
PASSAGES = [
    Placed(0, Chunk("c", "d", 0, "Text.", 0, 5, 2, 1, ("One", "Two")), INFO, ("a.txt", 0), {"judge": 2}),
    Placed(1, Chunk("e", "d", 1, "More \ud83d.", 5, 9, 3), INFO),
]


async def test_a_batch_arrives_as_it_was_sent(tmp_path: Path) -> None:
    sent = Feed(tmp_path / "passages")
    sent.begin()
    assert [sent.write(PASSAGES[:1]), sent.write(PASSAGES)] == [0, 1]
    assert await Feed(tmp_path / "passages").read(1) == PASSAGES
    sent.remove(1)
    sent.remove(1)
    assert await Feed(tmp_path / "passages").read(0) == PASSAGES[:1]
    sent.begin()
    assert list((tmp_path / "passages").iterdir()) == []


async def test_a_file_that_this_machine_never_sees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "_WAITS", (0.0, 0.0))
    with pytest.raises(FileNotFoundError):
        await Feed(tmp_path).read(0)
