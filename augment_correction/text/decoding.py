"""Bytes to text: the one decoder for everything that a person hands us.

What is UTF-8 but for a few bytes (a cut end, a damaged disk, a paragraph pasted in another encoding) is UTF-8: its good
part is never read as anything else, and what had to be replaced or repaired is counted.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from augment_correction.errors import ConfigError

# UTF-32's mark begins with UTF-16's, so the order matters.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WIDE = ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
_CONTROL = bytes(set(range(32)) - set(b"\t\n\r\f\v\x1b"))
_SAMPLE = 64 << 10
OBEYED = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, changes of the direction of text, and halves of UTF-16 pairs, which no file can hold."""
LOST = "\ufffd"
"""What stands where bytes could not be read."""


class NotText(ValueError):
    """The bytes are no text in any encoding. `str()` says why."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """Clean text. `encoding` is Python's name of what it was; `guessed` says that nothing but the letters tell it.
    `replaced` counts the signs that could not be read and stand as U+FFFD, `repaired` the lines in another encoding
    than the rest that were read as what they were."""

    text: str
    encoding: str
    guessed: bool = False
    replaced: int = 0
    repaired: int = 0


def clean(text: str) -> str:
    """One kind of line end, no NUL, no byte order mark, no lone surrogate. Costs nothing where there is nothing to do."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text:
        text = text.replace("\0", "")
    if "\ufeff" in text:  # where files were joined; it has no width and no meaning inside a text
        text = text.replace("\ufeff", "")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def printable(text: str) -> str:
    """Characters that a terminal obeys are shown as JSON writes them, so that a line of JSON stays one; line breaks and tabs
    stay."""
    return OBEYED.sub(lambda sign: sign[0] if sign[0] in "\n\t" else f"\\u{ord(sign[0]):04x}", text)


def byte_order_mark(data: bytes) -> tuple[str, int] | None:
    """The encoding that a byte order mark announces, and the mark's length."""
    for mark, name in _MARKS:
        if data.startswith(mark):
            return name, len(mark)
    return None


def decode(data: bytes) -> Decoded:
    """Raises: NotText."""
    marked = byte_order_mark(data)
    if marked:
        return _marked(data[marked[1] :], marked[0])
    wide = _unmarked_wide(data)
    if wide:
        return wide
    if _looks_binary(data):
        raise NotText("holds control characters that no text has")
    try:
        return _japanese_mail(data) or Decoded(clean(data.decode("utf-8")), "utf-8")
    except UnicodeDecodeError as failure:
        return _damaged(data, failure) or _legacy(data)


def read_text(path: Path) -> str:
    """The text of a file that a person writes for us (a config, a prompt, a template), whatever its encoding. In such a
    file a damaged sign is told and not replaced: it is mended at once, and would else be sent to a model.

    Raises: ConfigError with line and column.
    """
    try:
        found = decode(path.read_bytes())
    except OSError as failure:
        raise ConfigError(f"cannot be read: {failure.strerror or failure}", file=path) from None
    except NotText as failure:
        raise ConfigError(f"is not a text file: it {failure}", file=path, hint="save it as UTF-8") from None
    if found.replaced:
        before, _, _ = found.text.partition(LOST)
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        raise ConfigError(
            f"damaged: {found.replaced} characters are not valid {found.encoding.upper()}, the first one here",
            file=path, line=line, column=column, hint="write it again and save the file as UTF-8",
        )  # fmt: skip
    return found.text


# --------------------------------------------------------------------------------------------- with a mark, or wide


def _marked(data: bytes, encoding: str) -> Decoded:
    """What announces its encoding is read as such, with signs replaced; what has hardly any right sign is no text."""
    text = data.decode(encoding, "replace")
    lost = text.count(LOST) - _genuine(data, encoding)
    if lost > 2 and lost > 0.05 * len(text):
        raise NotText(f"starts like {encoding} but is not")
    if encoding == "utf-8" and lost:
        damaged = mend(data)
        return damaged if damaged.repaired else Decoded(clean(text), encoding, replaced=lost)
    return Decoded(clean(text), encoding, replaced=lost)


def _genuine(data: bytes, encoding: str) -> int:
    """U+FFFD that the text itself holds."""
    return data.count(LOST.encode(encoding))


