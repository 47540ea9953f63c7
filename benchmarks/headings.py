"""Does a passage of plain text end with the heading of the next?

    python -m benchmarks.headings FOLDER [--sizes 300 800 3000] [--show]

Reads the .txt files of a folder and cuts each twice: as a text without headings, and with those that it shows. --show prints the
headings of each file, to be judged by a person.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from augment_correction.documents import ChunkSettings, TokenCounter, chunk_document, read_documents
from augment_correction.records import Chunk, Document


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sizes", type=int, nargs="+", default=[300, 800, 3000])
    parser.add_argument("--show", action="store_true")
    chosen = parser.parse_args()
    documents = [found for found in read_documents(chosen.folder) if isinstance(found, Document)]
    if chosen.show:
        for document in documents:
            print(f"{document.source}: {len(document.headings)} headings")
            for heading in document.headings:
                print(f"  {'  ' * heading.level}{heading.title}")
    counter = TokenCounter()
    print("| passages of | headings | passages | end with a heading | share |\n|---|---|---|---|---|")
    for size in chosen.sizes:
        settings = ChunkSettings(size, minimum=5, contents=False)
        for name, known in (("not known", False), ("known", True)):
            passages = ending = 0
            for document in documents:
                chunks = list(chunk_document(document if known else replace(document, headings=()), settings, counter))
                passages += len(chunks)
                ending += ends_with_a_heading(document, chunks)
            print(f"| {size} tokens | {name} | {passages} | {ending} | {ending / max(1, passages):.2%} |")


def ends_with_a_heading(document: Document, chunks: Iterable[Chunk]) -> int:
    """How many of the passages end in the line of a heading."""
    text = document.text
    lines = ((heading.start, text.find("\n", heading.start)) for heading in document.headings)
    ends = {start + len(text[start : line if line >= 0 else None].rstrip()) for start, line in lines}
    return sum(chunk.end in ends for chunk in chunks)


if __name__ == "__main__":
    main()
