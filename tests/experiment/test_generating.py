"""Training examples out of the shipped pipelines, by a scripted generator; no torch is needed for it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("tokenizers", reason="needs the extra tokenizer")

from augment_correction.errors import ConfigError, UserError
from augment_correction.experiment.config import ExperimentConfig, load_experiment
from augment_correction.experiment.generating import ANGLES, Counting, Generation, passages_of, run_config_of
from augment_correction.experiment.operations import Source
from augment_correction.experiment.running import refuse
from augment_correction.experiment.weak import Looked, Observation
from augment_correction.export.chat_template import ChatTemplate
from augment_correction.export.tokenizer import load_tokenizer
from augment_correction.rows import Item
from augment_correction.usage import Price
from tests.experiment.project import project_of, rows
from tests.export.models import CHATML, QWEN, save
from tests.servers import ModelServer, fails


@pytest.fixture
def counting(tmp_path: Path) -> Counting:
    folder = save(QWEN, tmp_path / "tokenizer")
    return Counting(load_tokenizer(str(folder), folder), ChatTemplate("chatml", CHATML))


def sources(count: int = 3) -> list[Source]:
    made = []
    for row in rows(count):
        item = Item(row["question"], row["reference"], row["category"], row["id"], row["group"], passage=row["passage"])
        made.append(Source(Looked(item, Observation("In 9.", False), True, False, 1.0), 3))
    return made


def config_of(root: Path, **chosen: Any) -> ExperimentConfig:
    return load_experiment(project_of(root, root / "model", data_generation=chosen))


def test_each_variation_is_a_passage_of_its_own_with_all_that_is_known(tmp_path: Path) -> None:
    made = passages_of(sources(1))
    assert len({each.text for each in made}) == 3
    assert [each.metadata["angle"] for each in made] == list(ANGLES[:3])
    assert all("Its keeper rang a bell" in each.text and "Answer: The bridge of ander0" in each.text for each in made)
    assert made[0].metadata["answer"] == "In 9."


def test_examples_are_verified_counted_and_apart_from_what_is_held_out(tmp_path: Path, counting: Counting) -> None:
    generation = Generation(config_of(tmp_path / "p"), counting)
    made, tokens, _ = generation.generate(sources(), tmp_path / "run", [], None)
    assert len(made.examples) == 9 and not made.lost
    first = made.examples[0]
    assert first.tokens == counting.trained([first.conversation])[0] > 0
    assert [turn.train for turn in first.conversation.turns] == [False, True]
    assert tokens["judge"]["requests"] == 9, "the verifier was asked about each"
    near = Item(made.examples[4].conversation.turns[0].text.upper(), "x", id="held", group="held")
    apart, _, _ = generation.generate(sources(), tmp_path / "run", [near], None)
    assert len(apart.examples) == 8 and apart.lost == {"near_held_out": 1}


def test_the_improved_answer_alone_is_trained(tmp_path: Path, counting: Counting) -> None:
    generation = Generation(config_of(tmp_path / "p", self_critique=True), counting)
    made, _, _ = generation.generate(sources(), tmp_path / "run", [], None)
    assert len(made.examples) == 9
    assert all("improved fact" in each.conversation.turns[0].text for each in made.examples)
    assert all(len(each.conversation.turns) == 2 for each in made.examples), (
        "neither the first version nor the criticism"
    )


def test_what_is_wrong_with_the_generator_is_told_by_the_experiment_s_own_keys(
    tmp_path: Path, counting: Counting, server: ModelServer
) -> None:
    server.usual = fails(400, "this model has a maximum context length of 9 tokens")
    writer = {"model": "writer", "base_url": server.url, "api_key": "sk-x", "concurrency": 5}
    config = load_experiment(project_of(tmp_path / "p", tmp_path / "model", generator=writer))
    with pytest.raises(UserError) as told:
        Generation(config, counting).generate(sources(), tmp_path / "run", [], None)
    assert told.value.hint == "shorten the passages of the questions, or use a model with a longer context"
    closed = {**writer, "base_url": "http://127.0.0.1:9/v1", "retries": 0}
    config = load_experiment(project_of(tmp_path / "p", tmp_path / "model", generator=closed))
    with pytest.raises(UserError) as told:
        Generation(config, counting).generate(sources(), tmp_path / "closed", [], None)
    assert told.value.hint and "generator.base_url is right" in told.value.hint


def test_a_student_that_writes_its_own_data_is_told_and_paid_by_its_own_keys(
    tmp_path: Path, counting: Counting
) -> None:
    away = {"model": "itself", "base_url": "http://127.0.0.1:9/v1", "retries": 0}
    keys = {"student": away, "generator": None, "data_generation": {"allow_unverified_self": True}}
    config = load_experiment(project_of(tmp_path / "p", tmp_path / "model", **keys))
    with pytest.raises(UserError) as told:
        Generation(config, counting).generate(sources(), tmp_path / "run", [], None)
    assert told.value.hint and "student.base_url is right" in told.value.hint
    with pytest.raises(ConfigError) as capped:
        Generation(config, counting).generate(sources(), tmp_path / "capped", [], Decimal(1))
    assert capped.value.hint == "set cost.per_million.student"
    priced = {"per_million": {"student": {"input": 2, "output": 3}}}
    config = load_experiment(project_of(tmp_path / "q", tmp_path / "model", **keys, cost=priced))
    made = run_config_of(config, tmp_path / "run", None)
    assert {made.price(role) for role in ("large", "judge", "small")} == {Price(Decimal(2), Decimal(3))}


def test_a_verifier_is_not_paid_by_the_generator_s_price(tmp_path: Path) -> None:
    other = {"model": "other", "base_url": "http://127.0.0.1:9/v1"}
    cost = {"per_million": {"generator": {"input": 2, "output": 3}}}
    config = load_experiment(project_of(tmp_path, tmp_path / "model", verifier=other, cost=cost))
    made = run_config_of(config, tmp_path / "run", None)
    assert made.price("large") == Price(Decimal(2), Decimal(3)) and made.price("judge") is None
    assert made.price_keys("judge") == "cost.per_million.verifier"


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"data_generation": {"pipeline": "weak_aeras"}}, r"experiment\.yaml:\d+:3: the pipeline 'weak_aeras'"),
        ({"grading": {"prompt": "checks/grad"}}, "prompt 'checks/grad'"),
    ],
)
def test_what_is_read_after_the_probe_is_looked_for_before_it(tmp_path: Path, keys: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        refuse(load_experiment(project_of(tmp_path, tmp_path / "model", **keys)))


def test_without_a_verifier_nobody_is_asked_to_verify(tmp_path: Path, counting: Counting) -> None:
    path = project_of(tmp_path / "p", tmp_path / "model", data_generation={"allow_unverified_self": True})
    config = load_experiment(path).model_copy(update={"student": load_experiment(path).generator})
    assert config.writes_itself and config.checked_by is None
    _, tokens, _ = Generation(config, counting).generate(sources(), tmp_path / "run", [], None)
    assert tokens.get("judge", {"requests": 0})["requests"] == 0
