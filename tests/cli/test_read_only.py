"""A finished run in a folder in which nobody may write: on a share, in a snapshot, of a colleague."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.program import program
from tests.projects import bound_by_permissions


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    output = tmp_path_factory.mktemp("share") / "run"
    assert program("run", "smoke", "--set", f"path.output_dir={output}").code == 0
    output.chmod(0o555)
    yield output
    output.chmod(0o755)


def test_its_conversations_are_read(finished: Path) -> None:
    shown = program("inspect", str(finished), before=bound_by_permissions())
    assert shown.code == 0, shown.err
    assert "7 conversations" in shown.out
    assert not list(finished.glob("journal.sqlite-*"))


def test_what_would_write_into_it_says_so(finished: Path) -> None:
    asked = program("export", str(finished), "--format", "openai", before=bound_by_permissions())
    assert asked.code == 2
    assert "Traceback" not in asked.err
    assert f"error: {finished}/exports: Permission denied\n  remedy: make it readable and writable" in asked.err
    again = program("run", "smoke", "--set", f"path.output_dir={finished}", before=bound_by_permissions())
    assert again.code == 2
    assert "cannot be written" in again.err


def test_a_log_beside_it_is_never_passed_over(finished: Path) -> None:
    """It may hold what the file does not have yet."""
    log = finished / "journal.sqlite-wal"
    finished.chmod(0o755)
    log.write_bytes(b"")
    finished.chmod(0o555)
    try:
        shown = program("inspect", str(finished), before=bound_by_permissions())
    finally:
        finished.chmod(0o755)
        log.unlink()
        finished.chmod(0o555)
    assert shown.code == 2
    assert "cannot be written" in shown.err
