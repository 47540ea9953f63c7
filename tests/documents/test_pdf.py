from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from augment_correction.documents import pdf_layout, pdf_pages
from augment_correction.documents.pdf_pages import Line
from augment_correction.records import Document

from . import files
from .files import read

# pypdf 7 and reportlab 5 warn about their own future when a test writes with them
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def only(folder: Path) -> Document:
    documents, unread = read(folder)
    assert not unread
    return documents[0]


def test_paragraphs_come_back(tmp_path: Path) -> None:
    paragraphs = [files.paragraph(number, 6) for number in range(4)]
    drawn: list[str] = []
    for text in paragraphs:
        drawn += [*files.wrapped(text), ""]
    files.pdf(tmp_path / "a.pdf", [files.lines(drawn)], title="On rivers", author="A. Writer")
    document = only(tmp_path)
    assert [" ".join(part.split()) for part in document.text.split("\n\n")] == paragraphs
    assert (document.title, document.metadata["author"], document.media_type) == (
        "On rivers",
        "A. Writer",
        "application/pdf",
    )
    assert document.pages == (0,)


def test_indented_paragraphs_come_back(tmp_path: Path) -> None:
    paragraphs = [files.paragraph(number, 6) for number in range(4)]

    def draw(canvas: Any) -> None:
        y = 760
        for text in paragraphs:
            for number, line in enumerate(files.wrapped(text)):
                canvas.drawString(72 if number else 90, y, line)
                y -= 14

    files.pdf(tmp_path / "a.pdf", [draw])
    assert [" ".join(part.split()) for part in only(tmp_path).text.split("\n\n")] == paragraphs


def _book(path: Path, pages: int = 8) -> list[str]:
    texts = [files.wrapped(files.paragraph(number, 20)) for number in range(pages)]

    def page(number: int) -> Any:
        def draw(canvas: Any) -> None:
            canvas.drawString(72, 800, "The Book of Rivers" if number % 2 else "Chapter 1")
            files.lines(texts[number])(canvas)
            canvas.drawString(300, 30, str(number + 11))

        return draw

    files.pdf(path, [page(number) for number in range(pages)])
    return [" ".join(text) for text in texts]


def test_running_headers_and_page_numbers_go(tmp_path: Path) -> None:
    texts = _book(tmp_path / "a.pdf")
    document = only(tmp_path)
    assert " ".join(document.text.split()) == " ".join(texts)
    assert document.metadata["running_lines_removed"] == 16
    assert len(document.pages) == 8
    for start, text in zip(document.pages, texts, strict=True):
        assert document.text[start:].startswith(text[:40])


def test_a_line_that_only_looks_like_a_header_stays(tmp_path: Path) -> None:
    files.pdf(tmp_path / "a.pdf", [files.lines(["Same first line", files.sentence(number)]) for number in range(2)])
    assert only(tmp_path).text.count("Same first line") == 2


def test_headers_that_change_but_count_along() -> None:
    pages = [
        [Line(f"topic{page}x {page + 31}", 72, 800, 10, 800)]
        + [Line(f"body {7 * page} {row}", 72, 700 - row, 10, 700) for row in range(9)]
        for page in range(9)
    ]
    assert pdf_layout.drop_running_lines(pages) == 9
    assert all(len(lines) == 9 for lines in pages)


def test_a_sentence_over_a_page_break_is_one_paragraph(tmp_path: Path) -> None:
    pages = [
        files.lines(["The river rises in spring and the bridge"]),
        files.lines(["is closed until the water falls.", "", "", "Next one."]),
    ]
    files.pdf(tmp_path / "a.pdf", pages)
    assert (
        only(tmp_path).text == "The river rises in spring and the bridge\nis closed until the water falls.\n\nNext one."
    )


def test_words_broken_at_line_ends() -> None:
    pages = [
        "a com\ufffepany of non\ufffedevelopers and\ndevelopers",
        "non-developers work in a com-\npany with x-\ny and Mason\x02Dixon",
        "--long-\nname stays in the company",
    ]
    pdf_layout.join_broken_words(pages)
    assert pages == [
        "a company of non-developers and\ndevelopers",
        "non-developers work in a company with x-\ny and Mason-Dixon",
        "--long-\nname stays in the company",
    ]


