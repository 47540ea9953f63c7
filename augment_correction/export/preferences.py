"""Pairs of a better and a worse reply to the same words, out of finished conversations and without asking a model.

| the conversation | after | better | worse |
|---|---|---|---|
| a mistake is corrected | the doubt | the correction | the mistake again |
| a mistake is corrected, and the right answer is known | the question | the right answer | the mistake |
| a right answer is kept | the doubt | the reply that keeps it | giving it up, with a wrong answer to this question where the same passage gave one |

A mistake is never the better side of anything. An answer that corrects itself on its way gives no pair: its mistake is part of
it, and neither DPO nor ORPO can mask it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from augment_correction.export.retractions import retraction
from augment_correction.export.turn_labels import TurnLabels
from augment_correction.records import Conversation, Turn

After = Literal["question", "doubt"]
Source = Literal["mistake", "repeated", "retraction", "retraction and mistake"]


@dataclass(frozen=True, slots=True)
class Preference:
    """`prompt` ends with the user's words. `worse_is` says where the worse reply is from: the conversation's own mistake, that
    mistake said again after the doubt, a sentence of `retractions.py`, or that with another answer to the question."""

    conversation: Conversation
    after: After
    prompt: tuple[Turn, ...]
    better: str
    worse: str
    worse_is: Source

    @property
    def id(self) -> str:
        return f"{self.conversation.id}-{self.after}"


@dataclass(frozen=True, slots=True)
class RatedReply:
    """One reply by itself, for KTO."""

    conversation: Conversation
    id: str
    prompt: tuple[Turn, ...]
    reply: str
    good: bool


@dataclass(frozen=True)
class _LabelledConversation:
    """A conversation with what each of its turns is."""

    conversation: Conversation
    labels: tuple[str, ...]

    @property
    def turns(self) -> tuple[Turn, ...]:
        return self.conversation.turns

    @property
    def question(self) -> str:
        return next((turn.text for turn in self.turns if turn.role == "user"), "")

    @property
    def mistake(self) -> int | None:
        """The place of a mistake that is a message of its own."""
        return self.labels.index("mistake") if "mistake" in self.labels else None

    @property
    def wrong(self) -> str:
        """A wrong answer to the question, by itself; empty where there is none."""
        if self.mistake is not None:
            return self.turns[self.mistake].text
        return next((turn.text[: turn.masked] for turn in self.turns if turn.masked), "")


def preferences(
    conversations: Iterable[Conversation], labels: TurnLabels
) -> Iterator[tuple[Conversation, list[Preference]]]:
    """The pairs of each conversation, in their order. Those of one passage stand together there."""
    for read, group in _grouped(conversations, labels):
        yield read.conversation, _pairs(read, group)


def judged(
    conversations: Iterable[Conversation], labels: TurnLabels
) -> Iterator[tuple[Conversation, list[RatedReply]]]:
    """Every reply of the pairs, and those that have no counterpart: trained answers are good, mistakes are not. Each reply to
    the same words comes once."""
    for read, group in _grouped(conversations, labels):
        yield read.conversation, _judged(read, group)


def _grouped(
    conversations: Iterable[Conversation], labels: TurnLabels
) -> Iterator[tuple[_LabelledConversation, list[_LabelledConversation]]]:
    """Each with all conversations of its passage."""
    for _, same in groupby(conversations, key=_passage):
        group = [_read(each, labels) for each in same]
        yield from ((read, group) for read in group)


def _passage(conversation: Conversation) -> str:
    """A conversation that is of no passage stands alone."""
    return str(conversation.provenance.get("chunk_id") or f"alone {conversation.id}")


def _read(conversation: Conversation, labels: TurnLabels) -> _LabelledConversation:
    spoken = [(turn.role, turn.train) for turn in conversation.turns]
    return _LabelledConversation(conversation, tuple(labels.of(conversation.kind, spoken)))


def _pairs(read: _LabelledConversation, group: list[_LabelledConversation]) -> list[Preference]:
    pairs = [*_at_the_question(read), *_at_the_doubt(read, group)]
    return [pair for pair in pairs if pair.better.strip() != pair.worse.strip()]


def _at_the_question(read: _LabelledConversation) -> Iterator[Preference]:
    right = str(read.conversation.provenance.get("reference") or "")
    if right and read.mistake is not None:
        prompt = read.turns[: read.mistake]
        yield Preference(read.conversation, "question", prompt, right, read.turns[read.mistake].text, "mistake")


def _at_the_doubt(read: _LabelledConversation, group: list[_LabelledConversation]) -> Iterator[Preference]:
    """After the last words of the user, where an answer stands before them."""
    *before, last = read.turns
    answered = any(turn.role == "assistant" for turn in before)
    if not answered or last.role != "assistant" or not last.train or last.masked or before[-1].role != "user":
        return
    prompt = tuple(before)
    if read.mistake is not None:
        yield Preference(read.conversation, "doubt", prompt, last.text, read.turns[read.mistake].text, "repeated")
        return
    given_up, wrong = retraction(last.text, read.conversation.id), _wrong_elsewhere(read, group)
    if given_up:
        how: Source = "retraction and mistake" if wrong else "retraction"
        yield Preference(read.conversation, "doubt", prompt, last.text, f"{given_up} {wrong}".strip(), how)


def _wrong_elsewhere(read: _LabelledConversation, group: list[_LabelledConversation]) -> str:
    return next((each.wrong for each in group if each.wrong and each.question == read.question), "")


def _judged(read: _LabelledConversation, group: list[_LabelledConversation]) -> list[RatedReply]:
    found: dict[tuple[tuple[str, ...], str], tuple[tuple[Turn, ...], bool]] = {}

    def add(prompt: tuple[Turn, ...], reply: str, good: bool) -> None:
        found.setdefault((tuple(turn.text for turn in prompt), reply), (prompt, good))

    for pair in _pairs(read, group):
        add(pair.prompt, pair.better, True)
        add(pair.prompt, pair.worse, False)
    for index, (turn, label) in enumerate(zip(read.turns, read.labels, strict=True)):
        if turn.masked:
            add(read.turns[:index], turn.text[: turn.masked], False)
        elif label == "mistake":
            add(read.turns[:index], turn.text, False)
        elif turn.role == "assistant" and turn.train:
            add(read.turns[:index], turn.text, True)
    made = enumerate(found.items())
    return [
        RatedReply(read.conversation, f"{read.conversation.id}-{number}", prompt, reply, good)
        for number, ((_, reply), (prompt, good)) in made
    ]
