"""`make check-vllm`: `mode: vllm` against the real vLLM, on a CPU.

A model of 135 million parameters is served; what it says is poor, and proves that a server of ours is started, waited
for, asked, watched and ended. Each line of the table is one proof; the exit code is 1 where one of them failed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from augment_correction.llm.vllm import vllm_server
from tests.vllm import proofs, speed
from tests.vllm.processes import Family
from tests.vllm.world import ARGUMENTS, World, demand

Proof = Callable[[World], str]
OnServer = Callable[[World, str], str]
PROOFS: dict[str, Proof] = {
    "a whole run: started, waited for with progress, stopped": proofs.whole_run,
    "json_schema: valid JSON, finish reasons, usage": proofs.structured_replies,
    "two roles, one model: one server, its log in the run's folder": proofs.one_server_with_its_log,
    "killed with -9: the server dies too; resumed, nothing asked twice": proofs.killed_and_resumed,
    "its engine killed with -9, as for memory": proofs.engine_killed,
    "the watchdog killed with -9": proofs.watchdog_killed,
    "Ctrl-C while it starts": proofs.interrupted,
    "Ctrl-C twice while it starts": partial(proofs.interrupted, times=2),
    "a wrong model name": proofs.wrong_name,
    "broken weights: the engine's error, not the server's": proofs.broken_weights,
    "its port taken": proofs.port_taken,
    "a LoRA adapter, by {role}_arguments": proofs.adapter,
}
ON_SERVER: dict[str, OnServer] = {
    "extra_body": proofs.extra_body,
    f"throughput at concurrency {speed.CONCURRENCY}": speed.compare,
}
SHORT = (
    "a whole run",
    "json_schema",
    "two roles",
    "killed with -9",
    "Ctrl-C while it starts",
    "a wrong model",
    "a LoRA",
    "extra_body",
)
"""How the names of those begin that prove most in a few minutes."""


@dataclass(frozen=True)
class Row:
    name: str
    holds: bool
    note: str
    seconds: float


def prove(name: str, proof: Callable[[], str]) -> Row:
    """Any exception is a proof that failed: the others are still worth knowing."""
    begun = time.monotonic()
    try:
        holds, note = True, proof()
    except Exception as failure:
        holds, note = False, f"{type(failure).__name__}: {failure}"
    row = Row(name, holds, note, time.monotonic() - begun)
    print(f"{row.seconds:4.0f} s  {'proven' if holds else 'FAILED'}  {name}: {note}", flush=True)
    return row


async def on_one_server(world: World, wanted: list[str]) -> list[Row]:
    """Without vLLM's prefix cache: it would give whoever asks second the first one's prompts."""
    arguments = [*ARGUMENTS, "--no-enable-prefix-caching"]
    async with vllm_server(str(world.model), log=world.root / "server.log", arguments=arguments) as base_url:
        # In a thread, since the proofs have event loops of their own.
        return await asyncio.to_thread(
            lambda: [prove(name, partial(ON_SERVER[name], world, base_url)) for name in wanted]
        )


def check(world: World, wanted: Callable[[str], bool]) -> list[Row]:
    rows = []
    for name in PROOFS:
        if wanted(name):
            rows.append(prove(name, partial(PROOFS[name], world)))
            if not rows[-1].holds:
                world.clean()
    served = [name for name in ON_SERVER if wanted(name)]
    rows += asyncio.run(on_one_server(world, served)) if served else []
    return [*rows, prove("nothing is left on the machine", partial(nobody_left, world))]


def nobody_left(world: World) -> str:
    families = [family for _, family in world.started]
    left = [each for family in (*families, Family(os.getpid())) for each in family.look()]
    demand(not left, left)
    return f"{len(families)} programs and all that they started are gone"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--environment", type=Path, required=True, help="where vLLM is installed")
    parser.add_argument("--work", type=Path, help="a folder to keep; a temporary one otherwise")
    parser.add_argument("--only", default="", help="proofs whose name holds this")
    parser.add_argument("--short", action="store_true", help="those that prove most in a few minutes")
    options = parser.parse_args()
    root = options.work or Path(tempfile.mkdtemp(prefix="check-vllm-"))
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    begun = time.monotonic()
    world = World(root.resolve(), options.environment.absolute())
    try:
        rows = check(world, lambda name: options.only in name and (not options.short or name.startswith(SHORT)))
    finally:
        world.clean()
        if not options.work:
            shutil.rmtree(root, ignore_errors=True)
    failed = [row for row in rows if not row.holds]
    print(f"\n{'proof':<68}{'':<8}{'seconds':>8}")
    for row in rows:
        print(f"{row.name:<68}{'proven' if row.holds else 'FAILED':<8}{row.seconds:>8.0f}")
    print(f"\n{len(rows) - len(failed)} of {len(rows)} proven in {time.monotonic() - begun:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
