"""Bytes to clean text: which encoding, and what is not text at all."""

from __future__ import annotations

import codecs
import re
from collections import Counter
from dataclasses import dataclass

from augment_correction.documents.contract import Unread

# UTF-32's mark begins with UTF-16's, so the order matters.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CONTROL = bytes(set(range(32)) - set(b"\t\n\r\f\v\x1b"))
_SAMPLE = 64 << 10


@dataclass(frozen=True, slots=True)
class Decoded:
    text: str
    encoding: str


def clean(text: str) -> str:
    """One kind of line end, no NUL, no lone surrogate. Costs nothing where there is nothing to do."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text:
        text = text.replace("\0", "")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def byte_order_mark(data: bytes) -> tuple[str, int] | None:
    """The encoding that a byte order mark announces, and the mark's length."""
    for mark, name in _MARKS:
        if data.startswith(mark):
            return name, len(mark)
    return None


def decode(data: bytes) -> Decoded:
    """Clean text and the name of the encoding it came in. Raises Unread("binary")."""
    marked = byte_order_mark(data)
    if marked:
        name, length = marked
        try:
            return Decoded(clean(data[length:].decode(name)), name)
        except UnicodeDecodeError as error:
            raise Unread("binary", f"starts like {name} but is not: {error.reason}") from error
    wide = _unmarked_utf16(data)
    if wide:
        return wide
    if _looks_binary(data):
        raise Unread("binary", "holds control characters that no text has")
    try:
        return Decoded(clean(data.decode("utf-8")), "utf-8")
    except UnicodeDecodeError:
        return _detect(data)


def _unmarked_utf16(data: bytes) -> Decoded | None:
    """UTF-16 of mostly Latin text has a NUL in every second byte, always on the same side."""
    sample = data[: _SAMPLE & ~1]
    if len(sample) < 4 or len(data) % 2 or 0 not in sample:
        return None
    half = len(sample) // 2
    for name, high, low in (
        ("utf-16-le", sample[1::2], sample[::2]),
        ("utf-16-be", sample[::2], sample[1::2]),
    ):
        if high.count(0) > 0.7 * half and low.count(0) < 0.05 * half:
            try:
                return Decoded(clean(data.decode(name)), name)
            except UnicodeDecodeError:
                return None
    return None


def _looks_binary(data: bytes) -> bool:
    for sample in (data[:_SAMPLE], data[len(data) // 2 :][:_SAMPLE]):
        control = len(sample) - len(sample.translate(None, _CONTROL))
        if control > 8 + 0.002 * len(sample) or (control and control > 0.3 * len(sample)):
            return True
    return False


def _detect(data: bytes) -> Decoded:
    western = _western(data)
    if western:
        return western
    from charset_normalizer import from_bytes

    guess = from_bytes(data[: 4 * _SAMPLE]).best()
    for name in (guess.encoding if guess else None, "cp1252"):
        if name:
            try:
                return Decoded(clean(data.decode(name)), name)
            except (UnicodeDecodeError, LookupError):
                continue
    raise Unread("binary", "in no encoding that could be recognised")


def _western(data: bytes) -> Decoded | None:
    """Windows-1252, where one Western language's own letters are nine in ten of the letters that are not ASCII.

    charset-normalizer 3.5 calls French "Turkish, cp1257", "café" UTF-16 and Danish big5; it is right about languages
    further east, whose bytes read as 1252 mix the letters of several languages or put signs inside words.
    """
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError:
        return None
    sample = text[: 4 * _SAMPLE]
    if _SIGN_IN_WORD.search(sample):
        return None
    letters = Counter(character for character in sample.lower() if character > "\x7f" and character.isalpha())
    for alphabet in _ALPHABETS:
        if sum(letters[letter] for letter in alphabet) >= 0.9 * letters.total():
            return Decoded(clean(text), "cp1252")
    return None


_SIGN_IN_WORD = re.compile(r"[a-zA-Z][^\w\s\x00-\x7f\xa0\xad’‘´·“”–—…][a-z]|[a-z][¹²³ªº][a-z]|[\x81\x8d\x8f\x90\x9d]")
_ALPHABETS = (
    "éèêëàâæçîïôœùûüÿ",  # French, and what English borrows
    "äöüßé",  # German, Finnish
    "áéíóúñüªº",  # Spanish
    "ãõçáàâéêíóôú",  # Portuguese
    "àèéìíòóùú",  # Italian
    "æøåéäö",  # Danish, Norwegian, Swedish
    "áðéíóúýþæö",  # Icelandic
    "ëïéèöüáó",  # Dutch
    "àçéèíïóòúü",  # Catalan
)
