"""`workspace serve` as a user runs it, but that models are scripted and a training (`training.py`) goes on as soon as there is a file
`go`; the worker, its lease, the processes and all that is handed over are real. LL_BASE_MODEL_NAME is the script of the base model; that
of every version is `trained.yaml` beside it, and so is `go`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from augment_correction.models import ModelConfig
from augment_correction.workspace import configs, learning
from augment_correction.workspace.settings import Settings


def base_model(settings: Settings, *, adapter: str | None = None, address: str = "") -> ModelConfig:
    script = Path(settings.model)
    return ModelConfig(
        model="scripted", mode="scripted", script=str(script.with_name("trained.yaml") if adapter else script)
    )


def main() -> None:
    configs.base_model = base_model  # type: ignore[assignment]
    real = learning.hand_over

    def command(settings: Settings, database: Any, organisation: str) -> list[str]:
        go = str(Path(settings.model).with_name("go"))
        config = real(settings, database, organisation)[-1]
        return [sys.executable, str(Path(__file__).with_name("training.py")), config, go, "accept", "0"]

    learning.hand_over = command
    from augment_correction.cli import main as run

    sys.exit(run())


if __name__ == "__main__":
    main()
