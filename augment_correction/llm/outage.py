"""A server that has gone silent: everybody waits, one call at a time asks whether it is back."""

from __future__ import annotations

import time
from collections.abc import Callable

from augment_correction.errors import ModelError, ModelUnusable, TransientError

OUTAGE_AFTER = 8
"""Errors in a row, of all calls together, that mean an outage. More than the retries of one call, so that a single
request that always fails is rejected and not taken for one."""
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 30.0
"""Seconds between two probes; they double from the first to the longest."""
PATIENCE = 1800.0
"""Seconds of silence after which the run stops, resumable."""


class Outage:
    """`since` is when the server fell silent, None while it answers. A server that has never answered has none: a
    wrong address is told at once."""

    def __init__(self, notice: Callable[[str], None] = lambda _: None) -> None:
        self.since: float | None = None
        self.probing = False
        self._notice = notice
        self._answered_ever = False
        self._errors_in_a_row = 0
        self._pause = FIRST_PAUSE

    def answered(self) -> None:
        self._answered_ever = True
        self._errors_in_a_row = 0
        if self.since is not None:
            self._notice(f"the server answers again after {time.monotonic() - self.since:.0f} s")
            self.since, self.probing, self._pause = None, False, FIRST_PAUSE

    def failed(self, failure: ModelError) -> float | None:
        """Seconds to wait before the next probe, where this error belongs to an outage; None where it is the call's own.

        Raises: ModelUnusable where the server has been silent for longer than PATIENCE.
        """
        self._errors_in_a_row += 1
        self.probing = False
        if not isinstance(failure, TransientError) or not self._answered_ever:
            return None
        if self._errors_in_a_row < OUTAGE_AFTER and not failure.unreachable:
            return None
        if self.since is None:
            self.since = time.monotonic()
            self._notice(f"waiting for the server: {failure.message}")
        if time.monotonic() - self.since > PATIENCE:
            raise ModelUnusable(
                f"no answer for {PATIENCE / 60:.0f} minutes: {failure.message}",
                hint="run the same command again when the server is back: finished calls are not repeated",
            )
        pause, self._pause = self._pause, min(2 * self._pause, LONGEST_PAUSE)
        return pause
