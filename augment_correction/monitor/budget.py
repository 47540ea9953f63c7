"""How long the monitor may take: its share of the time since the training began, its own included. The token that is
being made when the time is over, and the grading, come on top; the next evaluations wait until that is saved up again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import inf


class Budget:
    """Learns what an answer costs. Whoever ran out of time needs at least twice as long at the next try, so that a
    share too small for one answer is saved up and not spent in vain."""

    def __init__(self, max_share: float, timeout: float | None, clock: Callable[[], float]) -> None:
        self._max_share, self._timeout, self._clock = max_share, timeout, clock
        self._began = clock()
        self._each = 0.0
        self.spent = 0.0

    @property
    def share(self) -> float:
        total = self._clock() - self._began
        return self.spent / total if total > 0 else 0.0

    def seconds(self) -> float:
        """That may be spent now: with x of them, (spent + x) / (total + x) is the share."""
        if self._max_share == 1:
            return self._timeout or inf
        total = self._clock() - self._began
        allowed = (self._max_share * total - self.spent) / (1 - self._max_share)
        return max(0.0, min(allowed, self._timeout or inf))

    def items(self, wanted: int) -> int:
        """How many of the wanted ones there is time for."""
        seconds = self.seconds()
        if seconds <= 0:
            return 0
        return min(wanted, int(seconds / self._each)) if self._each and seconds < inf else wanted

    @contextmanager
    def spending(self) -> Iterator[None]:
        began = self._clock()
        try:
            yield
        finally:
            self.spent += self._clock() - began

    def learn(self, asked: int, answered: int, seconds: float) -> None:
        """What `asked` questions took, of which `answered` came to an end in time."""
        each = seconds / asked if answered == asked else 2 * seconds / max(1, answered)
        self._each = min(each, self._timeout or inf)  # no more can be saved up for one than that
