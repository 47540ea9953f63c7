"""An evaluation's config: strict, with the conveniences of a run's."""

from __future__ import annotations

import pytest

from augment_correction.errors import ConfigError
from augment_correction.evals import load_evaluation
from augment_correction.evals.config import SHIPPED_PUSHBACKS
from augment_correction.llm.hf_weights import named_by_weights
from augment_correction.project import bundled
from tests.evals.world import World


def test_the_shipped_one_loads(monkeypatch: pytest.MonkeyPatch) -> None:
    config = load_evaluation(bundled() / "configs" / "evaluate.yaml")
    assert (config.base, config.tuned) == ("base", ("tuned",))
    assert config.pushbacks == SHIPPED_PUSHBACKS


def test_all_shipped_pushbacks_are_named() -> None:
    assert {path.stem for path in (bundled() / "prompts" / "evaluate").glob("*.jinja")} == set(SHIPPED_PUSHBACKS)


def test_variables_keys_and_overrides_are_those_of_a_run(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATE", "questions.jsonl")
    monkeypatch.setenv("BASE_API_KEY", "sk-base")
    monkeypatch.setenv("TUNED_API_KEY", "sk-tuned")
    models = {name: {"model": name, "base_url": "http://u:p@127.0.0.1/v1"} for name in ("base", "tuned")}
    path = world.config(gate="${GATE}", models=models)
    config = load_evaluation(path, ["limits.max_drop_t1=0.5", "models.tuned.model=other", "gate=[a.jsonl, b.jsonl]"])
    assert config.limits.max_drop_t1 == 0.5
    assert config.gate == ("a.jsonl", "b.jsonl")
    assert load_evaluation(path).gate == ("questions.jsonl",)
    assert config.model("tuned").model == "other"
    key = config.model("base").api_key
    assert key and key.get_secret_value() == "sk-base"
    assert "sk-" not in str(config.without_secrets()) and "u:p" not in str(config.without_secrets())


def test_sampling_is_laid_over_temperature_0(world: World) -> None:
    assert world.load(sampling={"max_tokens": 900}).asked_with == {"temperature": 0, "max_tokens": 900}


def test_a_price_is_written_by_the_model_s_name(world: World) -> None:
    config = world.load(cost={"per_million": {"tuned": {"input": 1, "output": 2}}})
    price = config.price("tuned")
    assert price and (price.input, price.output) == (1, 2)
    assert config.price("base") is None


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"modles": {}}, "did you mean 'models'"),
        ({"models": {"base": {"model": "a", "moed": "hf"}}}, "did you mean 'mode'"),
        ({"models": {}}, "at least 1 item"),
        ({"models": {"judge": {"model": "a"}}}, "cannot name a model"),
        ({"grading": {"by": "judge"}}, "names no judge model"),
        ({"cost": {"per_million": {"tunde": {"input": 1, "output": 2}}}}, "names 'tunde'"),
        ({"gate": []}, "at least 1 item"),
        ({"repeats": 0}, "greater than or equal to 1"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(world: World, sections: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError) as failure:
        world.load(**sections)
    assert message in f"{failure.value} {failure.value.hint}"
    assert "evaluate.yaml:" in str(failure.value)


def test_an_adapter_is_another_model_for_the_journal(world: World) -> None:
    """`mode: hf` names models by what their weights hold, here as in a run."""
    for name, file in (("weights", "config.json"), ("lora", "adapter_config.json")):
        (world.root / name).mkdir(parents=True)
        (world.root / name / file).write_text("{}")
    (world.root / "weights" / "model.safetensors").write_bytes((2).to_bytes(8, "little") + b"{}")
    (world.root / "lora" / "adapter_model.safetensors").write_bytes((2).to_bytes(8, "little") + b"{}")
    models = {
        "base": {"model": "weights", "mode": "hf"},
        "tuned": {"model": "weights", "mode": "hf", "adapter": "lora"},
    }
    config = world.load(models=models)
    named = named_by_weights(config, config.by_role)
    assert named.model("base").model.startswith("weights@")
    assert named.model("tuned").model.startswith("weights+lora@")
