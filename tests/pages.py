"""The pages of the documentation as their reader takes them: commands, file names, links."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

from augment_correction.export_formats import format_names

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "docs" / "guides").glob("*.md"))]
WRITTEN_REFERENCE = sorted({*(ROOT / "docs" / "reference").glob("*.md")} - {ROOT / "docs" / "reference" / "python.md"})
"""`python.md` has signatures for code."""
USED = [page for page in PAGES if page.name != "architecture.md"]
"""Those that tell a user what to type; the other draws the house, in diagrams."""
PROGRAM = ("python", "-m", "augment_correction")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SPAN = re.compile(r"(?<!`)`([^`\n]+(?:\n[^`\n]+)?)`(?!`)")


@dataclass(frozen=True)
class Command:
    page: str
    text: str
    words: tuple[str, ...]
    """From the subcommand on."""


@cache
def program() -> Any:
    """The whole command line, as click knows it."""
    import typer

    from augment_correction.cli import COMMANDS, app

    for name in COMMANDS:
        import_module(f"augment_correction.cli.{name}")
    return typer.main.get_command(app)


def options(command: Any) -> dict[str, Any]:
    return {name: option for option in command.params for name in (*option.opts, *option.secondary_opts)} | {
        "--help": None
    }


def choices(option: Any) -> list[str]:
    """The words that it takes; none where it takes any."""
    if "--format" in option.opts:
        return list(format_names())
    annotation = option.type_descriptor.annotation
    kinds = [annotation, *get_args(annotation)]
    return [str(each.value) for kind in kinds if isinstance(kind, type) and issubclass(kind, Enum) for each in kind]


def fences(page: Path, *languages: str) -> Iterator[str]:
    for language, text in FENCE.findall(page.read_text()):
        if language in languages:
            yield text


def spans(page: Path) -> list[str]:
    """Code in the running text."""
    return [" ".join(span.split()) for span in SPAN.findall(FENCE.sub("", page.read_text()))]


def shell_lines(page: Path) -> Iterator[list[str]]:
    """The words of each command in a fence or in the running text, split at `&&`, `|` and `;`."""
    lines = [line for text in fences(page, "", "sh") for line in text.replace("\\\n", " ").splitlines()]
    for line in [*lines, *spans(page)]:
        try:
            words = shlex.split(line, comments=True)
        except ValueError:  # an apostrophe: prose
            continue
        part: list[str] = []
        for word in [*words, "&&"]:
            if word in ("&&", "|", ";"):
                if part:
                    yield part
                part = []
            else:
                part.append(word)


def commands(page: Path) -> list[Command]:
    """Of this program: written out in full, or in the running text from the subcommand on (`worker status`)."""
    found = []
    for words in shell_lines(page):
        full = [word.removeprefix(".venv/bin/") for word in words]
        if tuple(full[:3]) == PROGRAM:
            found.append(Command(page.name, " ".join(words), tuple(full[3:])))
        elif len(words) > 1 and words[0] in program().commands:
            found.append(Command(page.name, " ".join(words), tuple(words)))
    return found


def commands_in(text: str) -> list[tuple[str, ...]]:
    """The words of each command of this program that a message, a comment or a template of a config names."""
    lines = re.findall(r"-m augment_correction ([^`\n#|>&]*?)(?=, |[`\n#|>&]|$)", text.replace("\\\n", " "))
    lines += [
        span for span in re.findall(r"`([^`\n]+)`", text) if " " in span and span.split()[0] in program().commands
    ]
    found = []
    for line in lines:
        try:
            found.append(tuple(shlex.split(line.strip("\"' .,)").replace("[", "").replace("]", ""))))
        except ValueError:  # half of a sentence
            continue
    return found


def mistakes(command: Command) -> list[str]:
    """What the program would not understand."""
    at, words = program(), list(command.words)
    while words and words[0] in getattr(at, "commands", {}):
        at = at.commands[words.pop(0)]
    known, wrong, given = options(at), [], 0
    if getattr(at, "commands", None) and words and not words[0].startswith("-"):
        return [f"{command.text}: no such command: {words[0]}"]
    while words:
        word = words.pop(0)
        if not word.startswith("-"):
            given += 1
        elif word.split("=")[0] not in known:
            wrong.append(f"{command.text}: no such flag: {word}")
        elif "=" not in word and (option := known[word.split("=")[0]]) is not None and not option.is_flag:
            value = words.pop(0) if words else None
            allowed = choices(option)
            if allowed and value and value not in allowed and not str(value).isupper():
                wrong.append(f"{command.text}: {word} is none of {allowed}: {value}")
    places = sum(99 if each.nargs == -1 else 1 for each in at.params if each.param_type_name == "argument")
    if given > places:
        wrong.append(f"{command.text}: {given} arguments, {places} are taken")
    return wrong


def slug(heading: str) -> str:
    """The anchor that a Markdown host gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def anchors(page: Path) -> set[str]:
    return {slug(heading) for heading in re.findall(r"^#+ (.*)$", FENCE.sub("", page.read_text()), re.MULTILINE)}


def every_command(command: Any) -> Iterator[Any]:
    yield command
    for each in getattr(command, "commands", {}).values():
        yield from every_command(each)


def named_files(page: Path) -> set[str]:
    words = [word for words in (*map(str.split, spans(page)), *shell_lines(page)) for word in words]
    names = {word.split("=")[-1].strip("(),;:").removeprefix("./") for word in words}
    return {name for name in names if re.fullmatch(r"[\w.*/-]+", name)}


@cache
def names_here() -> set[str]:
    """Of every file and folder of the repository, with all folders above it and alone."""
    found = set()
    for top in ROOT.iterdir():
        if top.name.startswith(".") or top.name == "outputs":
            continue
        for path in (top, *top.rglob("*")):
            found |= {str(path.relative_to(ROOT)), path.name}
    return found
