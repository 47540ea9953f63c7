"""The frozen values that flow through the house. Ids are content hashes: the same text has the same id on every
machine and in every run, which is what lets a run resume, deduplicate and name its rows."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal

import orjson

from augment_correction.usage import Usage

Role = Literal["system", "user", "assistant"]
Form = Literal["json", "tags", "verdict", "text"]
"""How a reply spells its fields; `text` is one field and nothing around it."""


def content_id(*parts: str) -> str:
    """20 hex digits of SHA-256 over the length-prefixed parts, so that ("ab", "c") and ("a", "bc") differ."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.hexdigest()[:20]


# --------------------------------------------------------------------------------------------- what is read


NAVIGATION = "navigation"
"""The key of a document's metadata that lists what a web page shows beside its text, each element's text for itself."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading that stands at `start` in the document's text; `level` counts from 1."""

    start: int
    level: int
    title: str


@dataclass(frozen=True, slots=True)
class Document:
    """A whole text, to be split into passages. `id` is the hash of the text. `source` is the path relative to the input folder, with
    `#L12` for line 12 of a JSONL file. `pages[i]` is the offset (in characters) at which page i+1 starts; empty where the format
    has no pages. A program makes one with `Document.of` and gives it to `run(config, passages=[...])`.

    >>> Document.of("The bridge of Halmstett was built in 1911.", source="bridges.txt").source
    'bridges.txt'
    """

    id: str
    title: str
    text: str
    source: str
    media_type: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    pages: tuple[int, ...] = ()
    headings: tuple[Heading, ...] = ()

    @classmethod
    def of(
        cls, text: str, *, title: str = "", source: str = "", metadata: Mapping[str, Any] = MappingProxyType({})
    ) -> Document:
        """A plain text as a document."""
        return cls(content_id(text), title, text, source, "text/plain", metadata)


@dataclass(frozen=True, slots=True)
class Passage:
    """A text that is used as one passage, given to `run(config, passages=...)` by a program instead of a folder.
    `source` names it in reports and rows, and `metadata` is what the pipeline's prompts may read beside it.

    >>> Passage("The bridge of Halmstett was built in 1911.", source="bridges.txt", metadata={"year": 1911}).source
    'bridges.txt'
    """

    text: str
    source: str = ""
    title: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)


class PickledByFields:
    """For frozen dataclasses with slots that are sent between processes by the thousand. By default a loop in Python sets one field after
    the other when they are unpickled; this calls the class once."""

    __slots__: tuple[str, ...] = ()

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        return type(self), tuple(map(self.__getattribute__, self.__slots__))


@dataclass(frozen=True, slots=True)
class Chunk(PickledByFields):
    """A passage: `document.text[start:end] == text` exactly. `id` is the hash of the text alone, so that identical
    passages of different documents are one. `heading` is the path of titles above it, outermost first."""

    id: str
    document_id: str
    index: int
    text: str
    start: int
    end: int
    tokens: int
    page: int | None = None
    heading: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UnreadInput:
    """A file, page or line that could not become a document: counted and listed, never silent."""

    source: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class ReadNote:
    """What a person should know of an input that was read, though otherwise than it stands there: signs replaced, the
    text found in another column. `detail` is a phrase that does not hold the `count`, so that many can be summed up."""

    source: str
    reason: str
    detail: str
    count: int = 0


# --------------------------------------------------------------------------------------- what is asked, answered


@dataclass(frozen=True, slots=True)
class Message:
    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class GivenTokens:
    """A whole conversation as token ids, and the places among them whose log-probabilities are asked for, in order; the first
    token has none."""

    ids: tuple[int, ...]
    places: tuple[int, ...]


