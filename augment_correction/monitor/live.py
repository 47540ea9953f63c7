"""The monitor in a trainer of Transformers, or of what is built on it (TRL, Axolotl).

It belongs to the first process alone and takes part in no collective, so that under DDP nobody waits for it. Where every
process must take part in a forward pass (FSDP, DeepSpeed ZeRO-3, tensor or sequence parallelism) it refuses at the start.
After the start nothing of it can stop a training: an error is logged, and after some of them it turns itself off. A judge
that cannot be asked is logged, and counts only while no answer is decided without it.
"""

from __future__ import annotations

import copy
import gc
import os
import sys
import traceback
import weakref
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import torch
from tqdm.auto import tqdm  # type: ignore[import-untyped,unused-ignore]
from transformers import DefaultFlowCallback, TrainerCallback, TrainerControl

from augment_correction.errors import InputError
from augment_correction.llm.hf_rows import ChatFormat
from augment_correction.monitor.config import MonitorConfig
from augment_correction.monitor.generating import generate
from augment_correction.monitor.keeping import MonitorStore
from augment_correction.monitor.observing import Log, Observer, Say
from augment_correction.monitor.sorting import RawReply
from augment_correction.rows import Item
from augment_correction.text import printable


def say(text: str) -> None:
    """To stderr, above a progress bar that is there."""
    tqdm.write(printable(text), file=sys.stderr)


class LiveInferenceMonitor(TrainerCallback):  # type: ignore[misc]
    """Watches a trainer of Transformers or TRL: at its evaluations the model answers questions, the answers are graded, and what
    it gets wrong becomes rows of corrections. `monitor.attach(trainer)`, before `trainer.train()`; as a plain callback it works, too,
    without scalars in the trainer's log. `say` is given each line for a person.

    Raises: UserError, when it is attached, where the model is sharded so that one process alone cannot answer.

    >>> monitor = LiveInferenceMonitor(MonitorConfig(split="questions.jsonl", num_eval_samples=2))
    >>> callable(monitor.attach)
    True
    """

    def __init__(self, config: MonitorConfig, say: Say = say) -> None:
        self._config, self._say = config, say
        self._log: Log = lambda scalars: None
        self._observer: Observer | None = None
        self._told: set[str] = set()
        self._errors = 0

    def attach(self, trainer: Any) -> None:
        """To one trainer after another, too. Raises: UserError where the monitor cannot work with this trainer."""
        refuse_shared_forward(trainer.args)
        kept = weakref.ref(trainer)  # one that ran out of memory must not be kept, with its model, for the next one

        def log(scalars: dict[str, float]) -> None:
            if (watched := kept()) is not None:
                watched.log(scalars)

        self._log = log
        trainer.add_callback(self)

    # ------------------------------------------------------------------------------------- what the trainer calls

    def on_train_begin(self, args: Any, state: Any, control: Any, **known: Any) -> None:
        """Raises: UserError; this once an error ends the training, before it has cost anything."""
        refuse_shared_forward(args)
        every, at_end = _evaluated_every(args, state), _evaluated_at_end(args, state)
        self._config.check_steps(every, state.max_steps, at_end=at_end)
        if not state.is_world_process_zero:
            return
        if self._observer is not None:  # of a training that ended with an error
            self._close()
        self._speech = _speech(known)
        named = getattr(getattr(known.get("model"), "config", None), "_name_or_path", "")
        observer = Observer(self._config, self._tell, lambda scalars: self._log(scalars), model=named)
        observer.begin(state.global_step)
        if never := self._config.never_due(every, state.global_step, state.max_steps, at_end=at_end):
            self._say(f"monitor: {never}")
        self._observer = observer

    def on_evaluate(self, args: Any, state: Any, control: Any, **known: Any) -> None:
        observer = self._observer
        if observer is None:
            return
        try:
            observer.observe(state.global_step, state.max_steps, lambda *asked: self._answers(known["model"], *asked))
            if observer.unjudged is not None:
                self._note(observer.unjudged, counts=False)
            for failure in observer.failed():
                self._note(failure)
        except Exception as failure:  # a monitor that ends a training of days is worse than none
            self._note(failure)

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if self._observer is not None:
            self._close(state.global_step)

    # -------------------------------------------------------------------------------------------------- the rest

    def _answers(self, model: Any, items: Sequence[Item], seconds: float) -> list[RawReply | None]:
        questions = [item.asked for item in items]
        return generate(
            model, self._speech, questions, self._config.system_prompt, self._config.eval_max_tokens, seconds
        )

    def _tell(self, text: str) -> None:
        self._say(text)
        if text.startswith("Self-Correction"):
            self._write(text)

    def _note(self, failure: BaseException, *, counts: bool = True) -> None:
        """Each kind of error with its traceback once."""
        told = "".join(traceback.format_exception(failure))
        if isinstance(failure, torch.OutOfMemoryError):
            failure.__traceback__ = None  # its frames hold the tensors
            gc.collect()
            torch.cuda.empty_cache()
        new = told not in self._told
        self._told.add(told)
        self._errors += counts
        self._write(told if new else f"once more: {type(failure).__name__}: {failure}")
        if new:
            self._say(
                f"monitor: {type(failure).__name__}: {failure} (traceback in {MonitorStore(self._config.data).log})"
            )
        if self._observer is None:
            return
        errors = self._errors + self._observer.in_vain
        if errors >= self._config.max_errors:
            self._say(f"monitor: turned off after {errors} errors; the training goes on without it")
            self._close()

    def _close(self, last: int | None = None) -> None:
        observer, self._observer = self._observer, None
        try:
            for failure in observer.end(last) if observer else ():
                self._note(failure)
        except Exception as failure:
            self._note(failure)

    def _write(self, text: str) -> None:
        try:
            with MonitorStore(self._config.data).log.open("a", encoding="utf-8") as file:
                file.write(f"{datetime.now():%Y-%m-%d %H:%M:%S} {text.rstrip()}\n")
        except OSError:
            self._say(text)


