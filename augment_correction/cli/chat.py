"""`chat`: talk with a model, and correct it."""

from __future__ import annotations

import contextlib
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from augment_correction.cli import Overrides, app
from augment_correction.cli.answers import Adapter, BaseUrl, Model, ModeOption, print_paid
from augment_correction.terminal import say, say_part, tell

if TYPE_CHECKING:
    from augment_correction.corrections.chatting import Chat, Loop
    from augment_correction.corrections.config import ChatConfig
    from augment_correction.corrections.correction import Statement
    from augment_correction.errors import AugmentCorrectionError

EXAMPLES = """
Examples:

  python -m augment_correction chat

  python -m augment_correction chat --model ./model --transcript monday.jsonl

When you correct the model, the program shows the correction that it understood and asks you: y keeps it, e edits it, n drops it.
A correction that you confirm is approved and waits for `corrections train`. Nothing is trained that you have not seen.
"""
COMMANDS = """  /corrections  show the corrections so far
  /train        train on the approved corrections and run the acceptance test
  /retry        ask for another answer to the last message
  /reset        start a new conversation
  /save FILE    append this conversation to a file of chats (.jsonl)
  /quit         leave the chat; the transcript is kept"""


@app.command(epilog=EXAMPLES)
def chat(
    config: Annotated[str, typer.Argument(help="The config of the chat.", metavar="CONFIG")] = "chat",
    model: Model = None,
    mode: ModeOption = None,
    adapter: Adapter = None,
    base_url: BaseUrl = None,
    transcript: Annotated[
        Path | None,
        typer.Option("--transcript", help="The file to which the chat is written. An existing chat is continued."),
    ] = None,
    author: Annotated[
        str,
        typer.Option(
            "--author", help="The name recorded with each correction. Default: your user name on this machine."
        ),
    ] = "",
    overrides: Overrides = None,
) -> None:
    """Chat with a model. When you correct it, confirm the detected correction; `corrections train` trains on it later."""
    from augment_correction.cli.corrections import chat_config
    from augment_correction.corrections.chatting import open_chat
    from augment_correction.corrections.versions import Versions

    loaded = chat_config(config, model, mode, adapter, base_url, overrides)
    loaded, version = Versions(loaded.folder).worn(loaded)
    name = transcript.stem if transcript else f"{datetime.now():%Y-%m-%d_%H-%M-%S}"
    with open_chat(loaded, loaded.chats / name, transcript, tell) as (talk, loop):
        target = loaded.model("target")
        worn = f", version {version}" if version else ""
        tell(f"chatting with {target.model} ({target.mode}{worn})\nthe chat is written to {talk.transcript.path}")
        tell(f"{len(talk.said)} earlier messages were loaded" if talk.said else "/help shows the commands")
        _talk(talk, loop, loaded, author)
        for role, paid in talk.spent():
            if paid["requests"]:
                print_paid(paid, DOES.get(role, DETECTS))


DOES, DETECTS = {"target": "answers"}, "detection"
"""By role, what was paid for."""


def _talk(talk: Chat, loop: Loop, config: ChatConfig, author: str) -> None:
    """Until /quit, or the end of the input."""
    while True:
        try:
            line = input("you> ").strip()
        except EOFError:
            return
        except KeyboardInterrupt:
            say()
            return
        if line in ("/quit", "/exit", "/q"):
            return
        if line:
            _turn(line, talk, loop, config, author)


def _turn(line: str, talk: Chat, loop: Loop, config: ChatConfig, author: str) -> None:
    word, _, rest = line.partition(" ")
    if word == "/help":
        say(COMMANDS)
    elif word == "/reset":
        talk.reset()
        say("a new conversation")
    elif word == "/save":
        _save(talk, rest.strip())
    elif word == "/corrections":
        from augment_correction.cli.corrections import print_corrections

        print_corrections(config.store.all())
    elif word == "/train":
        _train(config)
    elif word == "/retry":
        _answer(talk.asked_again(), talk, loop)
    elif line.startswith("/"):
        say(f"there is no command {word}\n{COMMANDS}")
    else:
        _listen(line, talk, loop, config, author)
        _answer(line, talk, loop)


