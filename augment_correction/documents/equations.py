"""Equations of Office (OMML) and of the web (MathML) as LaTeX. Letters and signs stay as they are: α, ≤, ∞."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

_M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
MATH, MATH_PARAGRAPH = f"{_M}oMath", f"{_M}oMathPara"

_DELETED = {f"{_W}del", f"{_W}moveFrom"}
_ESCAPED = str.maketrans({sign: f"\\{sign}" for sign in "{}%#&_$"} | {"\\": "\\backslash "})
_LARGE = {"∑": "\\sum", "∏": "\\prod", "∐": "\\coprod", "∫": "\\int", "∬": "\\iint", "∭": "\\iiint", "∮": "\\oint"}
_LARGE |= {"⋃": "\\bigcup", "⋂": "\\bigcap", "⋁": "\\bigvee", "⋀": "\\bigwedge"}
_SILENT, _TEXTS = {"annotation", "annotation-xml", "mphantom"}, {"mi", "mn", "mo", "mtext"}
_ACCENTS = {"\u0302": "hat", "\u0303": "tilde", "\u0304": "bar", "\u0305": "bar", "\u0307": "dot", "\u0308": "ddot"}
_ACCENTS |= {"\u030c": "check", "\u0301": "acute", "\u0300": "grave", "\u0306": "breve", "\u20d7": "vec"}
_ACCENTS |= {"^": "hat", "ˆ": "hat", "~": "tilde", "˜": "tilde", "¯": "bar", "‾": "bar", "→": "vec", "˙": "dot"}
_FUNCTIONS = {"sin", "cos", "tan", "cot", "sec", "csc", "sinh", "cosh", "tanh", "log", "ln", "lg", "exp", "lim"}
_FUNCTIONS |= {"max", "min", "sup", "inf", "arg", "det", "dim", "deg", "gcd", "ker", "arcsin", "arccos", "arctan"}


def omml(node: Any) -> str:
    """An equation, or any part of one, of Word or PowerPoint as LaTeX without dollar signs."""
    parts = []
    for child in node:
        if isinstance(child.tag, str) and child.tag not in _DELETED:
            read = _OMML.get(child.tag.removeprefix(_M)) if child.tag.startswith(_M) else None
            parts.append(read(child) if read else omml(child))
    return "".join(parts).strip() if node.tag == MATH else "".join(parts)


def mathml(node: Any) -> str:
    """A MathML element as LaTeX without dollar signs; the author's own TeX where it is noted beside it."""
    for note in node.iter("{*}annotation"):
        if "tex" in (note.get("encoding") or "") and note.text:
            return str(note.text).strip()
    return _mathml(node).strip()


def _mathml(node: Any) -> str:
    """Without recursion: what is not closed nests thousands deep."""
    from lxml import etree

    open_parts: list[list[str]] = [[]]  # of each open element what its children have become
    walk = etree.iterwalk(node, events=("start", "end"))
    read = None
    for event, each in walk:
        name = each.tag.rpartition("}")[2]
        if event == "start":
            if name in _SILENT or name in _TEXTS:
                text = "" if name in _SILENT else "".join("".join(each.itertext()).split())
                open_parts[-1].append(_function(text.translate(_ESCAPED)))
                read = each
                walk.skip_subtree()
            else:
                open_parts.append([])
        elif each is not read:
            parts = open_parts.pop()
            fewest, layout = _MATHML.get(name, (0, "".join))
            open_parts[-1].append(layout(parts) if len(parts) >= fewest else "".join(parts))
    return "".join(open_parts[0])


def _braced(text: str) -> str:
    return text if len(text) == 1 or (text.startswith("\\") and text[1:].isalpha()) else f"{{{text}}}"


def _script(base: str, sub: str = "", sup: str = "") -> str:
    return _braced(base) + (f"_{{{sub}}}" if sub else "") + (f"^{{{sup}}}" if sup else "")


def _fraction(above: str, below: str) -> str:
    return f"\\frac{{{above}}}{{{below}}}"


def _root(inside: str, degree: str = "") -> str:
    return f"\\sqrt[{degree}]{{{inside}}}" if degree else f"\\sqrt{{{inside}}}"


def _accented(base: str, sign: str) -> str:
    return f"\\{_ACCENTS[sign]}{{{base}}}" if sign in _ACCENTS else base + sign


def _rows(kind: str, rows: Sequence[str]) -> str:
    return f"\\begin{{{kind}}}" + " \\\\ ".join(rows) + f"\\end{{{kind}}}"


def _function(name: str) -> str:
    return f"\\{name}" if name in _FUNCTIONS else name


