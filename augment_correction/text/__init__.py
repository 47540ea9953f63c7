"""Texts as they come and as they are written: bytes to text, normal forms, scripts, code fences, and which language one is in."""

from augment_correction.text.composing import normalised
from augment_correction.text.decoding import (
    LOST,
    OBEYED,
    Decoded,
    NotText,
    byte_order_mark,
    clean,
    decode,
    mend,
    printable,
    read_text,
)

__all__ = [
    "LOST", "OBEYED", "Decoded", "NotText", "byte_order_mark", "clean", "decode", "mend", "normalised", "printable", "read_text",
]  # fmt: skip
