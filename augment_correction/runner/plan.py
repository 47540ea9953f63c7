"""Everything a run needs to know before the first token, proven to fit together."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from augment_correction.config import RunConfig
from augment_correction.declarations import SOURCE_FIELDS, AskStage, JudgeStage, ModelRole
from augment_correction.errors import ConfigError
from augment_correction.export import ChatTemplate, load_chat_template, render
from augment_correction.llm.hf_weights import named_by_weights
from augment_correction.pipeline import Pipeline, load_pipeline
from augment_correction.prompts import Prompt, PromptLibrary
from augment_correction.records import Conversation, Turn
from augment_correction.runner.state import StageCounts
from augment_correction.selection import check_selection
from augment_correction.stages import Station, Surroundings, build_stations
from augment_correction.store import RunFolder

REASK = "reask"


@dataclass(frozen=True)
class Plan:
    """A config whose pipeline, prompts, wiring and chat template have been loaded and checked."""

    config: RunConfig
    pipeline: Pipeline
    pipeline_file: Path
    prompts: Mapping[str, Prompt]
    template: ChatTemplate
    stages: tuple[Station, ...]
    meta_stages: frozenset[str] = frozenset()
    """Stages whose accepted calls become rows of the meta dataset."""
    extras: tuple[Prompt, ...] = ()

    @property
    def folder(self) -> RunFolder:
        return RunFolder(self.config.project.resolve(self.config.path.output_dir))

    @property
    def input_dir(self) -> Path:
        """The project's own folder, else the shipped examples of that name."""
        return _input_dir(self.config)

    def counters(self) -> dict[str, StageCounts]:
        """By stage, at zero."""
        asking = {stage.name: stage for stage in self.pipeline.model_stages}
        made = {}
        for station in self.stages:
            share = self.pipeline.share_at(asking[station.name]) if station.name in asking else 1.0
            made[station.name] = StageCounts(station.name, station.kinds, share, asks=station.name in asking)
        return made

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
        return hashlib.sha256(orjson.dumps(decides, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def make_plan(config: RunConfig) -> Plan:
    """Raises: ConfigError with file, line and remedy for the first thing that does not fit."""
    path = find_pipeline(config)
    declared = load_pipeline(path)
    pipeline = configured_pipeline(config, declared)
    config = named_by_weights(config, pipeline.roles)
    library = PromptLibrary(config.project, (config.path.prompts, config.path.default_prompts))
    names = dict.fromkeys([*pipeline.prompts, REASK])
    prompts = {name: library.load(name) for name in names}
    _input_dir(config)
    for problem in pipeline.check_wiring({name: prompt.variables for name, prompt in prompts.items()}):
        raise ConfigError(problem, file=path)
    unknown = sorted(set(config.sampling) - {stage.name for stage in declared.model_stages})
    if unknown:
        known = ", ".join(stage.name for stage in declared.model_stages)
        raise config.error(("sampling", unknown[0]), f"no stage is named '{unknown[0]}'", f"stages: {known}")
    for role in pipeline.roles:
        config.model(role)
    template = load_chat_template(config)
    _prove_template(pipeline, template)
    around = Surroundings(prompts, prompts[REASK], config.sampling, config.system)
    stages = build_stations(pipeline, around)
    meta_stages = _meta_stages(config, pipeline)
    extras = _meta_extras(config, pipeline, library)
    return Plan(config, pipeline, path, prompts, template, stages, meta_stages, extras)


def make_checked_plan(config: RunConfig) -> Plan:
    """A plan whose benchmark and gate files have been read as well; on one machine, before a run.

    Raises: ConfigError with file, line and remedy for the first thing that does not fit.
    """
    plan = make_plan(config)
    check_selection(config)
    return plan


def configured_pipeline(config: RunConfig, pipeline: Pipeline) -> Pipeline:
    """The pipeline with the checks, shares and models that the config wants.

    Raises: ConfigError where it names a check, a draw or a word that the pipeline does not have.
    """
    draws = pipeline.draws
    for name, shares in config.shares.items():
        if name not in draws:
            raise config.error(
                ("shares", name), f"the pipeline '{pipeline.name}' draws no '{name}'", f"it draws: {', '.join(draws)}"
            )
        words = draws[name]
        for word, weight in shares.items():
            if word not in words:
                raise config.error(("shares", name, word), f"no such {name}: '{word}'", f"known: {', '.join(words)}")
            if weight < 0:
                raise config.error(("shares", name, word), "a share is 0 or more")
        if not sum(shares.values()):
            raise config.error(("shares", name), "one of the shares must be more than 0")
    for name in config.checks:
        if name not in pipeline.switches:
            raise config.error(
                ("checks", name), f"no check is named '{name}'", f"known: {', '.join(sorted(pipeline.switches))}"
            )
    judge: dict[ModelRole, ModelRole] = {} if config.api.judge else {"judge": "large"}
    return pipeline.configured(config.checks, config.shares, judge)


def _input_dir(config: RunConfig) -> Path:
    try:
        return config.project.find("the input folder", [config.path.input_dir])
    except ConfigError as failure:
        raise config.error(("path", "input_dir"), failure.message) from None


def find_pipeline(config: RunConfig) -> Path:
    name = config.pipeline_name
    try:
        return config.project.find(f"the pipeline '{name}'", [f"pipelines/{name}.yaml", name])
    except ConfigError as failure:
        raise config.error(("pipeline",), failure.message, "'augment_correction list' shows the shipped ones") from None


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
            raise ConfigError(f"reads {', '.join(missing)}, which no stage writes", file=prompt.path)
    return prompts


def _prove_template(pipeline: Pipeline, template: ChatTemplate) -> None:
    """Render a probe: a template that drops or reorders a message shows now and not after the last paid call."""
    for compose in pipeline.compositions:
        turns = tuple(Turn(spec.role, f"Probe {index}", True) for index, spec in enumerate(compose.turns))
        render(Conversation("probe", compose.kind, turns, True), template)


def describe(plan: Plan) -> dict[str, Any]:
    """For `run.json`: what the run was made from, with the hash of each template."""
    return {
        "config": plan.config.without_secrets(),
        "pipeline": plan.pipeline.model_dump(mode="json", by_alias=True),
        "plan": plan.fingerprint(),
        "prompts": {name: prompt.fingerprint for name, prompt in plan.prompts.items()},
        "prompt_template": {"name": plan.template.name, "bos_token": plan.template.bos_token},
    }
