"""`_settings.yaml` in a folder of documents: settings that differ from the config's for the files in this folder and below it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from augment_correction.documents.chunking import ChunkSettings
from augment_correction.documents.own_output import is_debug, is_output
from augment_correction.errors import ConfigError
from augment_correction.sampling import Declaration
from augment_correction.text import printable
from augment_correction.yamlfile import YamlFile, read_yaml

FILE = "_settings.yaml"


class FolderSettings(Declaration):
    """What one `_settings.yaml` may say. What it leaves out is taken from the next folder above that has one, and else from the config."""

    chunk_size: int | None = Field(None, ge=16)
    """The largest length of a passage, in the config's `system.chunk_unit`."""
    chunk_overlap: int | None = Field(None, ge=0)
    min_chunk: int | None = Field(None, ge=0)
    """The smallest length of a passage."""
    skip_contents: bool | None = None
    """Whether tables of contents and indexes are left out."""
    kinds: dict[str, float] | None = None
    """Weights of the kinds of conversation, in the place of `shares.kind`: {correct_after_mistake: 1, stand_by: 2}."""
    language: str | None = Field(None, min_length=2)
    """The English name of the documents' language, as prompts name it ("French"). Default: detected for each passage."""
    licence: str | None = None
    """The licence of these documents (`cc-by-4.0`), for the dataset card."""

    CUTS: ClassVar[tuple[str, ...]] = ("chunk_size", "chunk_overlap", "min_chunk", "skip_contents")


@dataclass(frozen=True)
class Folders:
    """The settings by folder (its path below the input folder, which itself is `""`). What a folder leaves out is filled in from above."""

    settings: Mapping[str, FolderSettings] = field(default_factory=dict)

    def of(self, source: str) -> FolderSettings | None:
        """The settings of the nearest folder above the document `source`; None if no folder above it has any."""
        folder = source
        while folder and self.settings:
            folder = folder.rpartition("/")[0]
            if folder in self.settings:
                return self.settings[folder]
        return None

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of conversation that at least one folder gives a share."""
        return frozenset(
            name for each in self.settings.values() for name, weight in (each.kinds or {}).items() if weight
        )

    def __bool__(self) -> bool:
        return bool(self.settings)


def read_folders(root: Path) -> Iterator[tuple[str, YamlFile]]:
    """Each `_settings.yaml` in the folder `root` and below it, with the path of its folder; an upper folder comes before those in it.
    Hidden folders and output folders of runs are passed by.

    Raises: ConfigError where one cannot be read.
    """
    if not root.is_dir():
        return
    for place, names, files in os.walk(root):
        folder = Path(place)
        names[:] = sorted(
            name for name in names if not name.startswith(".") and not is_debug(name) and not is_output(folder / name)
        )
        if FILE in files:
            path = folder / FILE
            if path.exists() and not path.is_file():  # to read a pipe would wait for ever for who writes into it
                raise ConfigError(f"{path} is not a regular file", hint="write the settings into a file, or remove it")
            relative = folder.relative_to(root).as_posix()
            yield "" if relative == "." else printable(relative), read_yaml(path)


def laid_over(above: FolderSettings | None, own: FolderSettings) -> FolderSettings:
    """The settings of a folder: its `own`, filled in from those of the folder `above`."""
    if above is None:
        return own
    said = {name: value for name in own.model_fields_set if (value := getattr(own, name)) is not None}
    return above.model_copy(update=said)


def chunks_of(settings: FolderSettings, usual: ChunkSettings) -> ChunkSettings:
    """How documents with these settings are cut.

    Raises: ConfigError where size and overlap do not fit.
    """
    size = settings.chunk_size or usual.size
    changes: dict[str, Any] = {"size": size}
    if settings.chunk_overlap is not None:
        changes["overlap"] = settings.chunk_overlap
    if settings.min_chunk is not None:
        changes["minimum"] = settings.min_chunk
    if settings.skip_contents is not None:
        changes["contents"] = not settings.skip_contents
    made = {"minimum": usual.minimum, **changes}
    try:
        return replace(usual, **{**changes, "minimum": min(made["minimum"], size // 2)})
    except ConfigError as failure:
        raise ConfigError(failure.message.replace("chunk ", "chunk_"), hint=failure.hint) from None