def test_hyphens_in_a_real_file(tmp_path: Path) -> None:
    files.pdf(tmp_path / "a.pdf", [files.lines(["The company looked at the bridge, and the com-", "pany closed it."])])
    assert only(tmp_path).text == "The company looked at the bridge, and the company closed it."


def test_ligatures_are_written_out() -> None:
    assert pdf_layout.page_text([Line("e\ufb03cient \ufb01sh \ufb02ow", 1, 1, 10, 1)]) == "efficient fish flow"


def test_outline_becomes_headings(tmp_path: Path) -> None:
    def page(number: int) -> Any:
        def draw(canvas: Any) -> None:
            canvas.bookmarkPage(f"p{number}")
            canvas.addOutlineEntry(f"Part {number}", f"p{number}", level=0)
            canvas.bookmarkPage(f"q{number}")
            canvas.addOutlineEntry("Not on the page", f"q{number}", level=1)
            files.lines([files.sentence(number), "", f"{number}. Part {number}", "", files.sentence(number + 1)])(
                canvas
            )

        return draw

    files.pdf(tmp_path / "a.pdf", [page(1), page(2)])
    document = only(tmp_path)
    assert {(heading.level, heading.title) for heading in document.headings} == {
        (1, "Part 1"), (2, "Not on the page"), (1, "Part 2")
    }  # fmt: skip
    for heading in document.headings:
        if heading.level == 1:
            assert document.text[heading.start :].startswith(f"{heading.title[-1]}. {heading.title}")
        else:
            assert heading.start in document.pages
    assert list(document.headings) == sorted(document.headings, key=lambda heading: heading.start)


def _encrypted(path: Path, user: str, algorithm: str = "RC4-128") -> None:
    from pypdf import PdfWriter

    plain = files.pdf(path.with_suffix(".tmp"), [files.lines(["Secret text of the file."])])
    writer = PdfWriter(clone_from=plain)
    writer.encrypt(user_password=user, owner_password="owner", algorithm=algorithm)
    writer.write(path)
    plain.unlink()


def test_encrypted_files(tmp_path: Path) -> None:
    _encrypted(tmp_path / "a.pdf", "secret")
    _encrypted(tmp_path / "b.pdf", "")
    documents, unread = read(tmp_path)
    assert [(found.source, found.reason) for found in unread] == [("a.pdf", "encrypted")]
    assert [document.text for document in documents] == ["Secret text of the file."]


def _scanned(canvas: Any) -> None:
    from PIL import Image
    from reportlab.lib.utils import ImageReader

    canvas.drawImage(ImageReader(Image.new("L", (200, 300), 200)), 0, 0, 595, 842)


def test_a_picture_without_words(tmp_path: Path) -> None:
    files.pdf(tmp_path / "a.pdf", [_scanned, _scanned])
    files.pdf(tmp_path / "b.pdf", [_scanned, files.lines(["A page with text."])])
    documents, unread = read(tmp_path)
    assert [(found.source, found.reason) for found in unread] == [("a.pdf", "no_text")]
    assert unread[0].detail == "OCR found no text on its 2 pages"
    assert documents[0].metadata["pages_without_text"] == 1
    assert documents[0].pages == (0, 0)


