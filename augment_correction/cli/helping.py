"""What `--help` shows, for a terminal of any width: nothing is cut, and an example can be copied as it stands. Of an option that has
several names the first is shown; the others are understood."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

PROGRAM = "python -m "
EXAMPLE = "Example: "


HYPHEN = "\N{NON-BREAKING HYPHEN}"
"""In place of a hyphen while lines are broken, so that `--eval-steps` stays in one."""
PLAIN_KINDS = {"str": "text", "int": "number", "int range": "number", "float": "number", "float range": "number"}


class _WholeWords:
    epilog: str | None

    def get_help(self, ctx: Any) -> str:
        formatter = ctx.make_formatter()
        text, table = formatter.write_text, formatter.write_dl
        formatter.write_text = lambda told: text(told.replace("-", HYPHEN))
        formatter.write_dl = lambda rows, **widths: table(
            [(name, told.replace("-", HYPHEN)) for name, told in rows], **widths
        )
        self.format_help(ctx, formatter)  # type: ignore[attr-defined]
        return str(formatter.getvalue()).rstrip("\n").replace(HYPHEN, "-")

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        if self.epilog:
            formatter.write_paragraph()
            with formatter.indentation():
                formatter.write_text("\n\n".join(_paragraphs(self.epilog, formatter.width - formatter.current_indent)))


AS_OPTIONS = ("config", "adapter")
"""Arguments that are understood as `--config` and `--adapter`, too, because other commands take them so."""


class Command(_WholeWords, TyperCommand):
    """Its `params` have the names that are shown; `other_names` pairs them with the same options under the names that are not."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        options = [each for each in self.params if each.param_type_name == "option"]
        self.other_names = [(each, others) for each in options if (others := _other_names(each))]
        self.as_options = [
            each for each in self.params if each.param_type_name == "argument" and each.name in AS_OPTIONS
        ]

    def make_parser(self, ctx: Any) -> Any:
        parser = super().make_parser(ctx)
        for _, each in self.other_names:
            each.add_to_parser(parser, ctx)
        _take_as_options(parser, self.as_options, ctx)
        return parser

    def format_options(self, ctx: Any, formatter: Any) -> None:
        write = formatter.write_dl
        formatter.write_dl = lambda rows, **widths: write(
            [(_kind(name), _range(told)) for name, told in rows], **widths
        )
        super().format_options(ctx, formatter)
        formatter.write_dl = write


SECTIONS = {
    "Getting started": ("demo", "init", "list", "copy"),
    "A dataset from documents": ("run", "preview", "check", "inspect", "verify", "export", "report", "review"),
    "Training, and whether it helped": ("train", "merge", "evaluate"),
    "Failures of a model": ("answers", "from-failures", "import-failures", "codes", "monitor", "experiment"),
    "Corrections in a chat": ("chat", "corrections"),
    "Services": ("worker", "workspace"),
}
"""The program's commands as its help shows them."""


class Group(_WholeWords, TyperGroup):
    """Says of every command what its help begins with, wrapped; click cuts that after a line."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        for title, names in ({"Commands": self.list_commands(ctx)} if ctx.parent else SECTIONS).items():
            with formatter.section(title):
                formatter.write_dl(
                    [(name, (self.commands[name].help or "").strip().split("\n\n")[0]) for name in names]
                )


class Commands(typer.Typer):
    """The commands of the program, or of one of its groups."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(cls=Group, no_args_is_help=True, **settings)

    def command(self, name: str | None = None, **settings: Any) -> Callable[[Any], Any]:
        return super().command(name, cls=Command, **settings)


def _other_names(option: Any) -> Any:
    """The option with the names after the first long one, which it loses; None where it has no others."""
    others = copy.copy(option)
    for kind in ("opts", "secondary_opts"):
        names = list(dict.fromkeys(getattr(option, kind)))
        first = next((name for name in names if name.startswith("--")), None)
        shown = [name for name in names if name == first or not name.startswith("--")]
        setattr(option, kind, shown)
        setattr(others, kind, [name for name in names if name not in shown])
    return others if others.opts or others.secondary_opts else None


def _take_as_options(parser: Any, arguments: list[Any], ctx: Any) -> None:
    for each in arguments:
        option = copy.copy(each)
        option._flag_needs_value = False  # a typer that uses the parser of an installed click needs it
        parser.add_option(obj=option, opts=[f"--{each.name}"], dest=f"--{each.name}", action="store", nargs=1)
    parse = parser.parse_args

    def parse_args(args: list[str]) -> Any:
        given, rest, order = parse(args)
        for each in arguments:
            named = given.pop(f"--{each.name}", None)
            if named is not None and isinstance(given.get(each.name), str):
                ctx.fail(f"{each.metavar} is named twice, as the argument and with --{each.name}")
            elif named is not None:
                given[each.name] = named
        return given, rest, order

    parser.parse_args = parse_args


def _kind(name: str) -> str:
    """In a newcomer's words, and of what may be given several times the kind of one: `--data <path>` and not `<list[Path]>`."""
    told, _, kind = name.removesuffix(">").partition(" <")
    if not kind:
        return name
    kind = kind.removeprefix("list[").removesuffix("]").lower() if kind.startswith("list[") else kind
    return told if told.isupper() else f"{told} <{PLAIN_KINDS.get(kind, kind)}>"


def _range(told: str) -> str:
    """`[1<=x<=5]` is `[1 to 5]`, and `[x>=1]` is `[at least 1]`."""
    told = re.sub(r"([\d.]+)<=x<=([\d.]+)\]$", r"\1 to \2]", told)
    return re.sub(r"x>=([\d.]+)\]$", r"at least \1]", told)


def _paragraphs(text: str, width: int) -> Iterator[str]:
    for part in re.split(r"\n\s*\n", text.strip()):
        told = " ".join(part.split())
        lead = EXAMPLE if told.startswith(EXAMPLE + PROGRAM) else ""
        # "\b" tells click to leave the paragraph's lines as they are
        yield f"\b\n{_broken(told, width)}" if lead or told.startswith(PROGRAM) else told


def _broken(command: str, width: int) -> str:
    """Over several lines as a shell reads them, an option beside its value and nothing that is quoted torn apart."""
    words = re.findall(r"(?:'[^']*'|\S)+", command)
    parts: list[str] = []
    for before, word in zip(["", *words], words, strict=False):
        if parts and (not word.startswith("-") and before.startswith("--")):
            parts[-1] += f" {word}"
        else:
            parts.append(word)
    lines = [""]
    for part in parts:
        if lines[-1].strip() and len(lines[-1]) + 1 + len(part) > width - len(" \\"):
            lines.append(f"    {part}")
        else:
            lines[-1] += f" {part}" if lines[-1] else part
    return " \\\n".join(lines)
