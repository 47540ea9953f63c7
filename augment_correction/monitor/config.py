"""What the monitor asks, how much of the training's time it may take, and when it makes a file of what it saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import lcm
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from augment_correction.config_files import load_declared
from augment_correction.errors import ConfigError
from augment_correction.models import ModelConfig, ModelsConfig
from augment_correction.sampling import Declaration

Preset = Literal["conservative", "balanced", "aggressive"]
PRESETS: Mapping[Preset, Mapping[str, int]] = {
    "conservative": {"min_examples": 20, "generation_interval": 1000},
    "balanced": {"min_examples": 10, "generation_interval": 500},
    "aggressive": {"min_examples": 5, "generation_interval": 200},
}
JUDGE = "judge"


class SelfCorrection(Declaration):
    """When the answers that were collected become a file of rows."""

    enabled: bool = True
    """`false`: answers are shown and measured, but not kept."""
    auto_queue: bool = True
    """`false`: files are written and not copied into `queue_dir`."""
    min_examples: int = Field(10, ge=1)
    """How many examples the buffer must hold before a file is written; a wrong answer gives three."""
    generation_interval: int = Field(500, ge=1)
    """In steps, counted from 0: at the first evaluation in each such interval after the one that the training begins in, a
    file is made if the buffer holds `min_examples`. So there is at most one in each, though two may lie on either side of
    a boundary (steps 999 and 1000). At the training's end one more is made if the buffer holds as many."""
    stand_by_share: float = Field(1 / 3, ge=0, lt=1)
    """Share of a file's rows that are about right answers (two for each), as far as there were so many."""


class MonitorConfig(ModelsConfig):
    """What a `LiveInferenceMonitor` asks, how much of the training's time it may take, and when it makes a file of rows.
    `load_monitor` makes it from a YAML or JSON file; `MonitorConfig(split=...)` from keywords.

    Raises: ValidationError (a ValueError) where a value is out of range.

    >>> MonitorConfig(split="questions.jsonl", preset="aggressive").self_correction.min_examples
    5
    """

    COMMAND = "train --monitor"
    split: str
    """The questions with their references (.jsonl), which are neither trained nor in the held-out set: what the model gets wrong
    here is trained later."""
    training_data: tuple[str, ...] = ()
    """The training data: output folders of runs, or .jsonl files. A question of `split` that they contain stops the start."""
    gate: tuple[str, ...] = ()
    """The held-out sets (`gate.jsonl`) by which the model will be measured. A question of `split` that they contain stops the start."""
    data_dir: str = "./data/self_correction"
    queue_dir: str = "./outputs/worker/inbox"
    """Where a worker takes up what comes in: `<worker.root>/inbox`, or `<worker.root>/queue/high` for what cannot wait."""
    preset: Preset | None = None
    """`conservative`, `balanced` or `aggressive`: `min_examples` and `generation_interval` where they are not given."""
    eval_steps: int | None = Field(None, ge=1)
    """The monitor asks at evaluations whose step is a multiple of this. Default: at every evaluation of the trainer."""
    num_eval_samples: int = Field(4, ge=1)
    """Questions per evaluation; fewer, or none, where `max_share` leaves no time."""
    eval_max_tokens: int = Field(2048, ge=1)
    """The most tokens of one answer. A longer answer is graded as cut off."""
    eval_timeout_seconds: float | None = Field(None, gt=0)
    """The most seconds for the answers of one evaluation. Default: what `max_share` allows."""
    max_share: float = Field(0.05, gt=0, le=1)
    """The largest share of the training time so far that the monitor may take; 1 sets no limit."""
    max_errors: int = Field(5, ge=1)
    """The number of its own errors after which the monitor turns itself off; errors of a judge count only while they leave every answer undecided."""
    self_correction: SelfCorrection = SelfCorrection()
    system_prompt: str | None = None
    judge: ModelConfig | None = None
    """The judge model for answers that matching cannot grade; the training waits for it. Without it they are left out."""
    seed: int = 1048596

    @model_validator(mode="before")
    @classmethod
    def _shorthands(cls, data: Any) -> Any:
        """One path may stand without brackets; a preset stands for two keys."""
        if not isinstance(data, dict):
            return data
        listed: dict[str, Any] = {
            name: [data[name]] for name in ("training_data", "gate") if isinstance(data.get(name), str)
        }
        given = data.get("self_correction", {})
        if data.get("preset") in PRESETS and isinstance(given, dict):
            listed["self_correction"] = {**PRESETS[data["preset"]], **given}
        return {**data, **listed}

    @property
    def data(self) -> Path:
        return self.project.resolve(self.data_dir)

    @property
    def queue(self) -> Path | None:
        return self.project.resolve(self.queue_dir) if self.self_correction.auto_queue else None

    def _last_look(self, evaluated: int | None, last: int, at_end: bool) -> int:
        """The step of the last evaluation that is the monitor's; 0 where there is none."""
        own = self.eval_steps or 1
        return last if at_end and last % own == 0 else last - last % lcm(evaluated or 1, own)

    def check_steps(self, evaluated: int | None, last: int, *, at_end: bool = False) -> None:
        """`evaluated`: the trainer's own interval in steps, None where it evaluates by epochs; `last`: its last step;
        `at_end`: it evaluates there in any case.

        Raises: ConfigError where no evaluation is the monitor's.
        """
        if last <= 0 or self._last_look(evaluated, last, at_end) > 0:
            return
        every = evaluated or 1
        why = f"the trainer evaluates every {every} steps" + (" and at the last one" if at_end else "")
        if self.eval_steps:
            meeting = lcm(every, self.eval_steps)
            why += f", the monitor is for every {self.eval_steps}: they meet every {meeting}"
        raise ConfigError(
            f"the monitor would never ask a question: {why}, and the training has {last}",
            hint="lower eval_steps here or in the trainer, so that one comes before the end",
        )

    def never_due(self, evaluated: int | None, first: int, last: int, *, at_end: bool = False) -> str | None:
        """What to say where a training from step `first` on has no evaluation at which a file can be due."""
        due = self.self_correction
        at = self._last_look(evaluated, last, at_end)
        if not due.enabled or last <= 0 or at // due.generation_interval > first // due.generation_interval:
            return None
        begun = f" from step {first} on" if first else ""
        return (
            f"no file falls due in this training{begun}: generation_interval is {due.generation_interval} steps, and the last "
            f"evaluation comes at step {at} of {last}. One is made at the end, if {due.min_examples} examples are there by "
            "then; lower generation_interval to have them earlier"
        )

    # ------------------------------------------------------------------------------------- what opens the judge

    @property
    def by_role(self) -> dict[str, ModelConfig]:
        return {JUDGE: self.judge} if self.judge else {}

    @property
    def concurrency(self) -> int:
        return self.num_eval_samples


def load_monitor(path: str | Path, overrides: Sequence[str] = ()) -> MonitorConfig:
    """The config at `path`, with `key.path=value` overrides applied (values are YAML).

    Raises: ConfigError with file, line, column and remedy.

    >>> written = Path("monitor.yaml").write_text("split: questions.jsonl\\n")
    >>> load_monitor("monitor.yaml", ["num_eval_samples=8"]).num_eval_samples
    8
    """
    return load_declared(MonitorConfig, path, overrides, "split, self_correction, ...")
