"""How often a held-out set has already decided about a model.

Each look at the same questions is another chance to accept a model by luck, so that the significance level is spent over
the looks (Lan and DeMets 1983): they stand in `<gate>.looks.jsonl` beside the held-out set. More questions of the same set, or
another model, are another look; the same evaluation started again is not.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from augment_correction.evals.config import EvalConfig
from augment_correction.evals.gate import gate_path
from augment_correction.records import content_id
from augment_correction.rows import Item

WORN_OUT = 20
"""Looks after which a set should be replaced: benchmarks/acceptance.py measures as far."""


def spent_at(look: int, alpha: float) -> float:
    """The one-sided level of that look, the first being 1: alpha / 2, alpha / 6, alpha / 12, ..., at most `alpha` in all."""
    return alpha / (look * (look + 1))


@dataclass(frozen=True, slots=True)
class Look:
    """`questions` are hashes; `key` is that of what was asked of which models."""

    key: str
    questions: frozenset[str]


class Looks:
    """Those at the held-out sets of one evaluation."""

    def __init__(self, config: EvalConfig, items: Sequence[Item]) -> None:
        self._config = config
        self._questions = frozenset(content_id(item.question)[:8] for item in items)
        self._asked = sorted(f"{item.id} {content_id(item.question, item.reference)}" for item in items)
        self._files = [_beside(gate_path(config.project.resolve(path))) for path in config.gate]
        earlier: dict[str, Look] = {}
        for file in self._files:
            for number, look in enumerate(_read(file)):
                earlier.setdefault(look.key or f"{file}:{number}", look)
        self._keys = [look.key for look in earlier.values() if look.questions & self._questions]

    def number(self, tuned: str) -> int:
        """Of the look at that model, from 1; the next one where it is new, after those of the models named before it."""
        keys = [*self._keys]
        for name in self._config.tuned:
            if (key := self._key(name)) not in keys:
                keys.append(key)
            if name == tuned:
                return keys.index(key) + 1
        raise KeyError(tuned)

    def note(self, decisions: Mapping[str, Mapping[str, Any]]) -> None:
        """Write down those that are new; of a gate of probes alone there are none, for no gain is tested by them.

        Raises: OSError.
        """
        new = [name for name in decisions if self._asked and self._key(name) not in self._keys]
        for file in self._files if new else ():
            with file.open("ab") as opened:
                fcntl.flock(opened, fcntl.LOCK_EX)
                for name in new:
                    opened.write(orjson.dumps(self._line(name, decisions[name]), option=orjson.OPT_APPEND_NEWLINE))
                opened.flush()
                os.fsync(opened.fileno())

    def _line(self, name: str, decision: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "look": self.number(name),
            "model": self._config.models[name].model,
            "outcome": decision["outcome"],
            "key": self._key(name),
            "questions": sorted(self._questions),
        }

    def _key(self, tuned: str) -> str:
        config = self._config
        models = [config.models[name] for name in (config.base, tuned)]
        what = [
            [[each.model, each.base_url, each.adapter] for each in models],
            self._asked, config.pushbacks, config.repeats, config.system_prompt, config.asked_with,
        ]  # fmt: skip
        return hashlib.sha256(orjson.dumps(what, default=str, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def _beside(gate: Path) -> Path:
    return gate.with_name(f"{gate.stem}.looks.jsonl")


def _read(file: Path) -> Iterator[Look]:
    """A line that cannot be read is a look at every question: it was one, and of which is not known."""
    try:
        lines: Iterable[bytes] = file.read_bytes().splitlines() if file.exists() else ()
    except OSError:
        lines = ()
    for line in lines:
        try:
            row = orjson.loads(line)
            yield Look(str(row["key"]), frozenset(row["questions"]))
        except (ValueError, KeyError, TypeError):
            yield Look("", _Everything())


class _Everything(frozenset[str]):
    def __and__(self, other: Any) -> frozenset[str]:
        return frozenset(other)
