"""From a config to models that can be asked: servers are started, shared by the roles that name the same model, and
stopped again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from augment_correction.config_files import require_keys
from augment_correction.errors import ConfigError
from augment_correction.llm import sdk
from augment_correction.llm.adapting import Adaptation
from augment_correction.llm.backend import Backend
from augment_correction.llm.batch import CONCURRENCY, BatchQueue, BatchSession
from augment_correction.llm.batch_endpoint import BatchEndpoint
from augment_correction.llm.batch_steps import clean
from augment_correction.llm.batched import BatchedModel
from augment_correction.llm.embedded import default_concurrency, embedded_server
from augment_correction.llm.hf_weights import named_by_weights
from augment_correction.llm.limiter import AnyLimiter, Limiter, SharedLimiter
from augment_correction.llm.load_balancing import BalancedBackend
from augment_correction.llm.local_hf import CONCURRENCY as HF_CONCURRENCY
from augment_correction.llm.local_hf import LocalModels
from augment_correction.llm.metered import MeteredModel
from augment_correction.llm.openai_chat import OpenAIChat
from augment_correction.llm.scripted import Scripted
from augment_correction.llm.sdk_chat import SdkChat
from augment_correction.llm.session import Report, Session
from augment_correction.llm.vllm import vllm_server
from augment_correction.models import ModelConfig, ModelsConfig, without_credentials
from augment_correction.store import Batches


def concurrency_of(config: ModelsConfig, model: ModelConfig) -> int:
    if model.concurrency is not None:
        return model.concurrency
    if model.mode == "batch":
        return CONCURRENCY
    if model.mode == "hf":
        return HF_CONCURRENCY
    return default_concurrency() if model.mode == "embedded" else config.concurrency


@asynccontextmanager
async def open_models(
    config: ModelsConfig, roles: Iterable[str], session: Session, in_process: LocalModels | None = None
) -> AsyncIterator[dict[str, MeteredModel]]:
    """The models by role, ready to be asked. Whoever opens models for many at once shares `in_process` among them: base weights are
    then in memory once.

    Raises: ConfigError where API keys are missing; ModelUnusable, InputError or MissingExtra where one cannot be started.
    """
    roles = tuple(roles)
    require_keys(config, roles)
    config = named_by_weights(config, roles)
    if any(config.model(role).mode == "batch" or config.model(role).client == "sdk" for role in roles):
        await sdk.load()
    in_process = in_process or LocalModels()
    models: dict[str, MeteredModel] = {}
    opened: dict[str, Backend] = {}
    limiters = _Limiters(config, roles, session)
    adapted: dict[str, Adaptation] = {}
    async with AsyncExitStack() as stack:
        queues = _Queues(config, session, stack)
        for role in roles:
            model = config.model(role)
            place = f"{model.mode} {model.base_url} {model.model} {model.reasoning_tokens}"
            adaptation = adapted.setdefault(place, Adaptation(model.model, session.notice, room=model.reasoning_tokens))
            if model.mode == "batch":
                models[role] = queues.model(role, model, limiters.of(model), adaptation)
                continue
            same, limiter = _account(model, model.model_dump_json()), limiters.of(model)
            if same not in opened:
                opened[same] = await _open_backend(config, model, limiter, session, stack, in_process)
                stack.push_async_callback(opened[same].close)
            backend = opened[same]
            models[role] = MeteredModel(
                role, model, backend, journal=session.journal, ledger=session.ledger, limiter=limiter,
                halt=session.halt, adaptation=adaptation, keys=config,
            )  # fmt: skip
        yield models


def _account(model: ModelConfig, at: str) -> str:
    """What a server takes for one and the same customer `at` an address: another key, or other headers, are another one's.
    A dump of the config would hide them, as secrets."""
    return f"{at} {model.plain_key or ''} {model.plain_headers}"


class _Limiters:
    """One for each model; models of one account at one server share what it allows, also where only some of their addresses are
    the same. Two limiters on one server each take the
    other's calls for its own limit, and both are refused more (measured: 58 instead of 35 of 2,000 calls)."""

    def __init__(self, config: ModelsConfig, roles: Iterable[str], session: Session) -> None:
        self._config, self._session = config, session
        self._made: dict[str, AnyLimiter] = {}
        at_servers: list[tuple[frozenset[str], dict[str, ModelConfig]]] = []
        for model in map(config.model, roles):
            places, models = self._servers(model), {_account(model, model.model_dump_json()): model}
            for each in [each for each in at_servers if each[0] & places]:
                at_servers.remove(each)
                places, models = places | each[0], {**each[1], **models}
            at_servers.append((places, models))
        for _, models in at_servers:
            self._share(models)

    def of(self, model: ModelConfig) -> AnyLimiter:
        return self._made[_account(model, model.model_dump_json())]

    def _servers(self, model: ModelConfig) -> frozenset[str]:
        """Where its account may meet another model's. Models that are started for the run, or wait in batches, have a place of
        their own. An address is the same with a slash at its end, and in capitals."""
        if model.mode != "api":
            return frozenset([_account(model, model.model_dump_json())])
        addresses = (model.base_url, *model.replicas)
        return frozenset(_account(model, each.rstrip("/").lower()) for each in addresses)

    def _share(self, models: Mapping[str, ModelConfig]) -> None:
        stopped, notice = self._session.halt.stopped, self._session.notice
        most = {same: concurrency_of(self._config, model) for same, model in models.items()}
        if len(models) == 1:
            for same, model in models.items():
                self._made[same] = Limiter(most[same], stopped, rpm=model.rpm, tpm=model.tpm, notice=notice)
            return
        server = Limiter(sum(most.values()), stopped, notice=notice)
        for same, model in models.items():
            self._made[same] = SharedLimiter(most[same], server, stopped, rpm=model.rpm, tpm=model.tpm)


