"""Corrections found in logged chats: every message of a user that follows an answer is looked at, through a journal, so that it can
be stopped and goes on. What is found is a candidate; a person approves it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, cast, get_args

from augment_correction.config_files import with_environment_keys
from augment_correction.corrections.config import ChatConfig
from augment_correction.corrections.correction import Correction, Evidence, Statement
from augment_correction.corrections.detecting import PROMPT, SAMPLING, detect, question
from augment_correction.corrections.documents import passages_of
from augment_correction.corrections.evidence import MOST_PASSAGES, Witness
from augment_correction.corrections.evidence import PROMPT as EVIDENCE
from augment_correction.documents import counting
from augment_correction.errors import AugmentCorrectionError, InputError
from augment_correction.ledger import price_of
from augment_correction.llm.metered import MeteredModel
from augment_correction.llm.opening import open_models
from augment_correction.llm.session import Session, ask_each, calls_at_once, database_of, interruptible
from augment_correction.prompts import PromptLibrary
from augment_correction.records import Chunk, Message, Role, content_id
from augment_correction.rows import RowError, chat, each_row
from augment_correction.rows.names import plain
from augment_correction.store import RunFolder
from augment_correction.usage import Price, Usage

Notice = Callable[[str], None]
ROLES = get_args(Role)
"""Messages of tools and functions are left out: nobody corrects them."""


@dataclass(frozen=True, slots=True)
class Remark:
    """A message of a user that follows an answer of the assistant; `before` is what was said until then."""

    place: str
    before: tuple[Message, ...]
    text: str

    @property
    def origin(self) -> str:
        """Of what was said, wherever it is logged: the same chat in two files is looked at once."""
        return content_id("remark", *(f"{each.role}: {each.content}" for each in self.before), self.text)


@dataclass
class FoundCorrections:
    """`verdicts` counts remarks by what the detector said, `refused` are corrections that could not be stored with their reason."""

    corrections: list[Correction] = field(default_factory=list)
    verdicts: Counter[str] = field(default_factory=Counter)
    refused: list[str] = field(default_factory=list)
    undecided: list[str] = field(default_factory=list)
    stopped: AugmentCorrectionError | None = None
    spent: dict[str, object] = field(default_factory=dict)


def read_remarks(paths: Iterable[Path]) -> tuple[list[Remark], list[str]]:
    """All of them, each once, and a line for every row that is no chat.

    Raises: InputError where a file cannot be read.
    """
    remarks: dict[str, Remark] = {}
    problems: list[str] = []
    for path in paths:
        for line, found in each_row(path, _spoken):
            if isinstance(found, RowError):
                problems.append(f"{found.message}" + (f" ({found.hint})" if found.hint else ""))
                continue
            for remark in remarks_in(found, f"{path}:{line}"):
                remarks.setdefault(remark.origin, remark)
    return list(remarks.values()), problems


def _spoken(row: Mapping[str, Any], place: str) -> list[Message]:
    """Raises: RowError where it is no chat."""
    said = chat(row, place)
    if not said:
        raise RowError(
            place, "is not a chat", 'write {"messages": [{"role": ..., "content": ...}]}', reason="not_messages"
        )
    known = [each for each in said if each.role in ROLES]
    return [Message(cast(Role, each.role), plain(each.content, place, key=each.key)) for each in known if each.content]


def remarks_in(spoken: Sequence[Message], place: str) -> Iterator[Remark]:
    for at, message in enumerate(spoken):
        if message.role == "user" and any(each.role == "assistant" for each in spoken[:at]):
            yield Remark(f"{place} message {at + 1}", tuple(spoken[:at]), message.content)


NONE_FOUND = 40
"""Tokens of the usual reply, which says that there is no correction and leaves its fields empty."""


@dataclass(frozen=True, slots=True)
class LookCost:
    """What it takes to look at remarks, before anybody is asked: `input` tokens are counted, a reply has `NONE_FOUND` tokens or
    `SAMPLING.max_tokens` at most. `further` questions are asked about each correction that is found, at most."""

    calls: int
    input: int
    further: int
    price: Price | None

    def usd(self, *, limit: bool = False) -> Decimal | None:
        """None where the price is not known."""
        output = self.calls * ((SAMPLING.max_tokens or 0) if limit else NONE_FOUND)
        return self.price.cost(Usage(self.input, output)) if self.price else None


def look_cost(config: ChatConfig, remarks: Sequence[Remark]) -> LookCost:
    """Asks nobody. Raises: ConfigError where the detector's prompt is not there."""
    library = PromptLibrary(config.project, (config.path.prompts, config.path.default_prompts))
    prompt, count = library.load(PROMPT), counting()
    asked = (question(prompt, each.before, each.text) for each in remarks)
    tokens = sum(count(message.content) for messages in asked for message in messages)
    further = (MOST_PASSAGES if config.path.input_dir else 0) + (not config.detects_itself)
    return LookCost(len(remarks), tokens, further, price_of(config, config.detector))


