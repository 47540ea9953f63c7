"""Every export format by its name: the one table that the config, the command `export`, the writing and `verify` read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from augment_correction.plugins import load_plugins, name_of

DATASET = "axolotl"
"""The dataset itself, a file and no folder, which every run writes."""
Write = Callable[[Any, Path], Sequence[str] | None]


@dataclass(frozen=True, slots=True)
class ExportFormat:
    """`write` is a function, or where one stands in `export/` (`openai.write`): a config is read without any tokenizer.
    `rows` is where it stands what each row should be, for `verify`; empty: the folder is written again and compared.
    `compare` is false where two writings of the same conversations differ."""

    write: Write | str
    rows: str = ""
    compare: bool = True

    @property
    def ours(self) -> bool:
        return isinstance(self.write, str)

    @property
    def author(self) -> str:
        """The function that writes it, for messages."""
        return self.write if isinstance(self.write, str) else name_of(self.write)


FORMATS: dict[str, ExportFormat] = {
    "axolotl_chat": ExportFormat("axolotl_chat.write", "axolotl_chat.expected"),
    "openai": ExportFormat("openai.write", "openai.SPELLING"),
    "trl": ExportFormat("trl.write", "trl.expected"),
    "sharegpt": ExportFormat("sharegpt.write", "sharegpt.SPELLING"),
    "hf": ExportFormat("hf.write", "hf.SPELLING"),
    "dpo": ExportFormat("trl_pairs.write_dpo", "trl_pairs.expected_dpo"),
    "kto": ExportFormat("trl_pairs.write_kto", "trl_pairs.expected_kto"),
    "llamafactory": ExportFormat("llamafactory.write"),
}


def format_names() -> tuple[str, ...]:
    """Those that are known now; `known_format` loads what installed plugins bring."""
    return (DATASET, *FORMATS)


def known_format(name: str) -> str:
    """The name itself, for a validator.

    Raises: ValueError where no format has it, ConfigError where a plugin cannot be imported.
    """
    if name not in format_names():
        load_plugins()
    if name not in format_names():
        known = ", ".join(format_names())
        raise ValueError(
            f"no export format is named '{name}' (known: {known}); install or import the plugin that brings it"
        )
    return name