def refuse_shared_forward(args: Any) -> None:
    """Raises: InputError where one process alone cannot generate: it would wait for the others for ever."""
    deepspeed = getattr(args, "hf_deepspeed_config", None)
    zero3 = deepspeed is not None and deepspeed.is_zero3()
    shared = {
        "FSDP": bool(getattr(args, "fsdp", None)) or os.environ.get("ACCELERATE_USE_FSDP", "").lower() == "true",
        "DeepSpeed ZeRO-3": zero3 or os.environ.get("ACCELERATE_DEEPSPEED_ZERO_STAGE") == "3",
        "tensor or sequence parallelism": getattr(args, "parallelism_config", None) is not None,
    }
    for name, used in shared.items():
        if used:
            raise InputError(
                f"the monitor cannot generate under {name}: each process holds a part of the model, and the first one "
                "would wait for the others for ever",
                hint="train with DDP or ZeRO-2, or without the monitor: test checkpoints with `monitor impact`",
            )


def _evaluated_every(args: Any, state: Any) -> int | None:
    """Raises: InputError where the trainer never evaluates."""
    strategy = str(getattr(args.eval_strategy, "value", args.eval_strategy))
    if strategy == "no":
        raise InputError(
            "the monitor asks at each evaluation, but this trainer makes none (eval_strategy: no)",
            hint='set eval_strategy="steps", eval_steps and an eval_dataset',
        )
    if strategy != "steps":
        return None
    every = state.eval_steps or args.eval_steps
    return int(every) if every >= 1 else max(1, int(every * state.max_steps))


def _evaluated_at_end(args: Any, state: Any) -> bool:
    """Whether the last step is evaluated whatever its number, as Transformers has it since some release: so it is asked."""
    if _evaluated_every(args, state) is None or state.max_steps <= 0:
        return False
    last = copy.copy(state)
    last.global_step, last.eval_steps = state.max_steps, _evaluated_every(args, state)
    return bool(DefaultFlowCallback().on_step_end(args, last, TrainerControl()).should_evaluate)


def _speech(known: dict[str, Any]) -> ChatFormat:
    """Raises: InputError where there is no tokenizer, or one without a chat template."""
    found = known.get("processing_class") or known.get("tokenizer")
    tokenizer = getattr(found, "tokenizer", found)
    if not getattr(tokenizer, "chat_template", None):
        raise InputError(
            "the monitor needs the chat template of the trainer's tokenizer, which has none",
            hint="pass processing_class=tokenizer, with the chat_template that the rows are written with",
        )
    return ChatFormat.of(tokenizer)