def _unmarked_wide(data: bytes) -> Decoded | None:
    """UTF-16 and UTF-32 without a mark. Every text has spaces, line ends, digits or full stops, which give NUL bytes;
    read with the wrong width or byte order it falls apart into signs of no use."""
    sample = data[:_SAMPLE]
    if len(data) < 4 or 0 not in sample:
        return None
    if sample.count(0) < 0.05 * len(sample) and not _looks_binary(sample.replace(b"\0", b"")) and _is_utf8(sample):
        return None  # a few stray NUL bytes in a text of bytes
    shares = {encoding: _share_of_usual_signs(sample, encoding) for encoding in _WIDE}
    encoding = max(_WIDE, key=lambda name: shares[name])
    if shares[encoding] < 0.02:
        return None
    text = data.decode(encoding, "replace")
    return Decoded(clean(text), encoding, replaced=text.count(LOST) - _genuine(data, encoding))


def _is_utf8(sample: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        return False
    return True


_USUAL = re.compile(r"[\t\n\r ,.\u3000\u3001\u3002\uff0c0-9A-Za-z]")


def _share_of_usual_signs(sample: bytes, encoding: str) -> float:
    """0 where more than one in a hundred is no sign of any script."""
    text = sample[: len(sample) // 4 * 4].decode(encoding, "replace")
    counts = Counter(text)
    strange = sum(
        count for sign, count in counts.items() if unicodedata.category(sign) in _STRANGE and sign not in "\t\n\r\f\v"
    )
    if not text or strange + counts[LOST] > 1 + 0.01 * len(text):
        return 0.0
    return len(_USUAL.findall(text)) / len(text)


_STRANGE = ("Cc", "Cn", "Co", "Cs")


def _looks_binary(data: bytes) -> bool:
    for sample in (data[:_SAMPLE], data[len(data) // 2 :][:_SAMPLE]):
        control = len(sample) - len(sample.translate(None, _CONTROL))
        if control > 8 + 0.002 * len(sample) or (control and control > 0.3 * len(sample)):
            return True
    return False


def _japanese_mail(data: bytes) -> Decoded | None:
    """ISO-2022-JP is ASCII by its bytes and says by escape sequences when it is not."""
    if b"\x1b$" not in data:
        return None
    try:
        return Decoded(clean(data.decode("iso2022_jp_ext")), "iso2022_jp")
    except UnicodeDecodeError:
        return None


# ----------------------------------------------------------------------------------------- UTF-8 but for a few bytes

_SEQUENCE = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]"
    rb"|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}"
)


_FEW = 3


def _damaged(data: bytes, failure: UnicodeDecodeError) -> Decoded | None:
    """Two of three sequences of several bytes are valid: in any other encoding one in six is, by chance (Chinese in
    GB 18030; hardly any elsewhere). One of two is enough where nothing else fits, and a single one at a cut end. Where files in
    two encodings were joined, fewer are enough: each line is in one of them, and the letters of both are one language's."""
    valid = len(_SEQUENCE.findall(data))
    lost = data.decode("utf-8", "replace").count(LOST) - _genuine(data, "utf-8")
    cut_end = failure.reason == "unexpected end of data" and failure.end == len(data)
    if valid and (valid >= 2 * lost or (cut_end and lost == 1) or (valid >= lost and not _by_letters(data))):
        return mend(data)
    by_lines = mend(data) if valid >= _FEW else None
    return by_lines if by_lines and by_lines.repaired and not by_lines.replaced else None


def mend(data: bytes) -> Decoded:
    """Lines that hold no valid sequence but foreign bytes were pasted from another encoding: they are read as that where
    the letters fit the rest of the text. All other foreign bytes are replaced."""
    letters = Counter(sign for sign in data.decode("utf-8", "ignore").lower() if sign > "\x7f" and sign.isalpha())
    lines, repaired = [], 0
    for line in data.split(b"\n"):
        try:
            lines.append(line.decode("utf-8"))
            continue
        except UnicodeDecodeError:
            pasted = None if _SEQUENCE.search(line) else _pasted(line, letters)
        repaired += pasted is not None
        lines.append(line.decode("utf-8", "replace") if pasted is None else pasted)
    text = "\n".join(lines)
    lost = text.count(LOST) - _genuine(data, "utf-8")
    return Decoded(clean(text), "utf-8", replaced=lost, repaired=repaired)


_PASTED = ("cp1252", "cp1250", "cp1251", "cp1253", "koi8_r", "mac_roman")


def _pasted(line: bytes, letters: Counter[str]) -> str | None:
    """`letters` are those of the rest of the text that are not ASCII: the line's own must be among them, or of the same
    script. Of several encodings that fit, the one in which most letters are small is right: KOI8-R and Windows-1251 swap
    the case."""
    alphabets = {
        encoding: [each for each in known if sum(letters[letter] for letter in each) >= 0.9 * letters.total()]
        for encoding, known in _LETTERS.items()
    }
    scripts = {ord(sign) >> 7 for sign in letters if sign >= "\u0370"}  # Greek, Cyrillic ...: 128 signs each
    found: list[tuple[float, str]] = []
    for encoding in _PASTED:
        text = _strictly(line, encoding)
        if text is None:
            continue
        own = [sign for sign in text if sign > "\x7f" and sign.isalpha()]
        fits = all(sign.lower() in letters or ord(sign) >> 7 in scripts for sign in own) or (
            any({sign.lower() for sign in own} <= {*alphabet} for alphabet in alphabets.get(encoding, ()))
            and b"\xff" not in line  # a letter that hardly any language has, and what a damaged disk holds
        )
        if own and fits and not _SIGN_IN_WORD.search(text):
            found.append((sum(sign.islower() for sign in own) / len(own), text))
    return max(found, key=lambda each: each[0])[1] if found else None


# -------------------------------------------------------------------------------------------------- neither of them


def _legacy(data: bytes) -> Decoded:
    found = _by_letters(data)
    if found:
        return found
    from charset_normalizer import from_bytes

    sample = data[: 4 * _SAMPLE]
    guess = from_bytes(sample).best() or from_bytes(sample[:-1]).best()  # the end may be half a character
    for name in (guess.encoding if guess else None, "cp1252"):
        if name and (found := _almost(data, name)):
            return found
    raise NotText("is in no encoding that could be recognised")


def _by_letters(data: bytes) -> Decoded | None:
    """In the encoding of one byte a letter in which the letters are those of one language."""
    readings = [(encoding, text) for encoding in _LETTERS if (text := _strictly(data, encoding)) is not None]
    shares = [_share_of_one_language(text, _LETTERS[encoding]) for encoding, text in readings]
    if not shares or max(shares) < 0.9:
        return None
    encoding, text = readings[shares.index(max(shares))]
    return Decoded(clean(text), encoding, guessed=True)


def _strictly(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _almost(data: bytes, encoding: str) -> Decoded | None:
    """One damaged byte does not make another encoding of it, either."""
    try:
        text = data.decode(encoding, "replace")
    except LookupError:
        return None
    lost = text.count(LOST)
    return Decoded(clean(text), encoding, guessed=True, replaced=lost) if lost <= 1 + 0.002 * len(text) else None


def _share_of_one_language(text: str, alphabets: tuple[str, ...]) -> float:
    """Of the letters that are not ASCII, those that are one language's own.

    charset-normalizer 3.5 calls French "Turkish, cp1257", "café" UTF-16, Danish big5 and Czech in ISO 8859-2 cp1250; it
    is right about other scripts, whose bytes read as these encodings mix the letters of several languages or put signs
    inside words.
    """
    sample = text[: 4 * _SAMPLE]
    if _SIGN_IN_WORD.search(sample):
        return 0.0
    letters = Counter(sign for sign in sample.lower() if sign > "\x7f" and sign.isalpha())
    if not letters:
        return 1.0
    return max(sum(letters[letter] for letter in alphabet) for alphabet in alphabets) / letters.total()


_SIGN_IN_WORD = re.compile(r"[a-zA-Z][^\w\s\x00-\x7f\xa0\xad’‘´·“”–—…][a-z]|[a-z][¹²³ªº][a-z]|[a-z][‚†‡ˆ‰]|[\x80-\x9f]")
_WESTERN = (
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
_CENTRAL = (
    "áčďéěíňóřšťúůýž",  # Czech
    "áäčďéíĺľňóôŕšťúýž",  # Slovak
    "ąćęłńóśźż",  # Polish
    "áéíóöőúüű",  # Hungarian
    "čćđšž",  # Croatian, Slovene
    "ăâîşţ",  # Romanian
)
_TURKISH = ("çğıöşüâîûi̇",)
_LETTERS = {
    "cp1252": _WESTERN,
    "cp1250": _CENTRAL,
    "iso8859_2": _CENTRAL,
    "cp1254": _TURKISH,
    "mac_roman": _WESTERN,
    "mac_latin2": _CENTRAL,
    "cp850": _WESTERN,
    "cp852": _CENTRAL,
}
"""By encoding the letters of the languages that are written in it; of equals the first is taken."""
