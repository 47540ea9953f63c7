"""What a run would ask and cost, without a call: documents are read and cut, every prompt is rendered and counted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, aclosing, closing, nullcontext
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal
from functools import lru_cache
from typing import Any

from augment_correction.config import RunConfig
from augment_correction.declarations import ModelStage, SeveralStage, Stage
from augment_correction.documents import TokenCounter, fetch_vocabulary
from augment_correction.ledger import Ledger
from augment_correction.plan import Plan, make_checked_plan
from augment_correction.records import Document, Passage, ReadNote, UnreadInput
from augment_correction.runner.expecting import EarlierRuns, Observed, calls_of, expected_reply, token_limit
from augment_correction.runner.source import Placed, read_passages, record_of
from augment_correction.runner.state import RunState
from augment_correction.runner.transfers import with_input
from augment_correction.usage import Price, Usage

TEMPLATE_TOKENS = 20
"""What a template without a model writes."""
MESSAGE_OVERHEAD = 4
"""Tokens that a chat template puts around a message (OpenAI documents 3 to 4)."""


@dataclass
class StageEstimate:
    """`output` is expected, `output_limit` the most that `max_tokens` allows (None: unbounded)."""

    name: str
    role: str
    model: str
    requests: int = 0
    input: int = 0
    output: int = 0
    output_limit: int | None = None
    observed: bool = False
    """Whether reply lengths come from calls that this output folder's journal holds."""
    calls_per_passage: float = 1.0
    """For each of `requests`, what an earlier run into this folder needed: below 1 where stages before this one drop passages, above
    where replies had to be asked for again. Where there was none, the share of passages that are to become a kind of
    conversation that the stage is for."""

    @property
    def expected(self) -> StageEstimate:
        """The same with as many calls as an earlier run leads to expect."""
        requests, input_, output = (round(n * self.calls_per_passage) for n in (self.requests, self.input, self.output))
        return replace(self, requests=requests, input=input_, output=output)


@dataclass
class Estimate:
    """Every passage is taken to pass every stage at the first try: a bound from above, but for replies that have to be
    asked for again. `StageEstimate.expected` goes by what an earlier run came to."""

    documents: int = 0
    unread: list[UnreadInput] = field(default_factory=list)
    notes: list[ReadNote] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    chunks: int = 0
    passage_tokens: int = 0
    stages: list[StageEstimate] = field(default_factory=list)
    """For all passages, as if nothing had been asked yet."""
    prices: dict[str, Price | None] = field(default_factory=dict)
    done: int = 0
    """Passages that earlier runs into this folder have finished; nothing is asked about them again."""
    remaining: list[StageEstimate] = field(default_factory=list)
    """For the other passages: what a run would ask now."""
    paid: Decimal | None = Decimal(0)
    """USD paid into this folder so far; None where a price is unknown."""
    max_usd: Decimal | None = None

    def cost(self, *, limit: bool = False) -> Decimal | None:
        """USD for all passages, expected, or at most where nothing is asked again; None where a price or a bound is
        unknown."""
        return self._cost(self.stages, limit)

    def remaining_cost(self, *, limit: bool = False) -> Decimal | None:
        """The same for the passages that are not done."""
        return self._cost(self.remaining, limit)

    @property
    def requests_left(self) -> int:
        """Expected number of requests for the passages that are not done."""
        return sum(stage.expected.requests for stage in self.remaining)

    @property
    def tokens_left(self) -> tuple[int, int]:
        """In prompts, and in replies."""
        found = [stage.expected for stage in self.remaining]
        return sum(each.input for each in found), sum(each.output for each in found)

    def as_json(self) -> dict[str, Any]:
        """`remaining` is what a run would ask now; costs are in US dollars, None where a price or a bound is unknown."""
        read, written = self.tokens_left
        about, most = self.remaining_cost(), self.remaining_cost(limit=True)
        return {
            "documents": self.documents, "passages": self.chunks, "passage_tokens": self.passage_tokens, "done": self.done,
            "unread": [asdict(each) for each in self.unread],
            "remaining": {
                "requests": self.requests_left, "input_tokens": read, "output_tokens": written,
                "usd": None if about is None else float(about), "usd_at_most": None if most is None else float(most),
            },
        }  # fmt: skip

    def _cost(self, stages: Sequence[StageEstimate], limit: bool) -> Decimal | None:
        total = Decimal(0)
        for stage in stages:
            price = self.prices[stage.role]
            expected = stage.expected
            input_, output = (stage.input, stage.output_limit) if limit else (expected.input, expected.output)
            if price is None or output is None:
                return None
            total += price.cost(Usage(input_, output))
        return total


