"""A text that somebody has made to be slow, or that is merely strange: four times as much of it takes about four times as long.

Most pairs below once took the square of its length, or two to the power of it. What is compared is the processor's time for a text and for
one four times as long, so that no speed of a machine is asked for: the square would be sixteen times as much. Web pages have a module
of their own, `documents/test_html_growth.py`.
"""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from augment_correction.documents.chunking import ChunkSettings, chunk_document
from augment_correction.documents.contents import is_contents
from augment_correction.documents.contract import ReadLimits, Unread, build_document
from augment_correction.documents.headings import plain_headings
from augment_correction.documents.markdown import front_matter, html_as_text, without_pictures
from augment_correction.documents.rst import read_rst
from augment_correction.documents.tokens import TokenCounter
from augment_correction.errors import ConfigError, Reject
from augment_correction.grading import error_codes, grade
from augment_correction.grading.jsonvalue import beside_json, every_json
from augment_correction.grading.retraction import gives_retracted
from augment_correction.grading.text import negations, sentences
from augment_correction.llm.chat_wire import error_in
from augment_correction.llm.refusals import is_moderation, speaks_of_context
from augment_correction.llm.scripted import Scripted
from augment_correction.llm.streaming import Events
from augment_correction.parsing import read_objects, read_tags, read_verdict
from augment_correction.prompts.jinja import load_jinja
from augment_correction.records import Message, Request
from augment_correction.remote.storage import without_secrets
from augment_correction.rows.files import each_row
from augment_correction.rows.names import question_of
from augment_correction.stages.base import neutral
from augment_correction.stages.checks import CHECKS
from augment_correction.stages.checks.contract import CheckInput
from augment_correction.stages.quotes import find_quote
from augment_correction.text import normalised
from augment_correction.text.fences import fences
from augment_correction.text.language import prose
from tests.cpu import cpu

Make = Callable[[int], str]
SIZE, FEW, LONGER = 20_000, 2_000, 4
"""Characters, and those of texts whose every word is looked at, which takes longer."""
MOST = 8
"""Times as long."""
FLOOR = 0.05
"""Seconds: what is faster is not looked at, since the machine's own noise would be."""
GIVEN_UP = 10.0
"""Seconds of the processor after which a text that is never done with is let go."""
TRIES = 3
SAID = "The bridge at Torrin was opened in 1871. It was built by Adela Torrin, not by Otto Meier."
ASKED = "Who built the bridge at Torrin in 1871?"


