"""Turns mistakes into better models: documents in, loss-masked correction conversations out.

from augment_correction import load_config, run

result = run(load_config("configs/correction.yaml"))
print(result.kept, result.dataset)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from augment_correction.config import RunConfig, load_config
    from augment_correction.declarations import StageDeclaration
    from augment_correction.runner import RunResult, run
    from augment_correction.stages import register_check, register_stage, with_fields

__version__ = "0.1.0"
__all__ = [
    "RunConfig", "RunResult", "StageDeclaration", "__version__", "load_config", "register_check", "register_stage", "run",
    "with_fields",
]  # fmt: skip

_HOME = {
    "RunConfig": "config", "RunResult": "runner", "load_config": "config", "run": "runner",
    "StageDeclaration": "declarations", "register_check": "stages", "register_stage": "stages", "with_fields": "stages",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    # On first use only: a program that imports the package to ask its version should not pay for pydantic.
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
