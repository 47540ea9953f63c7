"""`method: sdft` and `sdft_paper`: self-distillation (Shenfeld et al., arXiv 2601.19897) by TRL's experimental SDFTTrainer.

The student reads the question and answers by itself, once. The teacher reads the same answer behind the question and the row's
context. At each token of it the student's distribution is drawn toward the teacher's: the divergence KL(teacher, student) over
the whole vocabulary, as in all results of the paper (TRL's alpha 0), without the first tokens, where a teacher speaks of what it
was shown. TRL's own defaults differ in each of these, and repair less.

`sdft` trains a LoRA adapter, and the teacher is the base model: a model that was tuned on such rows once hardly uses what it is
shown. It goes on from its checkpoints. `sdft_paper` trains the whole model, and the teacher is its moving average, which no
checkpoint holds: it does not go on.

Held-out and retention rows are measured as `sft` measures them, by the mean loss of a given answer: of what the teacher answered
where it was asked (`teacher.py`), so that the figure draws no random answer and means the same at every step.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from datasets import Dataset
from torch.nn.utils.rnn import pad_sequence

from augment_correction.export.masking import IGNORED
from augment_correction.records import Message
from augment_correction.training.config import TrainConfig
from augment_correction.training.loading import (
    BatchSize,
    callbacks,
    common_arguments,
    evaluation_sets,
    in_bf16,
    load_model,
    new_adapter,
    tokenizer_of,
)
from augment_correction.training.prepared import Prepared
from augment_correction.training.teacher import THINKING_OFF
from augment_correction.training.watching import Watch
from augment_correction.training.workspace import Workspace

os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")  # its notice is for us: the version is pinned
from trl.experimental.sdft import SDFTConfig, SDFTTrainer
from trl.experimental.sdft.sdft_trainer import DemonstrationTeacherContextBuilder

SKIPPED = 3
"""First tokens of an answer that teach nothing."""
AVERAGED = 0.01
"""How far the teacher of `sdft_paper` moves toward the student at each step."""


class TeacherMessages(DemonstrationTeacherContextBuilder):  # type: ignore[misc]
    """The messages that our prompts made, in place of TRL's own sentence around the context."""

    def _compose_teacher_prompt(self, prompt: Any, privileged_context: Any) -> Any:
        return privileged_context


class Distiller(SDFTTrainer):  # type: ignore[misc]
    """Evaluates by the loss of given answers."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.teacher_context_builder = TeacherMessages(self)

    def prediction_step(
        self, model: Any, inputs: Sequence[Mapping[str, Any]], prediction_loss_only: bool, ignore_keys: Any = None
    ) -> tuple[Any, None, None]:
        with torch.no_grad(), self.compute_loss_context_manager():
            loss = model(**_padded(inputs, self.accelerator.device)).loss
        return loss.detach(), None, None


def distiller(prepared: Prepared, workspace: Workspace, batch: BatchSize, watch: Watch, *, anew: bool) -> Any:
    """The trainer, ready to train."""
    config, tokenizer = prepared.config, tokenizer_of(prepared)
    if prepared.end_token:
        tokenizer.eos_token = prepared.end_token
    return Distiller(
        model=load_model(prepared, _dtype(config)),
        args=SDFTConfig(
            **common_arguments(prepared, workspace, batch, anew=anew),
            **_teacher(config),
            save_strategy="steps" if config.resumable else "no",
            distillation_mode="full_logits",
            distillation_topk=None,
            distillation_alpha=0.0,
            num_generations=1,
            num_loss_tokens_to_skip=SKIPPED,
            max_prompt_length=None,  # rows that are too long were refused by name; TRL would cut the question off
            max_completion_length=config.max_completion_length,
            chat_template_kwargs=dict(THINKING_OFF),
        ),
        train_dataset=_dataset(prepared),
        eval_dataset=evaluation_sets(prepared) or None,
        processing_class=tokenizer,
        peft_config=new_adapter(config) if config.resumable else None,
        callbacks=callbacks(prepared, watch),
    )


def _teacher(config: TrainConfig) -> dict[str, Any]:
    if config.method == "sdft":
        return {"teacher_model_kind": "base"}
    return {"teacher_model_kind": "ema", "teacher_update_rate": AVERAGED}


def _dtype(config: TrainConfig) -> torch.dtype:
    """Whole weights stay in float32: bfloat16 would round most of what a step changes in them away."""
    return torch.bfloat16 if in_bf16(config) and config.method == "sdft" else torch.float32


def _dataset(prepared: Prepared) -> Any:
    asked = [
        [_said(Message(turn.role, turn.text)) for turn in each.turns[:-1]] for each in prepared.train.conversations
    ]
    shown = [[_said(message) for message in each.teacher] for each in prepared.demonstrations]
    return Dataset.from_dict({"prompt": asked, "privileged_context": shown})


def _said(message: Message) -> dict[str, str]:
    return {"role": message.role, "content": message.content}


def _padded(rows: Sequence[Mapping[str, Any]], device: Any) -> dict[str, Any]:
    """On the right, where a causal model does not look."""
    ids, labels = ([torch.as_tensor(row[name]).long() for row in rows] for name in ("input_ids", "labels"))
    real = [torch.ones_like(each) for each in ids]
    values = {"input_ids": (ids, 0), "labels": (labels, IGNORED), "attention_mask": (real, 0)}
    return {name: pad_sequence(rows, True, fill).to(device) for name, (rows, fill) in values.items()}
