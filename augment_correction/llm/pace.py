"""Caps per minute, and the durations in which servers speak of theirs."""

from __future__ import annotations

import re
import time

_UNITS = {"ms": 0.001, "s": 1.0, "": 1.0, "m": 60.0, "h": 3600.0}


class Pace:
    """Caps of requests and prompt tokens per minute as a steady pace, with a second's worth at once."""

    def __init__(self, rpm: float | None = None, tpm: float | None = None) -> None:
        self._per_request = 60 / rpm if rpm else 0.0
        self._per_token = 60 / tpm if tpm else 0.0
        self._free_at = [0.0, 0.0]

    def delay(self) -> float:
        """Seconds until the next call may start."""
        if not self._per_request and not self._per_token:
            return 0.0
        return max(0.0, max(self._free_at) - time.monotonic() - 1.0)

    def started(self, tokens: int) -> None:
        now = time.monotonic()
        for index, cost in enumerate((self._per_request, tokens * self._per_token)):
            self._free_at[index] = max(self._free_at[index], now) + cost


def seconds_of(text: str) -> float:
    """OpenAI's spelling of a duration (`6m0s`, `1.5s`, `20ms`) or plain seconds; 1 where it cannot be read."""
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|s|m|h|)", text)
    return sum(float(number) * _UNITS[unit] for number, unit in parts) if parts else 1.0
