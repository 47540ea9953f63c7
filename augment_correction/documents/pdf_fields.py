"""What people filled into a PDF's form, read by pypdf: PDFium's text of a page does not have it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from augment_correction.documents.pdf_words import Line

_UNCHECKED = {"", "Off"}
_PASSWORD = 1 << 13  # a field's flag (ISO 32000-1, table 228): what is typed must not be shown


def filled_fields(path: Path) -> dict[int, list[Line]]:
    """By page, each value where its field stands; a ticked box is its own name. Empty where the form is broken."""
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    found: dict[int, list[Line]] = {}
    try:
        reader = PdfReader(path)
        if reader.is_encrypted:
            reader.decrypt("")
        for number, page in enumerate(reader.pages):
            for annotation in page.get("/Annots") or ():
                lines = _value(annotation.get_object())
                if lines:
                    found.setdefault(number, []).extend(lines)
    except (PyPdfError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return found  # the page's own text is read all the same
    return found


def _value(widget: Any) -> list[Line]:
    if widget.get("/Subtype") != "/Widget":
        return []
    kind, flags = _inherited(widget, "/FT"), _inherited(widget, "/Ff") or 0
    value = _inherited(widget, "/V")
    if value is None or (kind == "/Tx" and int(flags) & _PASSWORD):
        return []
    if kind == "/Btn":
        value = widget.get("/AS", "/Off")
        text = str(value).lstrip("/")
        text = "" if text in _UNCHECKED else f"[x] {_inherited(widget, '/T') or text}"
    elif kind in ("/Tx", "/Ch"):
        text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    else:
        return []  # signatures
    left, low, right, high = (float(side) for side in widget["/Rect"])
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        return []
    step = (high - low) / len(lines)
    size = min(step, 12.0)
    heights = [high - step * (row + 0.5) - 0.35 * size for row in range(len(lines))]
    return [Line(line, left, y, size, y, right) for line, y in zip(lines, heights, strict=True)]


def _inherited(field: Any, key: str) -> Any:
    """A widget's own entry or its parent field's, at most eight levels up: broken files have loops."""
    for _ in range(8):
        if field is None:
            return None
        if key in field:
            return field[key].get_object() if hasattr(field[key], "get_object") else field[key]
        field = field["/Parent"].get_object() if "/Parent" in field else None
    return None