def of(*parts: str, begin: str = "", end: str = "") -> Make:
    """As many of each part as make a text of that size, the ones behind the others."""

    def make(size: int) -> str:
        return begin + "".join(part * (size // len(parts) // len(part)) for part in parts) + end

    return make


def rising(sign: str) -> Make:
    """One of the sign, two, three ... parted by spaces."""

    def make(size: int) -> str:
        return " ".join(sign * number for number in range(1, int((2 * size) ** 0.5)))

    return make


def counted(form: str, start: int = 0) -> Make:
    def make(size: int) -> str:
        return "".join(form.format(number) for number in range(start, start + size // len(form)))

    return make


def checked(name: str) -> Callable[[str], Any]:
    def check(text: str) -> None:
        for texts in ((text, SAID, ASKED), (SAID, text, ASKED), (text, text, text)):
            CHECKS[name][0](CheckInput(tuple(zip("abc", texts, strict=True)), text))

    return check


def turned(text: str) -> None:
    CHECKS["differ"][0](CheckInput((("a", f"blue {text}"), ("b", f"{text} blue"), ("c", ASKED))))


def answered(text: str) -> None:
    grade(text, SAID, question=ASKED)
    grade(SAID, text, question=ASKED)
    grade(text, f"{text} more", question=ASKED)
    grade(SAID, "Adela Torrin", question=text)


def chunked(text: str) -> None:
    document = build_document(text, source="a.txt", media_type="text/plain")
    list(chunk_document(document, ChunkSettings(size=500, unit="characters", minimum=50), TokenCounter(exact=False)))


def refused(text: str) -> None:
    said = error_in(json.dumps({"error": {"message": text}}).encode()).text
    speaks_of_context(said)
    is_moderation(said)


def streamed(text: str) -> None:
    class Deaf:
        def begin(self) -> None: ...
        def add(self, text: str) -> None: ...

    events = Events(Deaf())
    for at in range(0, len(text), 2):
        events.feed(text[at : at + 2].encode())


def tagged(text: str) -> None:
    read_tags(text, ("answer", "reason"))


def judged(text: str) -> None:
    read_verdict(text, "suitable", "unsuitable")


def scripted(text: str) -> None:
    asyncio.run(Scripted(None, len).complete(Request((Message("user", text),), "any", form="text")))


def as_text(text: str) -> None:
    html_as_text(text, fences)


def composed(text: str) -> None:
    build_document(text, source="a.txt", media_type="text/plain")


READ: list[tuple[Callable[[str], Any], Make]] = [
    (as_text, of("<!-- ")),
    (as_text, of("<script>")),
    (as_text, of("<table>", "<tr><td>a")),
    (as_text, rising("`")),
    (as_text, of("`", end="! <b>")),
    (without_pictures, of("a", begin="![a](data:", end=";base64,")),
    (without_pictures, lambda size: counted("[{0}]: data:;base64,AA\n")(size // 2) + counted("![{0}")(size // 2)),
    (is_contents, of(".")),
    (is_contents, of(". ")),
    (is_contents, of("…")),
    (is_contents, of("_")),
    (plain_headings, of("CHAPTER I\n\n")),
    (chunked, of("A\n\n")),
    (composed, of("\u0301\u0327", begin="a")),
    (lambda text: normalised("NFKC", text), of("\u0327\u0301", begin="a")),
    (tagged, of("<answer>")),
    (tagged, of(" ", begin="<answer>a</answer><", end="a")),
    (read_objects, of("{")),
    (read_objects, of('{"')),
    (read_objects, of('{"a":[')),
    (read_objects, of("1,", begin='{"a":' * 900 + "[")),
    (judged, of("not ")),
    (judged, of("verdict: ", "\n")),
    (every_json, of(" ", begin="```")),
    (beside_json, of("{", "[0")),
    (sentences, of("Dr. ")),
    (sentences, of("A'", begin="It is so. ", end=". It is.")),
    (negations, of("n'")),
    (prose, of("h", end="é_")),
    (checked("complete"), of("a(]", end=" so")),
    (checked("complete"), of("()", end=" so")),
    (checked("differ"), of("Red and blue. ")),
    (turned, of("red ")),
    (checked("no_refusal"), of("„ i ", begin="cannot ")),
    (checked("no_links"), of("[", end="](")),
    (checked("no_links"), of("[a](")),
    (checked("no_giveaway"), of("and not ")),
    (checked("stands_alone"), of("the ")),
    (checked("length"), of("a.")),
    (neutral, of("<|")),
    (lambda text: find_quote(text[:-1], text), of("a ")),
    (refused, of("1")),
    (refused, of("context length ")),
    (streamed, of("a")),
    (scripted, of("\n")),
    (scripted, of(" ", begin="<passage>a", end="b")),
    (without_secrets, of("://")),
    (without_secrets, of("http://:")),
]
COMPARED: list[tuple[Callable[[str], Any], Make]] = [
    (front_matter, of("[", begin="---\n", end="\n---\n")),
    (front_matter, of("- ", begin="---\n", end="\n---\n")),
    (answered, of("1\n")),
    (answered, of("not ")),
    (answered, of("ne a ")),
    (answered, of("Mr. ")),
    (answered, of("or ")),
    (answered, lambda size: "".join(chr(0x4E00 + number * 7919 % 20_000) for number in range(size))),
    (answered, of("10,11,", begin="It is not ")),
    (answered, of("1:2:", begin="It is not ")),
    (answered, counted("0{0}.50 ")),
    (answered, of("-", begin="a", end=" b b")),
    (lambda text: error_codes(text, SAID, question=ASKED), of("not a ")),
    (
        lambda text: gives_retracted(text, "Adela Torrin", "Otto Meier", ASKED),
        of("；", begin="It was not Adela Torrin", end=" so"),
    ),
    (checked("language"), of("a", end="é_")),
]


@pytest.mark.parametrize(("function", "make"), READ)
def test_four_times_the_text_takes_about_four_times_as_long(function: Callable[[str], Any], make: Make) -> None:
    linear(function, make)


@pytest.mark.parametrize(("function", "make"), COMPARED)
def test_and_so_does_a_comparison_of_texts(function: Callable[[str], Any], make: Make) -> None:
    linear(function, make, FEW)


@pytest.mark.parametrize("make", [of("a-b-"), of("a:"), of("'"), of("{#"), of("+-"), of("=-"), of("+-" * 50, "a")])
def test_a_word_without_end_takes_linear_time_in_restructured_text(make: Make, tmp_path: Path) -> None:
    def read(text: str) -> None:
        (tmp_path / "a.rst").write_text(text)
        list(read_rst(tmp_path / "a.rst", "a.rst", ReadLimits()))

    linear(read, make, FEW)


def test_comments_of_a_prompt_that_never_end_are_looked_through_once(tmp_path: Path) -> None:
    def read(text: str) -> None:
        (tmp_path / "a.jinja").write_text(text)
        with pytest.raises(ConfigError, match="text outside of a message"):
            load_jinja(tmp_path / "a.jinja", "a", [tmp_path])

    linear(read, of("{#", end="{% user %}a{% enduser %}"))


def test_each_refused_row_of_one_line_is_found_in_linear_time(tmp_path: Path) -> None:
    def read(text: str) -> None:
        (tmp_path / "a.json").write_text(text)
        list(each_row(tmp_path / "a.json", question_of))

    linear(read, of('{"a":1},', begin="[", end="{}]"), FEW)


def linear(function: Callable[[str], Any], make: Make, size: int = SIZE) -> None:
    for _ in range(TRIES):
        longer = seconds(function, make(size * LONGER))
        if longer < FLOOR:
            return
        shorter = seconds(function, make(size))
        if longer <= MOST * shorter:
            return
    pytest.fail(f"{longer:.2f} s for {size * LONGER:,} characters, and {shorter:.3f} s for a quarter of them")


def seconds(function: Callable[[str], Any], text: str) -> float:
    """Of the processor; what a function says of the text does not matter here."""

    def work() -> None:
        with given_up(), suppress(Reject, Unread, ValueError):
            function(text)

    return cpu(work)


@contextmanager
def given_up() -> Iterator[None]:
    def stop(*_: object) -> None:
        raise TimeoutError(f"not done after {GIVEN_UP} s")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, GIVEN_UP)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
