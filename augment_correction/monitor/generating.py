"""Answers of a model that is being trained, in one padded batch, without a trace on the training: greedy decoding draws
no random number, and mode and cache setting are put back."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import inf
from typing import Any

import torch
from transformers import GenerationConfig

from augment_correction.llm.hf_rows import ChatFormat, GenerationTask, Until
from augment_correction.llm.queries import messages
from augment_correction.monitor.sorting import RawReply
from augment_correction.records import Completion, Request


def generate(
    model: Any, speech: ChatFormat, questions: Sequence[str], system: str | None, max_tokens: int, seconds: float = inf
) -> list[RawReply | None]:
    """None for an answer that was not at its end after so many seconds."""
    jobs = [GenerationTask(Request(messages(each, system), ""), speech, None) for each in questions]
    for job in jobs:
        job.ids = speech.ids(job.request)
    room = _context(model) - max(len(job.ids) for job in jobs)
    for job in jobs:
        job.limit = max(1, min(max_tokens, room))
    ends = speech.ends | _ends(model)
    with _evaluating(model), _deadline(seconds) as closed:
        made = _rows(model, jobs, ends, closed)
    return [_reply(job.completion(row, ends), job.limit) for job, row in zip(jobs, made, strict=True)]


def _rows(model: Any, jobs: list[GenerationTask], ends: set[int], closed: threading.Event) -> list[list[int]]:
    length = max(len(job.ids) for job in jobs)
    pads = [length - len(job.ids) for job in jobs]
    ids = [[job.ids[0]] * pad + job.ids for job, pad in zip(jobs, pads, strict=True)]
    until = Until(jobs, length, closed)
    made = model.generate(
        input_ids=torch.tensor(ids, device=model.device),
        attention_mask=torch.tensor([[0] * pad + [1] * (length - pad) for pad in pads], device=model.device),
        # Each value is given: what is left open would be the model's own, a repetition penalty for instance.
        generation_config=GenerationConfig(
            do_sample=False,
            num_beams=1,
            repetition_penalty=1.0,
            no_repeat_ngram_size=0,
            max_new_tokens=jobs[0].limit,
            eos_token_id=sorted(ends) or None,
            pad_token_id=min(ends, default=0),
            use_cache=True,
        ),
        stopping_criteria=[until],
    )
    rows = made[:, length:].tolist()
    return [row[: until.lengths.get(at)] for at, row in enumerate(rows)]


def _reply(made: Completion, limit: int) -> RawReply | None:
    if made.finish_reason == "length" and (made.usage.output or 0) < limit:
        return None
    return RawReply(made.text, made.finish_reason, ended=made.finish_reason == "stop")  # nothing else stops it


def _ends(model: Any) -> set[int]:
    own = getattr(model, "generation_config", None)
    found = getattr(own, "eos_token_id", None)
    return {found} if isinstance(found, int) else set(found or ())


def _context(model: Any) -> int:
    return getattr(model.config.get_text_config(), "max_position_embeddings", None) or sys.maxsize


@contextmanager
def _evaluating(model: Any) -> Iterator[None]:
    """Every module's own mode is put back. In this mode gradient checkpointing is off and the cache can be used."""
    before = [(module, module.training) for module in model.modules()]
    config = model.config
    use_cache = getattr(config, "use_cache", None)
    model.eval()
    try:
        yield
    finally:
        for module, training in before:
            module.training = training
        config.use_cache = use_cache


@contextmanager
def _deadline(seconds: float) -> Iterator[threading.Event]:
    passed = threading.Event()
    timer = threading.Timer(min(seconds, threading.TIMEOUT_MAX), passed.set)
    timer.daemon = True
    timer.start()
    try:
        yield passed
    finally:
        timer.cancel()
