"""Everything that can be found out about a config without a paid call."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from augment_correction.config import RunConfig, load_config
from augment_correction.documents import ENDINGS, ending_of
from augment_correction.errors import AugmentCorrectionError
from augment_correction.ledger import price_of
from augment_correction.llm.batch_endpoint import BatchEndpoint
from augment_correction.llm.hf_rows import Speech
from augment_correction.llm.hf_weights import named_by_weights
from augment_correction.llm.openai_chat import reachable
from augment_correction.models import KEYS_BY_HOST, ModelConfig
from augment_correction.pipeline import load_pipeline
from augment_correction.prompts import PromptLibrary
from augment_correction.runner.plan import Plan, find_pipeline, make_checked_plan


@dataclass(frozen=True)
class Finding:
    ok: bool
    what: str
    remedy: str | None = None


async def check_run(path: str | Path, overrides: Sequence[str] = ()) -> list[Finding]:
    """Findings in the order a run would meet them; the later ones where the earlier allow it."""
    try:
        config = load_config(path, overrides)
    except AugmentCorrectionError as failure:
        return [_wrong(failure)]
    findings = [Finding(True, f"config {path}"), *(Finding(True, f"note: {notice}") for notice in config.notices)]
    findings += _prompts(config)
    if all(finding.ok for finding in findings):
        try:
            plan = make_checked_plan(config)
        except AugmentCorrectionError as failure:
            findings.append(_wrong(failure))
        else:
            findings.append(
                Finding(True, f"pipeline {plan.pipeline_file}: stages, fields and chat template fit together")
            )
            findings += [*_folders(plan), *[finding async for finding in _models(plan)]]
    return findings


def _wrong(failure: AugmentCorrectionError) -> Finding:
    return Finding(False, failure.message, failure.hint)


def _prompts(config: RunConfig) -> Iterator[Finding]:
    """Every prompt, not only the first bad one."""
    try:
        pipeline = load_pipeline(find_pipeline(config))
    except AugmentCorrectionError as failure:
        yield _wrong(failure)
        return
    library = PromptLibrary(config.project, (config.path.prompts, config.path.default_prompts))
    for name in pipeline.prompts:
        try:
            prompt = library.load(name)
            yield Finding(True, f"prompt {prompt.path}: reads {', '.join(sorted(prompt.variables))}")
        except AugmentCorrectionError as failure:
            yield _wrong(failure)


def _folders(plan: Plan) -> Iterator[Finding]:
    endings = Counter(ending_of(path) for path in plan.input_dir.rglob("*") if path.is_file())
    supported = {ending: count for ending, count in endings.items() if ending.removesuffix(".gz") in ENDINGS}
    listed = ", ".join(f"{count} {ending}" for ending, count in sorted(supported.items()))
    if supported:
        yield Finding(True, f"input folder {plan.input_dir}: {listed}")
    else:
        yield Finding(False, f"input folder {plan.input_dir} holds none of {', '.join(ENDINGS)}", "put documents there")
    existing = next(folder for folder in (plan.folder.root, *plan.folder.root.parents) if folder.exists())
    if os.access(existing, os.W_OK):
        yield Finding(True, f"output folder {plan.folder.root} can be written")
    else:
        yield Finding(False, f"output folder {plan.folder.root} cannot be written", "set path.output_dir")


async def _models(plan: Plan) -> AsyncIterator[Finding]:
    for role in plan.pipeline.roles:
        model = plan.config.model(role)
        yield await _model(role, model, plan)
        try:
            price = price_of(plan.config, role)
        except AugmentCorrectionError as failure:
            yield _wrong(failure)
            continue
        if price is None and plan.config.cost.max_usd is not None:
            yield Finding(
                False,
                f"{role} model: no price is known, so the cap cannot be kept",
                f"set cost.cost_per_million_{role}_*",
            )
        elif price is None:
            yield Finding(True, f"{role} model: no price is known, costs will be null")


async def _without_batches(model: ModelConfig, key: str | None) -> str | None:
    endpoint = BatchEndpoint(model.base_url, model.model, api_key=key, timeout=10.0, count=len)
    try:
        return await endpoint.offered()
    finally:
        await endpoint.close()


def _in_process(role: str, config: RunConfig) -> Finding:
    """Reads the tokenizer and both ends of the weights, and loads no model."""
    try:
        model = named_by_weights(config, [role]).model(role)
        Speech(Path(model.folder or model.model), config.project.resolve(model.adapter) if model.adapter else None)
    except AugmentCorrectionError as failure:
        return _wrong(failure)
    return Finding(True, f"{role} model {model.model} (hf)")


async def _model(role: str, model: ModelConfig, plan: Plan) -> Finding:
    name = f"{role} model {model.model} ({model.mode})"
    if model.mode == "scripted":
        return Finding(True, name)
    if model.mode == "embedded":
        there = importlib.util.find_spec("xllamacpp") is not None
        return Finding(there, name, None if there else 'pip install "augment-correction[embedded]"')
    if model.mode == "hf":
        return await asyncio.to_thread(_in_process, role, plan.config)
    if model.mode == "vllm":
        there = bool(shutil.which("vllm") or os.environ.get("AUGMENT_CORRECTION_VLLM"))
        return Finding(
            there, name, None if there else "install vllm, or set mode: openai and base_url of a running server"
        )
    if model.api_key is None and model.host in KEYS_BY_HOST:
        return Finding(
            False,
            f"{name}: no API key for {model.host}",
            f"export {KEYS_BY_HOST[model.host]}=... or set {role}_api_key",
        )
    key = model.api_key.get_secret_value() if model.api_key else None
    reached, answer = await reachable(model.base_url, key)
    if reached and model.mode == "batch" and (missing := await _without_batches(model, key)):
        return Finding(False, f"{name}: no Batch API at {model.host}: {missing}", f"set {role}_mode: api")
    return Finding(
        reached, f"{name} at {model.host}: {answer}", None if reached else f"check {role}_base_url and {role}_api_key"
    )
