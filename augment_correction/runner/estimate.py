"""What a run would ask and cost, without a call: documents are read and cut, every prompt is rendered and counted."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import lru_cache

from augment_correction.config import RunConfig
from augment_correction.declarations import AttemptStage, GradeStage, GroundStage, JudgeStage, ModelStage
from augment_correction.documents import TokenCounter, fetch_vocabulary
from augment_correction.ledger import price_of
from augment_correction.pipeline import Pipeline
from augment_correction.records import ReadNote, UnreadInput
from augment_correction.runner.plan import Plan, make_checked_plan
from augment_correction.runner.source import Passage, encoding_of, read_passages, record_of
from augment_correction.sampling import Sampling
from augment_correction.store import Database, Journal
from augment_correction.store.journal import SCHEMA
from augment_correction.usage import Price, Usage

TOKENS_PER_FIELD = 90
"""A written field's length where no call of this stage has been made yet: a mean over the example documents, for
stages that ask for whole answers."""
ROOM = 6
"""How much longer than expected `max_tokens` lets a reply be: a stage with a low limit asks for less."""
VERDICT_TOKENS = 40
QUOTE_TOKENS = 15
"""A field of a judge that quotes: a word or a sentence (the embedded model's mean over the example documents)."""
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
    """What an earlier run into this folder needed: below 1 where stages before this one drop passages, above where
    replies had to be asked for again. Where there was none, the share of passages that are to become a kind of
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
    prices: dict[str, Price | None] = field(default_factory=dict)

    def cost(self, *, limit: bool = False) -> Decimal | None:
        """USD expected, or at most where nothing is asked again; None where a price or a bound is unknown."""
        total = Decimal(0)
        for stage in self.stages:
            price = self.prices[stage.role]
            expected = stage.expected
            input_, output = (stage.input, stage.output_limit) if limit else (expected.input, expected.output)
            if price is None or output is None:
                return None
            total += price.cost(Usage(input_, output))
        return total


async def estimate(config: RunConfig) -> Estimate:
    """Raises: UserError as a run would, before its first call."""
    plan = make_checked_plan(config)
    result = Estimate(prices={role: price_of(config, role) for role in plan.pipeline.roles})
    await asyncio.to_thread(fetch_vocabulary, encoding_of(config), result.notices.append)
    counter = TokenCounter(encoding_of(config))
    observed = _observed(plan)
    replies = {stage.name: _expected_reply(stage, config, observed) for stage in plan.pipeline.model_stages}
    for stage in plan.pipeline.model_stages:
        made = StageEstimate(stage.name, stage.model, config.model(stage.model).model)
        made.observed = stage.name in observed
        made.calls_per_passage = (
            observed[stage.name].calls_per_passage if made.observed else plan.pipeline.share_at(stage)
        )
        result.stages.append(made)
    counting = _Counting(plan, counter, replies)
    calls = {stage.name: _calls(stage, plan.pipeline) for stage in plan.pipeline.model_stages}
    seen: set[str] = set()
    async with aclosing(read_passages(config, plan.input_dir, cut=plan.pipeline.cuts)) as reads:
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
                for made, tokens in zip(result.stages, counting.prompts(passage), strict=True):
                    made.requests += calls[made.name]
                    made.input += tokens * calls[made.name]
    for made, declared in zip(result.stages, plan.pipeline.model_stages, strict=True):
        made.output = round(made.requests * replies[made.name])
        limit = _limit(declared, config)
        room = config.model(declared.model).reasoning_tokens or 0
        made.output_limit = (limit + room) * made.requests if limit else None
    return result


def _calls(stage: ModelStage, pipeline: Pipeline) -> int:
    """The most that one passage takes at the first try: an attempt is drawn several times, and each may be graded."""
    if isinstance(stage, AttemptStage):
        return stage.samples
    if isinstance(stage, GradeStage):
        return sum(each.samples for each in pipeline.stages if isinstance(each, AttemptStage))
    return 1


def _limit(stage: ModelStage, config: RunConfig) -> int | None:
    return Sampling().merged(stage.sampling).merged(config.sampling.get(stage.name)).max_tokens


def _expected_reply(stage: ModelStage, config: RunConfig, observed: Mapping[str, _Observed]) -> float:
    """Tokens."""
    if stage.name in observed:
        return observed[stage.name].reply
    if isinstance(stage, JudgeStage | GradeStage):
        return VERDICT_TOKENS
    each = QUOTE_TOKENS if isinstance(stage, GroundStage) else TOKENS_PER_FIELD
    usual, limit = each * len(stage.reply_fields), _limit(stage, config)
    return min(usual, limit / ROOM) if limit else usual


@dataclass(frozen=True)
class _Observed:
    """Of an earlier run into the same folder: mean tokens of a reply, and calls for each of the first stage's."""

    reply: float
    calls_per_passage: float


def _observed(plan: Plan) -> dict[str, _Observed]:
    """By stage."""
    if not plan.folder.journal.exists():
        return {}
    database = Database(plan.folder.journal, SCHEMA)
    try:
        requests: Counter[str] = Counter()
        output: Counter[str] = Counter()
        for row in Journal(database).totals():
            requests[row.stage] += row.requests
            output[row.stage] += row.output
    finally:
        database.close()
    passages = requests[plan.pipeline.model_stages[0].name]
    return {
        stage: _Observed(output[stage] / count, count / passages if passages else 1.0)
        for stage, count in requests.items()
        if count
    }


class _Counting:
    """Prompt tokens of a passage by stage; words of typical length stand in for what earlier stages would write."""

    def __init__(self, plan: Plan, counter: TokenCounter, replies: Mapping[str, float]) -> None:
        self._plan = plan
        self._constant = lru_cache(maxsize=256)(counter.count)
        self._count = counter.count
        self._fields = {
            name: " ".join(["fact"] * round(replies.get(stage.name, TEMPLATE_TOKENS) / len(stage.writes)))
            for stage in plan.pipeline.stages
            for name in stage.writes
        }
        self._fields |= {name: next(iter(words)) for name, words in plan.pipeline.draws.items()}

    def prompts(self, passage: Passage) -> Iterator[int]:
        fields = {**self._fields, **record_of(passage).fields}
        fields |= {name: fields["metadata"].get(key, "") for name, key in self._plan.pipeline.takes.items()}
        for stage in self._plan.pipeline.model_stages:
            prompt = self._plan.prompts[stage.prompt]
            values = fields | {name: fields[field] for name, field in stage.named.items()}
            constant = len(prompt.constant_prefix)
            tokens = 0
            for index, message in enumerate(prompt.render(values)):
                count = self._constant if index < constant else self._count
                tokens += count(message.content) + MESSAGE_OVERHEAD
            yield tokens
