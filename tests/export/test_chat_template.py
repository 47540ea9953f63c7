"""What the chat templates of real models use is rendered as Transformers renders it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from augment_correction.errors import ConfigError
from augment_correction.export import ChatTemplate, load_chat_template
from augment_correction.export.axolotl_chat import served_template
from augment_correction.export.chat_template import (
    TOKENIZER_FILES,
    find_tokenizer,
    read_tokenizer_config,
    token_text,
    writes_bos,
)
from tests.projects import MadeProject

MESSAGES = [{"role": "user", "content": "Which?"}, {"role": "assistant", "content": "Ander."}]
GENERATION = (
    "{%- for m in messages %}\n<|{{ m.role }}|>\n"
    "{% if m.role == 'assistant' %}{% generation %}{{ m.content }}{{ eos_token }}{% endgeneration %}"
    "{% else %}{{ m.content }}{% endif %}\n{%- endfor %}"
)
DATED = (
    "{%- if not date_string is defined %}{%- if strftime_now is defined %}"
    "{%- set date_string = strftime_now('%d %b %Y') %}"
    "{%- else %}{%- set date_string = 'unknown' %}{%- endif %}{%- endif %}"
    "Today is {{ date_string }}.{% for m in messages %}\n<{{ m.role }}>{{ m.content }}</s>{% endfor %}"
)


def test_generation_marks_are_no_text() -> None:
    made = ChatTemplate("mine", GENERATION, eos_token="</s>").render(MESSAGES)
    assert made == ChatTemplate("mine", GENERATION.replace("{% generation %}", "").replace("{% endgeneration %}", ""),
                                eos_token="</s>").render(MESSAGES)  # fmt: skip
    assert "Ander.</s>" in made and "generation" not in made


def test_variables_set_inside_a_generation_block_are_seen_inside_it() -> None:
    source = (
        "{% for m in messages %}{% generation %}{% set text = m.content %}<{{ text }}>{% endgeneration %}{% endfor %}"
    )
    assert ChatTemplate("mine", source).render(MESSAGES) == "<Which?><Ander.>"


def test_today_is_the_same_day_on_every_day_and_that_is_said() -> None:
    template = ChatTemplate("dated", DATED)
    assert template.render(MESSAGES).startswith("Today is 26 Jul 2024.")
    assert template.dated is not None and "26 Jul 2024" in template.dated
    assert ChatTemplate("plain", GENERATION).dated is None


@pytest.mark.parametrize("call", ["strftime_now('%d %b %Y')", 'strftime_now( "%d %b %Y" )'])
def test_a_server_gets_the_date_of_the_rows(call: str) -> None:
    template = ChatTemplate("dated", DATED.replace("strftime_now('%d %b %Y')", call))
    served = served_template(template)
    assert call not in served
    assert ChatTemplate("served", served).render(MESSAGES) == template.render(MESSAGES)


@pytest.mark.parametrize(
    ("arguments", "spelled"),
    [("", '{"b": "é", "a": 1}'), ("ensure_ascii=True, sort_keys=True", '{"a": 1, "b": "\\u00e9"}'),
     ("separators=(',', ':')", '{"b":"é","a":1}')],
)  # fmt: skip
def test_tojson_takes_what_templates_hand_it(arguments: str, spelled: str) -> None:
    made = ChatTemplate("mine", "{{ messages[0] | tojson(" + arguments + ") }}").render([{"b": "é", "a": 1}])
    assert made == spelled


def test_what_is_wrong_in_a_template_is_told_with_its_line() -> None:
    with pytest.raises(ConfigError, match=r"mine is not valid Jinja2 \(line 3\)"):
        ChatTemplate("mine", "{% if messages %}\n{% endif %}\n{% endif %}").render(MESSAGES)


def test_a_template_is_handed_what_transformers_hands_it() -> None:
    source = (
        "{{ bos_token }}|{{ eos_token }}|{{ add_generation_prompt }}|{{ tools is none }}|{{ documents is none }}|\n"
        "  {% for m in messages %}\n{% if loop.last %}{% break %}{% endif %}{{ m.role }}{% endfor %}"
    )
    assert ChatTemplate("mine", source, "<s>", "</s>").render(MESSAGES) == "<s>|</s>|False|True|True|\nuser"


def tokenizer(folder: Path, post_processor: Any = None, **config: Any) -> dict[str, Any]:
    """The configuration of a made tokenizer, read back; without a tokenizer.json where the post-processor is False."""
    folder.mkdir(exist_ok=True)
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    if post_processor is not False:
        (folder / "tokenizer.json").write_text(json.dumps({"post_processor": post_processor}))
    return read_tokenizer_config(folder)


class TestTokenizerFiles:
    @pytest.mark.parametrize("name", TOKENIZER_FILES)
    def test_one_of_them_makes_a_folder_a_tokenizers(self, tmp_path: Path, name: str) -> None:
        (tmp_path / "model").mkdir()
        assert find_tokenizer("model", tmp_path) is None
        (tmp_path / "model" / name).write_text("{}")
        assert find_tokenizer("model", tmp_path) == tmp_path / "model"
        assert find_tokenizer(f"model/{name}", tmp_path) == tmp_path / "model"

    def test_of_two_snapshots_the_newer(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("HF_HUB_CACHE", raising=False)
        monkeypatch.setenv("HF_HOME", str(tmp_path))
        snapshots = tmp_path / "hub" / "models--Some--Model" / "snapshots"
        for name, age in (("a", 100), ("b", 200), ("c", 150)):
            tokenizer_file = snapshots / name / "tokenizer_config.json"
            tokenizer_file.parent.mkdir(parents=True)
            tokenizer_file.write_text("{}")
            os.utime(tokenizer_file, (age, age))
        assert find_tokenizer("Some/Model", tmp_path) == snapshots / "b"
        assert find_tokenizer("Other/Model", tmp_path) is None

    @pytest.mark.parametrize(
        ("named", "taken"),
        [(["no entry", {"name": "rag", "template": "R"}, {"name": "default", "template": "D"}], "D"),
         ([{"name": "rag", "template": "R"}, {"name": "tools", "template": "T"}], "R"), ([], None), ("plain", "plain")],
    )  # fmt: skip
    def test_of_several_templates_the_default(self, tmp_path: Path, named: Any, taken: str | None) -> None:
        assert tokenizer(tmp_path, chat_template=named)["chat_template"] == taken

    def test_a_template_in_a_file_beside_it_is_the_one(self, tmp_path: Path) -> None:
        assert read_tokenizer_config(tmp_path) == {"folder": tmp_path}
        (tmp_path / "chat_template.jinja").write_text("beside")
        assert read_tokenizer_config(tmp_path) == {"folder": tmp_path, "chat_template": "beside"}
        assert tokenizer(tmp_path, chat_template="inside")["chat_template"] == "beside"

    def test_a_damaged_one_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "tokenizer_config.json").write_text("{")
        with pytest.raises(ConfigError, match="not valid JSON") as failure:
            read_tokenizer_config(tmp_path)
        assert failure.value.file == tmp_path / "tokenizer_config.json"


def single(*tokens: str) -> dict[str, Any]:
    return {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": each}} for each in tokens]}


class TestBosAndEos:
    @pytest.mark.parametrize(
        ("template", "written"),
        [("{{ bos_token }}{{ messages[0].content }}", True), ("{{ messages[0].content }}", False),
         ("{% if messages|length > 1 %}{{ bos_token }}{% else %}{{ raise_exception('two') }}{% endif %}", True),
         ("{% if messages[0].role == 'system' %}{{ bos_token }}{% else %}{{ raise_exception('s') }}{% endif %}", True)],
    )  # fmt: skip
    def test_a_template_says_whether_rows_begin_with_a_bos(self, tmp_path: Path, template: str, written: bool) -> None:
        other = single("<s>") if not written else None  # which the template has the last word over
        assert writes_bos(tokenizer(tmp_path, other, bos_token="<s>", chat_template=template)) is written

    @pytest.mark.parametrize("refusing", ["", "{{ raise_exception('never') }}"])
    @pytest.mark.parametrize(
        ("post_processor", "added"),
        [(single("<s>"), True), (single("[CLS]"), False), (single("[CLS]", "<s>"), False), (single(), False),
         ({"type": "ByteLevel"}, False), ({"type": "Sequence", "processors": [single("<s>"), {}]}, True),
         ({"type": "Sequence", "processors": [{}, single("<s>")]}, True), (None, False)],
    )  # fmt: skip
    def test_else_its_tokenizer_does(self, tmp_path: Path, post_processor: Any, added: bool, refusing: str) -> None:
        own = tokenizer(tmp_path, post_processor, bos_token={"content": "<s>"}, chat_template=refusing)
        assert writes_bos(own) is added

    @pytest.mark.parametrize(("more", "added"), [({"add_bos_token": True}, True), ({"add_bos_token": False}, False), ({}, False)])  # fmt: skip
    def test_else_its_configuration_does(self, tmp_path: Path, more: dict[str, bool], added: bool) -> None:
        assert writes_bos(tokenizer(tmp_path, False, bos_token="<s>", **more)) is added

    def test_a_tokenizer_without_one_writes_none(self, tmp_path: Path) -> None:
        assert writes_bos(tokenizer(tmp_path, single(""), add_bos_token=True)) is False
        assert [token_text({"bos_token": each}, "bos_token") for each in (None, 3, {"content": None})] == ["", "", ""]


OWN = "{{ bos_token }}{% for m in messages %}{{ m.content }}{{ eos_token }}{% endfor %}"


class TestLoading:
    def model(self, project: MadeProject, **config: Any) -> None:
        tokenizer(project.root / "model", **{"bos_token": "<s>", "eos_token": "</s>", "chat_template": OWN, **config})

    @pytest.mark.parametrize(
        ("template", "name"),
        [("tokenizer", "the chat template of model"), (None, "the chat template of model"),
         ("{{ messages }}", "system.prompt_template"), ("{% if 1 %}{% endif %}", "system.prompt_template"),
         ("llama3", "llama3")],
    )  # fmt: skip
    @pytest.mark.parametrize(("told", "bos"), [({}, "<s>"), ({"bos_token": "<b>"}, "<b>"), ({"bos_token": ""}, "")])
    def test_every_template_has_the_models_ends(
        self, project: MadeProject, template: str | None, name: str, told: dict[str, str], bos: str
    ) -> None:
        self.model(project)
        made = load_chat_template(project.load(system={"tokenizer": "model", "prompt_template": template, **told}))
        assert (made.name, made.bos_token, made.eos_token) == (name, bos, "</s>")
        if template != "llama3":
            assert made.source == (OWN if name.endswith("model") else template)

    def test_where_no_tokenizer_is_known_the_ends_are_empty(self, project: MadeProject) -> None:
        made = load_chat_template(project.load(system={"prompt_template": "chatml"}))
        assert (made.bos_token, made.eos_token) == ("", "") and not made.source.endswith("\n")

    @pytest.mark.parametrize("bos", ["", "<s>"])
    def test_chatml_begins_with_the_bos_that_the_model_wants(self, project: MadeProject, bos: str) -> None:
        self.model(project, chat_template=None, post_processor=single("<s>"), bos_token=bos)
        made = load_chat_template(project.load(training={"base_model": "model"}, system={"prompt_template": None}))
        assert made.name == "chatml" and made.source.startswith("{{ bos_token }}") is bool(bos)
        assert made.render(MESSAGES[:1]) == f"{bos}<|im_start|>user\nWhich?<|im_end|>\n"

    @pytest.mark.parametrize(
        ("system", "message"),
        [({"prompt_template": "tokenizer"}, "needs system.tokenizer"),
         ({"prompt_template": "tokenizer", "tokenizer": "model"}, "the tokenizer model has no chat template"),
         ({"tokenizer": "gone/model"}, r"no tokenizer at .*gone/model, and gone/model is not in the Hugging Face cache"),
         ({"prompt_template": "nothing"}, "the chat template 'nothing' not found")],
    )  # fmt: skip
    def test_what_is_not_there_is_said(self, project: MadeProject, system: dict[str, str], message: str) -> None:
        self.model(project, chat_template="")
        with pytest.raises(ConfigError, match=message):
            load_chat_template(project.load(system=system))

    def test_a_bos_that_the_model_does_not_write_is_left_out(self, project: MadeProject) -> None:
        self.model(project, chat_template="{{ messages[0].content }}")
        made = load_chat_template(project.load(system={"tokenizer": "model", "prompt_template": "tokenizer"}))
        assert (made.bos_token, made.eos_token) == ("", "</s>")
