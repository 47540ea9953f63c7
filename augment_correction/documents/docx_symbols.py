"""Characters of Word's symbol fonts as Unicode. Word keeps them as a position in a font (U+F020 to U+F0FF)."""

from __future__ import annotations

# The Symbol font's own encoding (Adobe's Symbol Encoding); "\0" where it has only a piece of a tall bracket.
_SYMBOL = (
    " !∀#∃%&∋()∗+,−./0123456789:;<=>?≅ΑΒΧ∆ΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ[∴]⊥_\0αβχδεφγηιϕκλμνοπθρστυϖωξψζ{|}∼",
    "€ϒ′≤⁄∞ƒ♣♦♥♠↔←↑→↓°±″≥×∝∂•÷≠≡≈…\0\0↵ℵℑℜ℘⊗⊕∅∩∪⊃⊇⊄⊂⊆∈∉∠∇®©™∏√⋅¬∧∨⇔⇐⇑⇒⇓◊〈®©™∑⎛⎜⎝⎡⎢⎣⎧⎨⎩⎪\0〉∫⌠⎮⌡⎞⎟⎠⎤⎥⎦⎫⎬⎭\0",
)
_SIGNS = {
    "symbol": {
        start + offset: sign
        for start, signs in zip((0x20, 0xA0), _SYMBOL, strict=True)
        for offset, sign in enumerate(signs)
        if sign != "\0"
    },
    # of the picture fonts those that carry meaning in a text
    "wingdings": dict(
        zip(
            b"\x20\x22\x28\x2a\x36\x3f\x41\x4a\x4b\x4c\x6c\x6d\x6e\x6f\x71\x72\x75\x76\x9e\x9f\xa1\xa7\xa8\xab\xb2"
            b"\xd5\xd6\xd8\xdf\xe0\xe1\xe2\xe8\xef\xf0\xf1\xf2\xf3\xf4\xfb\xfc\xfd\xfe",
            " ✂☎✉⌛✍✌☺😐☹●❍■□❑❒◆❖·•○▪◻★✧⌫⌦➢←→↑↓➔⇦⇨⇧⇩⬄⇳✗✓☒☑",
            strict=True,
        )
    ),
    "wingdings 2": dict(zip(b"\x4f\x50\x51\x52\x53\x54\xa3", "✗✓☒☑☒☒□", strict=True)),
    "wingdings 3": dict(zip(b"\x66\x67\x68\x69\x70\x71\x74\x75\x7d", "←→↑↓▲▼◀▶▶", strict=True)),
    "webdings": dict(zip(b"\x33\x34\x35\x36\x61\x63\x67\x6e\x72", "◀▶▲▼✔□■●✗", strict=True)),
}
_UNKNOWN = "□"  # what a viewer without the font shows: a reader sees that a sign stands here


def symbol(font: str | None, position: int) -> str:
    """The character at a position (0x20 to 0xFF, or the same above 0xF000) of a font; ordinary fonts hold Unicode."""
    place = position & 0xFF if 0xF000 <= position <= 0xF0FF else position
    signs = _SIGNS.get((font or "").casefold())
    if signs is not None:
        return signs.get(place, _UNKNOWN)
    if position == place:
        return chr(position) if 0x20 <= position < 0x110000 and not 0xD800 <= position < 0xE000 else _UNKNOWN
    return _SIGNS["symbol"].get(place, _UNKNOWN) if not font else _UNKNOWN


def without_positions(text: str, font: str | None) -> str:
    """Ordinary text in which a symbol font's positions, if there are any, have become characters."""
    if not any("\uf020" <= sign <= "\uf0ff" for sign in text):
        return text
    return "".join(symbol(font, ord(sign)) if "\uf020" <= sign <= "\uf0ff" else sign for sign in text)
