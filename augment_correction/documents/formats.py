"""The table of endings: which reader reads which file."""

from __future__ import annotations

import codecs
import re
from pathlib import PurePath

GZIP = ".gz"

# ending -> module of this package and function in it; any of them may be followed by .gz
READERS = {
    ".txt": ("plain", "read_txt"),
    **dict.fromkeys((".md", ".markdown"), ("plain", "read_markdown")),
    **dict.fromkeys((".html", ".htm", ".xhtml"), ("html", "read_html")),
    ".pdf": ("pdf", "read_pdf"),
    **dict.fromkeys((".docx", ".docm", ".dotx", ".dotm"), ("docx", "read_docx")),
    **dict.fromkeys((".pptx", ".pptm", ".potx", ".potm", ".ppsx", ".ppsm"), ("pptx", "read_pptx")),
    ".epub": ("epub", "read_epub"),
    ".rst": ("rst", "read_rst"),
    **dict.fromkeys((".jsonl", ".ndjson", ".json"), ("jsonl", "read_jsonl")),
    **dict.fromkeys((".csv", ".tsv"), ("tables", "read_csv")),
    ".parquet": ("tables", "read_parquet"),
}
KINDS = tuple({reader: ending for ending, reader in reversed(READERS.items())}.values())[::-1]
"""One ending for each reader, for messages."""
STREAMED = {".jsonl", ".ndjson", ".json", ".parquet"}  # never held as a whole, so that a file of any size is read

_PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".heic", ".tif", ".tiff", ".webp")
_MARKUP = (".tex", ".latex", ".org", ".adoc", ".asciidoc", ".textile", ".wiki", ".mediawiki", ".ipynb", ".typ")
_ARCHIVES = (".zip", ".tar", ".tgz", ".7z", ".rar", ".bz2", ".xz", ".zst", ".lz4")
_REMEDIES = {
    "": "name it .txt if it is a text",
    **dict.fromkeys((".doc", ".rtf", ".odt", ".wpd", ".wps", ".pages"), "save it as .docx"),
    **dict.fromkeys((".ppt", ".pps", ".odp", ".key"), "save it as .pptx"),
    **dict.fromkeys((".xls", ".xlsx", ".xlsm", ".xlsb", ".ods", ".numbers"), "save it as .csv"),
    **dict.fromkeys((".mobi", ".azw", ".azw3", ".fb2", ".lit"), "save it as .epub"),
    **dict.fromkeys((".djvu", ".ps", ".xps", *_PICTURES), "save it as .pdf"),
    **dict.fromkeys((".mht", ".mhtml", ".webarchive"), "open it in a browser and save it as .html"),
    **dict.fromkeys((".eml", ".msg", ".mbox", ".srt", ".vtt"), "save its text as .txt"),
    **dict.fromkeys((".text", ".log"), "name it .txt"),
    **dict.fromkeys((".mdown", ".mkd", ".mdx", ".qmd", ".rmd"), "name it .md"),
    **dict.fromkeys(_MARKUP, "convert it to .md, with pandoc for example"),
    **dict.fromkeys(_ARCHIVES, "unpack it"),
}


def remedy_of(ending: str) -> str | None:
    """What to do about a file of a kind that no reader of ours reads."""
    return None if ending == GZIP else _REMEDIES.get(ending.removesuffix(GZIP))


_BEGINNINGS = {b"%pdf-": ".pdf", b"{\\rtf": ".rtf", b"<!doctype html": ".html", b"<html": ".html"}
_HOLD_HTML = (READERS[".md"], READERS[".html"])
BEGINNING = 64
"""Bytes of a file by which `called_wrongly` tells its kind."""


def called_wrongly(ending: str, beginning: bytes) -> str | None:
    """What to say of a file that is of another kind than its ending, such as the error page of a server in place of a PDF."""
    plain = beginning.removeprefix(codecs.BOM_UTF8).lstrip().lower()
    kind = next((kind for begin, kind in _BEGINNINGS.items() if plain.startswith(begin)), ending)
    if kind == ending or (kind == ".html" and READERS[ending] in _HOLD_HTML):
        return None
    return f"by its beginning it is a {kind} file: {remedy_of(kind) or f'name it {kind}'}"


_PLACE = re.compile(r"(?<=\w)\.[A-Za-z]\w*(?=#)")


def file_and_place(source: str) -> tuple[str, str]:
    """The file of a source, and what stands behind the `#` that tells its parts apart: ("a.jsonl", "L12"). A `#` in the name of a file
    ("C# notes.txt") is part of the name."""
    found = _PLACE.search(source)
    return (source[: found.end()], source[found.end() + 1 :]) if found else (source, "")


def ending_of(path: PurePath) -> str:
    """In small letters, with the ending below a .gz: ".txt", ".txt.gz", "" where there is none."""
    ending = path.suffix.lower()
    return path.with_suffix("").suffix.lower() + ending if ending == GZIP else ending
