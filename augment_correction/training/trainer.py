"""The training itself: TRL's SFTTrainer with a LoRA adapter, on rows whose labels are the package's mask, or the trainer of
`distilling`; from the first step or the last checkpoint to the summary."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from accelerate.utils.memory import clear_device_cache, should_reduce_batch_size
from peft import load_peft_weights, set_peft_model_state_dict
from transformers.trainer_callback import PrinterCallback
from trl import SFTConfig, SFTTrainer

from augment_correction.errors import UserError
from augment_correction.export.segments import render
from augment_correction.llm.weights import KNOWN
from augment_correction.store import RunFolder
from augment_correction.training.config import TrainConfig
from augment_correction.training.curve import TrainingCurve
from augment_correction.training.distilling import distiller
from augment_correction.training.loading import (
    BatchSize,
    callbacks,
    common_arguments,
    evaluation_sets,
    in_bf16,
    load_model,
    new_adapter,
    token_dataset,
    tokenizer_of,
)
from augment_correction.training.prepared import Prepared
from augment_correction.training.summary import TrainingResult, summarise, write_trained
from augment_correction.training.watching import Watch
from augment_correction.training.workspace import Workspace

Say = Callable[[str], None]
Attach = Callable[[Any], None]
"""Given each trainer before it trains: a second one comes after one that ran out of memory."""
COMPARED = 32
"""Rows whose tokens are compared with those of Transformers' own tokenizer."""


def train(prepared: Prepared, say: Say = lambda line: None, attach: Attach = lambda trainer: None) -> TrainingResult:
    """Train to the end, or to what stops it; goes on from the last checkpoint where the output folder has one.

    Raises: UserError where the folder is of another training, or memory does not suffice.
    """
    _one_device()
    config, workspace = prepared.config, Workspace(prepared.config.output)
    with RunFolder(workspace.root).held():
        if made := workspace.finished(prepared.decided, config):
            return TrainingResult(made, workspace, already=True)
        checkpoint = workspace.begin(prepared.decided, config)
        write_trained(prepared, workspace)
        batch, began = BatchSize(config.batch_size, config.gradient_accumulation), time.monotonic()
        for again in (False, True):
            try:
                trainer, watch = _run(prepared, workspace, batch, checkpoint, say, attach)
                break
            except RuntimeError as failure:
                batch = _smaller(failure, batch, prepared, again=again)
            # Only here, where the failure and the tensors of its frames are gone.
            clear_device_cache(garbage_collection=True)
            checkpoint = next(reversed(workspace.saved().values()), None)
            notice = (
                f"out of memory: trying again with batch_size {batch.size} x gradient_accumulation {batch.accumulation}"
            )
            prepared.notices.append(notice)
            say(notice)
        return _finish(prepared, workspace, trainer, watch, batch, time.monotonic() - began)


def _run(
    prepared: Prepared, workspace: Workspace, batch: BatchSize, checkpoint: Path | None, say: Say, attach: Attach
) -> tuple[Any, Watch]:
    watch = Watch(prepared.config, workspace, say)
    make = distiller if prepared.config.distils else build
    trainer = make(prepared, workspace, batch, watch, anew=checkpoint is None)
    trainer.remove_callback(PrinterCallback)  # it writes to stdout
    attach(trainer)
    notice = _other_tokens(prepared, trainer.processing_class)
    if notice and notice not in prepared.notices:
        prepared.notices.append(notice)
        say(f"note: {notice}")
    if checkpoint:
        say(f"resuming from {checkpoint.name}")
    with watch.signals():
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    return trainer, watch


def build(prepared: Prepared, workspace: Workspace, batch: BatchSize, watch: Watch, *, anew: bool) -> Any:
    """The SFTTrainer, ready to train."""
    arguments = SFTConfig(
        **common_arguments(prepared, workspace, batch, anew=anew),
        eos_token=prepared.end_token,
        # The rows are whole, labelled, and none is too long: nothing is left for the trainer to do to them.
        dataset_kwargs={"skip_prepare_dataset": True},
        max_length=None,
        packing=False,
    )
    return SFTTrainer(
        model=load_model(prepared, torch.bfloat16 if in_bf16(prepared.config) else torch.float32),
        args=arguments,
        train_dataset=token_dataset(prepared.train),
        eval_dataset=evaluation_sets(prepared) or None,
        processing_class=tokenizer_of(prepared),
        peft_config=new_adapter(prepared.config),
        callbacks=callbacks(prepared, watch),
    )