async def estimate(
    config: RunConfig,
    *,
    watch: Callable[[RunState], AbstractContextManager[object]] | None = None,
    passages: Iterable[Passage | Document] | None = None,
) -> Estimate:
    """Reads as a run does; `watch` and `passages` as there.

    Raises: UserError as a run would, before its first call.
    """
    plan = make_checked_plan(config, reads=passages is None)
    state = RunState({}, phase="reading")
    with (watch or nullcontext)(state):
        async with with_input(plan, config, state) if passages is None else nullcontext(plan) as plan:
            with closing(EarlierRuns(plan)) as earlier:
                return await _estimate(plan, earlier, state, passages)


async def _estimate(
    plan: Plan, earlier: EarlierRuns, state: RunState, given: Iterable[Passage | Document] | None
) -> Estimate:
    config, observed = plan.config, earlier.observed()
    ledger = Ledger.open(config, plan.roles, earlier.paid)
    result = Estimate(prices=dict(ledger.prices), paid=ledger.cost(), max_usd=config.max_usd)
    exact = plan.chunks.unit == "tokens" and given is None
    await asyncio.to_thread(fetch_vocabulary, plan.encoding, result.notices.append, exact=exact)
    replies = {stage.name: expected_reply(stage, config, observed) for stage in plan.pipeline.model_stages}
    for stages in (result.stages, result.remaining):
        stages += [_nothing_yet(stage, plan, observed) for stage in plan.pipeline.model_stages]
    counting = _Counting(plan, TokenCounter(plan.encoding, exact=exact), replies)
    calls = {stage.name: calls_of(stage, plan.pipeline) for stage in plan.pipeline.model_stages}
    seen: set[str] = set()
    async with aclosing(read_passages(plan, given)) as reads:
        async for read in reads:
            result.documents += len(read.documents)
            result.unread += read.unread
            result.notes += read.notes
            for passage in read.passages:
                if passage.chunk.id in seen:
                    continue
                seen.add(passage.chunk.id)
                result.chunks += 1
                result.passage_tokens += passage.chunk.tokens
                done = earlier.finished(passage.chunk.id)
                result.done += done
                for made, left, tokens in zip(result.stages, result.remaining, counting.prompts(passage), strict=True):
                    for each in (made,) if done else (made, left):
                        each.requests += calls[each.name]
                        each.input += tokens * calls[each.name]
            state.documents, state.chunks = result.documents, result.chunks
    for stages in (result.stages, result.remaining):
        for made, declared in zip(stages, plan.pipeline.model_stages, strict=True):
            made.output = round(made.requests * replies[made.name])
            limit = token_limit(declared, config)
            room = config.model(declared.model).reasoning_tokens or 0
            made.output_limit = (limit + room) * made.requests if limit else None
    return result


def _nothing_yet(stage: ModelStage, plan: Plan, observed: Mapping[str, Observed]) -> StageEstimate:
    made = StageEstimate(stage.name, stage.model, plan.config.model(stage.model).model)
    made.observed = stage.name in observed
    made.calls_per_passage = plan.pipeline.share_at(stage)
    if made.observed:
        made.calls_per_passage = observed[stage.name].calls_per_passage / (calls_of(stage, plan.pipeline) or 1)
    return made


def _given(stage: ModelStage) -> dict[str, Any]:
    """What it gives its prompt besides the fields of a record."""
    return dict.fromkeys(stage.given, "") | ({"count": stage.count} if isinstance(stage, SeveralStage) else {})


def _entries(stage: Stage) -> int:
    """How many entries a reply of the stage has; each becomes a record of its own."""
    return stage.count if isinstance(stage, SeveralStage) else 1


class _Counting:
    """Prompt tokens of a passage by stage; words of typical length stand in for what earlier stages would write."""

    def __init__(self, plan: Plan, counter: TokenCounter, replies: Mapping[str, float]) -> None:
        self._plan = plan
        self._constant = lru_cache(maxsize=256)(counter.count)
        self._count = counter.count
        self._fields = {
            name: " ".join(
                ["fact"] * round(replies.get(stage.name, TEMPLATE_TOKENS) / len(stage.writes) / _entries(stage))
            )
            for stage in plan.pipeline.stages
            for name in stage.writes
        }
        self._fields |= {name: next(iter(words)) for name, words in plan.pipeline.draws.items()}

    def prompts(self, passage: Placed) -> Iterator[int]:
        fields = {**self._fields, **record_of(passage).fields}
        fields |= {name: fields["metadata"].get(key, "") for name, key in self._plan.pipeline.takes.items()}
        for stage in self._plan.pipeline.model_stages:
            prompt = self._plan.prompts[stage.prompt]
            values = _given(stage) | fields | {name: fields[field] for name, field in stage.named.items()}
            constant = len(prompt.constant_prefix)
            tokens = 0
            for index, message in enumerate(prompt.render(values)):
                count = self._constant if index < constant else self._count
                tokens += count(message.content) + MESSAGE_OVERHEAD
            yield tokens
