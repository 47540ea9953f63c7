"""The one decoder in the words of readers: bytes that are no text give up the file, what was replaced is noted."""

from __future__ import annotations

from collections.abc import Iterator

from augment_correction import text as decoder
from augment_correction.documents.contract import Unread
from augment_correction.records import ReadNote
from augment_correction.text import Decoded, clean

__all__ = ["Decoded", "clean", "decode", "decoding_notes"]


def decode(data: bytes) -> Decoded:
    """Raises: Unread("binary")."""
    try:
        return decoder.decode(data)
    except decoder.NotText as failure:
        raise Unread("binary", str(failure)) from None


def decoding_notes(decoded: Decoded, source: str) -> Iterator[ReadNote]:
    """What a person should know of how the bytes became text."""
    if decoded.replaced:
        detail = f"characters that are not valid {decoded.encoding}, replaced by {decoder.LOST}"
        yield ReadNote(source, "replaced", detail, decoded.replaced)
    if decoded.repaired:
        yield ReadNote(source, "repaired", "lines in another encoding than the rest, read as theirs", decoded.repaired)
    if decoded.guessed:
        detail = (
            f"the encoding is taken to be {decoded.encoding}, by its letters; save the file as UTF-8 if they are wrong"
        )
        yield ReadNote(source, "encoding", detail)
