"""The table of other tools: each client's script is measured the same way, and a client that fails is named."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from benchmarks import bench
from benchmarks.peers import __main__ as peers


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "environment", lambda name: Path(sys.executable))


def test_bare_aiohttp_and_ours_send_the_same_number_of_requests_and_lose_none() -> None:
    for name in ("aiohttp", "ours"):
        made = peers.measure(name, 8, 4)
        assert made["sent"] == 8 and made["lost"] == 0 and 1 <= made["in_flight"] <= 4, name
        assert made["cpu_ms"] > 0 and made["peak_mb"] > 10 and made["window"] >= 0.9


def test_a_client_that_fails_ends_the_table_with_its_last_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "aiohttp_loop.py").write_text("raise RuntimeError('no such model')")
    monkeypatch.setattr(peers, "CLIENTS", tmp_path)
    with pytest.raises(SystemExit, match="no such model"):
        peers.measure("aiohttp", 8, 4)


def test_every_peer_has_its_script_and_exact_versions() -> None:
    scripts = {path.name for path in peers.CLIENTS.glob("*.py")}
    assert scripts == {peer.script for peer in peers.PEERS.values()}
    for name, peer in peers.PEERS.items():
        assert re.fullmatch(r"[\w-]+==[\w.]+", peer.requirements[0]), name


def test_the_recorded_table_has_every_peer_and_none_lost_ours() -> None:
    rows = bench.recorded("peers")["rows"]
    assert {row["client"] for row in rows} == {"ours", *peers.PEERS}
    assert not any(row["lost"] for row in rows if row["client"] == "ours")
