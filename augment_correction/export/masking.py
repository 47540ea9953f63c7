"""The mask by tokens. A token is masked where it touches masked text of a message or its end-of-turn, trained where it
touches trained text of one, and else as the template's own text is."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from augment_correction.export.segments import Zone
from augment_correction.export.tokenizer import Encoded

IGNORED = -100
"""What PyTorch's cross entropy, and so every trainer, leaves out of the loss."""


def touching(zone: Zone, encoded: Encoded) -> slice:
    """The tokens that hold a character of the zone."""
    first = bisect_right(encoded.ends, zone.start)
    return slice(first, max(first, bisect_left(encoded.starts, zone.end)))


def token_mask(places: Sequence[Zone], encoded: Encoded, train_scaffold: bool) -> bytearray:
    """One byte a token: 1 trained, 0 masked."""
    mask = bytearray(b"\1" if train_scaffold else b"\0") * len(encoded.ids)
    for label in (True, False):  # the masked ones last: they win where a token touches both
        for zone in places:
            if zone.kind != "scaffold" and zone.label == label:
                part = touching(zone, encoded)
                mask[part] = bytes([label]) * (part.stop - part.start)
    return mask


def labels(ids: Sequence[int], mask: bytes | bytearray) -> list[int]:
    """`ids` where trained, -100 where not."""
    return [token if trained else IGNORED for token, trained in zip(ids, mask, strict=True)]
