"""OCR of scanned pages, ours (RapidOCR) beside Tesseract: `python -m benchmarks.ocr [--engine NAME ...] [--lines N]`.

A page of N lines in three languages is drawn, rendered at 200 dots an inch, laid askew by 0.6 degrees, blurred and
sprinkled with noise, as a scanner does. Right: the longest common subsequence of words (signs of punctuation do not
count), of the page's words. CPU seconds: of all threads (OMP_NUM_THREADS binds none of them), without loading the models, which `loading` says.

Tesseract is a program of its own (Debian's tesseract-ocr, tesseract-ocr-deu, tesseract-ocr-fra); it is told the page's
language (`tesseract`) or that it is one of three (`tesseract any`).
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

from benchmarks.pdf_engines import common_subsequence

TEXTS = {
    "eng": "The bridge was opened in the summer of 1893, after ten years of work, and has carried more than two "
    "thousand carts a day ever since. It need not have been larger, wrote the mayor, but certainly prettier. Masons "
    "from the northern counties were hired at 4s 6d a day; the timber came by rail (see p. 112).",
    "deu": "Die Brücke über den Fluß wurde im Jahre 1893 eröffnet und trägt seither täglich mehr als zweitausend "
    "Fuhrwerke. Größer hätte man sie nicht bauen müssen, schrieb der Bürgermeister, aber schöner gewiß. Für die "
    "Ausführung waren Maurer aus Österreich und Zimmerleute aus Königsberg verpflichtet worden.",
    "fra": "Le pont fut achevé en été 1893, après dix années de travaux. Son œuvre est peu élégante, écrivait le maire, "
    "mais elle a coûté moins cher que prévu. Où passaient jadis les bœufs, des voitures légères franchissent désormais "
    "la rivière ; la forêt voisine, plantée dès le siècle précédent, touche à une église.",
}
Engine = Callable[[Any, str], str]


def page(text: str, count: int) -> tuple[Any, str]:
    """A picture (gray, of PIL) of at most `count` lines, and the text on it."""
    import numpy
    import pypdfium2
    from PIL import Image, ImageFilter
    from reportlab.lib.utils import simpleSplit
    from reportlab.pdfgen.canvas import Canvas

    lines = simpleSplit(" ".join([text] * (count // 3 + 1)), "Times-Roman", 11, 460)[:count]
    drawn = BytesIO()
    canvas = Canvas(drawn, pagesize=(595, 842))
    canvas.setFont("Times-Roman", 11)
    for number, line in enumerate(lines):
        canvas.drawString(65, 780 - 14.5 * number, line)
    canvas.save()
    with pypdfium2.PdfDocument(drawn.getvalue()) as document:
        picture = document[0].render(scale=200 / 72).to_pil().convert("L")
    picture = picture.rotate(0.6, fillcolor=255, resample=Image.Resampling.BICUBIC).filter(
        ImageFilter.GaussianBlur(0.5)
    )
    noise = numpy.random.default_rng(1).normal(0, 12, (picture.height, picture.width))
    return Image.fromarray((numpy.asarray(picture) + noise).clip(0, 255).astype("uint8")), " ".join(lines)


def rapidocr(picture: Any, language: str) -> str:
    import numpy

    from augment_correction.documents import ocr

    boxes = ocr.recognise(numpy.asarray(picture.convert("RGB")))
    return " ".join(box[0] for box in sorted(boxes, key=lambda box: box[4]))


def tesseract(picture: Any, language: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "page.png"
        picture.save(path)
        command = ["tesseract", str(path), "-", "-l", language, "--dpi", "200"]
        return subprocess.run(
            command, capture_output=True, check=True, text=True, env=os.environ | {"OMP_THREAD_LIMIT": "1"}
        ).stdout


def tesseract_any(picture: Any, language: str) -> str:
    return tesseract(picture, "+".join(TEXTS))


ENGINES: dict[str, Engine] = {"rapidocr": rapidocr, "tesseract": tesseract, "tesseract any": tesseract_any}


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text)


def cpu() -> float:
    return time.process_time() + resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", nargs="*", default=list(ENGINES), choices=list(ENGINES))
    parser.add_argument("--lines", type=int, default=45)
    chosen = parser.parse_args()
    print("| engine | language | words right | CPU seconds a page |\n|---|---|---|---|", flush=True)
    for name in chosen.engine:
        if name.startswith("tesseract") and not shutil.which("tesseract"):
            print(f"| {name} | not installed | | |", flush=True)
            continue
        begun = cpu()
        ENGINES[name](page(TEXTS["eng"], 1)[0], "eng")
        print(f"| {name} | loading and one line | | {cpu() - begun:.1f} |", flush=True)
        for language, text in TEXTS.items():
            picture, on_it = page(text, chosen.lines)
            begun = cpu()
            read = words(ENGINES[name](picture, language))
            seconds = cpu() - begun
            right = common_subsequence(words(on_it), read) / len(words(on_it))
            print(f"| {name} | {language} | {right:.1%} | {seconds:.1f} |", flush=True)


if __name__ == "__main__":
    main()