def test_broken_files(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"not a pdf at all")
    (tmp_path / "b.pdf").write_bytes(b"%PDF-1.7\n" + bytes(range(256)) * 20)
    whole = files.pdf(tmp_path / "c.pdf", [files.lines(["Text."])]).read_bytes()
    (tmp_path / "c.pdf").write_bytes(whole[: len(whole) // 3])
    documents, unread = read(tmp_path)
    assert not documents
    assert [found.reason for found in unread] == ["unreadable"] * 3


def test_a_failing_page_costs_only_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files.pdf(tmp_path / "a.pdf", [files.lines([f"Text of page {number}."]) for number in range(1, 4)])
    whole = pdf_pages._Pdfium.lines

    def failing(self: Any, page: int) -> list[Line]:
        if page == 1:
            raise ValueError("PDFium cannot load this page")
        return whole(self, page)

    monkeypatch.setattr(pdf_pages._Pdfium, "lines", failing)
    documents, unread = read(tmp_path)
    assert [(found.source, found.reason) for found in unread] == [("a.pdf#p2", "unreadable")]
    assert documents[0].text == "Text of page 1.\n\nText of page 3."
    assert len(documents[0].pages) == 3


def test_without_pypdfium2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pypdfium2", None)
    texts = _book(tmp_path / "a.pdf")
    _encrypted(tmp_path / "b.pdf", "secret")
    _encrypted(tmp_path / "c.pdf", "")
    documents, unread = read(tmp_path)
    assert [(found.source, found.reason) for found in unread] == [("b.pdf", "encrypted")]
    assert " ".join(documents[0].text.split()) == " ".join(texts)
    assert documents[1].text == "Secret text of the file."


def test_glued_words_are_noted() -> None:
    glued = "thewaterrisesinspringandthebridgeisclosed " * 30
    assert pdf_layout.looks_glued(glued)
    assert not pdf_layout.looks_glued(files.paragraph(1, 40))


def test_no_word_is_lost(tmp_path: Path) -> None:
    import pypdfium2

    path = files.pdf(
        tmp_path / "a.pdf", [files.lines(files.wrapped(files.paragraph(number, 30))) for number in range(5)]
    )
    with pypdfium2.PdfDocument(path) as opened:
        raw = " ".join(page.get_textpage().get_text_range() for page in opened)
    assert only(tmp_path).text.split() == raw.split()


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
@pytest.mark.parametrize("page_turn", [0, 90, 180, 270])
def test_turned_text_is_read_in_order(tmp_path: Path, turn: int, page_turn: int) -> None:
    text = files.wrapped(files.paragraph(1, 6))

    def draw(canvas: Any) -> None:
        canvas.setPageRotation(page_turn)
        canvas.translate(300, 420)
        canvas.rotate(turn)
        for number, line in enumerate(text):
            canvas.drawString(-150, 40 - 14 * number, line)

    files.pdf(tmp_path / "a.pdf", [draw])
    assert only(tmp_path).text.splitlines() == text


def _pages(path: Path) -> list[str]:
    """Each page's text, with what would be taken for running lines."""
    with pdf_pages.open_pdf(path) as pdf:
        return [pdf_layout.page_text(pdf.lines(number)) for number in range(pdf.count())]


def test_pages_of_which_only_the_ends_of_words_are_measured_read_the_same(tmp_path: Path) -> None:
    rows = [("Package", "Version"), ("ferry boat", "1.2"), ("bridge", "0.9"), ("oar", "3.0")]

    def draw(canvas: Any) -> None:
        canvas.drawString(72, 780, "1 Boats . . . . . . . . . . . . 12")
        canvas.drawString(72, 750, "secci")
        canvas.drawString(72 + canvas.stringWidth("secci"), 750, "´")
        canvas.drawString(73 + canvas.stringWidth("secci"), 750, "on")
        for column, x in enumerate((72, 200)):
            for number, row in enumerate(rows):
                canvas.drawString(x, 700 - 14 * number, row[column])
        canvas.setFont("Courier", 10)
        for number, line in enumerate(("def fare(carts):", "return 4", "return carts + 4 or 0")):
            canvas.drawString(90 + 24 * (number > 0), 600 - 12 * number, line)

    first, *others = _pages(files.pdf(tmp_path / "a.pdf", [draw] * 18))
    assert others == [first] * 17
    for part in ("1 Boats . . . . . . . . . . . . 12", "sección", "| ferry boat | 1.2 |", "\n    return 4\n"):
        assert part in first


def test_three_columns_are_read_one_after_the_other(tmp_path: Path) -> None:
    columns = [files.wrapped(files.paragraph(number, 12), 30) for number in range(3)]

    def draw(canvas: Any) -> None:
        canvas.setFont("Helvetica", 9)
        for row in range(max(map(len, columns))):  # row by row, as a typesetter may write them into the file
            for number, column in enumerate(columns):
                if row < len(column):
                    canvas.drawString(42 + 180 * number, 780 - 11 * row, column[row])

    files.pdf(tmp_path / "a.pdf", [draw])
    assert only(tmp_path).text.split() == [word for column in columns for line in column for word in line.split()]


def test_accents_printed_over_letters_are_one_letter(tmp_path: Path) -> None:
    def draw(canvas: Any) -> None:
        x = 72.0
        for part in ("secci", "´", "on"):
            canvas.drawString(x, 700, part)
            x += canvas.stringWidth(part) if part != "´" else 1.0

    files.pdf(tmp_path / "a.pdf", [draw])
    assert only(tmp_path).text == "sección"


@pytest.mark.parametrize("pages", [1, 18])
def test_words_that_only_their_distance_parts(tmp_path: Path, pages: int) -> None:
    def draw(canvas: Any) -> None:
        canvas.setFont("Times-Roman", 10)
        canvas.drawString(72, 700, "as they")
        canvas.drawString(72 + canvas.stringWidth("as they") + 1.6, 700, "are read.")

    assert _pages(files.pdf(tmp_path / "a.pdf", [draw] * pages)) == ["as they are read."] * pages


def test_a_table_is_read_row_by_row(tmp_path: Path) -> None:
    rows = [("Package", "Version", "Size"), ("ferry", "1.2", "240"), ("bridge", "0.9", "31"), ("oar", "3.0", "7")]

    def draw(canvas: Any) -> None:
        for column, x in enumerate((72, 200, 320)):  # column by column in the file
            for number, row in enumerate(rows):
                canvas.drawString(x, 700 - 14 * number, row[column])

    files.pdf(tmp_path / "a.pdf", [draw])
    assert only(tmp_path).text == "\n".join("| " + " | ".join(row) + " |" for row in rows)


def test_what_is_filled_into_a_form_is_read_at_its_place(tmp_path: Path) -> None:
    def draw(canvas: Any) -> None:
        canvas.drawString(72, 720, "The ferry of Aldwick carried 240 carts.")
        canvas.drawString(72, 695, "Depth of the well:")
        form = canvas.acroForm
        form.textfield(name="depth", value="The well is 41 feet deep", x=200, y=690, width=300, height=20)
        form.textfield(name="secret", value="hunter2", x=200, y=600, width=300, height=20, fieldFlags="password")
        form.checkbox(name="dry", checked=True, x=200, y=650)
        form.checkbox(name="wet", checked=False, x=200, y=620)

    files.pdf(tmp_path / "a.pdf", [draw])
    text = only(tmp_path).text
    assert "Depth of the well: The well is 41 feet deep" in text
    assert text.index("Depth") < text.index("[x] dry")
    assert "wet" not in text and "hunter2" not in text


def test_an_encrypted_file_without_text_is_called_encrypted(tmp_path: Path) -> None:
    from pypdf import PdfWriter

    files.pdf(tmp_path / "a.tmp", [_scanned])
    writer = PdfWriter(clone_from=tmp_path / "a.tmp")
    writer.encrypt(user_password="", owner_password="owner", algorithm="RC4-128")
    writer.write(tmp_path / "a.pdf")
    (tmp_path / "a.tmp").unlink()
    _, unread = read(tmp_path)
    assert [found.reason for found in unread] == ["encrypted"]
    assert "scanned" not in unread[0].detail


def test_roman_page_numbers_go() -> None:
    pages = [
        [Line(number, 300, 30, 10, 30)]
        + [Line(f"body {7 * page} {row}", 72, 700 - 20 * row, 10, 700 - 20 * row) for row in range(9)]
        for page, number in enumerate(("ii", "iii", "iv", "v", "vi"))
    ]
    assert pdf_layout.drop_running_lines(pages) == 5
    assert all(len(lines) == 9 for lines in pages)


def test_code_keeps_its_indentation(tmp_path: Path) -> None:
    code = ["def fare(carts):", "    if carts:", "        return 4 * carts", "    return 0"]

    def draw(canvas: Any) -> None:
        canvas.drawString(72, 750, "The fare is worked out so:")
        canvas.setFont("Courier", 10)
        for number, line in enumerate(code):
            spaces = len(line) - len(line.lstrip())
            canvas.drawString(90 + 6 * spaces, 720 - 12 * number, line.strip())

    files.pdf(tmp_path / "a.pdf", [draw])
    assert only(tmp_path).text == "The fare is worked out so:\n\n" + "\n".join(code)
