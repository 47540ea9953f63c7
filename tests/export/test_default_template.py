"""How rows are written where the config does not say it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from augment_correction.export import load_chat_template
from augment_correction.project import bundled
from tests.export.models import CHATML, LLAMA, LLAMA3, QWEN, save
from tests.projects import MadeProject

UNSET: dict[str, Any] = {"prompt_template": None}
SHIPPED_CHATML = (bundled() / "prompts" / "chat_templates" / "chatml.jinja").read_text("utf-8").removesuffix("\n")


def without_template(folder: Path) -> None:
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "chat_template": None}))


@pytest.mark.parametrize("key", ["base model", "tokenizer"])
def test_the_models_own_template_where_its_tokenizer_is_here(project: MadeProject, key: str) -> None:
    save(LLAMA, project.root / "model")
    sections = (
        {"training": {"base_model": "model"}, "system": UNSET}
        if key == "base model"
        else {"system": {**UNSET, "tokenizer": "model"}}
    )
    made = load_chat_template(project.load(**sections))
    assert (made.name, made.source, made.bos_token) == ("the chat template of model", LLAMA3, "<|begin_of_text|>")


def test_a_model_of_the_hugging_face_cache(project: MadeProject, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = project.root / "cache"
    save(replace(QWEN), cache / "models--Some--Model" / "snapshots" / "abc")
    monkeypatch.setenv("HF_HUB_CACHE", str(cache))
    made = load_chat_template(project.load(training={"base_model": "Some/Model"}, system=UNSET))
    assert (made.name, made.source) == ("the chat template of Some/Model", CHATML)


def test_chatml_where_it_is_not_here(project: MadeProject) -> None:
    made = load_chat_template(project.load(system=UNSET))
    assert (made.name, made.source, made.bos_token) == ("chatml", SHIPPED_CHATML, "")


def test_chatml_after_the_models_bos_where_it_has_no_template(project: MadeProject) -> None:
    without_template(save(LLAMA, project.root / "model"))
    made = load_chat_template(project.load(training={"base_model": "model"}, system=UNSET))
    assert made.name == "chatml"
    assert made.render([{"role": "user", "content": "Hi"}]) == "<|begin_of_text|><|im_start|>user\nHi<|im_end|>\n"


def test_what_the_config_names_is_taken_whatever_model_is_here(project: MadeProject) -> None:
    save(LLAMA, project.root / "model")
    made = load_chat_template(project.load(training={"base_model": "model"}, system={"prompt_template": "chatml"}))
    assert (made.name, made.source) == ("chatml", SHIPPED_CHATML)


def test_a_run_says_which_template_it_took_and_proves_its_rows(project: MadeProject) -> None:
    save(LLAMA, project.root / "model")
    project.facts(range(3))
    result = project.run(training={"base_model": "model"}, system=UNSET)
    assert "the rows are written with the chat template of model (system.prompt_template is not set)" in result.notices
    assert result.verification is not None and not result.verification.wrong
    assert project.dataset()[0]["segments"][0]["text"].startswith("<|begin_of_text|><|start_header_id|>user")
