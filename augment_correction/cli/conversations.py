"""One passage and what became of it, in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from augment_correction.text.excerpts import excerpt

if TYPE_CHECKING:
    from augment_correction.console import Terminal
    from augment_correction.records import Turn
    from augment_correction.store import Outcome, StoredChunk

EXCERPT = 500
"""Characters."""


def show(console: Terminal, chunk: StoredChunk, outcome: Outcome, *, whole: bool) -> None:
    """The passage, `whole` or its beginning, and the conversation with what is masked in it, or the reason why there is none."""
    from rich.text import Text

    def say(*parts: tuple[str, str]) -> None:
        """Lines as they are: the terminal wraps them, and nothing is cut."""
        console.print(Text.assemble(*parts), soft_wrap=True)

    place = chunk.places[0]
    page = f", page {place['page']}" if place["page"] else ""
    text = chunk.text if whole else excerpt(chunk.text, EXCERPT)
    say(("── ", "dim"), (f"{place['title']}{page}", "bold"))
    say((f"passage {chunk.id}, {place['source']}\n", "dim"), (text, ""), ("\n", ""))
    if outcome.status != "kept":
        say((f"{outcome.status} at {outcome.stage}: {outcome.reason}: {outcome.body['detail']}", "yellow"))
    if "conversation" not in outcome.body:
        return
    conversation = outcome.conversation(chunk)
    say((conversation.kind, "bold"), (f" {conversation.id}", ""))
    for turn in conversation.turns:
        say(*_turn(turn), ("\n", ""))


def _turn(turn: Turn) -> list[tuple[str, str]]:
    if not turn.train:
        return [(f"{turn.role}:  MASKED: no loss on this turn\n", "bold red"), (turn.text, "black on red")]
    if turn.masked:
        head = (f"{turn.role}:  begins MASKED: no loss on the part in brackets\n", "bold red")
        return [head, (f"[{turn.text[: turn.masked]}]", "black on red"), (turn.text[turn.masked :], "")]
    return [(f"{turn.role}:\n", "bold"), (turn.text, "")]
