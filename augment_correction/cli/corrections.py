"""`corrections`: the store of what was corrected, and what is learned from it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from augment_correction.cli import Json, Overrides, app
from augment_correction.cli.answers import Mode, asking_flags, print_paid
from augment_correction.cli.helping import Commands
from augment_correction.cli.worker import Priority
from augment_correction.terminal import say, tell
from augment_correction.text.excerpts import counted, line_of

if TYPE_CHECKING:
    from decimal import Decimal

    from augment_correction.corrections.config import ChatConfig
    from augment_correction.corrections.correction import Correction
    from augment_correction.corrections.importing import LookCost
    from augment_correction.corrections.store import Event

corrections = Commands(
    name="corrections",
    help="Manage corrections from chats: review and approve them, train on them, run the acceptance test, roll back.",
    epilog="Example: python -m augment_correction corrections list",
)
app.add_typer(corrections)

ChatFile = Annotated[str, typer.Argument(help="The config of the chat.", metavar="CONFIG")]
ChatOption = Annotated[str, typer.Option("--config", metavar="CONFIG", help="The config of the chat.")]
Ids = Annotated[list[int], typer.Argument(help="The numbers of the corrections.", metavar="ID")]
Id = Annotated[int, typer.Argument(help="The number of the correction.", metavar="ID")]
Author = Annotated[
    str, typer.Option("--author", help="The name recorded with the change. Default: your user name on this machine.")
]
Question = Annotated[str | None, typer.Option("--question", help="The question.")]
Wrong = Annotated[str | None, typer.Option("--wrong", help="The wrong answer that the model gave.")]
Right = Annotated[str | None, typer.Option("--right", help="The correct answer.")]
Message = Annotated[str | None, typer.Option("--message", help="The user's message that corrects the model.")]
Reason = Annotated[str, typer.Option("--reason", help="The reason, for the history.")]
Force = Annotated[
    bool,
    typer.Option("--force", help="Approve although the evidence contradicts the correction. The history records this."),
]
DEFAULT = "chat"
SHOWN = 40
"""Characters of a text in a table."""


class StateName(StrEnum):
    candidate = "candidate"
    approved = "approved"
    rejected = "rejected"
    withdrawn = "withdrawn"


def chat_config(
    config: str = DEFAULT,
    model: str | None = None,
    mode: Mode | None = None,
    adapter: str | None = None,
    base_url: str | None = None,
    overrides: list[str] | None = None,
) -> ChatConfig:
    """Raises: ConfigError."""
    from augment_correction.corrections.config import load_chat

    return load_chat(config, [*(overrides or []), *asking_flags(model, mode, adapter, base_url)])


# ------------------------------------------------------------------------------------------------------- the store


@corrections.command("list", epilog="Example: python -m augment_correction corrections list --state candidate")
def list_(
    state: Annotated[StateName | None, typer.Option("--state", help="Show only the corrections in this state.")] = None,
    as_json: Json = False,
    config: ChatFile = DEFAULT,
    overrides: Overrides = None,
) -> None:
    """Show the corrections and their states."""
    found = chat_config(config, overrides=overrides).store.all(state.value if state else None)
    if as_json:
        say(json.dumps([each.as_json() for each in found], indent=1, ensure_ascii=False))
    else:
        print_corrections(found, state.value if state else None)


def print_corrections(found: Sequence[Correction], state: str | None = None) -> None:
    """Of all corrections those in a state, where one is given."""
    from augment_correction.cli.tables import print_table

    if not found and state:
        say(f"no correction is in the state {state}; `corrections list` shows all corrections")
        return
    if not found:
        say("there are no corrections yet; three commands make them:")
        say("  chat                detects them while you correct the model")
        say("  corrections import  finds them in logged chats")
        say("  corrections add     records one by hand")
        return
    rows = [
        (
            str(each.id), each.state + (" !" if each.contradicted else ""), line_of(each.statement.question, SHOWN),
            line_of(each.statement.wrong, SHOWN), line_of(each.statement.right, SHOWN), each.author,
        )
        for each in found
    ]  # fmt: skip
    print_table(("id", "state", "question", "wrong", "right", "by"), rows)
    if any(each.contradicted for each in found):
        say("!  evidence contradicts the correction; to see it: corrections show ID")


@corrections.command(epilog="Example: python -m augment_correction corrections show 3")
def show(id_: Id, config: ChatOption = DEFAULT, overrides: Overrides = None) -> None:
    """Show one correction with its chat, its evidence and its history."""
    store = chat_config(config, overrides=overrides).store
    found = store.get(id_)
    said = found.statement
    say(f"correction {found.id}, {found.state}{', against the evidence' if found.forced else ''}")
    say(f"  question: {said.question}\n  wrong:    {said.wrong}\n  right:    {said.right}")
    if said.message:
        say(f"  message:  {said.message}")
    say(f"  author:   {found.author}\n  source:   {found.source}")
    if found.chat:
        say("  chat before it:")
    for message in found.chat:
        say(f"    {message['role']}: {message['content']}")
    for each in found.evidence:
        say(f"  evidence: {each.by} {each.verdict} it: {each.reason}")
    say("  history:")
    for event in store.history(id_):
        say(f"    {event.at} {event.who}: {event.what}{_told(event)}")


def _told(event: Event) -> str:
    """Why, or what was there before; what `show` tells elsewhere is left out."""
    match event.what, event.detail:
        case "edited", {"before": dict(before)}:
            told = ", ".join(f"{name} {text!r}" for name, text in before.items() if text)
            return f"; before: {told}"
        case _, {"reason": str(reason)}:
            return f": {reason}"
        case _, {"forced": True}:
            return ", against the evidence"
    return ""


@corrections.command(
    epilog="Example: python -m augment_correction corrections add --question 'Who wrote Faust?' --wrong Schiller --right Goethe"
)
def add(
    question: Annotated[str, typer.Option("--question", help="The question.")],
    wrong: Annotated[str, typer.Option("--wrong", help="The wrong answer that the model gave.")],
    right: Annotated[str, typer.Option("--right", help="The correct answer.")],
    message: Annotated[str, typer.Option("--message", help="The user's message that corrects the model.")] = "",
    author: Author = "",
    config: ChatFile = DEFAULT,
    overrides: Overrides = None,
) -> None:
    """Add a correction by hand. It is a candidate until you approve it."""
    from augment_correction.corrections.correction import Statement
    from augment_correction.corrections.evidence import arithmetic

    said = Statement(question, wrong, right, message)
    evidence = [each for each in [arithmetic(said)] if each]
    made = chat_config(config, overrides=overrides).store.add(said, author=author, evidence=evidence)
    say(f"correction {made.id} is a candidate; to approve it: corrections approve {made.id}")
    for each in made.contradicted:
        say(f"  {each.by} contradicts it: {each.reason}")


@corrections.command(epilog="Example: python -m augment_correction corrections edit 3 --right 'Otto Meier'")
def edit(
    id_: Id,
    question: Question = None,
    wrong: Wrong = None,
    right: Right = None,
    message: Message = None,
    author: Author = "",
    config: ChatOption = DEFAULT,
    overrides: Overrides = None,
) -> None:
    """Edit a correction. The earlier text stays in its history, and the correction must be approved again."""
    from dataclasses import replace

    store = chat_config(config, overrides=overrides).store
    given = {"question": question, "wrong": wrong, "right": right, "message": message}
    said = replace(store.get(id_).statement, **{name: text for name, text in given.items() if text is not None})
    made = store.edit(id_, said, author)
    say(f"correction {made.id} is a candidate; to approve it: corrections approve {made.id}")


@corrections.command(epilog="Example: python -m augment_correction corrections approve 3 4 5")
def approve(
    ids: Ids, force: Force = False, author: Author = "", config: ChatOption = DEFAULT, overrides: Overrides = None
) -> None:
    """Approve corrections for the next training."""
    store = chat_config(config, overrides=overrides).store
    for id_ in ids:
        made = store.approve(id_, author, force=force)
        say(f"correction {id_} is approved{', against the evidence' if made.forced else ''}")


@corrections.command(epilog="Example: python -m augment_correction corrections reject 3 --reason 'an opinion'")
def reject(
    ids: Ids, reason: Reason = "", author: Author = "", config: ChatOption = DEFAULT, overrides: Overrides = None
) -> None:
    """Reject candidates. They stay in the store."""
    store = chat_config(config, overrides=overrides).store
    for id_ in ids:
        store.reject(id_, reason, author)
        say(f"correction {id_} is rejected")


@corrections.command(epilog="Example: python -m augment_correction corrections withdraw 3")
def withdraw(
    ids: Ids, reason: Reason = "", author: Author = "", config: ChatOption = DEFAULT, overrides: Overrides = None
) -> None:
    """Withdraw approved corrections, so that the next version is trained without them."""
    store = chat_config(config, overrides=overrides).store
    for id_ in ids:
        store.withdraw(id_, reason, author)
        say(f"correction {id_} is withdrawn; `corrections train` makes a version without it")


@corrections.command("import", epilog="Example: python -m augment_correction corrections import chats.jsonl")
def import_(
    files: Annotated[list[Path], typer.Argument(help="Logged chats (.jsonl), in any common shape.", metavar="FILE")],
    author: Author = "",
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Print how many messages would be examined and what that costs. No model is asked."
        ),
    ] = False,
    config: ChatOption = DEFAULT,
    overrides: Overrides = None,
) -> None:
    """Find corrections in logged chats and store them as candidates. After an interruption the same command resumes."""
    from augment_correction.corrections.importing import import_corrections, look_cost, read_remarks

    loaded = chat_config(config, overrides=overrides)
    remarks, problems = read_remarks(files)
    for problem in problems:
        tell(f"not used: {problem}")
    detector = loaded.model(loaded.detector).model
    say(
        f"{counted(len(remarks), 'message')} after an answer; the detector {detector} is asked once about each; "
        f"{counted(len(problems), 'row')} without a valid chat"
    )
    if dry_run:
        print_look_cost(look_cost(loaded, remarks), loaded.max_usd)
    if dry_run or not remarks:
        return
    found = import_corrections(loaded, remarks, author, tell)
    told = ", ".join(f"{count} {verdict}" for verdict, count in found.verdicts.items())
    say(f"{told}; {len(found.corrections)} candidates")
    for line in [*found.undecided, *found.refused]:
        tell(f"  {line}")
    print_paid(found.spent)
    if found.stopped:
        raise found.stopped


def print_look_cost(made: LookCost, cap: Decimal | None) -> None:
    from augment_correction.progress import money

    about, most = made.usd(), made.usd(limit=True)
    told = (
        "unknown, because no price of the model is known"
        if about is None
        else f"about {money(about)}; at most {money(most)}"
    )
    say(f"{made.input:,} tokens to read; cost of the detection: {told}")
    if made.further:
        say(f"each correction that is found is then checked with at most {made.further} further questions")
    say(f"spending cap: {cap} USD (cost.max_usd)" if cap is not None else "spending cap: none is set (cost.max_usd)")


@corrections.command(epilog="Example: python -m augment_correction corrections export --output corrections.jsonl")
def export(
    output: Annotated[Path, typer.Option("--output", help="The file of failures to write, one per line (.jsonl).")],
    state: Annotated[
        StateName, typer.Option("--state", help="Export only the corrections in this state.")
    ] = StateName.approved,
    config: ChatFile = DEFAULT,
    overrides: Overrides = None,
) -> None:
    """Write corrections as failures that `import-failures` and `train` read."""
    from augment_correction.corrections.learning import write_batch

    found = chat_config(config, overrides=overrides).store.all(state.value)
    write_batch(found, output.resolve())
    say(f"{counted(len(found), 'correction')} -> {output}")


@corrections.command(
    epilog="Example: python -m augment_correction corrections queue --worker-config configs/worker.yaml"
)
def queue(
    worker: Annotated[
        str, typer.Option("--worker-config", "--worker", metavar="CONFIG", help="The config of the worker.")
    ] = "configs/worker.yaml",
    priority: Annotated[
        Priority, typer.Option(help="The place in the queue: before (high) or after (low) the other jobs.")
    ] = Priority.normal,
    config: ChatFile = DEFAULT,
    overrides: Overrides = None,
) -> None:
    """Put a job for all approved corrections into a worker's queue. The worker runs `corrections train` on them."""
    from tempfile import TemporaryDirectory

    from augment_correction.corrections.learning import write_batch
    from augment_correction.errors import ConfigError, InputError
    from augment_correction.worker.adding import add_entries
    from augment_correction.worker.config import load_worker

    loaded, queued_in = chat_config(config, overrides=overrides), load_worker(worker)
    if not queued_in.corrections.command:
        raise ConfigError(f"{worker} has no corrections.command", hint="configs/worker.yaml shows one")
    if not (approved := loaded.store.all("approved")):
        raise InputError(
            "no correction is approved", hint="`corrections list` shows all; approve some with `corrections approve ID`"
        )
    with TemporaryDirectory() as folder:
        batch = Path(folder) / "corrections.jsonl"
        write_batch(approved, batch)
        [(entry, found)] = add_entries(queued_in, [batch], priority.value)
    say(
        f"{entry}: {counted(found.rows, 'correction')}; `worker run` trains on them, `worker status` tells what came of it"
    )
