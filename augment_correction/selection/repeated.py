"""Which of very many hashes come more than once, without keeping one of them."""

from __future__ import annotations

from collections.abc import Iterable

PLACES = 8
"""For each hash that is expected: about one in ten that came once is taken for one that came twice."""


class Repeated:
    """Two bits for each place, at which hashes are counted up to two: four bytes for two hashes. A hash that was noted twice is in it,
    and few others."""

    def __init__(self, expected: int) -> None:
        self._mask = (1 << max(16, (PLACES * expected - 1).bit_length())) - 1
        self._counts = bytearray(self._mask + 1 >> 2)

    def note(self, hashes: Iterable[int]) -> None:
        counts, mask = self._counts, self._mask
        for hashed in hashes:
            place = hashed & mask
            shift = (place & 3) << 1
            if not counts[place >> 2] >> shift & 2:
                counts[place >> 2] += 1 << shift

    def __contains__(self, hashed: object) -> bool:
        assert isinstance(hashed, int)
        place = hashed & self._mask
        return bool(self._counts[place >> 2] >> ((place & 3) << 1) & 2)