class _Queues:
    """The queues of batched models. Roles with one model at one place share its queue, for it takes up the batches that
    an earlier run made there; how each role spells its requests (`extra_body`) stays its own."""

    def __init__(self, config: ModelsConfig, session: Session, stack: AsyncExitStack) -> None:
        self._config, self._session, self._stack = config, session, stack
        self._board: dict[str, str] = {}
        self._queues: dict[tuple[str, str], BatchQueue] = {}
        self._keys: dict[tuple[str, str], str | None] = {}

    def model(self, role: str, model: ModelConfig, limiter: AnyLimiter, adaptation: Adaptation) -> BatchedModel:
        """Raises: ConfigError on a cluster, or where the batches of one model would go to two accounts."""
        session = self._session
        if session.batches is None:
            raise ConfigError(
                f"{self._config.key_of(role, 'mode')}: batch works only on one machine",
                hint="run it without --engine ray",
            )
        if model.replicas:
            raise ConfigError(
                f"{self._config.key_of(role, 'base_url')}: a batch needs a single address", hint="name only one address"
            )
        key = model.plain_key
        endpoint = BatchEndpoint(
            model.base_url,
            model.model,
            api_key=key,
            timeout=model.timeout,
            count=session.count,
            extra_body=model.extra_body,
            headers=model.plain_headers,
            api_version=model.api_version,
        )
        self._stack.push_async_callback(endpoint.close)
        place = (endpoint.base_url, model.model)
        if self._keys.setdefault(place, key) != key:
            raise ConfigError(
                f"both roles use batches of {model.model} with different API keys", hint="use one key for both"
            )
        if place not in self._queues:
            self._queues[place] = self._open(endpoint, session.batches)
        return BatchedModel(
            role, model, queue=self._queues[place], endpoint=endpoint, journal=session.journal, ledger=session.ledger,
            limiter=limiter, halt=session.halt, adaptation=adaptation, keys=self._config,
        )  # fmt: skip

    def _open(self, endpoint: BatchEndpoint, batches: Batches) -> BatchQueue:
        session, folder = self._session, self._session.logs / "batches"
        if not self._queues:
            clean(folder)
        shared = BatchSession(
            batches, session.journal, session.ledger, session.halt, folder, self._board, session.report, session.notice
        )
        queue = BatchQueue(endpoint, shared)
        self._stack.push_async_callback(queue.close)
        queue.open()
        return queue


async def _open_backend(
    config: ModelsConfig,
    model: ModelConfig,
    limiter: AnyLimiter,
    session: Session,
    stack: AsyncExitStack,
    in_process: LocalModels,
) -> Backend:
    if model.mode == "scripted":
        return Scripted(config.project.resolve(model.script) if model.script else None, session.count)
    if model.mode == "hf":
        adapter = config.project.resolve(model.adapter) if model.adapter else None
        return await _load(in_process, model, adapter, session.report)
    base_url = await _started(config, model, limiter, session, stack)
    if model.replicas:
        addresses = (base_url, *model.replicas)
        servers = [(without_credentials(each), _client(each, model, limiter, session)) for each in addresses]
        return BalancedBackend(servers, session.notice)
    return _client(base_url, model, limiter, session)


async def _started(
    config: ModelsConfig, model: ModelConfig, limiter: AnyLimiter, session: Session, stack: AsyncExitStack
) -> str:
    """The address of the server; in the modes `embedded` and `vllm` the server is started first."""
    around: dict[str, Any] = {
        "log": session.logs / f"{model.mode}-{Path(model.model).name}.log",
        "report": session.report,
        "died": session.halt.because,
    }
    if model.mode == "embedded":
        local = config.project.resolve(model.model)
        name = str(local) if model.model.endswith(".gguf") and local.exists() else model.model
        return await stack.enter_async_context(embedded_server(name, slots=limiter.maximum, **around))
    if model.mode == "vllm":
        starting = vllm_server(model.model, arguments=model.arguments, api_key=model.plain_key, **around)
        return await stack.enter_async_context(starting)
    return model.base_url


def _client(address: str, model: ModelConfig, limiter: AnyLimiter, session: Session) -> Backend:
    kind = partial(SdkChat, api_version=model.api_version) if model.client == "sdk" else OpenAIChat
    return kind(
        address,
        api_key=model.plain_key,
        timeout=model.timeout,
        connections=limiter.maximum,
        count=session.count,
        extra_body=model.extra_body,
        headers=model.plain_headers,
        note_limits=limiter.note_limits,
    )


async def _load(models: LocalModels, model: ModelConfig, adapter: Path | None, report: Report) -> Backend:
    report(f"loading {model.model}", 0, 0)
    try:
        return await asyncio.to_thread(models.open, Path(model.folder or model.model), adapter, model.extra_body)
    finally:
        report("", 0, 0)
