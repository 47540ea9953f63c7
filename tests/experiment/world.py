"""A planted world: a student that is weak at one topic and learns a topic by its rows. The student alone is made up; how weak areas
are found, arms matched and decisions made is the program's own."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from augment_correction.experiment.config import ExperimentConfig
from augment_correction.experiment.operations import Example, Generated, Source, Trained
from augment_correction.experiment.places import Places
from augment_correction.experiment.running import ExperimentResult, conclude
from augment_correction.experiment.sealing import read_sets, seal
from augment_correction.experiment.weak import Observation, Observed
from augment_correction.records import Conversation, Turn, content_id
from augment_correction.rows import Item
from tests.evals.world import even_chance

TOPICS = ("bridges", "hives", "tides", "mills", "clocks")
WEAK = "hives"
THINGS = {"bridges": "bridge", "hives": "hive", "tides": "tide", "mills": "mill", "clocks": "clock"}


def questions(per_topic: int = 40) -> list[dict[str, Any]]:
    """Two of a document each; no two ask nearly the same."""
    made = []
    for topic in TOPICS:
        for number in range(per_topic):
            town = "".join(random.Random(f"{topic}{number}").choices("abcdefghijklmnoprstuvw", k=9)).capitalize()
            made.append(
                {
                    "id": f"{topic}-{number}", "group": f"{topic}-{number // 2}", "category": topic,
                    "question": f"In which year was the {THINGS[topic]} of {town} seen for the first time?",
                    "reference": str(1500 + number), "passage": f"{town} {number // 2} {topic}",
                }
            )  # fmt: skip
    return made


def sentinels(count: int = 30) -> list[dict[str, Any]]:
    return [
        {
            "id": f"s{number}",
            "category": "mathematics",
            "question": f"What is {number} plus {number * number}?",
            "reference": str(number + number**2),
        }
        for number in range(count)
    ]


@dataclass
class Planted:
    """`skills` by topic of the student as it is. Rows of a topic bring its skill nearer to 1: half of the way for `half` rows.
    `topical` False: any row teaches every topic as much, so that arms of as many rows have identical data. Two trainings on the
    same rows differ by `noise` (standard deviation of the skill). `forgets` is what every training takes from the sentinels."""

    places: Places
    skills: Mapping[str, float] = field(
        default_factory=lambda: {topic: 0.1 if topic == WEAK else 0.9 for topic in TOPICS}
    )
    half: float = 30
    topical: bool = True
    noise: float = 0.04
    forgets: float = 0.0
    world: int = 0
    bad: frozenset[str] = frozenset()
    asked: Counter[str] = field(default_factory=Counter)
    trainings: int = 0

    def measure(
        self, models: Mapping[str, Path | None], items: Sequence[Item], *, passages: bool = False
    ) -> dict[str, Observed]:
        return {
            name: {item.id: self._seen(item, adapter, passages) for item in items} for name, adapter in models.items()
        }

    def _seen(self, item: Item, adapter: Path | None, passages: bool) -> Observation:
        self.asked[item.id] += 1
        known = json.loads((adapter / "skills.json").read_text()) if adapter else None
        skill = known["skills"].get(item.category) if known else self.skills.get(item.category)
        if skill is None:  # a sentinel
            skill = 0.95 - (self.forgets if known else 0)
        name = known["name"] if known else "base"
        right = item.id not in self.bad and even_chance(self.world, name, item.id) < skill
        loss = 3 * (1 - skill) + even_chance(self.world, name, item.id, "loss")
        beside = 6.0 if item.id in self.bad else 0.3
        return Observation(
            item.reference if right else f"in 9{name[:3]}", right, None, loss, 4, beside if passages else None
        )

    def generate(self, sources: Sequence[Source], number: int, held: Iterable[Item]) -> Generated:
        made = [
            self._row(
                source.item, at, f"Example {at}: when was {source.item.question.split()[-6]} seen, asked in way {at}?"
            )
            for source in sources
            for at in source.numbers
        ]
        return Generated(tuple(made), {})

    def plain(self, items: Sequence[Item]) -> list[Example]:
        return [self._row(item, None, item.question) for item in items]

    @staticmethod
    def _row(item: Item, number: int | None, question: str) -> Example:
        turns = (Turn("user", question, False), Turn("assistant", item.reference, True))
        return Example(
            Conversation(content_id(question, item.id), item.category, turns, False),
            item.id,
            number,
            10 + len(item.id) % 3,
        )

    def train(self, rows: Path, folder: Path, seed: int, epochs: float) -> Trained:
        self.trainings += 1
        topics = Counter(orjson.loads(line)["kind"] for line in rows.read_bytes().splitlines())
        total = sum(topics.values())
        rng = random.Random(f"{self.world} {folder.parent.parent.name} {seed} {folder.name}")
        skills = {}
        for topic, skill in self.skills.items():
            count = topics[topic] if self.topical else total / len(TOPICS)
            learnt = 1 - 0.5 ** (count / self.half)
            skills[topic] = min(1.0, max(0.0, skill + (1 - skill) * learnt + rng.gauss(0, self.noise)))
        adapter = folder / "final"
        adapter.mkdir(parents=True, exist_ok=True)
        name = f"{folder.parent.parent.name}{seed}{folder.name}"
        (adapter / "skills.json").write_text(json.dumps({"skills": skills, "name": name}))
        return Trained(adapter, total, 10 * total, total, 1.0)

    def spending(self) -> dict[str, Any]:
        return {}


def config_of(root: Path, per_topic: int = 40, **keys: Any) -> ExperimentConfig:
    root.mkdir(parents=True, exist_ok=True)
    for name, rows in (("questions", questions(per_topic)), ("sentinels", sentinels())):
        (root / f"{name}.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    made = {
        "student": {"model": "planted", "mode": "hf"},
        "generator": {"model": "writer", "mode": "scripted"},
        "items": str(root / "questions.jsonl"),
        "sets": {"probe": 0.2, "pool": 0.3, "dev": 0.35, "final": 0.15, "sentinel": str(root / "sentinels.jsonl")},
        "path": {"output_dir": str(root / "out"), "log": str(root / "experiments" / "log.md")},
        "error_driven": {"variations_per_error": 6, "max_samples": 12, "num_weak_areas": 1},
        **keys,
    }
    return ExperimentConfig.model_validate(made)


def run_planted(
    config: ExperimentConfig, say: Any = lambda name, figures: None, **world: Any
) -> tuple[ExperimentResult, Planted]:
    places = Places(config.output_dir)
    planted = Planted(places, **world)
    sets = read_sets(config)
    return conclude(config, sets, planted, places, seal(places.root, config, sets), say), planted
