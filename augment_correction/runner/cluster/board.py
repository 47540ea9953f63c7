"""What all actors of a run agree on. A small actor on the driver's node: it dies with the run and with nothing else."""

from __future__ import annotations

import pickle
import traceback
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal

from augment_correction.errors import AugmentCorrectionError

LEASES = 4
"""The rest of the budget is handed out in this many leases per actor, each of what is then left."""


@dataclass
class BoardView:
    """What the driver learns: why the run stops (pickled), notices since the last look, passages by stage."""

    cause: bytes | None
    notices: list[str]
    in_flight: dict[str, int]


@dataclass
class Board:
    actors: int
    budget: Decimal | None
    """USD that may still be spent; None without a cap."""
    cause: bytes | None = None
    _slots: dict[str, int] = field(default_factory=dict)
    _begun: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    _notices: dict[str, None] = field(default_factory=dict)
    _shown: int = 0
    _in_flight: dict[str, dict[str, int]] = field(default_factory=dict)

    def join(self, actor: str) -> int:
        """The actor's place among the shares; one that Ray has started again has its old place."""
        return self._slots.setdefault(actor, len(self._slots) % self.actors)

    def begin(self, batch: int, journal: str) -> list[str]:
        """Journals in which answers to this batch may stand already: of those who began it before."""
        begun = self._begun[batch]
        earlier = [name for name in begun if name != journal]
        begun.append(journal)
        return earlier

    def beat(self, actor: str, in_flight: dict[str, int]) -> bool:
        """A sign of life; True where the run is to stop."""
        self._in_flight[actor] = in_flight
        return self.cause is not None

    def halt(self, cause: bytes) -> None:
        self.cause = self.cause or cause

    def say(self, notice: str) -> None:
        """Every actor finds out for itself what one of them says; the user reads it once."""
        self._notices[notice] = None

    def lease(self, amount: Decimal) -> Decimal:
        """At least `amount` USD more to spend, or 0 where that is not left. What a dead actor had leased counts as
        spent: a cap may be undershot, never passed."""
        assert self.budget is not None
        if amount > self.budget:
            return Decimal(0)
        granted = max(amount, self.budget / (LEASES * self.actors))
        self.budget -= granted
        return granted

    def look(self) -> BoardView:
        sums: dict[str, int] = defaultdict(int)
        for stages in self._in_flight.values():
            for stage, count in stages.items():
                sums[stage] += count
        new = list(self._notices)[self._shown :]
        self._shown += len(new)
        return BoardView(self.cause, new, dict(sums))


def packed(cause: Exception) -> bytes:
    """An exception for another machine, whatever it holds; a bug brings its traceback along."""
    if not isinstance(cause, AugmentCorrectionError):
        cause.add_note("On the actor:\n" + "".join(traceback.format_exception(cause)))
    try:
        data = pickle.dumps(cause)
        pickle.loads(data)
    except Exception:  # some cannot be pickled, some cannot be made again from their arguments
        plain = AugmentCorrectionError(f"{type(cause).__name__}: {cause}", hint=getattr(cause, "hint", None))
        return pickle.dumps(plain)
    return data
