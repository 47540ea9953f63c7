"""What a config, and the settings in folders of its input, say of the pipeline that it names."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from augment_correction.config import RunConfig
from augment_correction.declarations import KIND, ModelRole
from augment_correction.documents import ChunkSettings
from augment_correction.documents.folder_settings import (
    Folders,
    FolderSettings,
    chunks_of,
    laid_over,
    read_folders,
)
from augment_correction.errors import ConfigError, InputError, Noted, UserError
from augment_correction.pipeline import Pipeline, load_pipeline
from augment_correction.remote.mirror import copy_of
from augment_correction.remote.storage import check_address, is_address, is_web, without_secrets
from augment_correction.yamlfile import YamlFile

WHOLE = ChunkSettings(size=1 << 40, unit="characters", overlap=0)


def chunk_settings(config: RunConfig, cut: bool) -> ChunkSettings:
    system = config.system
    if not cut:
        return WHOLE
    if system.chunk_overlap >= system.chunk_size:
        raise config.error(("system", "chunk_overlap"), "chunk_overlap must be smaller than chunk_size")
    return ChunkSettings(
        size=system.chunk_size,
        unit=system.chunk_unit,
        overlap=system.chunk_overlap,
        minimum=min(system.min_chunk, system.chunk_size // 2),
        contents=not system.skip_contents,
    )


def read_settings(config: RunConfig, pipeline: Pipeline, chunks: ChunkSettings) -> Folders:
    """Every `_settings.yaml` of the input.

    Raises: ConfigError with file, line and remedy.
    """
    found: dict[str, FolderSettings] = {}
    noted = Noted()
    for folder, file in read_folders(input_dir_of(config)):
        with noted.noting():
            own = file.validate(FolderSettings, file.data or {})
            _check_folder(file, own, pipeline)
            merged = laid_over(Folders(found).of(folder), own)
            with _in_file(file):
                chunks_of(merged, chunks)
            found[folder] = merged
    noted.raise_all()
    return Folders(found)


def _check_folder(file: YamlFile, own: FolderSettings, pipeline: Pipeline) -> None:
    for name in own.CUTS if not pipeline.cuts else ():
        if getattr(own, name) is not None:
            raise file.error((name,), f"'{name}' has no effect: the pipeline {pipeline.name} does not split documents")
    words = pipeline.draws.get(KIND)
    if own.kinds is None:
        return
    if not words:
        raise file.error(
            ("kinds",), f"the pipeline {pipeline.name} makes one kind of conversation", "leave the key out"
        )
    for name in own.kinds.keys() - words.keys():
        raise file.error(("kinds", name), f"no kind is called '{name}'", f"known: {', '.join(words)}")
    if min(own.kinds.values(), default=0) < 0 or not sum(own.kinds.values()):
        raise file.error(("kinds",), "weights must be 0 or more, and at least one of them above 0")


@contextmanager
def _in_file(file: YamlFile) -> Iterator[None]:
    """What is wrong inside is wrong in this file."""
    try:
        yield
    except ConfigError as failure:
        raise file.error(("chunk_overlap",), failure.message, failure.hint) from None


def unknown_names(config: RunConfig, pipeline: Pipeline) -> Iterator[ConfigError]:
    """What the config says of stages, checks and draws that the pipeline does not have."""
    asking = [stage.name for stage in pipeline.model_stages]
    for name in sorted(set(config.sampling) - set(asking)):
        yield config.error(("sampling", name), f"no stage is named '{name}'", f"stages: {', '.join(asking)}")
    for name in config.checks:
        if name not in pipeline.switches:
            known = ", ".join(sorted(pipeline.switches))
            yield config.error(("checks", name), f"no check is named '{name}'", f"known: {known}")
    for name, shares in config.shares.items():
        if name not in pipeline.draws:
            known = ", ".join(pipeline.draws)
            yield config.error(
                ("shares", name), f"the pipeline '{pipeline.name}' draws no '{name}'", f"it draws: {known}"
            )
            continue
        words = pipeline.draws[name]
        for word, weight in shares.items():
            if word not in words:
                yield config.error(("shares", name, word), f"no such {name}: '{word}'", f"known: {', '.join(words)}")
            elif weight < 0:
                yield config.error(("shares", name, word), "a share is 0 or more")
        if not sum(shares.values()):
            yield config.error(("shares", name), "one of the shares must be more than 0")


def configured_pipeline(config: RunConfig, pipeline: Pipeline, also: Collection[str] = ()) -> Pipeline:
    """The pipeline with the checks, shares and models that the config wants; `also` are kinds that some folder gives a share.

    Raises: ConfigError where it names a check, a draw, a stage or a word that the pipeline does not have.
    """
    noted = Noted()
    noted.add(*unknown_names(config, pipeline))
    noted.raise_all()
    return pipeline.configured(config.checks, config.shares, judged_by(config), also)


def judged_by(config: RunConfig) -> dict[ModelRole, ModelRole]:
    """Whose model judges where the config names none for it."""
    return {} if config.api.judge else {"judge": "large"}


def input_dir_of(config: RunConfig) -> Path:
    """Where the documents are read: of an address its copy on this machine, which is there once it was fetched.

    Raises: ConfigError where the config names none, or it is not there.
    """
    if not config.path.input_dir:
        raise config.error(
            ("path", "input_dir"), "'path.input_dir' is missing", "name a folder of documents, or a single document"
        )
    if is_address(config.path.input_dir):
        return copy_of(config.path.input_dir)
    try:
        return config.project.find("the input folder", [config.path.input_dir])
    except ConfigError as failure:
        raise config.error(("path", "input_dir"), failure.message, failure.hint) from None


def declared_pipeline(config: RunConfig) -> tuple[Path | None, Pipeline]:
    if isinstance(config.pipeline, Pipeline):
        return None, config.pipeline
    path = find_pipeline(config)
    return path, load_pipeline(path)


def check_pipeline(config: RunConfig) -> None:
    """Raises: ConfigError where there is no such pipeline, or the config names stages or checks that are not in it."""
    noted = Noted()
    _, declared = declared_pipeline(config)
    noted.add(*unknown_names(config, declared))
    noted.raise_all()


def find_pipeline(config: RunConfig) -> Path:
    name = config.pipeline_name
    try:
        return config.project.find(f"the pipeline '{name}'", [f"pipelines/{name}.yaml", name])
    except ConfigError as failure:
        hint = f"`augment-correction list` shows the shipped ones; {failure.hint}"
        raise config.error(("pipeline",), failure.message, hint) from None


@contextmanager
def at_key(config: RunConfig, *key: str) -> Iterator[None]:
    """What is wrong inside is wrong at this key of the config."""
    try:
        yield
    except UserError as failure:
        raise config.error(key, failure.message, failure.hint) from None


def check_places(config: RunConfig, noted: Noted, *, reads: bool) -> None:
    """Note what is wrong with the addresses of a config, before anything is asked there. `reads`: the input is read."""
    output, copy_to = config.path.output_dir, config.output.copy_to
    if is_address(output):
        noted.add(config.error(
            ("path", "output_dir"), f"'{without_secrets(output)}' is an address, and a run works in a folder",
            "name a folder on a disk, which has the locks that its database needs, and set output.copy_to to the address: what is made is copied there",
        ))  # fmt: skip
    if copy_to is not None:
        with noted.noting(), at_key(config, "output", "copy_to"):
            if is_web(copy_to):
                raise InputError(
                    f"{without_secrets(copy_to)} is a page of the web, where nothing can be written",
                    hint="copy to object storage: s3://BUCKET/FOLDER, gs://BUCKET/FOLDER or az://CONTAINER/FOLDER",
                )
            check_address(copy_to)
    if reads and is_address(config.path.input_dir):
        with noted.noting(), at_key(config, "path", "input_dir"):
            check_address(config.path.input_dir)
