"""The models that a config names, as far as they can be checked without a paid call."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from augment_correction.config_files import require_keys
from augment_correction.errors import AugmentCorrectionError, installing
from augment_correction.ledger import price_of
from augment_correction.llm.batch_endpoint import BatchEndpoint
from augment_correction.llm.hf_rows import ChatFormat
from augment_correction.llm.hf_weights import named_by_weights
from augment_correction.llm.probing import probe
from augment_correction.llm.scripted import Scripted
from augment_correction.models import ModelConfig, ModelsConfig
from augment_correction.runner.finding import Finding, note, wrong


async def check_models(config: ModelsConfig, roles: Iterable[str]) -> list[Finding]:
    """Servers are asked side by side."""
    checked = await asyncio.gather(*(_check(config, role) for role in roles))
    return [finding for findings in checked for finding in findings]


async def _check(config: ModelsConfig, role: str) -> list[Finding]:
    model = config.model(role)
    try:
        require_keys(config, [role])
    except AugmentCorrectionError as failure:
        found = list(wrong(failure))
    else:
        found = [await _model(role, model, config)]
    try:
        price = price_of(config, role)
    except AugmentCorrectionError as failure:
        return [*found, *wrong(failure)]
    if price is None and config.max_usd is not None:
        what = f"{role} model: no price is known, so that the spending cap cannot be kept"
        found.append(Finding(False, what, f"set {config.price_keys(role)}"))
    elif price is None:
        found.append(note(f"{role} model: no price is known, so that costs will be null"))
    return found


async def _model(role: str, model: ModelConfig, config: ModelsConfig) -> Finding:
    name = f"{role} model {model.model} ({model.mode})"
    if model.mode == "scripted":
        return _scripted(name, model, config)
    if model.mode == "embedded":
        there = importlib.util.find_spec("xllamacpp") is not None
        return Finding(there, name, None if there else installing("embedded"))
    if model.mode == "hf":
        return await asyncio.to_thread(_in_process, role, config)
    if model.mode == "vllm":
        there = bool(shutil.which("vllm") or os.environ.get("AUGMENT_CORRECTION_VLLM"))
        return Finding(
            there, name, None if there else "install vllm, or set mode: openai and base_url of a running server"
        )
    return await _served(role, name, model, config)


async def _served(role: str, name: str, model: ModelConfig, config: ModelsConfig) -> Finding:
    for address in (model.base_url, *model.replicas):
        probed = await probe(
            address, model.model, model.plain_key, headers=model.plain_headers, api_version=model.api_version
        )
        if not probed.ok:
            remedy = probed.remedy or f"check {config.key_of(role, 'base_url')} and {config.key_of(role, 'api_key')}"
            return Finding(False, f"{name} at {model.at_host(address)}: {probed.said}", remedy)
    if model.mode == "batch" and (missing := await _without_batches(model)):
        return Finding(
            False, f"{name}: no Batch API at {model.host}: {missing}", f"set {config.key_of(role, 'mode')}: api"
        )
    return Finding(True, f"{name} at {model.host}: {probed.said}")


async def _without_batches(model: ModelConfig) -> str | None:
    endpoint = BatchEndpoint(
        model.base_url, model.model, api_key=model.plain_key, timeout=10.0, count=len, headers=model.plain_headers,
        api_version=model.api_version,
    )  # fmt: skip
    try:
        return await endpoint.offered()
    finally:
        await endpoint.close()


def _scripted(name: str, model: ModelConfig, config: ModelsConfig) -> Finding:
    try:
        Scripted(config.project.resolve(model.script) if model.script else None, len)
    except AugmentCorrectionError as failure:  # one finding for a script, with all of its mistakes
        return Finding(False, failure.message, failure.hint)
    return Finding(True, name)


def _in_process(role: str, config: ModelsConfig) -> Finding:
    """Reads the tokenizer and both ends of the weights, and loads no model."""
    try:
        model = named_by_weights(config, [role]).model(role)
        ChatFormat(Path(model.folder or model.model), config.project.resolve(model.adapter) if model.adapter else None)
    except AugmentCorrectionError as failure:
        return next(iter(wrong(failure)))
    return Finding(True, f"{role} model {model.model} (hf)")
