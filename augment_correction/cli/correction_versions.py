"""`corrections train`, `verify`, `versions`, `activate`, `rollback`: what is learned from the store, and which version is used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from augment_correction.cli import Json, Overrides
from augment_correction.cli.answers import Model, ModeOption
from augment_correction.cli.corrections import DEFAULT, Author, ChatFile, ChatOption, chat_config, corrections
from augment_correction.terminal import say, tell
from augment_correction.text.excerpts import counted

if TYPE_CHECKING:
    from augment_correction.corrections.config import ChatConfig
    from augment_correction.corrections.learning import LearningRound
    from augment_correction.corrections.versions import Version


@corrections.command(
    epilog="""
Example: python -m augment_correction corrections train --model ./model

Trains the base model on all approved corrections, asks probe questions before and after, and records a version. The version is not
activated. After an interruption the same command resumes. Exit codes: 0 accepted, 3 rejected or undecided.
"""
)
def train(
    config: ChatFile = DEFAULT,
    model: Model = None,
    mode: ModeOption = None,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            "--batch",
            help="Train only on the approved corrections that this file lists. `corrections queue` writes such files.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "--report", help="Where to write a copy of the evaluation.json of the version."),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Print the number of training rows, requests, tokens and cost. No model is asked or loaded.",
        ),
    ] = False,
    overrides: Overrides = None,
) -> None:
    """Train on the approved corrections, and measure what was learned and what else changed."""
    if dry_run:
        print_expected(chat_config(config, model, mode, overrides=overrides), data)
        return
    made = train_and_tell(chat_config(config, model, mode, overrides=overrides), data)
    if output is not None and made.version is not None:
        from augment_correction.store.folder import atomic_write

        with atomic_write(output.resolve()) as file:
            file.write(Path(made.version.evaluation).read_bytes())
    raise typer.Exit(int(made.exit_code))


def print_expected(config: ChatConfig, batch: Path | None = None) -> None:
    from augment_correction.cli.estimates import print_estimate
    from augment_correction.corrections.config import target_folder
    from augment_correction.corrections.expecting import expected
    from augment_correction.corrections.learning import approved_in
    from augment_correction.errors import ConfigError

    made = expected(config, approved_in(config, batch))
    say(
        f"{counted(made.corrections, 'approved correction')}, at most {counted(made.rows, 'training row')}, besides those of corrections.keep"
    )
    print_estimate(made.estimate)
    try:
        target_folder(config)
    except ConfigError as failure:
        say(f"note: {failure.message}; {failure.hint}")


def train_and_tell(config: ChatConfig, batch: Path | None = None) -> LearningRound:
    from augment_correction.corrections.learning import learn
    from augment_correction.errors import ExitCode
    from augment_correction.progress import live_display

    made = learn(config, tell, live_display, batch)
    if made.exit_code is ExitCode.INTERRUPTED:
        return made
    if made.version is None:
        say("no checkpoint was better than the base model, so that no version was made")
    else:
        print_version(made.version)
        if made.version.outcome == "accept":
            say(f"next: corrections activate {made.version.id}")
    return made


@corrections.command(epilog="Example: python -m augment_correction corrections verify 2")
def verify(
    id_: Annotated[
        int | None, typer.Argument(metavar="VERSION", help="The number of the version. Default: the newest.")
    ] = None,
    config: ChatOption = DEFAULT,
    overrides: Overrides = None,
) -> None:
    """Show the probe results of a version, before and after its training."""
    from augment_correction.cli.evaluate import print_report
    from augment_correction.corrections.versions import Versions
    from augment_correction.errors import InputError

    versions = Versions(chat_config(config, overrides=overrides).folder)
    made = versions.all()
    if not made:
        raise InputError("there is no version yet", hint="`corrections train` makes one")
    found = versions.get(id_) if id_ is not None else made[-1]
    print_report(json.loads(Path(found.evaluation).read_text("utf-8")))
    print_version(found)
    raise typer.Exit(0 if found.outcome == "accept" else 3)


@corrections.command("versions", epilog="Example: python -m augment_correction corrections versions")
def versions_(as_json: Json = False, config: ChatFile = DEFAULT, overrides: Overrides = None) -> None:
    """Show every version, the corrections that it was trained on, and which one is active."""
    from dataclasses import asdict

    from augment_correction.corrections.versions import Versions

    versions = Versions(chat_config(config, overrides=overrides).folder)
    made, active = versions.all(), versions.active()
    if as_json:
        rows = [{**asdict(each), "active": bool(active and each.id == active.id)} for each in made]
        say(json.dumps(rows, indent=1, ensure_ascii=False))
        return
    for each in made:
        print_version(each, active=bool(active and each.id == active.id))
    say(f"active: {f'version {active.id}' if active else 'the base model'}")


def print_version(made: Version, *, active: bool = False) -> None:
    listed = ", ".join(map(str, made.corrections))
    parent = f", after version {made.parent}" if made.parent else ""
    say(
        f"version {made.id}{' (active)' if active else ''}: {made.outcome.upper()}; {made.method} on corrections {listed}{parent}"
    )
    for reason in made.reasons:
        say(f"  {reason}")
    say(f"  adapter {made.adapter}\n  page    {made.page}")


@corrections.command(epilog="Example: python -m augment_correction corrections activate 2")
def activate(
    id_: Annotated[int, typer.Argument(help="The number of the version.", metavar="VERSION")],
    force: Annotated[
        bool,
        typer.Option("--force", help="Activate a version that was not accepted. The record of activations says so."),
    ] = False,
    author: Author = "",
    config: ChatOption = DEFAULT,
    overrides: Overrides = None,
) -> None:
    """Make an accepted version the active one, which `chat` uses."""
    from augment_correction.corrections.versions import Versions

    Versions(chat_config(config, overrides=overrides).folder).activate(id_, author, force=force)
    say(f"version {id_} is active")


@corrections.command(epilog="Example: python -m augment_correction corrections rollback")
def rollback(author: Author = "", config: ChatFile = DEFAULT, overrides: Overrides = None) -> None:
    """Make the version active again that was active before."""
    from augment_correction.corrections.versions import Versions

    now = Versions(chat_config(config, overrides=overrides).folder).roll_back(author)
    say(f"active: {f'version {now.id}' if now else 'the base model'}")
