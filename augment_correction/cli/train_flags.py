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
    typer.Argument(
        help="A training config, such as configs/train.yaml. Without one, the options alone count.", metavar="CONFIG"
    ),
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Override a key of the config, for example --set warmup_share=0.1. Repeatable.",
    ),
]
MethodFlag = Annotated[
    Method | None,
    typer.Option(
        "--method",
        help="sft: fine-tuning with a loss mask; sdft: self-distillation from demonstrations; sdft_paper: the same with the settings of the paper.",
    ),
]
Model = Annotated[str | None, typer.Option("--model", "--model-name", help="The base model: a folder or a model id.")]
Adapter = Annotated[
    str | None, typer.Option("--adapter", help="An adapter for the same base model, which is trained further.")
]
Data = Annotated[
    list[str] | None, typer.Option("--data", help="The output folder of a run, or a file of failures. Repeatable.")
]
SelfCritiqueData = Annotated[
    list[str] | None,
    typer.Option(
        "--self-critique-data",
        help="A file of failures with question, wrong output, corrected output and critique. Repeatable.",
    ),
]
HardFailuresData = Annotated[
    list[str] | None,
    typer.Option(
        "--hard-failures-data", help="A file of failures with question, reference answer and category. Repeatable."
    ),
]
Gate = Annotated[
    list[str] | None,
    typer.Option(
        "--gate", help="A held-out set (gate.jsonl): rows that ask its questions are not trained. Repeatable."
    ),
]
Retention = Annotated[
    str | None,
    typer.Option(
        "--retention",
        help="Questions and answers that the model must not forget. Their loss is measured; they are not trained.",
    ),
]
Monitor = Annotated[
    str | None,
    typer.Option(
        "--monitor", help="The config of a monitor, which turns the model's wrong answers during training into rows."
    ),
]
OutputDir = Annotated[
    str | None,
    typer.Option("--output", "--output-dir", help="The folder for checkpoints, final adapter and summary."),
]
LoggingDir = Annotated[str | None, typer.Option("--logging-dir", help="The folder of the TensorBoard logs.")]
Epochs = Annotated[float | None, typer.Option("--epochs", "--max-epochs", help="The largest number of epochs.")]
LearningRate = Annotated[
    float | None, typer.Option("--learning-rate", help="The learning rate. Default: 2e-4, with sdft 3e-4.")
]
BatchSize = Annotated[
    int | None, typer.Option("--batch-size", "--per-device-train-batch-size", help="Rows per batch on the device.")
]
GradientAccumulation = Annotated[
    int | None,
    typer.Option("--gradient-accumulation", "--gradient-accumulation-steps", help="Batches per optimizer step."),
]
MaxLength = Annotated[
    int | None,
    typer.Option("--max-length", help="The largest length of a row in tokens. Longer rows are left out, not cut."),
]
MaxCompletionLength = Annotated[
    int | None, typer.Option("--max-completion-length", help="Only with sdft: the most tokens of one answer.")
]
LoraR = Annotated[int | None, typer.Option("--lora-r", help="The rank of the LoRA adapter.")]
LoraAlpha = Annotated[
    int | None, typer.Option("--lora-alpha", help="The alpha of the LoRA adapter, which is weighted by alpha / rank.")
]
LoraDropout = Annotated[
    float | None, typer.Option("--lora-dropout", help="The dropout of the LoRA adapter. Default: 0.05.")
]
ValidationSplit = Annotated[
    float | None,
    typer.Option(
        "--validation-split", help="The share of rows held out for validation, split by document and question."
    ),
]
EvalSteps = Annotated[
    int | None,
    typer.Option(
        "--eval-steps", help="Optimizer steps between two evaluations. Default: chosen by the size of the data."
    ),
]
SaveSteps = Annotated[
    int | None,
    typer.Option(
        "--save-steps",
        help="Optimizer steps between two checkpoints, a multiple of --eval-steps. Default: --eval-steps.",
    ),
]
Patience = Annotated[
    int | None, typer.Option("--patience", help="Evaluations without progress before the training stops early.")
]
MinDelta = Annotated[
    float | None, typer.Option("--min-delta", help="The smallest fall of the validation loss that counts as progress.")
]
Seed = Annotated[int | None, typer.Option("--seed", help="The random seed. Default: 42.")]
Resume = Annotated[
    bool | None,
    typer.Option(
        "--resume/--fresh",
        "--resume/--no-resume",
        help="--resume fails where there is no checkpoint; --fresh deletes the checkpoints and starts again. Default: resume if there is one.",
    ),
]
ResumeFromCheckpoint = Annotated[
    str | None,
    typer.Option(
        "--resume-from-checkpoint", help="The checkpoint of the output folder to resume from, by path or name."
    ),
]
OnOomFlag = Annotated[
    OnOom | None, typer.Option("--on-oom", help="What to do when memory runs out: halve the batch once, or stop.")
]
TrainerFlag = Annotated[
    Trainer, typer.Option("--with", help="Who trains: TRL in this process, or Axolotl (`axolotl train`).")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Read, count and split the rows and plan the steps. No model is loaded.")
]