def _train(config: ChatConfig) -> None:
    """The chat goes on whatever becomes of it."""
    from augment_correction.cli.correction_versions import train_and_tell
    from augment_correction.errors import AugmentCorrectionError

    try:
        train_and_tell(config)
    except KeyboardInterrupt:
        tell("the training was interrupted; /train resumes it")
    except AugmentCorrectionError as failure:
        tell(_told(failure))


def _told(failure: AugmentCorrectionError) -> str:
    return failure.message + (f"\n  remedy: {failure.hint}" if failure.hint else "")


def _save(talk: Chat, name: str) -> None:
    from augment_correction.corrections.transcripts import save_chat

    if not name:
        say("/save needs a file name, for example: /save chats.jsonl")
        return
    save_chat(Path(name).expanduser(), talk.said)
    say(f"added to {name}")


def _answer(line: str | None, talk: Chat, loop: Loop) -> None:
    from augment_correction.errors import AugmentCorrectionError

    if line is None:
        say("there is no message to answer again yet")
        return
    spoken = Spoken()
    try:
        answer = loop.run(talk.reply(line, spoken))
    except KeyboardInterrupt:
        say("\n(interrupted; the part of the answer so far is not kept)")
    except AugmentCorrectionError as failure:
        say()
        tell(f"the model gave no answer: {_told(failure)}")
    else:
        say("" if spoken.heard else answer)


class Spoken:
    """Writes a reply as it comes."""

    def __init__(self) -> None:
        self.heard = False

    def begin(self) -> None:
        if self.heard:
            say("\n(once more)")
        self.heard = False

    def add(self, text: str) -> None:
        self.heard = True
        say_part(text)


def _listen(line: str, talk: Chat, loop: Loop, config: ChatConfig, author: str) -> None:
    """Where the line corrects the model, ask what becomes of it."""
    with contextlib.suppress(KeyboardInterrupt):
        found = loop.run(talk.detect(line))
        if found.verdict == "undecided":
            tell(
                f"(the detector could not decide whether your message is a correction: {found.why}; `corrections add` records one by hand)"
            )
        if found.said is not None:
            _confirm(found.said, talk, loop, config, author)


def _confirm(said: Statement, talk: Chat, loop: Loop, config: ChatConfig, author: str) -> None:
    from augment_correction.errors import InputError

    evidence = loop.run(talk.weigh(said))
    while True:
        say(
            f"  your message was understood as this correction; is that right?\n    question: {said.question}\n    wrong:    {said.wrong}\n    right:    {said.right}"
        )
        for each in evidence:
            say(f"    {each.by} {each.verdict} it: {each.reason}")
        answer = _asked("  [y]es, [e]dit, [n]o? ")
        if answer in ("y", "yes"):
            break
        if answer in ("n", "no", ""):
            say("  dropped: the correction is not kept")
            return
        if answer in ("e", "edit"):
            said = _edited(said)
            evidence = loop.run(talk.weigh(said))
    before = [{"role": each.role, "content": each.content} for each in talk.said]
    place = f"{talk.transcript.path} message {len(talk.said) + 1}"
    try:
        made = config.store.add(said, author=author, source=place, chat=before, evidence=evidence)
        contradicted = bool(made.contradicted)
        if (
            contradicted
            and _asked(f"  {made.contradicted[0].by} contradicts you. Keep the correction anyway? [y/N] ") != "y"
        ):
            say(f"  kept as a candidate, not approved; to see it: corrections show {made.id}")
            return
        config.store.approve(made.id, author, force=contradicted)
    except InputError as failure:
        say(f"  {_told(failure)}")
    else:
        say(f"  kept as correction {made.id}; /train trains on it")


def _edited(said: Statement) -> Statement:
    from augment_correction.corrections.correction import Statement

    question, wrong, right = (
        _asked(f"  {name} [{text}]: ", lower=False) or text
        for name, text in (("question", said.question), ("wrong", said.wrong), ("right", said.right))
    )
    return Statement(question, wrong, right, said.message)


def _asked(question: str, *, lower: bool = True) -> str:
    try:
        answer = input(question).strip()
    except EOFError:
        return ""
    return answer.casefold() if lower else answer
