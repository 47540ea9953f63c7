"""What a config of Augmentoolkit says in words of its own. They are understood where a config is read, and are no words of ours."""

from __future__ import annotations

from collections.abc import Mapping

PIPELINES: Mapping[str, str] = {"correction-pipeline": "correction"}
"""Its name of a pipeline, and ours."""
MODES: Mapping[str, str] = {"openai": "api"}
"""Likewise for where a model runs."""
IGNORED: Mapping[tuple[str, ...], Mapping[str, str]] = {
    ("system",): {
        "completion_mode": "chat endpoints only",
        "use_stop": "no stop strings are sent: the reply's tags or JSON end it",
        "use_min_p": "set `min_p` under `sampling` instead",
    }
}
"""By section, keys without an effect here, with the reason."""
