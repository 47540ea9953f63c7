"""Installed packages that bring stages, checks, row formats, export formats and readers of files of their own.

A package names a module in its `pyproject.toml`, and importing that module registers what it brings:

    [project.entry-points."augment_correction.plugins"]
    my_stages = "my_package.stages"

They are imported when a pipeline or a config uses a word that is not ours, when an input file has an ending that is not ours, and when somebody's rows are read, which may be of any
format: nobody pays for a plugin that nothing can name.
"""

from __future__ import annotations

import sys
import traceback
from functools import cache
from importlib.metadata import entry_points
from typing import Any

from augment_correction.errors import ConfigError

GROUP = "augment_correction.plugins"
LOADED: dict[str, str] = {}
"""Package and version by the name of each plugin that was imported here."""


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
        LOADED[point.name] = f"{point.dist.name} {point.dist.version}" if point.dist else point.value


def loaded() -> list[str]:
    """A line for each plugin that was imported, for `check`: `plugin my_stages (my-stages 1.0)`."""
    return [f"plugin {name} ({version})" for name, version in LOADED.items()]


def recorded() -> dict[str, dict[str, str]]:
    """What a file of results says of them; nothing where none was imported."""
    return {"plugins": dict(LOADED)} if LOADED else {}


def failed(failure: Exception, function: Any) -> str:
    """What went wrong in a registered function, and in which of its lines: `KeyError: 'nope' (my_stages.py:31)`."""
    file = getattr(sys.modules.get(_kind_of(function).__module__), "__file__", None)
    frames = traceback.extract_tb(failure.__traceback__)
    own = [frame for frame in frames if frame.filename == file] or frames[-1:]
    place = f" ({own[-1].filename}:{own[-1].lineno})" if own else ""
    return f"{type(failure).__name__}: {failure}{place}"


def name_of(function: Any) -> str:
    """Where a person finds what was registered: `my_stages.KeepFirstSentence`."""
    kind = _kind_of(function)
    return f"{kind.__module__}.{kind.__qualname__}"


def _kind_of(function: Any) -> Any:
    return function if hasattr(function, "__qualname__") else type(function)
