"""Where each message stands in the rendered text, and the segments that follow from it.

The place of a message is found by rendering it between two marker characters, never by searching for its text: an
answer that is "No", or that the correction quotes, is found as surely as any other. That the markers changed nothing
is proven for every conversation: without them the rendering must equal the one made without.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Literal

from augment_correction.errors import ConfigError
from augment_correction.export.chat_template import ChatTemplate
from augment_correction.records import Conversation


@dataclass(frozen=True, slots=True)
class Segment:
    text: str
    label: bool


@dataclass(frozen=True, slots=True)
class Rendering:
    """`spans[i]` is (start, end of the text, end of its end-of-turn) of turn i in `text`, in characters."""

    text: str
    spans: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class Zone:
    """Characters `start` to `end` of a rendering. `scaffold` is the template's own text; `end` what ends a turn."""

    start: int
    end: int
    label: bool
    kind: Literal["scaffold", "message", "end"]


Roles = tuple[str, ...]
_PROBES = ("Alpha", "Beta", "Gamma", "Delta", "Epsilon", "Zeta", "Eta", "Theta")


def render(conversation: Conversation, template: ChatTemplate) -> Rendering:
    """Raises: ConfigError where the template drops, repeats, reorders or rewrites a message."""
    roles = tuple(turn.role for turn in conversation.turns)
    texts = [turn.text for turn in conversation.turns]
    around = scaffold(template, roles)
    plain = template.render(_messages(roles, texts))
    # Most templates put the same text around any message: then the places follow from its lengths.
    pieces = [piece for pair in zip(around, [*texts, ""], strict=True) for piece in pair]
    if "".join(pieces) == plain:
        cores, position = [], 0
        for before, text in zip(around, texts, strict=False):
            position += len(before)
            cores.append((position, position + len(text)))
            position += len(text)
    else:
        cores = _locate(template, roles, texts, plain)
    return Rendering(plain, tuple(_with_turn_ends(template, roles, plain, cores)))


def zones(conversation: Conversation, rendering: Rendering) -> list[Zone]:
    """The rendering from its first character to its last, each part with its side of the mask."""
    made: list[Zone] = []
    position = 0
    for turn, (start, text_end, end) in zip(conversation.turns, rendering.spans, strict=True):
        trained = start + turn.masked
        made += [
            Zone(position, start, conversation.train_scaffold, "scaffold"),
            Zone(start, trained, False, "message"),
            Zone(trained, text_end, turn.train, "message"),
            Zone(text_end, end, turn.train, "end"),
        ]
        position = end
    made.append(Zone(position, len(rendering.text), conversation.train_scaffold, "scaffold"))
    return [zone for zone in made if zone.end > zone.start]


def segments(conversation: Conversation, template: ChatTemplate) -> list[Segment]:
    """The rendering cut where the mask changes. Joined they are the rendering.

    A cut that would fall after a space is put before it: byte-level and SentencePiece tokenizers both join a space to
    the word that follows, so that a cut after it would train on a seam that inference never shows.
    """
    rendering = render(conversation, template)
    places = zones(conversation, rendering)
    cuts = [before_space(rendering.text, cut, places) for cut in changes(places)]
    return cut_at(rendering.text, cuts, places[0].label if places else False)


def changes(places: Sequence[Zone]) -> list[int]:
    """Where the mask changes."""
    return [zone.start for before, zone in pairwise(places) if before.label != zone.label]


def before_space(text: str, cut: int, places: Sequence[Zone]) -> int:
    """The cut, or one character earlier where that is a space before a word and no message's own character."""
    left = next(zone for zone in places if zone.end == cut)
    space = text[cut - 1] == " " and not text[cut : cut + 1].isspace()
    return cut - 1 if space and left.kind == "scaffold" else cut


def cut_at(text: str, cuts: Sequence[int], first: bool) -> list[Segment]:
    """Pieces between the cuts, their labels taking turns from `first`; an empty one is left out."""
    made: list[Segment] = []
    label = first
    for start, end in pairwise((0, *cuts, len(text))):
        if end > start and made and made[-1].label == label:
            made[-1] = Segment(made[-1].text + text[start:end], label)
        elif end > start:
            made.append(Segment(text[start:end], label))
        label = not label
    return made


# ------------------------------------------------------------------------------------------ finding the places


def _messages(roles: Sequence[str], texts: Sequence[str]) -> list[dict[str, str]]:
    return [{"role": role, "content": text} for role, text in zip(roles, texts, strict=True)]


