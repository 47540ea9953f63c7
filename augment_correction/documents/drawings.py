"""Charts and diagrams of Word and PowerPoint: their numbers and labels stand in parts of their own."""

from __future__ import annotations

from typing import Any

_C = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_D = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"


def chart_rows(root: Any) -> list[list[str]]:
    """A chart's cached values as a table: a line of names, then one row a category."""
    if root is None:
        return []
    columns: list[tuple[str, dict[int, str]]] = []
    categories: dict[int, str] = {}
    for series in root.iter(f"{_C}ser"):
        name = " ".join(value.text or "" for value in series.iterfind(f"{_C}tx//{_C}v"))
        labels = _points(series, "cat") or _points(series, "xVal")
        categories = categories or labels
        columns.append((name, _points(series, "val") or _points(series, "yVal")))
    places = sorted({*categories, *(place for _, values in columns for place in values)})
    title = "".join(text.text or "" for text in root.iterfind(f".//{_C}title//{_A}t"))
    rows = [[categories.get(place, ""), *(values.get(place, "") for _, values in columns)] for place in places]
    return [[title, *(name for name, _ in columns)], *rows]


def _points(series: Any, name: str) -> dict[int, str]:
    found = series.find(_C + name)
    if found is None:
        return {}
    points: dict[int, str] = {}
    for point in found.iter(f"{_C}pt"):
        value = point.find(f"{_C}v")
        index = point.get("idx") or ""
        if value is not None and index.isdigit():
            points.setdefault(int(index), value.text or "")
    return points


def diagram_lines(root: Any) -> list[str]:
    """The labels of a diagram (SmartArt), one a box, in the order of the file."""
    if root is None:
        return []
    boxes = (
        "\n".join(
            "".join(text.text or "" for text in paragraph.iter(f"{_A}t")) for paragraph in box.iter(f"{_A}p")
        ).split()
        for box in root.iter(f"{_D}t")
    )
    return [" ".join(words) for words in boxes if words]
