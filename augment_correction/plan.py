"""Everything a run needs to know before the first token, proven to fit together."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from augment_correction.config import RunConfig
from augment_correction.config_files import require_keys, with_environment_keys
from augment_correction.declarations import SOURCE_FIELDS, AskStage, JudgeStage
from augment_correction.documents import ChunkSettings
from augment_correction.documents.folder_settings import (
    Folders,
    chunks_of,
)
from augment_correction.errors import ConfigError, Noted
from augment_correction.export import ChatTemplate, load_chat_template, render
from augment_correction.ledger import require_prices
from augment_correction.llm.hf_weights import named_by_weights
from augment_correction.pipeline import Pipeline
from augment_correction.pipeline_settings import (
    check_places,
    chunk_settings,
    configured_pipeline,
    declared_pipeline,
    input_dir_of,
    judged_by,
    read_settings,
    unknown_names,
)
from augment_correction.prompts import Prompt, PromptLibrary
from augment_correction.records import Conversation, Turn, UnreadInput
from augment_correction.remote.mirror import Mirrored
from augment_correction.remote.storage import is_address
from augment_correction.selection import check_selection
from augment_correction.stages import BoundStage, StageContext, bind_stages, versions_of
from augment_correction.store import RunFolder
from augment_correction.yamlfile import YamlFile, read_yaml

REASK = "reask"


@dataclass(frozen=True)
class Plan:
    """A config whose pipeline, prompts, wiring and chat template have been loaded and checked."""

    config: RunConfig
    pipeline: Pipeline
    pipeline_file: Path | None
    """None where the pipeline was built in Python."""
    prompts: Mapping[str, Prompt]
    template: ChatTemplate
    stages: tuple[BoundStage, ...]
    chunks: ChunkSettings
    folders: Folders = field(default_factory=Folders)
    """What is otherwise in folders of the input (`_settings.yaml`)."""
    meta_stages: frozenset[str] = frozenset()
    """Stages whose accepted calls become rows of the meta dataset."""
    extras: tuple[Prompt, ...] = ()
    unfetched: tuple[UnreadInput, ...] = ()
    """Objects of an address that could not be fetched."""

    @property
    def folder(self) -> RunFolder:
        return RunFolder(self.config.project.resolve(self.config.path.output_dir))

    @property
    def input_dir(self) -> Path:
        """The project's own folder, else the shipped examples of that name; of an address, its copy on this machine."""
        return input_dir_of(self.config)

    @property
    def roles(self) -> tuple[str, ...]:
        """Of the models that the pipeline asks."""
        return tuple(self.pipeline.roles)

    @property
    def seed(self) -> int:
        return self.config.system.seed

    @property
    def encoding(self) -> str:
        """What counts tokens: a name of tiktoken's, or an absolute path of a tokenizer.json."""
        return _encoding_of(self.config)

    @property
    def cut_by_folder(self) -> dict[str, ChunkSettings]:
        """Of the folders whose documents are cut otherwise."""
        return {name: chunks_of(each, self.chunks) for name, each in self.folders.settings.items()}

    def fingerprint(self) -> str:
        """Changes with whatever decides what becomes of a passage: an outcome of an earlier run under the same
        fingerprint is final. Concurrency, timeouts, prices and the way rows are spelled are not part of it."""
        decides = {
            "pipeline": self.pipeline.model_dump(mode="json"),
            "prompts": {name: prompt.fingerprint for name, prompt in self.prompts.items()},
            "models": {role: self.config.model(role).model for role in self.pipeline.roles},
            "extra": {role: self.config.model(role).extra_body for role in self.pipeline.roles},
            "sampling": {name: sampling.sent() for name, sampling in self.config.sampling.items()},
            "loss_on": self.config.system.loss_on,
            "seed": self.config.system.seed,
        }
        if written := {name: (each.kinds, each.language) for name, each in self.folders.settings.items()}:
            decides["folders"] = written
        if versions := versions_of(self.pipeline):
            decides["versions"] = versions
        return hashlib.sha256(orjson.dumps(decides, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def _encoding_of(config: RunConfig) -> str:
    """A name of tiktoken's, or an absolute path of a tokenizer.json."""
    encoding = config.system.encoding
    return str(config.project.resolve(encoding)) if encoding.endswith(".json") else encoding


def make_plan(config: RunConfig, *, reads: bool = True, folders: Folders | None = None) -> Plan:
    """`reads`: the input folder will be read, so that it must be there. `folders` is what another machine has found there.

    Raises: ConfigError with file, line and remedy for all that does not fit, as far as one mistake does not hide another."""
    return _plan(config, Noted(), reads=reads, folders=folders)


def make_checked_plan(
    config: RunConfig, *, asks: bool = False, reads: bool = True, fetched: Mirrored | None = None
) -> Plan:
    """A plan whose benchmark and gate files have been read as well; on one machine, before a run. `asks`: models will be
    asked, so that their API keys must be there, and their prices where there is a cap. `fetched` is the copy of an address, without
    which its `_settings.yaml` files are not known.

    Raises: ConfigError with file, line and remedy for all that does not fit.
    """
    config = with_environment_keys(config) if asks else config
    noted = Noted()
    with noted.noting():
        check_selection(config)
    check_places(config, noted, reads=reads)
    return _plan(config, noted, asks=asks, reads=reads, fetched=fetched)


def _plan(
    config: RunConfig,
    noted: Noted,
    *,
    asks: bool = False,
    reads: bool = True,
    folders: Folders | None = None,
    fetched: Mirrored | None = None,
) -> Plan:
    """Raises: ConfigError with what is `noted` already and all that does not fit."""
    library = PromptLibrary(config.project, (config.path.prompts, config.path.default_prompts))
    there = False
    with noted.noting():
        there = (
            reads and input_dir_of(config).exists() and (fetched is not None or not is_address(config.path.input_dir))
        )
    with noted.noting():
        template = load_chat_template(config)
    with noted.noting():
        path, declared = declared_pipeline(config)
        unknown = list(unknown_names(config, declared))
        noted.add(*unknown)
        chunks = chunk_settings(config, declared.cuts)
        if folders is None:
            folders = read_settings(config, declared, chunks) if there else Folders()
        pipeline = (
            declared.configured({}, {}, judged_by(config))
            if unknown
            else configured_pipeline(config, declared, folders.kinds)
        )
        prompts = _load_prompts(library, pipeline, noted)
        if prompts.keys() >= {*pipeline.prompts}:
            noted.add(*_unwired(path, pipeline, prompts))
        _check_models(config, pipeline, noted, asks)
    noted.raise_all()
    assert folders is not None
    _prove_template(pipeline, template)
    with noted.noting():
        meta_stages = _meta_stages(config, pipeline)
    with noted.noting():
        extras = _meta_extras(config, pipeline, library)
    noted.raise_all()
    config = named_by_weights(config, pipeline.roles)
    stages = bind_stages(pipeline, StageContext(prompts, prompts[REASK], config.sampling, config.system))
    unfetched = tuple(UnreadInput(name, "unreadable", why) for name, why in (fetched.refused if fetched else ()))
    return Plan(config, pipeline, path, prompts, template, stages, chunks, folders, meta_stages, extras, unfetched)


def _check_models(config: RunConfig, pipeline: Pipeline, noted: Noted, asks: bool) -> None:
    for role in pipeline.roles:
        with noted.noting():
            config.model(role)
    named = [role for role in pipeline.roles if role in config.by_role]
    if asks:
        for require in (require_keys, require_prices):
            with noted.noting():
                require(config, named)


def _load_prompts(library: PromptLibrary, pipeline: Pipeline, noted: Noted) -> dict[str, Prompt]:
    prompts = {}
    for name in dict.fromkeys([*pipeline.prompts, REASK]):
        with noted.noting():
            prompts[name] = library.load(name)
    return prompts


def _unwired(path: Path | None, pipeline: Pipeline, prompts: Mapping[str, Prompt]) -> Iterator[ConfigError]:
    """Each at the line of the prompt that reads what is not there, or of the stage in the pipeline's file."""
    file: YamlFile | None = None
    for problem in pipeline.check_wiring({name: prompt.variables for name, prompt in prompts.items()}):
        if problem.prompt:
            yield prompts[problem.prompt].error(problem.variable or "", problem.message, problem.hint)
            continue
        if path is None:
            yield ConfigError(problem.message, hint=problem.hint)
            continue
        file = file or read_yaml(path)
        names = [stage.get("name", stage.get("stage")) for stage in file.data["stages"]]
        index = names.index(problem.stage) if problem.stage in names else 0
        yield file.error(("stages", index), problem.message, problem.hint)


def _meta_stages(config: RunConfig, pipeline: Pipeline) -> frozenset[str]:
    names = {stage.name for stage in pipeline.model_stages}
    wanted = config.meta_datagen.meta_datagen_keys
    if wanted is None:
        return frozenset(names)
    chosen = {key.removesuffix("_details") for key in wanted}
    if not config.meta_datagen.do_meta_datagen:
        return frozenset(chosen & names)
    for name in sorted(chosen - names):
        known = ", ".join(sorted(names))
        raise config.error(("meta_datagen", "meta_datagen_keys"), f"no stage is named '{name}'", f"stages: {known}")
    return frozenset(chosen)


def _meta_extras(config: RunConfig, pipeline: Pipeline, library: PromptLibrary) -> tuple[Prompt, ...]:
    if not config.meta_datagen.do_meta_datagen:
        return ()
    prompts = tuple(library.load(name) for name in config.meta_datagen.meta_datagen_extras or ())
    written = SOURCE_FIELDS.union(
        *(stage.writes for stage in pipeline.model_stages if isinstance(stage, JudgeStage | AskStage))
    )
    for prompt in prompts:
        if missing := sorted(prompt.variables - written):
            raise prompt.error(missing[0], f"reads {', '.join(missing)}, which no stage writes")
    return prompts


def _prove_template(pipeline: Pipeline, template: ChatTemplate) -> None:
    """Render a probe: a template that drops or reorders a message shows now and not after the last paid call."""
    for compose in pipeline.compositions:
        turns = tuple(Turn(spec.role, f"Probe {index}", True) for index, spec in enumerate(compose.turns))
        render(Conversation("probe", compose.kind, turns, True), template)


def describe(plan: Plan) -> dict[str, Any]:
    """For `run.json`: what the run was made from, with the hash of each template."""
    prompts = {**plan.prompts, **{prompt.name: prompt for prompt in plan.extras}}
    return {
        "config": plan.config.without_secrets(),
        "pipeline": plan.pipeline.model_dump(mode="json", by_alias=True),
        "plan": plan.fingerprint(),
        "prompts": {name: prompt.fingerprint for name, prompt in prompts.items()},
        "prompt_template": {"name": plan.template.name, "bos_token": plan.template.bos_token},
    }