_MATHML: dict[str, tuple[int, Callable[[list[str]], str]]] = {
    "mfrac": (2, lambda parts: _fraction(*parts[:2])),
    "msup": (2, lambda parts: _script(parts[0], sup=parts[1])),
    "msub": (2, lambda parts: _script(*parts[:2])),
    "msubsup": (3, lambda parts: _script(*parts[:3])),
    "munder": (2, lambda parts: _script(_LARGE.get(parts[0], parts[0]), parts[1])),
    "munderover": (3, lambda parts: _script(_LARGE.get(parts[0], parts[0]), *parts[1:3])),
    "mover": (
        2,
        lambda parts: _accented(*parts[:2]) if parts[1] in _ACCENTS else _script(parts[0], sup=parts[1]),
    ),
    "msqrt": (0, lambda parts: _root("".join(parts))),
    "mroot": (2, lambda parts: _root(*parts[:2])),
    "mtable": (0, lambda parts: _rows("matrix", parts)),
    "mtr": (0, " & ".join),
}


def _part(node: Any, name: str) -> str:
    found = node.find(_M + name)
    return "" if found is None else omml(found)


def _setting(node: Any, name: str, default: str = "") -> str:
    """A property such as `chr`; one that is there without a value is empty or, for a switch, on."""
    found = node.find(f"{_M}{node.tag.removeprefix(_M)}Pr/{_M}{name}")
    return default if found is None else found.get(f"{_M}val") or ""


def _on(node: Any, name: str) -> bool:
    return _setting(node, name, "off") not in ("off", "0", "false")


def _run(node: Any) -> str:
    text = "".join(part.text or "" for part in node if part.tag in (f"{_M}t", f"{_W}t"))
    if node.find(f"{_M}rPr/{_M}nor") is not None and any(sign.isalpha() for sign in text):
        return f"\\text{{{text}}}"
    return _function(text.translate(_ESCAPED))


def _omml_fraction(node: Any) -> str:
    above, below = _part(node, "num"), _part(node, "den")
    kind = _setting(node, "type", "bar")
    if kind == "noBar":
        return f"{{{above} \\atop {below}}}"
    return f"{_braced(above)}/{_braced(below)}" if kind in ("lin", "skw") else _fraction(above, below)


def _nary(node: Any) -> str:
    sign = _setting(node, "chr", "∫")
    return _script(_LARGE.get(sign, sign), _part(node, "sub"), _part(node, "sup")) + " " + _part(node, "e")


def _delimited(node: Any) -> str:
    begin, end = _setting(node, "begChr", "("), _setting(node, "endChr", ")")
    inside = [omml(each) for each in node.findall(f"{_M}e")]
    if begin == "{" and not end and len(inside) == 1:
        return inside[0].replace("{aligned}", "{cases}") if "{aligned}" in inside[0] else f"\\{{{inside[0]}"
    between = _setting(node, "sepChr", "|")
    return begin.translate(_ESCAPED) + between.join(inside) + end.translate(_ESCAPED)


def _matrix(node: Any) -> str:
    return _rows(
        "matrix", [" & ".join(omml(cell) for cell in row.findall(f"{_M}e")) for row in node.findall(f"{_M}mr")]
    )


def _bar(node: Any) -> str:
    return f"\\{'overline' if _setting(node, 'pos') == 'top' else 'underline'}{{{_part(node, 'e')}}}"


def _grouped(node: Any) -> str:
    above = _setting(node, "pos", "bot") == "top"
    brace = {"⏞": "overbrace", "⏟": "underbrace"}.get(_setting(node, "chr", "⏟"))
    return f"\\{brace or ('overline' if above else 'underline')}{{{_part(node, 'e')}}}"


_OMML: dict[str, Callable[[Any], str]] = {
    "r": _run,
    "f": _omml_fraction,
    "sSup": lambda node: _script(_part(node, "e"), sup=_part(node, "sup")),
    "sSub": lambda node: _script(_part(node, "e"), _part(node, "sub")),
    "sSubSup": lambda node: _script(_part(node, "e"), _part(node, "sub"), _part(node, "sup")),
    "sPre": lambda node: _script("", _part(node, "sub"), _part(node, "sup")) + _part(node, "e"),
    "rad": lambda node: _root(_part(node, "e"), "" if _on(node, "degHide") else _part(node, "deg")),
    "nary": _nary,
    "d": _delimited,
    "m": _matrix,
    "eqArr": lambda node: _rows("aligned", [omml(row) for row in node.findall(f"{_M}e")]),
    "func": lambda node: _part(node, "fName") + f"{{{_part(node, 'e')}}}",
    "limLow": lambda node: _script(_part(node, "e"), _part(node, "lim")),
    "limUpp": lambda node: _script(_part(node, "e"), sup=_part(node, "lim")),
    "acc": lambda node: _accented(_part(node, "e"), _setting(node, "chr", "\u0302")),
    "bar": _bar,
    "groupChr": _grouped,
    "borderBox": lambda node: f"\\boxed{{{_part(node, 'e')}}}",
    "phant": lambda node: omml(node) if _setting(node, "show", "1") not in ("0", "off", "false") else "",
}
