"""`mode: hf`: a model in a Hugging Face folder answers inside this process, with or without a PEFT adapter on it.

Base weights are loaded once for all roles that name them; one thread owns them, collects what waits into left-padded
batches of one adapter and one way of sampling, and puts that adapter on. A batch ends with its longest reply: for
thousands of passages `mode: vllm` is the faster place, this one needs no server and no GPU.

What is in a batch decides nothing but float sums. Each reply draws from numbers of its own, seeded by `Request.key`
(which holds `seed`, model and messages), so that the same question has the same reply in any company, unless two
tokens are as good as equally likely: padding changes the order in which attention adds up, by parts in 10**6 (float32)
or 10**2 (bfloat16) of a logit, and the other one may win. `timeout` has no meaning here; `max_tokens` ends a reply.

On a machine without a GPU install torch from the CPU index first (`pip install torch --index-url
https://download.pytorch.org/whl/cpu`): the default one brings several GB of CUDA.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from augment_correction.errors import InputError, ModelUnusable
from augment_correction.llm.hf_engine import HFEngine
from augment_correction.llm.hf_rows import TAKEN, ChatFormat, GenerationTask
from augment_correction.llm.hf_scoring import ScoringTask
from augment_correction.llm.refusals import PartRefused
from augment_correction.llm.streaming import Listener, listener
from augment_correction.records import Completion, Request

CONCURRENCY = 16


class LocalModels:
    """Opens backends; those on the same base weights share an engine."""

    def __init__(self) -> None:
        self._engines: dict[Path, HFEngine] = {}

    def open(self, folder: Path, adapter: Path | None, extra_body: Mapping[str, Any]) -> LocalHF:
        """Loads what is not loaded yet, in seconds to minutes.

        Raises: InputError with the remedy, MissingExtra.
        """
        unknown = sorted(set(extra_body) - {"chat_template_kwargs"})
        if unknown:
            raise InputError(
                f"extra_body: mode hf does not support {unknown[0]}", hint="mode hf supports only chat_template_kwargs"
            )
        speech = ChatFormat(folder, adapter, extra_body.get("chat_template_kwargs"))
        if folder not in self._engines or self._engines[folder].closed:
            self._engines[folder] = HFEngine(folder)
        engine = self._engines[folder]
        return LocalHF(engine, speech, engine.add_user(adapter))


class LocalHF:
    """One adapter, or none, on an engine."""

    def __init__(self, engine: HFEngine, speech: ChatFormat, adapter: str | None) -> None:
        self._engine, self._speech, self._adapter = engine, speech, adapter
        self._open = True

    async def complete(self, request: Request) -> Completion:
        """As the protocol says; also ModelUnusable once closed."""
        if not self._open:
            raise ModelUnusable(f"{request.model} is closed")
        if request.structured and request.schema is not None:
            raise PartRefused(f"{request.model}: mode hf cannot enforce a JSON schema", "schema")
        unknown = next((name for name in request.sampling if name not in TAKEN), None)
        if unknown is not None:
            raise PartRefused(f"{request.model}: mode hf does not support {unknown}", unknown)
        kind = GenerationTask if request.given is None else ScoringTask
        job = kind(request, self._speech, self._adapter, say=_teller(listener()))
        self._engine.submit(job)
        return await asyncio.wrap_future(job.future)

    async def close(self) -> None:
        if self._open:
            self._open = False
            await asyncio.to_thread(self._engine.release)


def _teller(heard: Listener | None) -> Callable[[str], None] | None:
    """From the thread of the model, which knows the text so far, to the loop of who asks, who hears what is new in it."""
    if heard is None:
        return None
    loop = asyncio.get_running_loop()
    heard.begin()
    said = ""

    def tell(text: str) -> None:
        nonlocal said
        if text.endswith("\ufffd") or not text.startswith(said):
            return  # in the middle of a character
        new, said = text[len(said) :], text
        if new and not loop.is_closed():
            loop.call_soon_threadsafe(heard.add, new)

    return tell
