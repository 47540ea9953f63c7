"""The processor time of a piece of code, for tests of how it grows."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable


def cpu(work: Callable[[], object]) -> float:
    """Seconds of this thread alone. The collector of cycles waits meanwhile: it looks through all that the tests before have left, which took 1 s
    in a process that had loaded torch."""
    gc.disable()
    begun = time.thread_time()
    try:
        work()
        return time.thread_time() - begun
    finally:
        gc.enable()
