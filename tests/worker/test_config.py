"""Templates of commands, configs that cannot work, Axolotl's config of a round, secrets."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from augment_correction.errors import ConfigError
from augment_correction.launching.commands import command
from augment_correction.monitor.config import MonitorConfig
from augment_correction.project import bundled
from augment_correction.terminal import redacted
from augment_correction.worker.axolotl import write_round
from augment_correction.worker.config import load_worker
from augment_correction.worker.log import tail

MINIMAL = "train:\n  command: train {data}\ngate:\n  command: 'true'\n"


def test_values_stay_one_word_and_brackets_go_with_their_value() -> None:
    template = "train --data {data} [--adapter {parent}] --set gate=[a,b] --set x={{data}}"
    assert command(template, {"data": "a b", "parent": None}) == [
        "train", "--data", "a b", "--set", "gate=[a,b]", "--set", "x={a b}",
    ]  # fmt: skip
    assert command(template, {"data": "d", "parent": "p q"})[3:5] == ["--adapter", "p q"]


def test_a_monitor_writes_to_where_the_shipped_worker_looks() -> None:
    monitor, worker = MonitorConfig(split="monitor.jsonl"), load_worker(bundled() / "configs/worker.yaml")
    assert worker.project.resolve(monitor.queue_dir) == worker.root / "inbox"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("{data}", "{dta}"), "{dta} is not a placeholder"),
        (("{data}", "{data} --adapter {parent}"), "{parent} must stand in brackets"),
        (("{data}", "{train_config}"), "train.config is not set"),
        (("command: train {data}", "command: ''"), "train.command has only optional parts"),
        (("'true'", "'[gate {parent}]'"), "gate.command has only optional parts"),
        (("gate:", "gates:"), "did you mean 'gate'?"),
        (("gate:", "  adapter: /elsewhere\ngate:"), "train.adapter"),
    ],
)
def test_a_config_that_cannot_work_is_refused(tmp_path: Path, change: tuple[str, str], says: str) -> None:
    path = tmp_path / "worker.yaml"
    path.write_text(MINIMAL.replace(*change))
    with pytest.raises(ConfigError) as caught:
        load_worker(path)
    assert says in f"{caught.value} {caught.value.hint}"


def test_the_shipped_one_loads() -> None:
    config = load_worker(bundled() / "configs" / "worker.yaml")
    assert config.worker.max_attempts == 3
    words = command(config.gate.command, {"adapter": "a", "out": "o", "evaluate_config": "e", "python": "p"})
    assert "models.tuned.adapter=a" in words and not any("models.base.adapter" in word for word in words)


def test_axolotls_config_has_the_rounds_rows_and_the_adapter_to_go_on_from(tmp_path: Path) -> None:
    base = tmp_path / "axolotl.yaml"
    base.write_text(
        "base_model: m\ndatasets:\n  - path: old.json\n    type: input_output\ndataset_prepared_path: cache\n"
    )
    made = write_round(base, tmp_path / "made.yaml", data=tmp_path / "new.json", out=tmp_path / "out", parent="/p")
    config = yaml.safe_load(made.read_text())
    assert config["datasets"] == [{"path": str(tmp_path / "new.json"), "type": "input_output"}]
    assert (config["output_dir"], config["lora_model_dir"]) == (str(tmp_path / "out"), "/p")
    assert config["dataset_prepared_path"] == str(tmp_path / "out" / "prepared")
    base.write_text("base_model: m\n")
    with pytest.raises(ConfigError, match="must be a list of one"):
        write_round(base, made, data=tmp_path, out=tmp_path, parent=None)


def test_secrets_are_not_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "sk-very-secret")
    monkeypatch.setenv("SHORT_TOKEN", "1")
    log = tmp_path / "train.log"
    log.write_text("10 %\r90 %\nkey sk-very-secret 1\n")
    assert tail(log) == "90 %\nkey *** 1"
    assert redacted("sk-very-secret") == "***"
