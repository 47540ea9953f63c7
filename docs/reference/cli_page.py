"""The page for the command line, written from the commands themselves: usage, arguments, options, defaults, examples."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from enum import Enum
from importlib import import_module
from typing import Any, get_args

import typer

from augment_correction.cli import COMMANDS, app

TOP = """# Command line

Generated from the commands by `docs/reference/generate.py`. `augment-correction` and `python -m augment_correction` are the same
program. Every option may be written with underscores (`--dry_run`), too. A config is the argument CONFIG of a command that has no
other argument, and `--config` of every other; `--config` is understood by all of them. `augment-correction --install-completion`
installs the completion for your shell.

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


NAMES = {
    "--adapter": "the folder of a LoRA adapter for the model",
    "--all": "whatever there is",
    "--answers": "a file that `answers` wrote",
    "--apply": "only apply the decisions",
    "--author": "the name recorded with what you decide or change",
    "--base-url": "the address of the server that is asked",
    "--batch-size": "rows per batch",
    "--config": "a config, where the command has another argument",
    "--control": "the control arms of an experiment",
    "--data": "what is trained on",
    "--data-dir": "the folder in which a monitor collects",
    "--dry-run": "tell what would happen, and pay and change nothing",
    "--engine": "where a run takes place",
    "--epochs": "the largest number of epochs",
    "--eval-steps": "steps between two evaluations",
    "--export": "write the held-out set for another harness",
    "--force": "do it although the evidence or a decision is against it",
    "--format": "a format of the dataset",
    "--fresh": "start again instead of resuming",
    "--gate": "a held-out set of questions",
    "--gradient-accumulation": "batches per optimizer step",
    "--hard-failures-data": "failures with a reference answer",
    "--host": "the address to listen on",
    "--html": "also write a page",
    "--id": "one conversation, passage or row, by the beginning of its id",
    "--input": "a file of questions with reference answers",
    "--iterations": "the number of rounds",
    "--journal": "also the journal",
    "--json": "print one JSON document instead of text",
    "--judge": "a judge grades every answer",
    "--learning-rate": "the learning rate",
    "--limit": "at most so many are taken, made or shown",
    "--logging-dir": "the folder of TensorBoard's logs",
    "--lora-alpha": "the alpha of the adapter",
    "--lora-dropout": "the dropout of the adapter",
    "--lora-r": "the rank of the adapter",
    "--max-completion-length": "the most tokens of one answer in a training by self-distillation",
    "--max-length": "the largest length of a training row in tokens",
    "--max-tokens": "the most tokens of one answer",
    "--message": "the message that corrects the model",
    "--method": "how it is trained",
    "--min-delta": "the smallest fall of the loss that counts",
    "--mode": "how the model is run",
    "--model": "the model that is asked, trained, evaluated or merged",
    "--monitor": "the config of the monitor of a training",
    "--no-open": "do not open the browser",
    "--no-worker": "jobs are run by another process",
    "--on-oom": "what to do when memory runs out",
    "--open": "open the page in the browser",
    "--output": "where the command writes: a file or a folder",
    "--partial": "also of an unfinished run",
    "--patience": "evaluations without progress before the training stops",
    "--port": "the port to listen on",
    "--priority": "the place in a worker's queue",
    "--public": "everybody may see it",
    "--push": "the address to upload to",
    "--question": "the question of a correction",
    "--ray-address": "the Ray cluster",
    "--reason": "the reason, for the history",
    "--resume": "go on from a checkpoint",
    "--resume-from-checkpoint": "go on from this checkpoint",
    "--retention": "questions that the model must not forget",
    "--retry-failed": "a class of failed passages that is asked about again",
    "--right": "the correct answer of a correction",
    "--save-steps": "steps between two checkpoints",
    "--seed": "the random seed",
    "--seeds": "the number of seeds",
    "--self-critique-data": "failures with a corrected answer and a critique",
    "--set": "override one key of the config",
    "--stand-by-share": "the share of rows about right answers",
    "--state": "only corrections in this state",
    "--sweep": "one experiment for each value of a key",
    "--system-prompt": "the system prompt before every question",
    "--temperature": "the sampling temperature",
    "--tokenizer": "the tokenizer by which the mask is proven",
    "--top-p": "the share of probable tokens that an answer is drawn from",
    "--transcript": "the file of the chat",
    "--trust-proxy": "the proxy whose headers are trusted",
    "--validation-split": "the share of rows held out for validation",
    "--watch": "serve a live page of the run",
    "--with": "the trainer",
    "--worker": "run the jobs in this process",
    "--worker-config": "the config of a worker, where `--config` is another's",
    "--wrong": "the wrong answer of a correction",
}
"""Every long option of every command: one name, one meaning, one name for each meaning. The page shows those of several commands."""

SHARED = """## Options of several commands

An option means the same in every command that has it. The names in the last column are older ones and those of other trainers; they are
understood, and no help shows them.

| option | meaning | understood as well |
|---|---|---|"""


def cli_page() -> str:
    for name in COMMANDS:
        import_module(f"augment_correction.cli.{name}")
    program = typer.main.get_command(app)
    leaves = sorted(_leaves(program, ()), key=_place_in_help)  # registered in the order in which anybody imported them
    lines = [TOP, "| command | what it does |", "|---|---|"]
    for words, command in leaves:
        name = " ".join(words)
        lines.append(f"| [`{name}`](#{name.replace(' ', '-')}) | {_summary(command)} |")
    lines += ["", SHARED, *_shared([command for _, command in leaves])]
    for words, command in leaves:
        lines += ["", *_section(words, command)]
    return "\n".join(lines) + "\n"


def _shared(commands: list[Any]) -> Iterator[str]:
    """Of what several commands have, and of what has other names: `--id` for `--show`."""
    shown, others = defaultdict(list), defaultdict(list)
    for command in commands:
        for option in command.params:
            for name in (*option.opts, *option.secondary_opts):
                shown[name].append(command.name)
        for before, option in command.other_names:
            for kind in ("opts", "secondary_opts"):
                for name in getattr(option, kind):
                    others[getattr(before, kind)[-1]].append(f"`{name}`")
    for name, meaning in NAMES.items():
        if len(shown[name]) > 1 or others[name]:
            yield f"| `{name}` | {meaning} | {', '.join(sorted(set(others[name])))} |"


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
