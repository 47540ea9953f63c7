"""Installed packages that bring stages and checks of their own.

A package names a module in its `pyproject.toml`, and importing that module registers what it brings:

    [project.entry-points."augment_correction.plugins"]
    my_stages = "my_package.stages"

They are imported when a pipeline uses a word that is not ours, so that nobody pays for a plugin that no pipeline names.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points
from typing import Any

from augment_correction.errors import ConfigError

GROUP = "augment_correction.plugins"


@cache
def load_plugins() -> None:
    """Import every installed plugin, once.

    Raises: ConfigError with the name of the plugin that cannot be imported.
    """
    for point in entry_points(group=GROUP):
        try:
            point.load()
        except Exception as failure:
            package = point.dist.name if point.dist else "an installed package"
            raise ConfigError(
                f"the plugin '{point.name}' of {package} cannot be imported ({point.value}): "
                f"{type(failure).__name__}: {failure}",
                hint=f"correct {point.value}, or uninstall {package}",
            ) from failure


def name_of(function: Any) -> str:
    """Where a person finds what was registered: `my_stages.KeepFirstSentence`."""
    kind = function if hasattr(function, "__qualname__") else type(function)
    return f"{kind.__module__}.{kind.__qualname__}"
