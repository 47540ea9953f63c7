"""What the trainer tells at each event, and what it is told: stop, save, how far it is."""

from __future__ import annotations

import math
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any

from transformers import TrainerCallback

from augment_correction.training.config import TrainConfig
from augment_correction.training.curve import TrainingCurve
from augment_correction.training.workspace import COMPLETE, Workspace

SHOWN = ("loss", "grad_norm", "eval_held_out_loss", "eval_held_out_perplexity", "eval_retention_loss")


class Watch(TrainerCallback):  # type: ignore[misc]
    """`reason` says why it stopped before its last step; `interrupted` asks it to save at the end of this step."""

    def __init__(self, config: TrainConfig, workspace: Workspace, say: Callable[[str], None]) -> None:
        self._config, self._workspace, self._say = config, workspace, say
        self.reason: str | None = None
        self.interrupted = False

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any], **_: Any) -> None:
        """Callbacks that come later (TensorBoard) see the perplexities, too."""
        for name in [name for name in logs if name.startswith("eval_") and name.endswith("_loss")]:
            logs[name.removesuffix("loss") + "perplexity"] = math.exp(min(logs[name], 700))
        shown = ", ".join(f"{_spoken(name)} {logs[name]:.4g}" for name in SHOWN if name in logs)
        if shown:
            self._say(f"step {state.global_step:,} of {state.max_steps:,}: {shown}")

    def on_evaluate(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        course = TrainingCurve(state.log_history, self._config)
        self.reason = self.reason or course.why_stop()
        if not state.global_step:
            return
        if self.reason:
            control.should_training_stop = True
            control.should_save = self._config.resumable
        if not self._config.resumable:
            return
        if course.best([step for step in course.losses if step]) == state.global_step:  # also between two `save_steps`
            control.should_save = True

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if self.interrupted:
            control.should_training_stop = True
            control.should_save = self._config.resumable

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """The best checkpoint and this one stay."""
        (self._workspace.checkpoints / f"checkpoint-{state.global_step}" / COMPLETE).touch()
        best = TrainingCurve(state.log_history, self._config).best(self._workspace.saved())
        self._workspace.keep({best, state.global_step})

    @contextmanager
    def signals(self) -> Iterator[None]:
        """SIGINT and SIGTERM end the training after this step, with a checkpoint; a second one ends it at once."""
        kinds = (signal.SIGINT, signal.SIGTERM)

        def ask(number: int, frame: FrameType | None) -> None:
            self.interrupted = True
            restore()
            kept = "with a checkpoint" if self._config.resumable else "and nothing is kept"
            self._say(f"stopping after this step, {kept}; press Ctrl-C again to stop at once")

        before: Mapping[signal.Signals, Any] = {kind: signal.signal(kind, ask) for kind in kinds}

        def restore() -> None:
            for kind, handler in before.items():
                signal.signal(kind, handler)

        try:
            yield
        finally:
            restore()


def _spoken(name: str) -> str:
    return name.removeprefix("eval_").replace("_", " ")
