"""The page for the command line, written from the commands themselves: usage, arguments, options, defaults, examples."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from importlib import import_module
from typing import Any, get_args

import typer

from augment_correction.cli import COMMANDS, app

TOP = """# Command line

Generated from the commands by `docs/reference/generate.py`. `augment-correction` and `python -m augment_correction` are the same
program. Every option may be written with underscores (`--output_dir`), too. `augment-correction --install-completion` installs the
completion for your shell.

Results are printed to stdout, progress and errors to stderr. Where a command has `--json`, it prints one JSON document instead of
text for people. The exit codes of all commands:

| exit code | meaning |
|---|---|
| 0 | The command is done. For `evaluate`: the model is accepted. |
| 1 | A bug in the program. Please report the traceback. |
| 2 | A mistake in the set-up: a config, a key, a model name, a file, an option, a server that cannot be reached. |
| 3 | The command is done and its result is negative: nothing was kept, too much was rejected, a check failed, or a model was not accepted. |
| 4 | The run stopped at the spending cap `cost.max_usd`. |
| 130 | The command was interrupted. The same command resumes. |
"""


def cli_page() -> str:
    for name in COMMANDS:
        import_module(f"augment_correction.cli.{name}")
    program = typer.main.get_command(app)
    leaves = sorted(_leaves(program, ()), key=_place_in_help)  # registered in the order in which anybody imported them
    lines = [TOP, "| command | what it does |", "|---|---|"]
    for words, command in leaves:
        name = " ".join(words)
        lines.append(f"| [`{name}`](#{name.replace(' ', '-')}) | {_summary(command)} |")
    for words, command in leaves:
        lines += ["", *_section(words, command)]
    return "\n".join(lines) + "\n"


def _leaves(command: Any, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, each in getattr(command, "commands", {}).items():
        if getattr(each, "commands", None):
            yield from _leaves(each, (*words, name))
        elif not each.hidden:
            yield (*words, name), each


def _place_in_help(leaf: tuple[tuple[str, ...], Any]) -> int:
    module = leaf[1].callback.__module__.removeprefix("augment_correction.cli.").split(".")[0]
    return COMMANDS.index(module) if module in COMMANDS else len(COMMANDS)


def _summary(command: Any) -> str:
    return " ".join((command.help or "").split("\n\n")[0].split()).replace("|", "\\|")


def _section(words: tuple[str, ...], command: Any) -> Iterator[str]:
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    options = [each for each in command.params if each.param_type_name == "option" and not each.hidden]
    yield f"## {' '.join(words)}"
    yield ""
    yield " ".join((command.help or "").split())
    yield ""
    yield "```text"
    yield " ".join(["augment-correction", *words, *(["[OPTIONS]"] if options else []), *map(_place, arguments)])
    yield "```"
    if arguments or options:
        yield from ("", "| option | default | |", "|---|---|---|")
    for each in (*arguments, *options):
        about = " ".join((each.help or "").split()).replace("|", "\\|")
        yield f"| {_names(each)} | {_default(each)} | {_choices(each)}{about} |"
    if command.epilog:
        yield from ("", *_epilog(command.epilog))


def _epilog(text: str) -> Iterator[str]:
    """Commands as code, sentences as text."""
    for part in re.split(r"\n\s*\n", text.strip()):
        told = " ".join(part.split())
        lead, _, command = told.partition("Example: ")
        if told.startswith("python -m"):
            yield from ("```", told, "```")
        elif command and not lead:
            yield from ("Example:", "", "```", command, "```")
        else:
            yield told
        yield ""


def _place(argument: Any) -> str:
    name = argument.metavar or argument.name.upper()
    return (name if argument.required else f"[{name}]") + ("..." if argument.nargs != 1 else "")


def _names(each: Any) -> str:
    if each.param_type_name == "argument":
        return f"`{each.metavar or each.name.upper()}`"
    return ", ".join(f"`{name}`" for name in (*each.opts, *each.secondary_opts))


def _choices(each: Any) -> str:
    annotation = each.type_descriptor.annotation if hasattr(each, "type_descriptor") else None
    kinds = [annotation, *get_args(annotation)]
    words = [str(it.value) for kind in kinds if isinstance(kind, type) and issubclass(kind, Enum) for it in kind]
    return f"one of {', '.join(f'`{word}`' for word in words)}. " if words else ""


def _default(each: Any) -> str:
    if each.param_type_name == "argument" and each.required:
        return "required"
    value = each.default() if callable(each.default) else each.default
    value = value.value if isinstance(value, Enum) else value
    if value in (None, False, True, (), [], "") or type(value).__name__ == "Sentinel":
        return "required" if each.required else ""
    return f"`{value}`"