def import_corrections(config: ChatConfig, remarks: Sequence[Remark], author: str, notice: Notice) -> FoundCorrections:
    """Look at every remark; the same command goes on where it stopped, and nothing is asked twice.

    Raises: what opening the model raises; InputError where the store or the journal cannot be written.
    """
    return asyncio.run(_import(with_environment_keys(config), remarks, author, notice))


async def _import(config: ChatConfig, remarks: Sequence[Remark], author: str, notice: Notice) -> FoundCorrections:
    run, role, starting = RunFolder(config.folder / "import"), config.detector, True
    with run.held(), database_of(run) as database:
        session = Session.on(database, config, [role], run.logs, counting(notice=notice), notice=notice)
        halt = session.halt
        async with interruptible(halt, lambda: starting, notice), open_models(config, [role], session) as models:
            look = Examination(config, models[role], await passages_of(config, notice), author, len(remarks), notice)
            starting = False
            await ask_each(_each(remarks), look.at, halt, calls_at_once([models[role]]) or 64)
        await database.flush()
        look.found.spent = session.ledger.as_json(role)
        look.found.stopped = halt.cause if isinstance(halt.cause, AugmentCorrectionError) else None
    return look.found


async def _each(remarks: Sequence[Remark]) -> AsyncIterator[Remark]:
    for each in remarks:
        yield each


class Examination:
    """Looks at one remark after the other, and keeps what it finds."""

    def __init__(
        self,
        config: ChatConfig,
        model: MeteredModel,
        passages: Sequence[tuple[str, Chunk]],
        author: str,
        total: int,
        notice: Notice,
    ) -> None:
        library = PromptLibrary(config.project, (config.path.prompts, config.path.default_prompts))
        self._model, self._detecting = model, library.load(PROMPT)
        self._witness = Witness(model, library.load(EVIDENCE), passages, config.detects_itself)
        self._store, self._author, self._total, self._notice = config.store, author, total, notice
        self.found = FoundCorrections()

    async def at(self, remark: Remark) -> None:
        """Raises: what the model's `complete` raises."""
        seen = await detect(self._model, self._detecting, remark.before, remark.text)
        evidence = await self._witness.evidence(seen.said) if seen.said else []
        self.found.verdicts[seen.verdict] += 1
        if seen.verdict == "undecided":
            self.found.undecided.append(f"{remark.place}: {seen.why}")
        if seen.said:
            self._keep(remark, seen.said, evidence)
        done = self.found.verdicts.total()
        if done % max(1, self._total // 10) == 0:
            self._notice(f"{done} of {self._total} messages examined, {len(self.found.corrections)} corrections found")

    def _keep(self, remark: Remark, said: Statement, evidence: Sequence[Evidence]) -> None:
        before = [{"role": each.role, "content": each.content} for each in remark.before]
        origin = remark.origin
        try:
            made = self._store.add(
                said, author=self._author, source=remark.place, origin=origin, chat=before, evidence=evidence
            )
        except InputError as failure:
            self.found.refused.append(f"{remark.place}: {failure.message}")
        else:
            self.found.corrections.append(made)
