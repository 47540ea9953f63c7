"""Runs a command and takes its whole process group down when the one who asked for it dies, even by kill -9.

    python -I -S watchdog.py COMMAND ARGUMENT ...

It stands between us and a server and ends the server's group when its own stdin closes (the kernel closes our end
however we die), when its parent changes (should a forked child of ours hold that end open) or at a SIGTERM, SIGINT or
SIGHUP. Asked a second time, by a signal, it kills the group at once. PR_SET_PDEATHSIG in the server itself would not do:
it fires when the *thread* that started the process ends, and vLLM's workers are not covered by it. Standard library
only: it needs 11 MB.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time

POLL_SECONDS = 0.2
GRACE_SECONDS = 8.0
STRAGGLER_SECONDS = 2.0


def main(command: list[str]) -> int:
    parent = os.getppid()
    asked: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        # A handler and not SIG_IGN: an ignored signal would stay ignored in the command.
        signal.signal(number, lambda received, frame: asked.append(received))
    try:
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=_die_with_watchdog
        )
    except OSError as error:
        sys.stderr.write(f"cannot start {command[0]}: {error.strerror}\n")
        return 127
    while child.poll() is None and not asked:
        readable, _, _ = select.select([0], [], [], POLL_SECONDS)
        if (readable and not os.read(0, 4096)) or os.getppid() != parent:
            asked.append(0)
    _end_group(child, asked)
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


def _end_group(child: subprocess.Popen[bytes], asked: list[int]) -> None:
    """SIGTERM to all, time for the server to end, some more for its workers, then SIGKILL to all that is left. They get
    no time once it was `asked` twice."""
    _signal(child, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_SECONDS
    while child.poll() is None and time.monotonic() < deadline and len(asked) < 2:
        time.sleep(0.05)
    deadline = min(deadline, time.monotonic() + STRAGGLER_SECONDS)
    while _signal(child, 0) and time.monotonic() < deadline and len(asked) < 2:
        time.sleep(0.05)
    _signal(child, signal.SIGKILL)
    child.wait()


def _signal(child: subprocess.Popen[bytes], number: int) -> bool:
    """Whether anyone was left in the group to get it."""
    try:
        os.killpg(child.pid, number)
    except ProcessLookupError:
        return False
    return True


def _die_with_watchdog() -> None:
    """Linux: the command ends with a watchdog killed by -9. By SIGTERM, since only then vLLM takes its engine along.
    preexec_fn is safe here, where there is one thread."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError, ImportError):
            import ctypes

            ctypes.CDLL(None).prctl(1, signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
