"""What a place that answers requests must offer."""

from __future__ import annotations

from typing import Protocol

from augment_correction.records import Completion, Request


class Backend(Protocol):
    """One try at one request: no retries, no accounting."""

    async def complete(self, request: Request) -> Completion:
        """Raises: TransientError, RequestRefused, ModelUnusable."""
        ...

    async def close(self) -> None: ...
