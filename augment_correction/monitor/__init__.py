"""A model's own answers, graded while it trains or afterwards, on their way to becoming rows with a loss mask.

from augment_correction.monitor import LiveInferenceMonitor, load_monitor

monitor = LiveInferenceMonitor(load_monitor("monitor.yaml"))
monitor.attach(trainer)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from augment_correction.monitor.config import MonitorConfig, load_monitor
    from augment_correction.monitor.live import LiveInferenceMonitor

__all__ = ["LiveInferenceMonitor", "MonitorConfig", "load_monitor"]

_HOME = {"LiveInferenceMonitor": "live", "MonitorConfig": "config", "load_monitor": "config"}


def __getattr__(name: str) -> Any:
    # `live` imports Transformers, which everything else here does without.
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
