"""A chat's config is a run's with one section more."""

from __future__ import annotations

import pytest

from augment_correction.config import load_config
from augment_correction.corrections.config import load_chat
from augment_correction.corrections.preparing import pipeline_of
from augment_correction.errors import ConfigError
from augment_correction.plan import make_plan


def test_the_shipped_one_fits_its_pipeline() -> None:
    config = load_chat("chat")
    assert make_plan(config, reads=False).roles == ("large", "target")
    counts = {stage.name: getattr(stage, "count", None) for stage in pipeline_of(config).stages}
    assert (counts["wordings"], counts["demonstrations"]) == (8, 4)


def test_other_commands_say_whose_it_is() -> None:
    with pytest.raises(ConfigError, match="corrections"):
        load_config("chat")
    with pytest.raises(ConfigError, match="is a config of `run`, and `chat` needs one of its own"):
        load_chat("smoke")
    with pytest.raises(ConfigError, match="is a config of `worker run`, and `chat` needs one of its own"):
        load_chat("worker")


def test_a_chat_needs_a_model(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("p") / "chat.yaml"
    path.write_text("pipeline: chat_correction\napi: {}\npath: {output_dir: out}\ncorrections: {}\n")
    with pytest.raises(ConfigError, match="a model to chat with"):
        load_chat(path)


@pytest.mark.parametrize("key", ["num_prompt_variations=0", "method=dpo", "context=none", "nonsense=1"])
def test_what_means_nothing_is_refused(key: str) -> None:
    with pytest.raises(ConfigError):
        load_chat("chat", [f"corrections.{key}"])
