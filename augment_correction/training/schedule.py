"""When to evaluate and save: derived from the data's size, and refused where the numbers cannot work together."""

from __future__ import annotations

import math
from dataclasses import dataclass

from augment_correction.errors import ConfigError
from augment_correction.training.config import TrainConfig

EVALUATIONS = 8
"""In all, where the config does not say how often; more where patience needs them."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Counted in optimizer steps. `eval_steps` is None where nothing is held out."""

    steps: int
    steps_per_epoch: int
    eval_steps: int | None
    save_steps: int
    warmup_steps: int
    notices: tuple[str, ...] = ()


def schedule(config: TrainConfig, rows: int, *, evaluated: bool) -> Schedule:
    """For `rows` trained rows.

    Raises: ConfigError with the arithmetic where a number of the config's can never take effect.
    """
    batches = math.ceil(rows / config.batch_size)
    per_epoch = math.ceil(batches / config.gradient_accumulation)
    steps = max(1, math.ceil(per_epoch * config.epochs))
    sum_ = (
        f"{rows:,} rows / (batch_size {config.batch_size} x gradient_accumulation {config.gradient_accumulation}) "
        f"= {per_epoch:,} steps an epoch, x {config.epochs:g} epochs = {steps:,} steps in all"
    )
    usual = math.ceil(steps / max(EVALUATIONS, 2 * config.patience + 2))
    every = config.eval_steps or _divisor(config.save_steps, usual)
    save = config.save_steps or every
    if not evaluated:
        _fits("save_steps", save, steps, sum_, f"leave it unset (here {usual:,}), or set it to at most {steps:,}")
        notice = (
            "nothing is held out: no early stopping, and the last checkpoint is the result (validation_split holds rows out)",
        )
        return Schedule(steps, per_epoch, None, save, _warmup(config, steps), notice)
    most = max(1, steps // (config.patience + 1))
    _fits("eval_steps", every, steps, sum_, f"leave it unset (here {usual:,}), or set it to at most {most:,}")
    _fits("save_steps", save, steps, sum_, f"leave it unset (the same as eval_steps), or set it to at most {steps:,}")
    if save % every:
        raise ConfigError(
            f"save_steps {save} is not a multiple of eval_steps {every}: a checkpoint that was not evaluated cannot be best",
            hint=f"set save_steps to {every * max(1, round(save / every))}, or leave it unset",
        )
    return Schedule(steps, per_epoch, every, save, _warmup(config, steps), _patience(config, every, steps, sum_))


def whole_steps(config: TrainConfig, rows: int, notices: list[str]) -> TrainConfig:
    """With fewer rows a step where there are not as many: a self-distillation draws each step's rows without repeating one, and
    would find no step in them."""
    size = min(config.batch_size, rows)
    accumulation = min(config.gradient_accumulation, rows // size)
    if (size, accumulation) == (config.batch_size, config.gradient_accumulation):
        return config
    notices.append(
        f"{rows:,} rows are fewer than batch_size {config.batch_size} x gradient_accumulation "
        f"{config.gradient_accumulation}: a step learns from {size} x {accumulation}"
    )
    return config.model_copy(update={"batch_size": size, "gradient_accumulation": accumulation})


def _divisor(save_steps: int | None, most: int) -> int:
    """The largest number up to `most` of which `save_steps`, where it is set, is a multiple."""
    return next(each for each in range(most, 0, -1) if (save_steps or 0) % each == 0)


def _fits(name: str, every: int, steps: int, sum_: str, hint: str) -> None:
    if every > steps:
        raise ConfigError(f"{name} {every:,} never comes: {sum_}", hint=hint)


def _patience(config: TrainConfig, every: int, steps: int, sum_: str) -> tuple[str, ...]:
    """The last evaluation is at the last step, whether it divides or not."""
    evaluations = math.ceil(steps / every)
    if evaluations > config.patience:
        return ()
    why = (
        f"patience {config.patience} can never stop this training: with eval_steps {every:,} there are "
        f"{evaluations} evaluations, and it takes {config.patience + 1} ({sum_})"
    )
    if config.eval_steps is None:  # so few steps that every one of them is evaluated
        return (why,)
    raise ConfigError(
        why, hint=f"set eval_steps to at most {max(1, steps // (config.patience + 1)):,}, or leave it unset"
    )


def _warmup(config: TrainConfig, steps: int) -> int:
    return round(config.warmup_share * steps)