@dataclass(frozen=True)
class Request:
    """One question to a model. `schema` is the JSON schema of what the reply must hold, in the spelling that `form`
    names; `structured` says whether the server is asked to enforce it. `sample` tells apart several draws of the
    same question."""

    messages: tuple[Message, ...]
    model: str
    sampling: Mapping[str, Any] = field(default_factory=dict)
    schema: Mapping[str, Any] | None = None
    form: Form = "json"
    structured: bool = False
    sample: int = 0
    extra: Mapping[str, Any] = field(default_factory=dict)
    """What the config sends with every request of the model (`extra_body`): thinking on or off is another question."""
    given: GivenTokens | None = None
    """Asked of an answer that is there already (the last of `messages`): how probable the model finds it (`llm/scoring.py`)."""
    meant: str = ""
    """The key of what was meant to be asked, where a server's ways made it spelled otherwise (`adapted`)."""

    def adapted(self, **changes: Any) -> Request:
        """The same question in other words or with other sampling: what the journal has for it stays its answer."""
        return replace(self, meant=self.key, **changes)

    @cached_property
    def key(self) -> str:
        """Content hash of what is really asked: the journal's key. Concurrency, timeouts and the server's address
        are not part of it, nor whether it enforces the schema: moving a model to another machine asks nothing again."""
        return self.meant or self.spelled_key

    @property
    def spelled_key(self) -> str:
        """The key that these very words and parameters have."""
        asked = [
            self.model,
            [[message.role, message.content] for message in self.messages],
            self.sampling,
            self.schema,
            self.sample,
            *([self.extra] if self.extra else []),
            *([{"given": [self.given.ids, self.given.places]}] if self.given else []),
        ]
        return hashlib.sha256(orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Completion:
    """A model's reply. `reasoning` is what the server sent apart from the text (`reasoning_content`); it is kept for
    a person to read and never parsed. `cached` is True where the journal answered."""

    text: str
    reasoning: str | None
    finish_reason: str
    usage: Usage
    cached: bool = False

    @property
    def thought(self) -> bool:
        """Part of its tokens went into reasoning, shown or not."""
        return bool(self.usage.reasoning or self.reasoning or ("<think>" in self.text and "</think>" not in self.text))


# ------------------------------------------------------------------------------------------ what flows


@dataclass(frozen=True, slots=True)
class Step:
    """What one stage did to a record. With a model call, `call` is its journal key and `parsed` what was read from the
    reply; `reason` is empty where the stage was content."""

    stage: str
    model: str | None = None
    prompt: str | None = None
    call: str | None = None
    parsed: Mapping[str, Any] | None = None
    reason: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """The unit that passes through the stages: a passage, and under `fields` everything made from it by name (`passage`, `title`, `metadata`,
    ... and what earlier stages wrote). A stage returns new records, by `with_fields`. `again` says how often the user has had a stage asked anew for it; `place` is its file and its number among the file's
    passages, on which hangs what is drawn for it.

    >>> with_fields(Record("id", {"passage": "Nine arches."}), {"question": "How many?"}).fields["question"]
    'How many?'
    """

    id: str
    fields: Mapping[str, Any]
    steps: tuple[Step, ...] = ()
    again: Mapping[str, int] = field(default_factory=dict)
    place: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """A dropped record with its story. `failed` is True where the world was at fault (server errors after all
    retries) and not the record: such a record is tried again by the next run."""

    record: Record
    stage: str
    reason: str
    detail: str
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """What the model that is to be trained answered by itself; `call` is the journal's key."""

    text: str
    model: str
    call: str
    sampling: Mapping[str, Any]


# -------------------------------------------------------------------------------------------- what is made


@dataclass(frozen=True, slots=True)
class Turn:
    """One message. `train` is the loss mask of its text and of the end-of-turn that follows it. The first `masked`
    characters of the text are never trained, though `train` is True: a mistake that the same message goes on to
    correct. The trained part begins with the white space between the two, which tokenizers join to the word that
    follows; around a text that is masked in part stands none, since templates may trim it.

    Raises: ValueError where nothing would be left to train, or the text is not stripped.

    >>> Turn("assistant", "In 1915. No, that is wrong: in 1911.", train=True, masked=8).partly_masked
    True
    """

    role: Role
    text: str
    train: bool
    masked: int = 0

    def __post_init__(self) -> None:
        if self.masked and (not 0 < self.masked < len(self.text) or self.text != self.text.strip()):
            raise ValueError(f"{self.masked} masked characters do not fit {self.text!r}")

    @property
    def partly_masked(self) -> bool:
        """Whether the mask changes inside the message, so that a flag per message cannot express it."""
        return self.train and self.masked > 0


@dataclass(frozen=True, slots=True)
class Conversation:
    """A finished row. The loss mask is decided here and nowhere else: Axolotl's `label`, OpenAI's `weight` and `labels = -100`
    are formats of it. `train_scaffold` says the same for the template's own text (BOS, role headers). `provenance` holds
    where its passage stands (`places`), who made the mistake (`origin`) and what the checks found (`scores`).

    >>> mistake, correction = Turn("assistant", "1915.", train=False), Turn("assistant", "No, 1911.", train=True)
    >>> asked, doubt = Turn("user", "When was it built?", train=False), Turn("user", "Sure?", train=False)
    >>> made = Conversation("id", "correct_after_mistake", (asked, mistake, doubt, correction), train_scaffold=False)
    >>> [turn.text for turn in made.turns if turn.train]
    ['No, 1911.']
    """

    id: str
    kind: str
    turns: tuple[Turn, ...]
    train_scaffold: bool
    provenance: Mapping[str, Any] = field(default_factory=dict)