def _locate(
    template: ChatTemplate, roles: Roles, texts: Sequence[str], plain: str | None = None
) -> list[tuple[int, int]]:
    """(start, end) of each text, surrounding white space not counted, since templates may trim it."""
    opening, closing = _markers(template.source, texts)
    marked = [_mark(text, opening, closing) for text in texts]
    rendered = template.render(_messages(roles, marked))
    cores: list[tuple[int, int]] = []
    for index, role in enumerate(roles):
        for marker in (opening, closing):
            if rendered.count(marker) != len(roles):
                _complain(template, rendered.count(opening), roles)
        start = _nth(rendered, opening, index) - 2 * index
        end = _nth(rendered, closing, index) - 2 * index - 1
        if start > end or rendered[start + 2 * index + 1 : end + 2 * index + 1] != texts[index].strip():
            raise ConfigError(
                f"{template.name} reorders or rewrites message {index + 1} ({role})",
                hint="the loss mask cannot be placed; use a template that writes every message unchanged and in order",
            )
        cores.append((start, end))
    unmarked = rendered.replace(opening, "").replace(closing, "")
    if plain is not None and unmarked != plain:
        raise ConfigError(
            f"{template.name} writes different text depending on the content of a message",
            hint="the loss mask cannot be placed with such a template; simplify the template",
        )
    return cores


def _complain(template: ChatTemplate, found: int, roles: Roles) -> None:
    what = "drops" if found < len(roles) else "repeats"
    raise ConfigError(
        f"{template.name} {what} messages: {found} of {len(roles)} are in the text (roles: {', '.join(roles)})",
        hint="the template must write every message exactly once",
    )


def _mark(text: str, opening: str, closing: str) -> str:
    core = text.strip()
    if not core:
        return f"{text}{opening}{closing}"
    start = text.index(core)
    return f"{text[:start]}{opening}{core}{closing}{text[start + len(core) :]}"


def _markers(source: str, texts: Sequence[str]) -> tuple[str, str]:
    """Two characters that stand nowhere in the template or the texts (private use area)."""
    used = set(source).union(*texts)
    free = (chr(code) for code in range(0xE000, 0xF900) if chr(code) not in used)
    return next(free), next(free)


def _nth(text: str, marker: str, index: int) -> int:
    position = -1
    for _ in range(index + 1):
        position = text.index(marker, position + 1)
    return position


@lru_cache(maxsize=256)
def scaffold(template: ChatTemplate, roles: Roles) -> tuple[str, ...]:
    """What the template writes before each of the messages and after the last, learned from probe texts."""
    probes = [_PROBES[index % len(_PROBES)] for index in range(len(roles))]
    rendered = template.render(_messages(roles, probes))
    pieces, position = [], 0
    for start, end in _locate(template, roles, probes, rendered):
        pieces.append(rendered[position:start])
        position = end
    return (*pieces, rendered[position:])


def _with_turn_ends(
    template: ChatTemplate, roles: Roles, text: str, cores: Sequence[tuple[int, int]]
) -> Iterator[tuple[int, int, int]]:
    starts = [start for start, _ in cores[1:]] + [len(text)]
    for index, ((start, end), following) in enumerate(zip(cores, starts, strict=True)):
        gap = text[end:following]
        ends = turn_end(template, roles, index)
        ending = _common(gap, ends)
        if ending < len(gap) and gap[:ending].endswith(" ") and not gap[ending].isspace():
            ending -= 1  # "</s> USER": the space is the next word's
        yield start, end, end + ending


def _common(one: str, other: str) -> int:
    """Length of the longest common beginning."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((index for index, (a, b) in pairs if a != b), min(len(one), len(other)))


@lru_cache(maxsize=1024)
def turn_end(template: ChatTemplate, roles: Roles, index: int) -> str:
    """The template's end-of-turn after message `index`: what it writes after it when nothing follows."""
    try:
        return scaffold(template, roles[: index + 1])[-1]
    except ConfigError:
        # The template refuses a conversation that ends here; its last turn of the same role shows the end.
        same = [later for later in range(len(roles)) if roles[later] == roles[index]]
        return scaffold(template, roles)[-1] if same[-1] == len(roles) - 1 else ""


def answer_end(template: ChatTemplate) -> str:
    """What the template writes after an answer; empty where it takes no question and answer."""
    try:
        return turn_end(template, ("user", "assistant"), 1)
    except ConfigError:
        return ""


def generation_prompt(template: ChatTemplate) -> str:
    """What the template writes between a question's end and the answer; a last space is left to the answer's first
    word, as the cut leaves it."""
    try:
        between = scaffold(template, ("user", "assistant"))[1]
        return between.removeprefix(turn_end(template, ("user", "assistant"), 0)).removesuffix(" ")
    except ConfigError:
        return ""
