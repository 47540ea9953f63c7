"""What a run would ask and cost, without a call: documents are read and cut, every prompt is rendered and counted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache

from augment_correction.config import RunConfig
from augment_correction.documents import TokenCounter
from augment_correction.ledger import price_of
from augment_correction.pipeline import AskStage, ModelStage
from augment_correction.records import UnreadInput
from augment_correction.runner.plan import Plan, make_plan
from augment_correction.runner.source import Passage, encoding_of, read_passages, record_of
from augment_correction.sampling import Sampling
from augment_correction.store import Database, Journal
from augment_correction.store.journal import SCHEMA
from augment_correction.usage import Price, Usage

TOKENS_PER_FIELD = 90
"""A written field's length where no call of this stage has been made yet: a mean over the example documents."""
VERDICT_TOKENS = 40
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


@dataclass
class Estimate:
    """An upper bound on requests: it takes every passage to pass every stage at the first try."""

    documents: int = 0
    unread: list[UnreadInput] = field(default_factory=list)
    chunks: int = 0
    passage_tokens: int = 0
    stages: list[StageEstimate] = field(default_factory=list)
    prices: dict[str, Price | None] = field(default_factory=dict)

    def cost(self, *, limit: bool = False) -> Decimal | None:
        """USD expected, or at most; None where a price or a bound is unknown."""
        total = Decimal(0)
        for stage in self.stages:
            price = self.prices[stage.role]
            output = stage.output_limit if limit else stage.output
            if price is None or output is None:
                return None
            total += price.cost(Usage(stage.input, output))
        return total


async def estimate(config: RunConfig) -> Estimate:
    """Raises: UserError as a run would, before its first call."""
    plan = make_plan(config)
    counter = TokenCounter(encoding_of(config))
    result = Estimate(prices={role: price_of(config, role) for role in plan.pipeline.roles})
    observed = _observed_replies(plan)
    for stage in plan.pipeline.model_stages:
        result.stages.append(StageEstimate(stage.name, stage.model, config.model(stage.model).model))
        result.stages[-1].observed = stage.name in observed
    counting = _Counting(plan, counter)
    seen: set[str] = set()
    async with aclosing(read_passages(config, plan.input_dir)) as reads:
        async for read in reads:
            result.documents += len(read.documents)
            result.unread += read.unread
            for passage in read.passages:
                if passage.chunk.id in seen:
                    continue
                seen.add(passage.chunk.id)
                result.chunks += 1
                result.passage_tokens += passage.chunk.tokens
                for made, tokens in zip(result.stages, counting.prompts(passage), strict=True):
                    made.requests += 1
                    made.input += tokens
    for made, declared in zip(result.stages, plan.pipeline.model_stages, strict=True):
        made.output = round(made.requests * observed.get(made.name, _expected_reply(declared)))
        limit = Sampling().merged(declared.sampling).merged(config.sampling.get(declared.name)).max_tokens
        made.output_limit = limit * made.requests if limit else None
    return result


def _expected_reply(stage: ModelStage) -> int:
    return TOKENS_PER_FIELD * len(stage.fields) if isinstance(stage, AskStage) else VERDICT_TOKENS


def _observed_replies(plan: Plan) -> dict[str, float]:
    """Mean reply tokens by stage, from an earlier run into the same folder."""
    if not plan.folder.journal.exists():
        return {}
    database = Database(plan.folder.journal, SCHEMA)
    try:
        sums: dict[str, tuple[int, int]] = {}
        for row in Journal(database).totals():
            output, requests = sums.get(row.stage, (0, 0))
            sums[row.stage] = (output + row.output, requests + row.requests)
        return {stage: output / requests for stage, (output, requests) in sums.items() if requests}
    finally:
        database.close()


class _Counting:
    """Prompt tokens of a passage by stage; words of typical length stand in for what earlier stages would write."""

    def __init__(self, plan: Plan, counter: TokenCounter) -> None:
        self._plan = plan
        self._constant = lru_cache(maxsize=256)(counter.count)
        self._count = counter.count
        filler = " ".join(["fact"] * TOKENS_PER_FIELD)
        self._fields = {name: filler for stage in plan.pipeline.model_stages for name in stage.writes}

    def prompts(self, passage: Passage) -> Iterator[int]:
        values = {**self._fields, **record_of(passage).fields}
        for stage in self._plan.pipeline.model_stages:
            prompt = self._plan.prompts[stage.prompt]
            constant = len(prompt.constant_prefix)
            tokens = 0
            for index, message in enumerate(prompt.render(values)):
                count = self._constant if index < constant else self._count
                tokens += count(message.content) + MESSAGE_OVERHEAD
            yield tokens