def _other_tokens(prepared: Prepared, tokenizer: Any) -> str | None:
    """Servers often read a tokenizer through Transformers, which builds some of them by its own rules."""
    texts = [render(each, prepared.template).text for each in prepared.train.conversations[:COMPARED]]
    theirs = tokenizer(texts, add_special_tokens=False)["input_ids"]
    other = sum(ids != list(row.ids) for ids, row in zip(theirs, prepared.train.rows, strict=False))
    told = f"Transformers reads {other} of {len(texts)} rows into other tokens than tokenizer.json does: check the model's answers"
    return told if other else None


def _one_device() -> None:
    """Raises: UserError. The trainer refuses several devices in one process, with a traceback."""
    if torch.cuda.device_count() > 1:
        raise UserError(
            f"{torch.cuda.device_count()} GPUs are visible, but this trainer uses one",
            hint="set CUDA_VISIBLE_DEVICES=0, or train on all of them with Axolotl (--with axolotl, docs/guides/axolotl.md)",
        )


def _smaller(failure: RuntimeError, batch: BatchSize, prepared: Prepared, *, again: bool) -> BatchSize:
    """The largest batch up to half of this one that divides the rows of a step, so that the steps stay the same.

    Raises: UserError where it is not to be tried; the failure itself where it is another one.
    """
    if not should_reduce_batch_size(failure):
        raise failure
    rows = batch.size * batch.accumulation
    size = next((size for size in range(batch.size // 2, 0, -1) if rows % size == 0), 0)
    longest = max(len(row.ids) for row in prepared.train.rows)
    if not size or again or prepared.config.on_oom == "stop":
        less = f"batch_size {size} with gradient_accumulation {rows // size} is the same training" if size else ""
        raise UserError(
            f"out of memory with batch_size {batch.size} and rows of up to {longest:,} tokens",
            hint=less
            or "lower max_length (max_completion_length for sdft), set gradient_checkpointing: true, or take a smaller model",
        ) from failure
    return BatchSize(size, rows // size)


def _finish(
    prepared: Prepared, workspace: Workspace, trainer: Any, watch: Watch, batch: BatchSize, seconds: float
) -> TrainingResult:
    """Put the best checkpoint's adapter into the model, and save what is served; without checkpoints, the model as it is."""
    state, saved = trainer.state, workspace.saved()
    course = TrainingCurve(state.log_history, prepared.config)
    interrupted = watch.interrupted and state.global_step < state.max_steps and not watch.reason
    resumable = prepared.config.resumable
    best = course.best(saved if resumable else [state.global_step])
    made = summarise(
        prepared,
        course,
        state.global_step,
        best,
        watch.reason,
        batch=(batch.size, batch.accumulation),
        interrupted=interrupted,
        seconds=seconds,
    )
    outcome = TrainingResult(made, workspace)
    if best is not None and not interrupted:
        if resumable:
            weights: Mapping[str, Any] = load_peft_weights(str(saved[best]), device="cpu")
            set_peft_model_state_dict(trainer.model, weights)
            shape = trainer.model.peft_config["default"]
            shape.base_model_name_or_path = base_name(prepared)
            if isinstance(shape.target_modules, set):
                # A set's order differs from process to process, and the name that the adapter's content gives it with it.
                shape.target_modules = sorted(shape.target_modules)
        outcome.save(prepared, trainer.model, trainer.processing_class)
    outcome.write()
    return outcome


def base_name(prepared: Prepared) -> str:
    """The model id as the user wrote it, or the folder; also of a shipped name, which nobody else knows."""
    config: TrainConfig = prepared.config
    own = config.project.resolve(config.model).is_dir() or config.model in KNOWN
    return str(prepared.folder) if own else config.model
