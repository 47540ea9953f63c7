"""The table of endings: which reader reads which file."""

from __future__ import annotations

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

INSTEAD = {
    **dict.fromkeys((".doc", ".rtf", ".odt", ".wpd", ".pages"), ".docx"),
    **dict.fromkeys((".ppt", ".pps", ".odp", ".key"), ".pptx"),
    **dict.fromkeys((".xls", ".xlsx", ".ods", ".numbers"), ".csv"),
    **dict.fromkeys((".mobi", ".azw3", ".fb2"), ".epub"),
    **dict.fromkeys((".djvu", ".ps", ".xps", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp"), ".pdf"),
}
"""What a file of another kind can be saved as by the program that made it."""


def ending_of(path: PurePath) -> str:
    """In small letters, with the ending below a .gz: ".txt", ".txt.gz", "" where there is none."""
    ending = path.suffix.lower()
    return path.with_suffix("").suffix.lower() + ending if ending == GZIP else ending
