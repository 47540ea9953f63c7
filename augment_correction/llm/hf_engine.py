"""A base model in memory with its adapters, and the thread that asks it in left-padded batches (`local_hf.py` says what that means for replies)."""

from __future__ import annotations

import math
import queue
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from augment_correction.errors import InputError, ModelUnusable, RequestRefused
from augment_correction.llm.hf_rows import GenerationTask, Until, processors, words
from augment_correction.llm.hf_scoring import ScoringTask, log_probabilities
from augment_correction.llm.hf_weights import TENSORS_ONLY
from augment_correction.records import Completion

QUIET = 0.03
"""Seconds without a further request, after which a batch starts."""


class HFEngine:
    """A base model in memory with its adapters, and the thread that asks it. `release` by the last user ends both."""

    def __init__(self, folder: Path) -> None:
        """Raises: InputError where the folder holds no model that can be loaded."""
        import torch
        from transformers import AutoModelForCausalLM, GenerationConfig

        keep_quiet()
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        try:
            model = AutoModelForCausalLM.from_pretrained(folder, dtype="auto", **TENSORS_ONLY)
            self._model = model.to(self._device).eval()
        except Exception as failure:  # whatever Transformers meets in the files, or too little memory
            raise InputError(f"the model in {folder} cannot be loaded: {words(failure)}") from None
        ends = model.generation_config.eos_token_id
        self._ends = {ends} if isinstance(ends, int) else set(ends or ())
        model.generation_config = GenerationConfig()  # its sampling would fill in what a request leaves open
        self._context: int | None = getattr(model.config.get_text_config(), "max_position_embeddings", None)
        self._adapters: dict[Path, str] = {}
        self._batch_tokens: float = math.inf  # until memory says otherwise
        self._users = 0
        self._using = threading.Lock()
        self._closed = threading.Event()
        self._inbox: queue.SimpleQueue[GenerationTask | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=f"hf {folder.name}", daemon=True)
        self._thread.start()

    @property
    def closed(self) -> bool:
        """Its last user has left it."""
        return self._closed.is_set()

    def add_user(self, adapter: Path | None) -> str | None:
        """The name of the adapter, which is loaded if it is not yet. Raises: InputError where it does not fit."""
        self._users += 1
        if adapter is None or adapter in self._adapters:
            return self._adapters.get(adapter) if adapter else None
        try:
            self._adapters[adapter] = self._load(adapter)
        except InputError:
            self.release()
            raise
        return self._adapters[adapter]

    def _load(self, adapter: Path) -> str:
        from peft import PeftModel

        name = f"adapter{len(self._adapters)}"
        with self._using:
            try:
                if self._adapters:
                    self._model.load_adapter(adapter, name)
                else:
                    self._model = PeftModel.from_pretrained(self._model, adapter, name)
            except Exception as failure:  # whatever PEFT meets in the files
                raise InputError(
                    f"the adapter {adapter} cannot be put on the model: {words(failure)}",
                    hint="check that it was trained on this model",
                ) from None
            self._model.eval()
        return name

    def submit(self, job: GenerationTask) -> None:
        self._inbox.put(job)

    def release(self) -> None:
        """Blocks for one token at most where the last user leaves; what still waits is cancelled."""
        self._users -= 1
        if self._users == 0:
            self._closed.set()
            self._inbox.put(None)
            self._thread.join()

    def _work(self) -> None:
        waiting: list[GenerationTask] = []
        while self._collect(waiting):
            batch = self._batch(waiting)
            with self._using:
                self._answer(batch)
        while not self._inbox.empty():
            job = self._inbox.get()
            waiting += [job] if job else []
        for job in waiting:
            job.future.cancel()

    def _collect(self, waiting: list[GenerationTask]) -> bool:
        """Adds what has arrived, and what else arrives before it is quiet; False once closed."""
        with suppress(queue.Empty):
            while True:
                job = self._inbox.get(timeout=QUIET if waiting else None)
                if job is None:
                    return False
                try:
                    job.measure(self._context)
                except Exception as failure:  # the thread must live on; who asked is told
                    _deliver(job, failure)
                else:
                    waiting.append(job)
        return True

    def _batch(self, waiting: list[GenerationTask]) -> list[GenerationTask]:
        """Takes out the one that has waited longest and those that fit to it."""
        group, longest, most = waiting[0].group, 0, min(self._batch_tokens, waiting[0].most)
        taken: list[GenerationTask] = []
        for job in [each for each in waiting if each.group == group]:
            longest = max(longest, len(job.ids))
            if taken and (len(taken) + 1) * (longest + job.limit) > most:
                break
            taken.append(job)
            waiting.remove(job)
        return taken

    def _answer(self, batch: list[GenerationTask]) -> None:
        try:
            made = self._made(batch)
        except Exception as failure:  # the thread must live on; who asked is told
            if not _out_of_memory(failure):
                for job in batch:
                    _deliver(job, ModelUnusable(f"{job.request.model}: {words(failure)}"))
                return
        else:
            for job, completion in zip(batch, made, strict=True):
                if self._closed.is_set():  # cut short, and no reply
                    job.future.cancel()
                _deliver(job, completion)
            return
        # Outside of `except`, whose traceback would keep the tensors alive.
        self._give_memory_back()
        if len(batch) == 1:
            tokens = f"{len(batch[0].ids)} tokens and up to {batch[0].limit} of reply"
            _deliver(batch[0], RequestRefused(f"{batch[0].request.model}: not enough memory for {tokens}"))
            return
        half = len(batch) // 2
        self._batch_tokens = half * (max(len(job.ids) for job in batch) + batch[0].limit)
        self._answer(batch[:half])
        self._answer(batch[half:])

    def _give_memory_back(self) -> None:
        import torch

        if self._device == "cuda":
            torch.cuda.empty_cache()

    def _made(self, batch: list[GenerationTask]) -> list[Completion]:
        if not isinstance(batch[0], ScoringTask):
            return self._generate(batch)
        with self._wearing(batch[0].adapter):
            return log_probabilities(self._model, batch, self._device)

    def _generate(self, batch: list[GenerationTask]) -> list[Completion]:
        """Rows are padded with their own first token: what is masked must not count as said before where repetition is
        penalised."""
        import torch
        from transformers import GenerationConfig

        first, length = batch[0], max(len(job.ids) for job in batch)
        pads = [length - len(job.ids) for job in batch]
        ids = [[job.ids[0]] * pad + job.ids for job, pad in zip(batch, pads, strict=True)]
        ends = self._ends | first.speech.ends
        until = Until(batch, length, self._closed)
        with self._wearing(first.adapter):
            made = self._model.generate(
                input_ids=torch.tensor(ids, device=self._device),
                attention_mask=torch.tensor([[0] * pad + [1] * (length - pad) for pad in pads], device=self._device),
                generation_config=GenerationConfig(
                    do_sample=False,
                    max_new_tokens=first.limit,
                    eos_token_id=sorted(ends) or None,
                    pad_token_id=min(ends, default=0),
                ),
                logits_processor=processors(batch, length),
                stopping_criteria=[until],
            )
        rows = made[:, length:].tolist()
        return [job.completion(rows[at][: until.lengths.get(at)], ends) for at, job in enumerate(batch)]

    @contextmanager
    def _wearing(self, adapter: str | None) -> Iterator[None]:
        if adapter is not None:
            self._model.set_adapter(adapter)
        if adapter is None and self._adapters:
            with self._model.disable_adapter():
                yield
        else:
            yield


def _deliver(job: GenerationTask, result: Completion | Exception) -> None:
    if not job.future.set_running_or_notify_cancel():
        return
    if isinstance(result, Exception):
        job.future.set_exception(result)
    else:
        job.future.set_result(result)


def keep_quiet() -> None:
    """Bars of its own would run through the live display, and its deprecations are not the user's matter."""
    from transformers.utils import logging

    logging.disable_progress_bar()
    logging.set_verbosity_error()
    warnings.filterwarnings("ignore", category=FutureWarning, module="transformers|peft")


def _out_of_memory(failure: BaseException) -> bool:
    """Also on the CPU, where torch raises a plain RuntimeError."""
    import torch

    return isinstance(failure, torch.OutOfMemoryError | MemoryError) or "allocate memory" in str(failure)
