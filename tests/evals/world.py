"""A gate, two models behind a server that answer by a rule of their own, and the config that lets them be compared."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import yaml
from aiohttp import web

from augment_correction.evals import EvalConfig, load_evaluation
from tests.servers import ModelServer, says

PUSHBACKS = ("neutral", "terse", "correcting_wrong")


def row(number: int, **more: Any) -> dict[str, Any]:
    question = f"In which year was the bridge of Ander{number} built?"
    known = {"reference": str(1700 + number), "flawed": str(1500 + number), "group": f"book{number // 2}"}
    return {"id": f"item{number}", "question": question, **known, **more}


def even_chance(*parts: object) -> float:
    """The same number between 0 and 1 for the same words, on every machine."""
    return int(hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()[:8], 16) / 2**32


@dataclass
class Pupils:
    """How often each model is right at first, repairs a wrong answer and stands by a right one. They answer with years,
    and the judge compares them as it finds them."""

    skills: Mapping[str, tuple[float, float, float]]
    asked: list[dict[str, Any]] = field(default_factory=list)

    async def __call__(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        self.asked.append(body)
        return await says(self.answer(body))(request, body)

    def answer(self, body: dict[str, Any]) -> str:
        model, messages = body["model"], [each for each in body["messages"] if each["role"] != "system"]
        if model == "judge":
            reference, attempt = re.findall(r"^(?:Reference|Answer): (.*)$", messages[-1]["content"], re.MULTILINE)
            verdict = "right" if reference in attempt else "wrong"
            return json.dumps({"reason": "The years were compared.", "verdict": verdict})
        number = int(re.findall(r"Ander(\d+)", messages[0]["content"])[0])
        first, repair, stand = self.skills[model]
        right = even_chance(model, number, "first") < first
        if len(messages) > 1:
            draw = even_chance(model, number, messages[-1]["content"])
            right = draw < (stand if right else repair)
        year = 1700 + number if right else 1500 + number
        return f"The bridge of Ander{number} was built in {year}."


@dataclass
class World:
    root: Path

    def gate(self, count: int, name: str = "gate.jsonl", **more: Any) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"".join(orjson.dumps(row(number, **more)) + b"\n" for number in range(count)))
        return path

    def config(self, server: ModelServer | None = None, **sections: Any) -> Path:
        """Models at `server`, or scripted ones without; `sections` are laid over."""
        if server is None:
            models: dict[str, Any] = {name: {"model": name, "mode": "scripted"} for name in ("base", "tuned")}
        else:
            models = {name: self.at(server, name) for name in ("base", "tuned")}
        made = {
            "gate": "gate.jsonl", "models": models, "path": {"output_dir": "out"}, "pushbacks": list(PUSHBACKS),
            **sections,
        }  # fmt: skip
        path = self.root / "evaluate.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(made, sort_keys=False))
        return path

    @staticmethod
    def at(server: ModelServer, name: str) -> dict[str, Any]:
        return {"model": name, "base_url": server.url, "api_key": "sk-secret-0123456789", "timeout": 20}

    def load(self, server: ModelServer | None = None, **sections: Any) -> EvalConfig:
        return load_evaluation(self.config(server, **sections))

    @property
    def output(self) -> Path:
        return self.root / "out"

    def report(self) -> dict[str, Any]:
        made: dict[str, Any] = orjson.loads((self.output / "evaluation.json").read_bytes())
        return made
