"""Log-probabilities in `mode: hf`: one pass over a padded batch of whole conversations, on the engine that also answers."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import orjson

from augment_correction.errors import RequestRefused
from augment_correction.llm.hf_rows import GenerationTask
from augment_correction.records import Completion, GivenTokens
from augment_correction.usage import Usage


@dataclass(eq=False)
class ScoringTask(GenerationTask):
    """A request whose `given` tokens are there already: nothing is generated for it."""

    most: ClassVar[int] = 2048
    """Tokens of a batch with its padding: 1.2 GB of logits in float32 where the vocabulary has 152,000 tokens."""

    @property
    def given(self) -> GivenTokens:
        assert self.request.given is not None
        return self.request.given

    def measure(self, context: int | None) -> None:
        """Raises: RequestRefused where the model's context is shorter."""
        self.ids = list(self.given.ids)
        if context is not None and len(self.ids) > context:
            raise RequestRefused(
                f"{self.request.model}: {len(self.ids)} tokens are more than its context of {context} holds"
            )

    @property
    def group(self) -> tuple[object, ...]:
        return self.adapter, "given"


def log_probabilities(model: Any, batch: Sequence[GenerationTask], device: str) -> list[Completion]:
    """Each text is a JSON array: the natural logarithms of the probabilities of the tokens at the job's places, in order.
    Rows are padded on the right, where a causal model does not look."""
    import torch

    jobs = [job for job in batch if isinstance(job, ScoringTask)]
    length = max(len(job.ids) for job in jobs)
    ids = torch.tensor([job.ids + job.ids[:1] * (length - len(job.ids)) for job in jobs], device=device)
    real = torch.tensor([[1] * len(job.ids) + [0] * (length - len(job.ids)) for job in jobs], device=device)
    kept = length - min(job.given.places[0] for job in jobs) + 1
    with torch.inference_mode():
        logits = model(input_ids=ids, attention_mask=real, **_last(model, kept)).logits
        begin = length - logits.shape[1]
        made = [_of_row(logits[at], ids[at], job.given.places, begin) for at, job in enumerate(jobs)]
    return [
        Completion(orjson.dumps(found).decode(), None, "stop", Usage(len(job.ids), 0))
        for job, found in zip(jobs, made, strict=True)
    ]


def _last(model: Any, kept: int) -> dict[str, int]:
    """Logits of the answers alone, from models that can leave the rest out: those of a long prompt are large."""
    bare = model.get_base_model() if hasattr(model, "get_base_model") else model
    return {"logits_to_keep": kept} if "logits_to_keep" in inspect.signature(bare.forward).parameters else {}


def _of_row(logits: Any, ids: Any, places: Sequence[int], begin: int) -> list[float]:
    """The logits at a place are of the token after it; `begin` is the place of the first ones that are there."""
    at = [place - 1 - begin for place in places]
    found = logits[at].float().log_softmax(-1).gather(1, ids[list(places), None])
    values: list[float] = found[:, 0].tolist()
    return values
