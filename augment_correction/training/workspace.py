"""The output folder of a training, and which checkpoint it goes on from."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from augment_correction.errors import InputError
from augment_correction.results.trained import TRAINED
from augment_correction.store.folder import atomic_write
from augment_correction.training.config import TrainConfig

COMPLETE = "complete"
"""An empty file in a checkpoint that is wholly written. A process may be killed while it writes one."""
STOPPING = ("patience", "min_delta", "retention_limit", "on_forgetting")
"""With another one of these a training that stopped early goes on."""
ANEW = "set another output_dir, or start again there with --fresh, which deletes its checkpoints"


@dataclass(frozen=True)
class Workspace:
    root: Path

    @property
    def checkpoints(self) -> Path:
        return self.root / "checkpoints"

    @property
    def final(self) -> Path:
        return self.root / "final"

    @property
    def before(self) -> Path:
        """The adapter of the training that `--fresh` replaces."""
        return self.root / "final_before"

    @property
    def summary(self) -> Path:
        return self.root / "training_summary.json"

    @property
    def rejected(self) -> Path:
        return self.root / "rejected.jsonl"

    @property
    def trained(self) -> Path:
        """The conversations of the training, held-out ones too: `evaluate` looks there whether a gate was trained on."""
        return self.root / TRAINED

    @property
    def _manifest(self) -> Path:
        return self.checkpoints / "training.json"

    def saved(self) -> dict[int, Path]:
        """Whole checkpoints by their step, in order."""
        found = {int(path.name.rpartition("-")[2]): path for path in self.checkpoints.glob("checkpoint-*")}
        return {step: found[step] for step in sorted(found) if (found[step] / COMPLETE).is_file()}

    def keep(self, steps: Iterable[int | None]) -> None:
        """Delete the other checkpoints, and half-written ones."""
        wanted = {f"checkpoint-{step}" for step in steps}
        for path in self.checkpoints.glob("checkpoint-*"):
            if path.name not in wanted:
                shutil.rmtree(path)

    def finished(self, decided: Mapping[str, Any], config: TrainConfig) -> dict[str, Any] | None:
        """The summary of the same training, where it came to its end and is not asked to go on or to begin anew."""
        made = _read(self.summary)
        if made.get("decided") != dict(decided) or config.resume is False or config.resume_from_checkpoint:
            return None
        stops_alike = all(made["config"].get(name) == getattr(config, name) for name in STOPPING)
        ended = made["steps"] >= made["planned_steps"] or (made["status"] != "interrupted" and stops_alike)
        return made if ended else None

    def begin(self, decided: Mapping[str, Any], config: TrainConfig) -> Path | None:
        """The checkpoint to go on from, or None.

        Raises: InputError where the folder is of another training, or the checkpoint that was asked for is not there.
        """
        if config.resume is False:
            shutil.rmtree(self.checkpoints, ignore_errors=True)
            self.summary.unlink(missing_ok=True)
            if self.final.exists():  # it is not what `trained` will tell of
                shutil.rmtree(self.before, ignore_errors=True)
                self.final.replace(self.before)
        chosen = self.checkpoint(decided, config)
        write_json(self._manifest, dict(decided))
        return chosen

    def checkpoint(self, decided: Mapping[str, Any], config: TrainConfig) -> Path | None:
        """As `begin`, for a look: nothing is written or deleted."""
        if config.resume is False:
            return None
        stored, saved = _read(self._manifest), self.saved()
        if stored and saved and stored != decided:
            names = [name for name in decided if stored.get(name) != decided[name]]
            listed = "; ".join(f"{name} was {stored.get(name)}, is {decided[name]}" for name in names)
            raise InputError(f"the checkpoints in {self.root} belong to another training: {listed}", hint=ANEW)
        return self._chosen(saved, config)

    def _chosen(self, saved: Mapping[int, Path], config: TrainConfig) -> Path | None:
        if config.resume_from_checkpoint:
            wanted = Path(
                config.resume_from_checkpoint
            ).parts  # the end of a path: another run's must not be taken for it
            chosen = next((path for path in saved.values() if path.parts[-len(wanted) :] == wanted), None)
            if chosen is None:
                there = ", ".join(path.name for path in saved.values()) or "none"
                raise InputError(
                    f"there is no complete checkpoint '{config.resume_from_checkpoint}' in {self.checkpoints}",
                    hint=f"there is: {there}",
                )
            return chosen
        if config.resume and not saved:
            raise InputError(
                f"there is no checkpoint in {self.checkpoints} to resume from",
                hint="leave --resume out to start a new training",
            )
        return saved[max(saved)] if saved else None


def write_json(path: Path, value: Any) -> None:
    with atomic_write(path) as file:
        file.write(json.dumps(value, indent=1, ensure_ascii=False).encode() + b"\n")


def _read(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text("utf-8"))) if path.is_file() else {}
