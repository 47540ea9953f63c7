"""One command at a time in a slot, in a process group of its own that a signal reaches and no stranger does."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from augment_correction.launching.process_id import ProcessId
from augment_correction.launching.slot import Launch, Slot

WAITS = "import time; print('started', flush=True); time.sleep(60)"
ENDS = "import sys; print('done'); sys.exit(3)"


def until(true: Callable[[], object]) -> None:
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture
def launch(tmp_path: Path) -> Launch:
    return Launch(tmp_path, "training", 1)


def test_a_slot_that_is_held_takes_no_second_command_and_is_free_at_the_end(tmp_path: Path, launch: Launch) -> None:
    slot = Slot(tmp_path / "slot")
    assert not slot.busy
    assert slot.start([sys.executable, "-c", WAITS], launch, tmp_path) is True
    other = Launch(tmp_path, "gate", 1)
    assert slot.busy and Slot(tmp_path / "slot").busy
    assert slot.start([sys.executable, "-c", ENDS], other, tmp_path) is False
    assert not other.log.exists() and not other.process_file.exists()
    until(lambda: "started" in launch.log.read_text())
    assert launch.signal(signal.SIGTERM) is True
    until(lambda: not slot.busy)
    assert slot.start([sys.executable, "-c", ENDS], other, tmp_path) is True
    until(lambda: other.code is not None)
    assert other.code == 3
    assert other.log.read_text() == "done\n"


def test_a_group_that_is_gone_or_a_strangers_gets_no_signal(tmp_path: Path, launch: Launch) -> None:
    assert launch.signal(signal.SIGTERM) is False  # nothing was started
    own = ProcessId.own()
    for other in ({"began": "in another life"}, {"host": "another machine"}):
        launch.process_file.write_text(json.dumps({"pid": own.pid, "began": own.began, "host": own.host} | other))
        assert launch.signal(signal.SIGTERM) is False  # or this test would end here
    child = os.spawnlp(os.P_NOWAIT, "true", "true")
    os.waitpid(child, 0)
    launch.process_file.write_text(json.dumps({"pid": child, "began": "", "host": own.host}))
    assert launch.signal(signal.SIGTERM) is False


def test_files_are_named_by_the_start(tmp_path: Path) -> None:
    first, second = Launch(tmp_path, "gate", 1), Launch(tmp_path, "gate", 2)
    assert first.exit_file != second.exit_file and first.process_file != second.process_file
    assert first.log == second.log
    assert first.code is None
    first.exit_file.write_text("0")
    assert (first.code, second.code) == (0, None)
