"""Several servers of one model: a call goes to the one with the least work, and round one that is down."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from augment_correction.errors import TransientError
from augment_correction.llm.backend import Backend
from augment_correction.records import Completion, Request

PAUSE = 10.0
"""Seconds for which a server that could not be reached is asked last."""


@dataclass
class _Member:
    backend: Backend
    address: str
    in_flight: int = 0
    down_until: float = 0.0


class BalancedBackend:
    """Servers share the model's limits: its `concurrency` is of all of them together."""

    def __init__(self, members: Sequence[tuple[str, Backend]], notice: Callable[[str], None]) -> None:
        self._members = [_Member(backend, address) for address, backend in members]
        self._notice = notice

    async def complete(self, request: Request) -> Completion:
        """Raises: what the last server raised, when none could be reached."""
        untried = list(self._members)
        while True:
            now = time.monotonic()
            member = min(untried, key=lambda each: (each.down_until > now, each.in_flight))
            untried.remove(member)
            member.in_flight += 1
            try:
                completion = await member.backend.complete(request)
            except TransientError as failure:
                if not failure.unreachable:
                    raise
                if not member.down_until:
                    self._notice(f"{member.address} cannot be reached; the other servers are used")
                member.down_until = time.monotonic() + PAUSE
                if not untried:
                    raise
            else:
                if member.down_until:
                    self._notice(f"{member.address} can be reached again")
                    member.down_until = 0.0
                return completion
            finally:
                member.in_flight -= 1

    async def close(self) -> None:
        for member in self._members:
            await member.backend.close()
