"""`train`: a LoRA adapter from runs and files of failures, or from demonstrations by self-distillation."""

from __future__ import annotations

from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import typer

from augment_correction.cli import app
from augment_correction.cli import train_flags as flags
from augment_correction.terminal import say, tell

if TYPE_CHECKING:
    from augment_correction.training.prepared import Prepared

EXAMPLES = """
Examples:

  python -m augment_correction train configs/train.yaml --dry-run

  python -m augment_correction train configs/train.yaml --learning-rate 1e-4 --patience 5

  python -m augment_correction train --method sdft --model ./model --data demonstrations.jsonl --output out

  python -m augment_correction train --model Qwen/Qwen2.5-7B-Instruct --data outputs/correction --output out

The flags override keys of the config; --set reaches the other keys. After an interruption, a kill or a crash the same
command goes on from the last checkpoint. Exit codes: 0 trained, 2 a mistake in the set-up, 3 no checkpoint is better than
what it began with, 130 interrupted.
"""


@app.command(epilog=EXAMPLES)
def train(
    config: flags.TrainConfigFile = None,
    overrides: flags.Set = None,
    method: flags.MethodFlag = None,
    model: flags.Model = None,
    adapter: flags.Adapter = None,
    data: flags.Data = None,
    self_critique_data: flags.SelfCritiqueData = None,
    hard_failures_data: flags.HardFailuresData = None,
    gate: flags.Gate = None,
    retention: flags.Retention = None,
    monitor: flags.Monitor = None,
    output_dir: flags.OutputDir = None,
    logging_dir: flags.LoggingDir = None,
    epochs: flags.Epochs = None,
    learning_rate: flags.LearningRate = None,
    batch_size: flags.BatchSize = None,
    gradient_accumulation: flags.GradientAccumulation = None,
    max_length: flags.MaxLength = None,
    max_completion_length: flags.MaxCompletionLength = None,
    lora_r: flags.LoraR = None,
    lora_alpha: flags.LoraAlpha = None,
    lora_dropout: flags.LoraDropout = None,
    validation_split: flags.ValidationSplit = None,
    eval_steps: flags.EvalSteps = None,
    save_steps: flags.SaveSteps = None,
    patience: flags.Patience = None,
    min_delta: flags.MinDelta = None,
    seed: flags.Seed = None,
    resume: flags.Resume = None,
    resume_from_checkpoint: flags.ResumeFromCheckpoint = None,
    on_oom: flags.OnOomFlag = None,
    with_: flags.TrainerFlag = flags.Trainer.trl,
    dry_run: flags.DryRun = False,
) -> None:
    """Train a LoRA adapter on corrections, with the loss only on unmasked tokens and early stopping; the best checkpoint is kept."""
    given = {name: value for name, value in locals().items() if name not in ("config", "overrides", "with_", "dry_run")}
    given |= {"on_oom": on_oom and on_oom.value, "method": method and method.value}
    from augment_correction.finetuning import prepare_rows
    from augment_correction.monitor import load_monitor
    from augment_correction.training.config import load_train_config
    from augment_correction.training.preparing import prepare
    from augment_correction.training.report import prepared_lines
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
            say(f"  resumes from {checkpoint}")
        return
    prepared = prepare_rows(loaded)
    say("\n".join(prepared_lines(prepared)))
    raise typer.Exit(_with_axolotl(prepared) if with_ is flags.Trainer.axolotl else _with_trl(prepared))


def _with_trl(prepared: Prepared) -> int:
    from augment_correction.finetuning import train_prepared
    from augment_correction.training.report import outcome_lines

    outcome = train_prepared(prepared, tell)
    say("\n".join(outcome_lines(outcome)))
    return int(outcome.exit_code)


def _with_axolotl(prepared: Prepared) -> int:
    from augment_correction.errors import ConfigError
    from augment_correction.training.handover import axolotl, hand_over, not_taken, run_axolotl

    if prepared.config.distils:
        raise ConfigError(
            f"Axolotl does not support method {prepared.config.method}",
            hint="leave --with axolotl out, or set method: sft",
        )
    if prepared.config.monitor:
        raise ConfigError(
            "the monitor cannot be set here with Axolotl, where it is a plugin",
            hint="leave monitor out and configure the plugin as docs/guides/monitor.md describes",
        )
    path = hand_over(prepared)
    say("\n".join(f"  note: {each}" for each in not_taken(prepared)))
    say(f"axolotl train {path}")
    return run_axolotl(axolotl(), path)
