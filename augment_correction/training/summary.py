"""What a training leaves: `training_summary.json`, and `final/` with all that serving the adapter needs."""

from __future__ import annotations

import math
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from augment_correction.errors import ExitCode
from augment_correction.export.exporting import replaced_folder
from augment_correction.plugins import recorded
from augment_correction.records import Conversation
from augment_correction.rows import CONTEXT_KIND
from augment_correction.store.json_files import write_lines
from augment_correction.training.card import card
from augment_correction.training.curve import TrainingCurve
from augment_correction.training.demonstrations import Demonstration
from augment_correction.training.prepared import Prepared
from augment_correction.training.workspace import Workspace, write_json

PACKAGES = ("torch", "transformers", "trl", "peft", "augment-correction")


@dataclass(frozen=True)
class TrainingResult:
    """What a training came to. `summary` is the content of `training_summary.json` (losses by step, the best step, what was read
    and left out). `already`: an earlier call had finished this very training.

    >>> result = train(TrainConfig(
    ...     model="model", data=("failures.jsonl",), output_dir="outputs/result", epochs=1, gradient_checkpointing=False
    ... ))
    >>> result.summary["status"], result.adapter.name
    ('trained', 'final')
    """

    summary: dict[str, Any]
    workspace: Workspace
    already: bool = False

    @property
    def adapter(self) -> Path | None:
        """The folder of the best checkpoint's adapter with its tokenizer; None where no checkpoint is better than what the
        training began with, it was interrupted, or the whole model was trained."""
        return self.workspace.final if self.exit_code is ExitCode.DONE and not self._whole else None

    @property
    def model(self) -> Path | None:
        """The folder of the trained model, where `method: sdft_paper` trained the whole of it."""
        return self.workspace.final if self.exit_code is ExitCode.DONE and self._whole else None

    @property
    def _whole(self) -> bool:
        return bool(self.summary["config"].get("method") == "sdft_paper")

    @property
    def exit_code(self) -> ExitCode:
        if self.summary["status"] == "interrupted":
            return ExitCode.INTERRUPTED
        return ExitCode.DONE if self.summary["status"] == "trained" else ExitCode.REJECTS

    @property
    def again(self) -> str:
        """What the same command does after an interruption."""
        return f"run the same command again to {'start again' if self._whole else 'resume'}"

    def save(self, prepared: Prepared, model: Any, tokenizer: Any) -> None:
        """`final/`: adapter or model, tokenizer, chat template, card; it appears whole or not at all."""
        with replaced_folder(self.workspace.final) as folder:
            model.save_pretrained(folder, **({} if self._whole else ADAPTER_ALONE))
            tokenizer.save_pretrained(folder)
            write_json(
                folder / "training.json", {name: prepared.decided[name] for name in ("base_model", "adapter", "data")}
            )
            (folder / "README.md").write_text(card(self.summary, self.workspace.final), encoding="utf-8")

    def write(self) -> None:
        write_json(self.workspace.summary, self.summary)


ADAPTER_ALONE = {"save_embedding_layers": False}
"""No training here changes the vocabulary. Unsaid, PEFT asks the hub for the base model's config to find that out."""


def write_trained(prepared: Prepared, workspace: Workspace) -> None:
    """A line for each conversation with the side of the split it is on, in a spelling that `--data` reads."""
    write_lines(workspace.trained, _trained_rows(prepared))


def _trained_rows(prepared: Prepared) -> Iterator[dict[str, Any]]:
    for split, side in (("train", prepared.train), ("held_out", prepared.held_out)):
        for each in side.conversations:
            shown = prepared.gathered.demonstrations.get(each.id)
            row = _demonstrated(each, shown) if shown else _labelled(each)
            group = each.provenance.get("group")
            yield {**row, "id": each.id, "kind": each.kind, "split": split} | ({"group": group} if group else {})


def _labelled(each: Conversation) -> dict[str, Any]:
    said = [
        {"role": turn.role, "content": turn.text, "train": turn.train, "masked": turn.masked} for turn in each.turns
    ]
    return {"messages": said}


def _demonstrated(each: Conversation, shown: Demonstration) -> dict[str, Any]:
    """Without the answer that it ends with, which is not trained."""
    asked = [{"role": turn.role, "content": turn.text} for turn in each.turns[:-1]]
    return {"messages": asked, "context": shown.context, CONTEXT_KIND: shown.shown, "answer": shown.answer}


def summarise(
    prepared: Prepared,
    course: TrainingCurve,
    steps: int,
    best: int | None,
    reason: str | None,
    *,
    batch: tuple[int, int],
    interrupted: bool,
    seconds: float,
) -> dict[str, Any]:
    """`batch` is what the device held in the end, and how many made a step. `status`: trained; interrupted; no_better (on the held-out rows than what it began with); nothing (no checkpoint to
    take: diverged at once, or every one has forgotten)."""
    losses = course.losses
    better = best is None or 0 not in losses or losses[best] < losses[0]
    status = "nothing" if best is None else "trained" if better else "no_better"
    return {
        "status": "interrupted" if interrupted else status,
        "stopped": "interrupted" if interrupted else reason or "all epochs are done",
        "steps": steps,
        "planned_steps": prepared.schedule.steps,
        "batch_size": batch[0],
        "gradient_accumulation": batch[1],
        "best_step": best,
        "best_loss": losses.get(best) if best is not None else None,
        "eval_steps": prepared.schedule.eval_steps,
        "eval_loss": losses,
        "perplexity": {step: math.exp(min(loss, 700)) for step, loss in losses.items()},
        "loss": course.series("loss"),
        "grad_norm": course.series("grad_norm"),
        "retention_rise": course.rise,
        "forgotten": [step for step in course.rise if course.forgets(step)],
        "data": counts(prepared),
        "notices": prepared.notices,
        "seconds": round(seconds, 1),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
        **recorded(),
        "decided": dict(prepared.decided),
        "config": prepared.config.model_dump(mode="json"),
    }


def counts(prepared: Prepared) -> dict[str, Any]:
    sides = {"train": prepared.train, "held_out": prepared.held_out, "retention": prepared.retention}
    return {
        "sources": [
            {"path": str(source.path), "read": source.read, "kept": source.kept, "rejected": dict(source.rejected)}
            for source in prepared.gathered.sources
        ],
        **{f"{name}_rows": len(side.rows) for name, side in sides.items()},
        "held_apart_by": prepared.apart_by,
        **_tokens(prepared),
    }


def _tokens(prepared: Prepared) -> dict[str, Any]:
    """Those of answers that a model gives while it trains are not known before."""
    if prepared.config.distils:
        return {}
    return {
        "trained_tokens": prepared.train.trained,
        "masked_tokens": prepared.train.masked,
        "rows_that_end_trained": prepared.ending,
    }
