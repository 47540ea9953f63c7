"""`train`: a LoRA adapter from runs and files of failures, or from demonstrations by self-distillation."""

from __future__ import annotations

from enum import StrEnum
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from augment_correction.cli import app
from augment_correction.terminal import say, tell

if TYPE_CHECKING:
    from augment_correction.training.preparing import Prepared

EXAMPLES = """
Examples:

  python -m augment_correction train configs/train.yaml --dry-run

  python -m augment_correction train configs/train.yaml --learning-rate 1e-4 --patience 5

  python -m augment_correction train --method sdft --model ./model --data demonstrations.jsonl --output-dir out

  python -m augment_correction train --model Qwen/Qwen2.5-7B-Instruct --data outputs/correction --output-dir out

Every flag overrides the key of its name; --set reaches the other keys. After an interruption, a kill or a crash the same
command goes on from the last checkpoint. Exit codes: 0 trained, 2 a mistake in the set-up, 3 no checkpoint is better than
what it began with, 130 interrupted.
"""


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


@app.command(epilog=EXAMPLES)
def train(
    config: Annotated[
        str | None,
        typer.Argument(help="A training config (configs/train.yaml); none: flags alone.", metavar="[CONFIG]"),
    ] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", help="Override a key, for example --set warmup_share=0.1. Repeatable."),
    ] = None,
    method: Annotated[
        Method | None,
        typer.Option(
            "--method",
            help="The trained tokens' loss; self-distillation of demonstrations; the same as its paper has it.",
        ),
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", "--model-name", help="The base model: folder or model id.")
    ] = None,
    adapter: Annotated[
        str | None, typer.Option("--adapter", help="An adapter on the same base model to go on from.")
    ] = None,
    data: Annotated[
        list[str] | None, typer.Option("--data", help="A run's output folder, or a file of failures. Repeatable.")
    ] = None,
    self_critique_data: Annotated[
        list[str] | None,
        typer.Option(
            "--self-critique-data", help="Failures: question, bad output, corrected output, critique. Repeatable."
        ),
    ] = None,
    hard_failures_data: Annotated[
        list[str] | None,
        typer.Option("--hard-failures-data", help="Failures: question, reference answer, category. Repeatable."),
    ] = None,
    gate: Annotated[
        list[str] | None, typer.Option("--gate", help="A gate.jsonl whose questions must not be trained. Repeatable.")
    ] = None,
    retention: Annotated[
        str | None, typer.Option("--retention", help="Questions and answers that must not be forgotten: measured only.")
    ] = None,
    monitor: Annotated[
        str | None,
        typer.Option("--monitor", help="A monitor's config: what it gets wrong while it trains becomes rows."),
    ] = None,
    output_dir: Annotated[str | None, typer.Option("--output-dir", help="Checkpoints, final adapter, summary.")] = None,
    logging_dir: Annotated[str | None, typer.Option("--logging-dir", help="For TensorBoard.")] = None,
    epochs: Annotated[float | None, typer.Option("--epochs", "--max-epochs", help="At most.")] = None,
    learning_rate: Annotated[float | None, typer.Option("--learning-rate", help="Unset: 2e-4, for sdft 3e-4.")] = None,
    batch_size: Annotated[
        int | None, typer.Option("--batch-size", "--per-device-train-batch-size", help="Rows on the device at once.")
    ] = None,
    gradient_accumulation: Annotated[
        int | None, typer.Option("--gradient-accumulation", "--gradient-accumulation-steps", help="Batches per step.")
    ] = None,
    max_length: Annotated[int | None, typer.Option("--max-length", help="Longer rows are left out, never cut.")] = None,
    max_completion_length: Annotated[
        int | None, typer.Option("--max-completion-length", help="For sdft: tokens of one answer.")
    ] = None,
    lora_r: Annotated[int | None, typer.Option("--lora-r", help="The adapter's rank.")] = None,
    lora_alpha: Annotated[int | None, typer.Option("--lora-alpha", help="Its weight is alpha / rank.")] = None,
    lora_dropout: Annotated[float | None, typer.Option("--lora-dropout", help="0.05 where unset.")] = None,
    validation_split: Annotated[
        float | None, typer.Option("--validation-split", help="Share held out, by document and question.")
    ] = None,
    eval_steps: Annotated[int | None, typer.Option("--eval-steps", help="Unset: from the data's size.")] = None,
    save_steps: Annotated[
        int | None, typer.Option("--save-steps", help="A multiple of eval_steps; unset: the same.")
    ] = None,
    patience: Annotated[
        int | None, typer.Option("--patience", help="Evaluations without progress before it stops.")
    ] = None,
    min_delta: Annotated[float | None, typer.Option("--min-delta", help="What counts as progress of the loss.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="42 where unset.")] = None,
    resume: Annotated[
        bool | None,
        typer.Option("--resume/--no-resume", help="Demand a checkpoint to go on from; or delete them and start anew."),
    ] = None,
    resume_from_checkpoint: Annotated[
        str | None, typer.Option("--resume-from-checkpoint", help="A certain one of output_dir, by path or name.")
    ] = None,
    on_oom: Annotated[
        OnOom | None, typer.Option("--on-oom", help="When memory runs out: try once with half the batch, or stop.")
    ] = None,
    with_: Annotated[
        Trainer, typer.Option("--with", help="Who trains: TRL in this process, or axolotl train.")
    ] = Trainer.trl,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read, count, split, plan the steps; load no model.")
    ] = False,
) -> None:
    """Train a LoRA adapter on corrections: loss only where the mask says, early stopping, the best checkpoint kept."""
    given = {name: value for name, value in locals().items() if name not in ("config", "overrides", "with_", "dry_run")}
    given |= {"on_oom": on_oom and on_oom.value, "method": method and method.value}
    from augment_correction.finetuning import prepare_rows
    from augment_correction.monitor import load_monitor
    from augment_correction.training.config import load_train_config
    from augment_correction.training.preparing import prepare
    from augment_correction.training.telling import prepared_lines
    from augment_correction.training.workspace import Workspace

    loaded = load_train_config(config, given, overrides or [])
    workspace = Workspace(loaded.output)
    if dry_run:
        if loaded.monitor:
            load_monitor(loaded.project.resolve(loaded.monitor))
        with TemporaryDirectory() as nowhere:
            prepared = prepare(loaded.model_copy(update={"output_dir": nowhere}))
        say("\n".join(prepared_lines(prepared)))
        if checkpoint := workspace.checkpoint(prepared.decided, loaded):
            say(f"  goes on from {checkpoint}")
        return
    prepared = prepare_rows(loaded)
    say("\n".join(prepared_lines(prepared)))
    raise typer.Exit(_with_axolotl(prepared) if with_ is Trainer.axolotl else _with_trl(prepared))


def _with_trl(prepared: Prepared) -> int:
    from augment_correction.finetuning import train_prepared
    from augment_correction.training.telling import outcome_lines

    outcome = train_prepared(prepared, tell)
    say("\n".join(outcome_lines(outcome)))
    return int(outcome.exit_code)


def _with_axolotl(prepared: Prepared) -> int:
    from augment_correction.errors import ConfigError
    from augment_correction.training.handover import axolotl, hand_over, not_taken, run_axolotl

    if prepared.config.distils:
        raise ConfigError(
            f"Axolotl does not know method {prepared.config.method}",
            hint="leave --with axolotl out, or set method: sft",
        )
    if prepared.config.monitor:
        raise ConfigError(
            "with Axolotl the monitor is a plugin of its own", hint="leave monitor out, and see docs/failures.md"
        )
    path = hand_over(prepared)
    say("\n".join(f"  note: {each}" for each in not_taken(prepared)))
    say(f"axolotl train {path}")
    return run_axolotl(axolotl(), path)
