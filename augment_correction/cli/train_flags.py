"""The flags of `train`: each overrides the key of its name in the config, whose numbers `hyperparameters.py` has."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer


class Trainer(StrEnum):
    trl = "trl"
    axolotl = "axolotl"


class Method(StrEnum):
    sft = "sft"
    sdft = "sdft"
    sdft_paper = "sdft_paper"


class OnOom(StrEnum):
    halve = "halve"
    stop = "stop"


TrainConfigFile = Annotated[
    str | None,
    typer.Argument(help="A training config (configs/train.yaml); none: flags alone.", metavar="[CONFIG]"),
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", help="Override a key, for example --set warmup_share=0.1. Repeatable."),
]
MethodFlag = Annotated[
    Method | None,
    typer.Option(
        "--method",
        help="The trained tokens' loss; self-distillation of demonstrations; the same as its paper has it.",
    ),
]
Model = Annotated[str | None, typer.Option("--model", "--model-name", help="The base model: folder or model id.")]
Adapter = Annotated[str | None, typer.Option("--adapter", help="An adapter on the same base model to go on from.")]
Data = Annotated[
    list[str] | None, typer.Option("--data", help="A run's output folder, or a file of failures. Repeatable.")
]
SelfCritiqueData = Annotated[
    list[str] | None,
    typer.Option(
        "--self-critique-data", help="Failures: question, bad output, corrected output, critique. Repeatable."
    ),
]
HardFailuresData = Annotated[
    list[str] | None,
    typer.Option("--hard-failures-data", help="Failures: question, reference answer, category. Repeatable."),
]
Gate = Annotated[
    list[str] | None, typer.Option("--gate", help="A gate.jsonl whose questions must not be trained. Repeatable.")
]
Retention = Annotated[
    str | None, typer.Option("--retention", help="Questions and answers that must not be forgotten: measured only.")
]
Monitor = Annotated[
    str | None,
    typer.Option("--monitor", help="A monitor's config: what it gets wrong while it trains becomes rows."),
]
OutputDir = Annotated[str | None, typer.Option("--output-dir", help="Checkpoints, final adapter, summary.")]
LoggingDir = Annotated[str | None, typer.Option("--logging-dir", help="For TensorBoard.")]
Epochs = Annotated[float | None, typer.Option("--epochs", "--max-epochs", help="At most.")]
LearningRate = Annotated[float | None, typer.Option("--learning-rate", help="Unset: 2e-4, for sdft 3e-4.")]
BatchSize = Annotated[
    int | None, typer.Option("--batch-size", "--per-device-train-batch-size", help="Rows on the device at once.")
]
GradientAccumulation = Annotated[
    int | None, typer.Option("--gradient-accumulation", "--gradient-accumulation-steps", help="Batches per step.")
]
MaxLength = Annotated[int | None, typer.Option("--max-length", help="Longer rows are left out, never cut.")]
MaxCompletionLength = Annotated[
    int | None, typer.Option("--max-completion-length", help="For sdft: tokens of one answer.")
]
LoraR = Annotated[int | None, typer.Option("--lora-r", help="The adapter's rank.")]
LoraAlpha = Annotated[int | None, typer.Option("--lora-alpha", help="Its weight is alpha / rank.")]
LoraDropout = Annotated[float | None, typer.Option("--lora-dropout", help="0.05 where unset.")]
ValidationSplit = Annotated[
    float | None, typer.Option("--validation-split", help="Share held out, by document and question.")
]
EvalSteps = Annotated[int | None, typer.Option("--eval-steps", help="Unset: from the data's size.")]
SaveSteps = Annotated[int | None, typer.Option("--save-steps", help="A multiple of eval_steps; unset: the same.")]
Patience = Annotated[int | None, typer.Option("--patience", help="Evaluations without progress before it stops.")]
MinDelta = Annotated[float | None, typer.Option("--min-delta", help="What counts as progress of the loss.")]
Seed = Annotated[int | None, typer.Option("--seed", help="42 where unset.")]
Resume = Annotated[
    bool | None,
    typer.Option("--resume/--no-resume", help="Demand a checkpoint to go on from; or delete them and start anew."),
]
ResumeFromCheckpoint = Annotated[
    str | None, typer.Option("--resume-from-checkpoint", help="A certain one of output_dir, by path or name.")
]
OnOomFlag = Annotated[
    OnOom | None, typer.Option("--on-oom", help="When memory runs out: try once with half the batch, or stop.")
]
TrainerFlag = Annotated[Trainer, typer.Option("--with", help="Who trains: TRL in this process, or axolotl train.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Read, count, split, plan the steps; load no model.")]
