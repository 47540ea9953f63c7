"""The immutable values that the parts of the program hand to each other. Ids are content hashes: the same text has the same id on every
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
"""How the fields of a reply are written: as JSON, between tags, as a verdict, or (`text`) without anything around the only field."""


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
"""The key in a document's metadata of what a web page shows beside its text and was left out: a list of texts, one of each element."""


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
    """A base of frozen dataclasses with slots of which thousands are sent between processes. By default, unpickling sets one field after
    the other in a loop in Python; a class with this base is called once instead, which is faster."""

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
    """A file, page or line that could not become a document. It is counted and listed, so that nothing is lost without a word."""

    source: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class ReadNote:
    """What a person should know about an input that was read, but not just as it stands there: characters were replaced, or the text was
    found in another column. The phrase `detail` does not hold the `count`, so that the notes of many files can be added up."""

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
    """A whole conversation as token ids, and the places of the tokens whose log-probabilities are asked for, in ascending order. The
    first token, at place 0, has none."""

    ids: tuple[int, ...]
    places: tuple[int, ...]


@dataclass(frozen=True)
class Request:
    """One question to a model. `schema` is the JSON schema of the fields that the reply must hold, and `form` says how they are written
    in it; `structured` says whether the server is asked to enforce the schema. `sample` is the number of a reply where several are
    drawn for the same question."""

    messages: tuple[Message, ...]
    model: str
    sampling: Mapping[str, Any] = field(default_factory=dict)
    schema: Mapping[str, Any] | None = None
    form: Form = "json"
    structured: bool = False
    sample: int = 0
    extra: Mapping[str, Any] = field(default_factory=dict)
    """What the config sends with every request to the model (`extra_body`). It is part of the key, since a model whose thinking is turned
    on is asked something else than one whose thinking is off."""
    given: GivenTokens | None = None
    """Set if no reply is wanted, but how probable the model finds an answer that there is already, the last of `messages`
    (`llm/scoring.py`)."""
    meant: str = ""
    """The key of the request that this one was made from by `adapted`, to suit a server; else empty."""

    def adapted(self, **changes: Any) -> Request:
        """The same question, with other messages or sampling because a server refuses them as they are. It keeps its key, so that the
        reply in the journal stays its reply."""
        return replace(self, meant=self.key, **changes)

    @cached_property
    def key(self) -> str:
        """The content hash of what is asked, under which the journal keeps the reply. Concurrency, timeouts, the server's address and
        whether it enforces the schema are not part of it: if a model moves to another machine, nothing is asked again."""
        return self.meant or self.spelled_key

    @property
    def spelled_key(self) -> str:
        """The content hash of this request's own messages and parameters, also where it was made from another request."""
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
        """Whether a part of its tokens went into reasoning, be that shown or not."""
        return bool(self.usage.reasoning or self.reasoning or ("<think>" in self.text and "</think>" not in self.text))


# ------------------------------------------------------------------------------------------ what flows


@dataclass(frozen=True, slots=True)
class Step:
    """What one stage did to a record. With a model call, `call` is its journal key and `parsed` what was read from the
    reply; `reason` is empty if the stage let the record pass."""

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
    ... and what earlier stages wrote). A stage returns new records, by `with_fields`. `again` says of stages, by name, how often the user has had
    them ask anew for this record. `place` is the passage's file and its number in that file, which decide what is drawn for it.

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
    """A record that was dropped, and why. `failed` is True if that was not the record's fault (a server still answered with errors after
    all retries): such a record is tried again by the next run."""

    record: Record
    stage: str
    reason: str
    detail: str
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """What the model that is to be trained answered by itself; `call` is the key of that call in the journal."""

    text: str
    model: str
    call: str
    sampling: Mapping[str, Any]


# -------------------------------------------------------------------------------------------- what is made


@dataclass(frozen=True, slots=True)
class Turn:
    """One message. `train` is the loss mask of its text and of the end-of-turn that follows it. The first `masked`
    characters of the text are never trained, though `train` is True: a mistake that the same message goes on to
    correct. The white space between the two belongs to the trained part, because tokenizers join it to the word that follows. A text
    of which a part is masked must not begin or end with white space, because chat templates may trim it.

    Raises: ValueError if nothing would be left to train, or if the text of which a part is masked begins or ends with white space.

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
