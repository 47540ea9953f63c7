"""What this program wrote itself is never input, wherever it lies: with `input_dir: .` the last run would be read as
documents, and each run would read the one before."""

from __future__ import annotations

import os
from pathlib import Path

from augment_correction.store import RunFolder

_RUN = RunFolder(Path())
_FOLDERS = {
    path.name
    for path in (_RUN.journals, _RUN.debug, _RUN.meta_dataset.parent, _RUN.logs, Path("report_data"), Path("exports"))
}
_FILES = {
    path.name for path in (_RUN.journal, _RUN.dataset, _RUN.rejected, _RUN.gate, _RUN.decontamination, _RUN.manifest)
} | {"report.html"}
_MADE_BY_A_RUN = ("_model_tokens.json",)


def is_output(folder: Path) -> bool:
    """Whether a run has written there: it has a journal, or the manifest of a run beside its report."""
    return (folder / _RUN.journal.name).is_file() or (
        (folder / _RUN.manifest.name).is_file() and (folder / "report.html").is_file()
    )


def is_product(name: str, *, folder: bool) -> bool:
    """Whether that is what a run calls one of its files, for documents that lie in an output folder themselves."""
    if folder:
        return name in _FOLDERS
    return name in _FILES or name.endswith(_MADE_BY_A_RUN) or name.startswith(f"{_RUN.journal.name}-")


def is_debug(name: str) -> bool:
    """The stories of passages, which are known by their folder's name when they were copied out of a run."""
    return name == _RUN.debug.name


def files_below(folder: Path) -> int:
    return sum(len(names) for _, _, names in os.walk(folder))
