"""Runs one command and leaves behind what a worker that did not start it needs: who runs it, and how it ended.

Only a parent is told an exit code, and the worker that was the parent may be gone; so this small process stays the
parent and writes the code to a file. It ends with its command: signals reach both, and it sits them out."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from augment_correction.launching.process_id import ProcessId
from augment_correction.store.folder import atomic_write


def main(process_file: str, exit_file: str, *command: str) -> None:
    # A handler, not SIG_IGN: what is ignored would be ignored by the command, too.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    ProcessId.own().write(Path(process_file))
    try:
        # Open descriptors are passed on: the command holds the slot even where this process is killed alone.
        code = subprocess.run(command, close_fds=False, check=False).returncode
    except OSError as failure:
        sys.stderr.write(f"error: {command[0]}: {failure.strerror}\n")
        code = 127
    with atomic_write(Path(exit_file)) as file:
        file.write(str(code if code >= 0 else 128 - code).encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
