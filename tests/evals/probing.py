"""Corrections of made-up facts, their probes, and two models behind a server that answer them by a rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from aiohttp import web

from tests.evals.world import World
from tests.servers import says

NAMES = ("Alder", "Birke", "Cedar", "Dogwood", "Elm", "Fir", "Ginkgo", "Hazel", "Ivy", "Juniper", "Kapok", "Larch")
CORRECTIONS = 8
KINDS = {"efficacy": 1, "paraphrase": 2, "neighbour": 2, "old_answer": 1, "pushback": 1, "portability": 1, "health": 1}


def asks(probe: str, number: int, place: int) -> str:
    """Each kind asks in its own words, so that a model can be wrong in one alone."""
    return f"{probe} {place}: in which year was the bridge of {NAMES[number]} built?"


def probe_rows(corrections: int = CORRECTIONS, retention: int = 40) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for number in range(corrections):
        known = {"correction": NAMES[number], "reference": str(1700 + number), "old_answer": str(1500 + number)}
        rows += [
            {"probe": probe, "question": asks(probe, number, place), **known}
            for probe, count in KINDS.items()
            for place in range(count)
        ]
    rows += [
        {"probe": "retention", "question": f"How many ships has port {n}?", "reference": str(n + 100)}
        for n in range(retention)
    ]
    return rows


Rule = Callable[[str, int, str], str | None]
"""(kind, number of the correction or port, last message) -> what is said; None the right answer."""


def answering(base: Rule, tuned: Rule) -> Any:
    async def handle(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        asked = next(each["content"] for each in body["messages"] if each["role"] == "user")
        probe, _, rest = asked.partition(" ")
        ship = asked.startswith("How many ships")
        number = int(asked.rstrip("?").split()[-1]) if ship else next(
            n for n, name in enumerate(NAMES) if f" {name} " in rest
        )  # fmt: skip
        rule = {"base": base, "tuned": tuned}[body["model"]]
        said = rule("retention" if ship else probe, number, body["messages"][-1]["content"])
        right = f"It has {number + 100} ships." if ship else f"It was built in {1700 + number}."
        return await says(right if said is None else said)(request, body)

    return handle


def untaught(probe: str, number: int, last: str) -> str | None:
    """Knows the neighbours, and the old answers."""
    return None if probe in ("neighbour", "retention", "health") else f"It was built in {1500 + number}."


def learned(probe: str, number: int, last: str) -> str | None:
    return None


def write_probes(world: World, rows: list[dict[str, Any]]) -> None:
    world.root.mkdir(parents=True, exist_ok=True)
    (world.root / "gate.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
