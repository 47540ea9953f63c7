"""Our readers beside well-kept converters: `python -m benchmarks.converters [--engine NAME ...]`.

The corpus is made on the spot: one web page, book, slide show, reStructuredText and Word file each, with facts that a reader
must give and traps that it must not. Engines that are not installed are passed by; install them into an environment of their own
(`pip install "markitdown[pptx,docx]" kreuzberg html-to-markdown pypandoc_binary python-docx python-pptx`).
"""

from __future__ import annotations

import argparse
import importlib
import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.converters_corpus import CORPUS, Sample

Engine = Callable[[Path], str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", nargs="*", choices=list(ENGINES), default=list(ENGINES))
    parser.add_argument("--missing", action="store_true", help="name every fact that is missing and every trap")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        samples = [make(Path(folder)) for make in CORPUS]
        print(
            f"{'engine':18}" + "".join(f"{sample.path.name:>14}" for sample in samples) + f"{'all':>14}{'seconds':>9}"
        )
        for name in chosen.engine:
            try:
                read = ENGINES[name]()
            except ImportError:
                print(f"{name:18}not installed")
                continue
            report(name, read, samples, chosen.missing)
    print("facts given / facts wanted, - traps given; seconds for all five, first call included")


def report(name: str, read: Engine, samples: list[Sample], told: bool) -> None:
    begun = time.perf_counter()
    cells, faults, given, wanted, shown = [], [], 0, 0, 0
    for sample in samples:
        try:
            text = plain(read(sample.path))
        except Exception as error:  # an engine that does not know a format has given none of its facts
            text = ""
            faults.append(f"  {sample.path.name}: {type(error).__name__}: {error}"[:160])
        missing = [fact for fact in sample.facts if " ".join(fact.split()) not in text]
        traps = [trap for trap in sample.traps if trap in text]
        faults += [f"  {sample.path.name}: no {fact!r}" for fact in missing]
        faults += [f"  {sample.path.name}: has {trap!r}" for trap in traps]
        given, wanted, shown = given + len(sample.facts) - len(missing), wanted + len(sample.facts), shown + len(traps)
        cells.append(f"{len(sample.facts) - len(missing)}/{len(sample.facts)} -{len(traps)}")
    seconds = time.perf_counter() - begun
    print(f"{name:18}" + "".join(f"{cell:>14}" for cell in cells) + f"{f'{given}/{wanted} -{shown}':>14}{seconds:9.1f}")
    if told:
        print("\n".join(faults))


def plain(text: str) -> str:
    """One line without the tags that some engines leave: how a fact is marked up is not what is measured."""
    text = re.sub(r"<sup>(.*?)</sup>", r"^\1", text)
    return " ".join(re.sub(r"</?(?:sub|span|div|a|code)\b[^>]*>", "", text).split())


def ours() -> Engine:
    from augment_correction.documents import ReadLimits
    from augment_correction.documents.reading import read_file
    from augment_correction.records import Document

    def read(path: Path) -> str:
        return "\n".join(
            found.text for found in read_file(path, path.name, ReadLimits()) if isinstance(found, Document)
        )

    return read


def markitdown() -> Engine:
    converter = importlib.import_module("markitdown").MarkItDown()
    return lambda path: str(converter.convert(str(path)).text_content)


def kreuzberg() -> Engine:
    module = importlib.import_module("kreuzberg")
    settings = module.ExtractionConfig(output_format="markdown", use_cache=False)
    return lambda path: str(module.extract_file_sync(str(path), config=settings).content)


def pandoc() -> Engine:
    module = importlib.import_module("pypandoc")
    return lambda path: str(module.convert_file(str(path), "gfm", extra_args=["--wrap=none", "--sandbox"]))


def html_to_markdown() -> Engine:
    module = importlib.import_module("html_to_markdown")

    def read(path: Path) -> str:
        if path.suffix != ".html":
            raise ValueError("reads web pages only")
        return str(module.convert(path.read_text("cp1252")).content)

    return read


ENGINES: dict[str, Callable[[], Engine]] = {
    "ours": ours,
    "markitdown": markitdown,
    "kreuzberg": kreuzberg,
    "pandoc": pandoc,
    "html-to-markdown": html_to_markdown,
}

if __name__ == "__main__":
    main()
