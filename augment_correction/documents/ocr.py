"""The text of pictures of pages, read by RapidOCR (the extra `ocr`).

Its wheel holds its models, so nothing is fetched, and one model reads English, German and French alike, so nobody has to
name the language. It was measured beside Tesseract (benchmarks/NOTES.md).

A page takes seconds, and a run reads its documents again each time it is started; so what was read is kept in the
user's cache folder, under a hash of the picture.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

import orjson

from augment_correction.store.folder import atomic_write

LONGEST_SIDE = 2000
"""Pixels; RapidOCR makes a larger picture smaller before it reads it."""

Box = tuple[str, float, float, float, float]
"""A line of text, and its left, top, right and bottom side in pixels."""

_SLANT = 0.25
"""Boxes of one size of type differ by so much of their height, for their letters do."""


def installed() -> bool:
    return all(find_spec(name) for name in ("rapidocr", "onnxruntime"))


def read_picture(pixels: Any) -> list[Box]:
    """The lines in a picture (an array of rows of blue, green and red), in any order."""
    kept = _cache() / f"{_key(pixels)}.json"
    with suppress(OSError, ValueError, TypeError):
        return [(str(text), *map(float, sides)) for text, *sides in orjson.loads(kept.read_bytes())]  # type: ignore[misc]
    found = recognise(pixels)
    with suppress(OSError):  # a cache that cannot be written costs time and nothing else
        kept.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with atomic_write(kept) as file:
            file.write(orjson.dumps(found))
    return found


def type_sizes(boxes: Sequence[Box]) -> list[float]:
    """Each line's size of type in pixels: that of most lines where it is near it."""
    heights = [bottom - top for _, _, top, _, bottom in boxes]
    usual = median(heights) if heights else 0.0
    return [usual if abs(height - usual) <= _SLANT * usual else height for height in heights]


def recognise(pixels: Any) -> list[Box]:
    result = _engine()(pixels)
    if result.boxes is None or result.txts is None:
        return []
    found: list[Box] = []
    for corners, text in zip(result.boxes.tolist(), result.txts, strict=True):
        if text.strip():
            (x1, y1), (x2, y2), (x3, y3), (x4, y4) = corners  # clockwise from the top left
            # The middle of slanting sides: a page lies a little askew on the glass.
            found.append((text.strip(), min(x1, x4), (y1 + y2) / 2, max(x2, x3), (y3 + y4) / 2))
    return found


@cache
def _engine() -> Any:
    from rapidocr import RapidOCR

    return RapidOCR(params={"Global.log_level": "critical", "Global.use_cls": False})


def _key(pixels: Any) -> str:
    made = hashlib.sha256(f"rapidocr {version('rapidocr')} {pixels.shape}".encode())
    made.update(pixels.tobytes())
    return made.hexdigest()


def _cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "augment-correction" / "ocr"
