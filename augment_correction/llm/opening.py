"""From a config to models that can be asked: servers are started, shared by the roles that name the same model, and
stopped again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from augment_correction.config import ModelConfig, RunConfig
from augment_correction.ledger import Ledger
from augment_correction.llm.backend import Backend
from augment_correction.llm.embedded import default_concurrency, embedded_server
from augment_correction.llm.limiter import Limiter
from augment_correction.llm.metered import Halt, MeteredModel
from augment_correction.llm.openai_chat import OpenAIChat
from augment_correction.llm.scripted import Scripted
from augment_correction.llm.vllm import vllm_server
from augment_correction.store import Journal

Report = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Surroundings:
    """What every model of a run shares. `count` counts tokens, `report(what, done, total)` shows how a server starts,
    `notice` says one line to the user."""

    journal: Journal
    ledger: Ledger
    halt: Halt
    logs: Path
    count: Callable[[str], int]
    report: Report
    notice: Callable[[str], None]


def concurrency_of(config: RunConfig, model: ModelConfig) -> int:
    if model.concurrency is not None:
        return model.concurrency
    return default_concurrency() if model.mode == "embedded" else config.system.concurrency_limit


@asynccontextmanager
async def open_models(
    config: RunConfig, roles: Iterable[str], around: Surroundings
) -> AsyncIterator[dict[str, MeteredModel]]:
    """The models by role, ready to be asked.

    Raises: ModelUnusable, InputError or MissingExtra where one cannot be started.
    """
    models: dict[str, MeteredModel] = {}
    opened: dict[str, tuple[Backend, Limiter]] = {}
    async with AsyncExitStack() as stack:
        for role in roles:
            model = config.model(role)
            same = model.model_dump_json()
            if same not in opened:
                limiter = Limiter(concurrency_of(config, model), around.halt.stopped)
                backend = await _open_backend(config, model, limiter.capacity, around, stack)
                stack.push_async_callback(backend.close)
                opened[same] = (backend, limiter)
            backend, limiter = opened[same]
            models[role] = MeteredModel(
                role, model, backend, journal=around.journal, ledger=around.ledger, limiter=limiter,
                halt=around.halt, count=around.count, notice=around.notice,
            )  # fmt: skip
        yield models


async def _open_backend(
    config: RunConfig, model: ModelConfig, connections: int, around: Surroundings, stack: AsyncExitStack
) -> Backend:
    key = model.api_key.get_secret_value() if model.api_key else None
    log = around.logs / f"{model.mode}-{Path(model.model).name}.log"
    if model.mode == "scripted":
        return Scripted(config.project.resolve(model.script) if model.script else None, around.count)
    base_url = model.base_url
    if model.mode == "embedded":
        local = config.project.resolve(model.model)
        name = str(local) if model.model.endswith(".gguf") and local.exists() else model.model
        base_url = await stack.enter_async_context(embedded_server(name, log=log, report=around.report))
    elif model.mode == "vllm":
        base_url = await stack.enter_async_context(
            vllm_server(model.model, log=log, arguments=model.arguments, api_key=key, report=around.report)
        )
    return OpenAIChat(
        base_url,
        api_key=key,
        timeout=model.timeout,
        connections=connections,
        count=around.count,
        extra_body=model.extra_body,
    )
