"""How many actors, how much each of them may do at once, and how passages are packed for them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from augment_correction.config import RunConfig
from augment_correction.errors import ConfigError
from augment_correction.llm.opening import concurrency_of

CALLS_PER_ACTOR = 128
"""In flight. One core does more (0.5 to 0.8 ms of CPU per call), but a death costs what is in flight."""


LARGEST_BATCH = 128
"""Passages. Ray takes about half a millisecond for a batch of any size."""


@dataclass(frozen=True)
class Crew:
    """`batch` passages travel together; an actor works on `batches` of them at once."""

    actors: int
    batch: int
    batches: int


def refuse_alone(config: RunConfig, roles: Iterable[str]) -> None:
    """Raises: ConfigError for a model that only one process can use, or that each actor would start for itself."""
    for role in roles:
        mode = config.model(role).mode
        if mode in ("vllm", "embedded", "hf"):
            raise config.error(
                ("api", f"{role}_mode"),
                f"--engine ray needs a server that all machines reach; {mode} starts one inside the run",
                f"start the server yourself (vllm serve ...) and set {role}_mode: api and {role}_base_url",
            )
        if mode == "batch":
            raise config.error(
                ("api", f"{role}_mode"),
                "a Batch API needs no cluster: one process submits all requests and waits",
                "leave --engine ray out",
            )


def crew_for(config: RunConfig, roles: Iterable[str], *, nodes: int, cpus: int) -> Crew:
    """At least one actor per node, so that a node's death costs its share only; not more than the smallest cap.

    Several batches at once: an actor never waits for the slowest passage of one of them.
    """
    models = {model.model_dump_json(): concurrency_of(config, model) for model in map(config.model, roles)}
    calls = sum(models.values())
    actors = max(1, min(cpus, *models.values(), max(nodes, calls // CALLS_PER_ACTOR)))
    window = math.ceil(calls / actors) + 4
    batch = max(1, min(LARGEST_BATCH, window // 2))
    return Crew(actors, batch, math.ceil(1.25 * window / batch) + 1)


def share_of(config: RunConfig, roles: Iterable[str], slot: int, actors: int) -> RunConfig:
    """The config as actor number `slot` sees it. The shares add up to the limits exactly: calls in flight are whole
    numbers, the first slots have one more, and `crew_for` makes no more actors than there are calls."""
    models = {}
    for role in roles:
        model = config.model(role)
        update: dict[str, int | float] = {"concurrency": _part(concurrency_of(config, model), slot, actors)}
        for name, limit in (("rpm", model.rpm), ("tpm", model.tpm)):
            if limit is not None:
                update[name] = limit / actors
        models[role] = model.model_copy(update=update)
    return config.model_copy(update={"api": config.api.model_copy(update=models)})


def _part(whole: int, slot: int, actors: int) -> int:
    return max(1, whole // actors + (slot % actors < whole % actors))


def check_address(address: str | None) -> None:
    """Raises: ConfigError for Ray Client, whose driver is on no node of the cluster: the board has to run beside it."""
    if address is not None and address.startswith("ray://"):
        raise ConfigError(
            f"--ray-address {address}: Ray Client is not supported",
            hint="start this command on a node of the cluster with --ray-address auto",
        )
