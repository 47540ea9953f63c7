"""What can be wrong with a selection, found before the first token is paid."""

from __future__ import annotations

from augment_correction.config import RunConfig
from augment_correction.errors import ConfigError, Noted
from augment_correction.selection.gate import read_gate
from augment_correction.selection.texts import read_texts
from augment_correction.store import RunFolder


def check_selection(config: RunConfig) -> None:
    """Reads every benchmark and the held-out set of earlier runs once.

    Raises: ConfigError or InputError for what cannot be used.
    """
    own = RunFolder(config.project.resolve(config.path.output_dir))
    noted = Noted()
    for index, name in enumerate(config.selection.benchmarks):
        with noted.noting():
            _check_benchmark(config, index, name)
    for index, name in enumerate(config.selection.across):
        folder = RunFolder(config.project.resolve(name))
        if folder == own or not folder.journal.is_file():
            why = "is the output folder of this run itself" if folder == own else "is not the output folder of a run"
            noted.add(
                config.error(("selection", "across", index), f"{folder.root} {why}", "name the folders of other runs")
            )
    for dimension, limit in config.selection.at_most.items():
        if limit <= 0:
            noted.add(
                config.error(("selection", "at_most", dimension), f"at most {limit} rows would be no rows", "remove it")
            )
    with noted.noting():
        for _ in read_gate(own.gate):
            pass
    noted.raise_all()


def _check_benchmark(config: RunConfig, index: int, name: str) -> None:
    path = config.project.resolve(name)
    try:
        count = sum(1 for _ in read_texts(path))
    except ConfigError as failure:
        raise config.error(("selection", "benchmarks", index), failure.message, failure.hint) from None
    if not count:
        raise config.error(("selection", "benchmarks", index), f"{path}: the benchmark holds no text")
