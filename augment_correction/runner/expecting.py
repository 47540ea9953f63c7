"""What a model stage is expected to ask and to be answered: as in earlier runs into the same folder, or else as the means of the example
documents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from augment_correction.config import RunConfig
from augment_correction.declarations import AttemptStage, GradeStage, GroundStage, JudgeStage, ModelStage, SeveralStage
from augment_correction.pipeline import Pipeline
from augment_correction.plan import Plan
from augment_correction.sampling import Sampling
from augment_correction.store import Database, Journal, Results
from augment_correction.store.journal import SCHEMA as JOURNAL_SCHEMA
from augment_correction.store.results import SCHEMA as RESULTS_SCHEMA
from augment_correction.usage import CallTotals

TOKENS_PER_FIELD = 90
"""A written field's length where no call of this stage has been made yet: a mean over the example documents, for
stages that ask for whole answers."""
ROOM = 6
"""How much longer than expected `max_tokens` lets a reply be: a stage with a low limit asks for less."""
VERDICT_TOKENS = 40
QUOTE_TOKENS = 15
"""A field of a judge that quotes: a word or a sentence (the embedded model's mean over the example documents)."""
ENTRY_TOKENS = 50
"""A field of one of several entries of a reply: a question in other words, an answer of a sentence, with its JSON."""


def calls_of(stage: ModelStage, pipeline: Pipeline) -> int:
    """The most that one passage takes at the first try: an attempt is drawn several times, and each may be graded."""
    each_record = 1
    if isinstance(stage, AttemptStage):
        each_record = stage.samples
    elif isinstance(stage, GradeStage):
        each_record = sum(each.samples for each in pipeline.stages if isinstance(each, AttemptStage))
    return pipeline.records_at(stage) * each_record


def token_limit(stage: ModelStage, config: RunConfig) -> int | None:
    return Sampling().merged(stage.sampling).merged(config.sampling.get(stage.name)).max_tokens


def expected_reply(stage: ModelStage, config: RunConfig, observed: Mapping[str, Observed]) -> float:
    """Mean tokens of a reply."""
    if stage.name in observed:
        return observed[stage.name].reply
    if isinstance(stage, JudgeStage | GradeStage):
        return VERDICT_TOKENS
    if isinstance(stage, SeveralStage):
        whole = stage.count * len(stage.fields) * ENTRY_TOKENS
        return min(whole, token_limit(stage, config) or whole)
    each = QUOTE_TOKENS if isinstance(stage, GroundStage) else TOKENS_PER_FIELD
    usual, limit = each * len(stage.reply_fields), token_limit(stage, config)
    return min(usual, limit / ROOM) if limit else usual


@dataclass(frozen=True)
class Observed:
    """Of an earlier run into the same folder: mean tokens of a reply, and calls for each passage of the first stage."""

    reply: float
    calls_per_passage: float


class EarlierRuns:
    """What earlier runs into this folder have left; nothing where there was none."""

    def __init__(self, plan: Plan) -> None:
        self.paid: list[CallTotals] = []
        self._first = plan.pipeline.model_stages[0] if plan.pipeline.model_stages else None
        self._calls_of_first = calls_of(self._first, plan.pipeline) if self._first else 1
        self._database: Database | None = None
        if plan.folder.journal.exists():
            self._database = Database(plan.folder.journal, JOURNAL_SCHEMA + RESULTS_SCHEMA)
            self._results = Results(self._database, plan.fingerprint())
            self.paid = Journal(self._database).totals()

    def finished(self, chunk_id: str) -> bool:
        """A run tries again what failed."""
        if self._database is None:
            return False
        return any(status != "failed" for status, *_ in self._results.finished(chunk_id))

    def observed(self) -> dict[str, Observed]:
        """By stage."""
        requests: Counter[str] = Counter()
        output: Counter[str] = Counter()
        for row in self.paid:
            requests[row.stage] += row.requests
            output[row.stage] += row.output
        passages = requests[self._first.name] / (self._calls_of_first or 1) if self._first else 0
        return {
            stage: Observed(output[stage] / count, count / passages if passages else 1.0)
            for stage, count in requests.items()
            if count
        }

    def close(self) -> None:
        if self._database is not None:
            self._database.close()
