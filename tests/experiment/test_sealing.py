"""Sets that share nothing, drawn by document."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import orjson
import pytest

from augment_correction.errors import InputError
from augment_correction.experiment.config import ExperimentConfig
from augment_correction.experiment.sealing import digest, read_sets
from tests.experiment.world import config_of, questions


def write(path: Path, rows: list[dict[str, Any]]) -> str:
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    return str(path)


def with_items(root: Path, rows: list[dict[str, Any]], **sets: Any) -> ExperimentConfig:
    config = config_of(root)
    shares = {"probe": 0.3, "pool": 0.3, "dev": 0.25, "final": 0.15, **sets}
    return ExperimentConfig.model_validate(
        {**config.model_dump(exclude={"memory", "student", "generator", "verifier", "judge"}), "student": config.student,
         "items": write(root / "items.jsonl", rows), "sets": shares}
    )  # fmt: skip


def test_documents_passages_and_near_questions_stay_in_one_set(tmp_path: Path) -> None:
    rows = [
        {**row, "group": f"own-{row['id']}", "passage": f"shared {at // 5}"} for at, row in enumerate(questions(20))
    ]
    rows += [
        {"id": f"near-{at}", "group": f"near-{at}", "question": row["question"].upper(), "reference": "x"}
        for at, row in enumerate(rows[::7])
    ]  # fmt: skip
    sets = read_sets(with_items(tmp_path, rows)).named()
    assert sum(map(len, sets.values())) == len(rows)
    for (_, one), (_, other) in combinations(sets.items(), 2):
        for name in ("group", "passage"):
            assert not {getattr(item, name) for item in one if getattr(item, name)} & {
                getattr(item, name) for item in other
            }
    place = {item.id: name for name, items in sets.items() for item in items}
    assert all(place[f"near-{at}"] == place[row["id"]] for at, row in enumerate(rows[:100:7]))


def test_each_category_is_divided_as_the_whole(tmp_path: Path) -> None:
    sets = read_sets(config_of(tmp_path))
    for topic in ("bridges", "hives", "tides", "mills", "clocks"):
        assert [
            sum(item.category == topic for item in held) for held in (sets.probe, sets.pool, sets.dev, sets.final)
        ] == [8, 12, 14, 6]


def test_the_same_files_are_divided_the_same_way_and_another_seed_otherwise(tmp_path: Path) -> None:
    one, again = read_sets(config_of(tmp_path)), read_sets(config_of(tmp_path))
    other = read_sets(config_of(tmp_path, seed=7))
    assert digest(one.dev) == digest(again.dev) != digest(other.dev)


def test_sets_of_files_that_share_a_passage_or_ask_the_same_are_refused(tmp_path: Path) -> None:
    rows = questions(4)
    paths = {
        name: write(tmp_path / f"{name}.jsonl", rows[at::4])
        for at, name in enumerate(("probe", "pool", "dev", "final"))
    }
    with pytest.raises(InputError, match=r"the (group|passage) of the question .* stands in two sets"):
        read_sets(with_items(tmp_path, rows, **paths))
    alone = [{**row, "group": row["id"], "passage": ""} for row in rows]
    alone[1] = {**alone[1], "question": alone[0]["question"].upper()}
    paths = {
        name: write(tmp_path / f"{name}.jsonl", alone[at::4])
        for at, name in enumerate(("probe", "pool", "dev", "final"))
    }
    with pytest.raises(InputError, match="ask nearly the same"):
        read_sets(with_items(tmp_path, alone, **paths))


@pytest.mark.parametrize("name", ["probe", "dev", "sentinel"])
def test_a_file_that_is_not_there_is_told_with_the_key_that_names_it(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"there are no questions at .*gone\.jsonl") as told:
        read_sets(with_items(tmp_path, questions(1), **{name: str(tmp_path / "gone.jsonl")}))
    assert told.value.hint == f"correct the path under `sets.{name}`"
    config = with_items(tmp_path, questions(1)).model_copy(update={"items": (str(tmp_path),)})
    with pytest.raises(InputError) as told:
        read_sets(config)
    assert told.value.hint and told.value.hint.endswith("name a .jsonl file under `items`")


def test_an_empty_set_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the set dev is empty"):
        read_sets(with_items(tmp_path, questions(1)[:2]))
