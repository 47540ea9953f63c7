"""The monitor as a plugin of Axolotl, in Axolotl's own environment (`pip install CHECKOUT` there):

    plugins: [augment_correction.monitor.axolotl_plugin.CorrectionMonitorPlugin]
    correction_monitor: {split: monitor.jsonl, queue_dir: outputs/worker/inbox}

Axolotl goes on without a plugin that cannot be imported, and exits with 0. So this one leaves `axolotl_plugin.json` in
`data_dir`: where that is missing, or older than the training, the training was not watched.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from axolotl.integrations.base import BasePlugin  # type: ignore[import-not-found,unused-ignore]
from pydantic import BaseModel

from augment_correction.errors import ConfigError
from augment_correction.monitor.config import MonitorConfig, load_monitor
from augment_correction.monitor.keeping import read_json
from augment_correction.monitor.live import LiveInferenceMonitor
from augment_correction.store.json_files import write_json

MARKER = "axolotl_plugin.json"


class CorrectionMonitorArgs(BaseModel):
    """What Axolotl adds to its own keys, and validates with them."""

    correction_monitor: MonitorConfig | str | None = None
    """The monitor's keys, or the path of a file with them."""


class CorrectionMonitorPlugin(BasePlugin):  # type: ignore[misc,unused-ignore]
    def get_input_args(self) -> str:
        return f"{CorrectionMonitorArgs.__module__}.{CorrectionMonitorArgs.__name__}"

    def post_trainer_create(self, cfg: Any, trainer: Any) -> None:
        """Raises: UserError, which ends Axolotl before the first step."""
        config = _config(cfg)
        LiveInferenceMonitor(config).attach(trainer)
        if trainer.is_world_process_zero():
            write_json(config.data / MARKER, {"attached": datetime.now().isoformat(), "trained": False})

    def post_train(self, cfg: Any, model: Any) -> None:
        """Axolotl calls it twice, and on every process; the second time changes nothing."""
        path = _config(cfg).data / MARKER
        if path.exists() and not (known := read_json(path))["trained"]:
            write_json(path, known | {"trained": True})


def _config(cfg: Any) -> MonitorConfig:
    """Raises: ConfigError where the section is missing."""
    section = cfg.get("correction_monitor")
    if section is None:
        raise ConfigError(
            "the plugin is named, but its section is missing", hint="correction_monitor: {split: monitor.jsonl}"
        )
    return load_monitor(section) if isinstance(section, str) else MonitorConfig.model_validate(dict(section))
