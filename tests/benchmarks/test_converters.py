from __future__ import annotations

import pytest

from benchmarks import converters


def test_our_readers_give_every_fact_and_no_trap(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["converters", "--engine", "ours", "--missing"])
    converters.main()
    printed = capsys.readouterr().out
    assert "41/41 -0" in printed, printed
