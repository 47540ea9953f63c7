"""The command line. Results go to stdout, progress and errors to stderr; exit codes are in `errors.ExitCode`.

How options are named: one thing has one name in every command, and one name means one thing. `NAMES` in docs/reference/cli_page.py lists
them all; look there before you add one. Where a command writes is `--output`, a file or a folder; how many things it takes or shows is
`--limit` (`-n`); the model is `--model`. A flag that sets a key of a config is called as the key where `NAMES` has no word for it. A
config is the argument CONFIG of a command without other arguments, and `--config` elsewhere. An option shows the first long name in its
declaration; a name that it had, or has in another trainer, stands behind it, is understood and shown nowhere. tests/cli/test_names.py
holds this.
"""

from __future__ import annotations

import errno
import os
from importlib import import_module
from typing import Annotated

import typer

from augment_correction.cli.helping import Commands
from augment_correction.errors import AugmentCorrectionError, ExitCode, InputError, UserError
from augment_correction.terminal import say, tell, tell_bug

COMMANDS = (
    "run", "preview", "check", "inspect", "verify", "export", "report", "review", "evaluate", "train", "merge", "worker",
    "experiment", "answers", "failures", "monitor", "chat", "corrections", "correction_versions", "codes", "files", "workspace",
)  # fmt: skip
"""Modules here; the order of the help. All are loaded by every call, so that the help knows their flags, and each command imports what it
needs when it runs: with these imports at the top of its module `corrections list` would take 1.0 s of CPU to load, and takes 0.1."""


app = Commands(
    name="augment-correction",
    add_completion=True,
    # `--output_dir`, as other trainers spell it, is `--output-dir`: an underscore in a name is a hyphen, in every command.
    context_settings={"token_normalize_func": lambda name: name.replace("_", "-")},
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # its tables cut the names of options on a terminal of 80 columns
    help="Turn a model's mistakes into fine-tuning data with a loss mask, train on it, and decide whether the model got better.",
    epilog="Start with: python -m augment_correction run configs/correction.yaml",
)


INTERRUPTED = "interrupted; run the same command again to resume: finished calls are not repeated"


def main() -> int:
    """Run the command line; returns the exit code. A user's mistake is one clear line, a bug keeps its traceback."""
    # Before anything loads OpenMP: its idle threads otherwise spin. On two cores at load 5 a training step of a model
    # of 135 million parameters took 60 s, and 3 s without the spinning.
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    try:
        for name in COMMANDS:
            import_module(f"augment_correction.cli.{name}")
        app(prog_name="augment-correction", standalone_mode=True)
    except SystemExit as ended:
        if _interrupted(ended):
            tell(INTERRUPTED)
        raise
    except UserError as failure:
        return complain(failure)
    except AugmentCorrectionError as failure:
        complain(failure)
        if failure.exit_code is ExitCode.BUG:
            tell_bug(failure)
        return int(failure.exit_code)
    except KeyboardInterrupt:
        tell(INTERRUPTED)
        return int(ExitCode.INTERRUPTED)
    except Exception as failure:
        if (refused := _refused(failure)) is not None:
            return complain(refused)
        tell_bug(failure)
        return int(ExitCode.BUG)
    return 0


def _interrupted(ended: BaseException | None) -> bool:
    """Whether typer made an exit of Ctrl-C, of which it says nothing."""
    while ended is not None and not isinstance(ended, KeyboardInterrupt):
        ended = ended.__cause__ or ended.__context__
    return ended is not None


def _refused(failure: Exception) -> InputError | None:
    """What the system refuses wherever in the program: room on the disk, or leave to read or write a file."""
    from augment_correction.store.room import no_room

    place = getattr(failure, "filename", None)
    if no_room(failure):
        what = f"{place} cannot be written" if place else "a file cannot be written"
        return InputError(
            f"{what}: the disk is full", hint="free some space on the disk, and give the same command again"
        )
    if place and isinstance(failure, OSError) and failure.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return InputError(
            f"{place}: {failure.strerror}",
            hint="make it readable and writable for yourself, or work on a copy of its folder",
        )
    return None


def complain(failure: AugmentCorrectionError) -> int:
    tell(f"error: {failure.message}")
    if failure.hint:
        tell(f"  remedy: {failure.hint}")
    return int(failure.exit_code)


Config = Annotated[
    str,
    typer.Argument(help="A config file, or the name of one in configs/ or among the shipped ones.", metavar="CONFIG"),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Override one key of the config, for example --set path.output_dir=outputs/other. Repeatable.",
    ),
]

Json = Annotated[bool, typer.Option("--json", help="Print the result as one JSON document, for scripts.")]


@app.callback(invoke_without_command=True)
def _version(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version of the program.")] = False,
) -> None:
    if version:
        from augment_correction import __version__

        say(__version__)
        raise typer.Exit
