"""Configs: Augmentoolkit's and ours, keys and secrets, relative paths."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

from augment_correction import load_config
from augment_correction.config import (
    CostConfig,
    GateConfig,
    LimitsConfig,
    SelectionConfig,
    SystemConfig,
    TrainingConfig,
)
from augment_correction.config_files import command_of, require_keys
from augment_correction.errors import ConfigError, Mistakes
from augment_correction.models import without_credentials
from augment_correction.project import Project, bundled, find_config
from augment_correction.runner import make_plan

CONFIGS = [path for path in sorted((bundled() / "configs").glob("*.yaml")) if command_of(path) == "run"]
"""The other ones are of other commands."""

AUGMENTOOLKIT = """
pipeline: correction-pipeline
api:
  large_model: deepseek-ai/DeepSeek-R1-Distill-Llama-70B
  large_api_key: {key}
  large_base_url: https://api.deepinfra.com/v1/openai
  large_mode: api
  small_model: meta-llama/Meta-Llama-3.1-8B-Instruct
  small_base_url: https://api.deepinfra.com/v1/openai
  small_api_key: {key}
  small_mode: api
path:
  default_prompts: ./prompts
  input_dir: ./inputs/examples/facts
  output_dir: ./outputs/correction_data_test
  prompts: ./prompts
system:
  completion_mode: False
  concurrency_limit: 30
  use_stop: True
  subset_size: 30
  use_min_p: False
  use_subset: True
  chunk_size: 3000
  prompt_template: "{{{{ bos_token }}}}{{% for message in messages %}}{{{{ message['content'] }}}}{{% endfor %}}"
meta_datagen:
  do_meta_datagen: False
  meta_datagen_keys:
    - masked_conversation_details
    - judgement_details
  meta_datagen_extras:
cost:
  cost_per_million_small_input: 0.03
  cost_per_million_small_output: 0.05
  cost_per_million_large_input: 0.23
  cost_per_million_large_output: 0.40
"""


def write(folder: Path, text: str, name: str = "config.yaml") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


MINIMAL = """
pipeline: correction
api:
  small_model: a
  small_mode: scripted
  large_model: b
  large_mode: scripted
path: {input_dir: ./in, output_dir: ./out}
"""


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_every_shipped_config_names_what_its_pipeline_needs(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    monkeypatch.setenv("OPENROUTER_API_KEY", "k")
    assert make_plan(load_config(path, [f"path.input_dir={tmp_path}"])).stages


def test_augmentoolkits_config_runs_unchanged_and_says_what_means_nothing_here(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, AUGMENTOOLKIT.format(key="sk-1")))
    assert config.pipeline_name == "correction"
    assert config.model("large").model == "deepseek-ai/DeepSeek-R1-Distill-Llama-70B"
    assert config.system.chunk_size == 3000
    assert [notice.split(" ")[0] for notice in config.notices] == [
        "system.completion_mode", "system.use_stop", "system.use_min_p",
    ]  # fmt: skip


def test_a_placeholder_names_its_key(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"config\.yaml:5:\d+: 'api\.large_api_key' is still a !!PLACEHOLDER!!"):
        load_config(write(tmp_path, AUGMENTOOLKIT.format(key="!!PLACEHOLDER!!")))


def test_flat_and_nested_spellings_of_a_model_are_the_same(tmp_path: Path) -> None:
    nested = MINIMAL.replace("small_model: a\n  small_mode: scripted", "small: {model: a, mode: scripted}")
    assert load_config(write(tmp_path, MINIMAL)).api == load_config(write(tmp_path, nested)).api


@pytest.mark.parametrize(
    ("line", "meant"), [("  smal_model: x\n", "small_model"), ("  large_concurency: 3\n", "large_concurrency")]
)
def test_an_unknown_flat_key_asks_did_you_mean(tmp_path: Path, line: str, meant: str) -> None:
    with pytest.raises(ConfigError, match="unknown key") as failure:
        load_config(write(tmp_path, MINIMAL.replace("path:", f"{line}path:")))
    assert failure.value.hint == f"did you mean '{meant}'?"
    assert failure.value.line == 8


def test_a_wrong_value_of_a_flat_key_is_found_at_its_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as failure:
        load_config(write(tmp_path, MINIMAL.replace("small_mode: scripted", "small_mode: magic")))
    assert failure.value.line == 5


def test_overrides_are_laid_over_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, MINIMAL)
    config = load_config(path, ["system.chunk_size=99", "api.small_model=c", "cost.max_usd=1.5"])
    assert (config.system.chunk_size, config.model("small").model, str(config.cost.max_usd)) == (99, "c", "1.5")
    with pytest.raises(ConfigError, match="write key=value"):
        load_config(path, ["system.chunk_size"])
    with pytest.raises(ConfigError, match=r"^--set system\.chunk_siz: unknown key"):
        load_config(path, ["system.chunk_siz=3"])


def test_an_override_that_does_not_fit_the_pipeline_is_blamed_on_the_option(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    path = write(tmp_path, MINIMAL + "shares:\n  kind: {stand_by: 1}\n")
    with pytest.raises(ConfigError) as failure:
        make_plan(load_config(path, ["shares={kind: {nonsense: 1}}"]))
    assert str(failure.value) == "--set shares: no such kind: 'nonsense'"


def test_all_that_does_not_fit_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    text = MINIMAL.replace("./in", "./nowhere").replace("  large_model: b\n  large_mode: scripted\n", "")
    path = write(tmp_path, text + "checks: {nothing: true}\nsampling: {nobody: {}}\nshares:\n  kind: {nonsense: 1}\n")
    with pytest.raises(Mistakes) as failure:
        make_plan(load_config(path))
    told = [each.message for each in failure.value.problems]
    assert [message.partition("yaml:")[2].partition(":")[0] for message in told] == ["6", "8", "7", "10", "3"]
    assert "the pipeline needs a large model" in told[-1]


def test_a_variable_that_nothing_writes_is_told_at_the_prompts_line(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    write(tmp_path, "{% user %}\n{{ passage }}\n{{ pasage }}\n{% enduser %}", "prompts/filter.jinja")
    with pytest.raises(ConfigError, match="reads pasage, which no earlier stage writes") as failure:
        make_plan(load_config(write(tmp_path, MINIMAL)))
    assert (failure.value.file, failure.value.line) == (tmp_path / "prompts" / "filter.jinja", 3)
    assert failure.value.hint == "did you mean 'passage'?"


def test_a_prompt_without_the_passage_is_refused(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    write(tmp_path, "{% user %}Is it suitable?{% enduser %}", "prompts/filter.jinja")
    with pytest.raises(
        ConfigError, match=r"filter\.jinja: stage 'judgement': prompt 'filter' reads neither the passage"
    ):
        make_plan(load_config(write(tmp_path, MINIMAL)))


class TestKeys:
    @pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
    def test_config_and_dotenv_may_be_in_any_encoding(self, tmp_path: Path, encoding: str) -> None:
        path = write(tmp_path, MINIMAL.replace("small_mode:", "small_api_key: ${MY_KEY}\n  small_mode:"))
        path.write_bytes(f"# für größere\n{path.read_text()}".encode(encoding))
        (tmp_path / ".env").write_bytes("# Schlüssel\nMY_KEY=aus-der-Datei\n".encode(encoding))
        assert load_config(path).model("small").api_key.get_secret_value() == "aus-der-Datei"  # type: ignore[union-attr]

    def test_a_variable_is_taken_from_the_environment_then_from_dotenv(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = write(tmp_path, MINIMAL.replace("small_mode: scripted", "small_api_key: ${MY_KEY}"))
        with pytest.raises(
            ConfigError, match=r"config\.yaml:5:3: 'api\.small_api_key' names \$\{MY_KEY\}, which is not set"
        ):
            require_keys(load_config(path), ["small"])
        write(tmp_path, "MY_KEY=from-file\n", ".env")
        assert load_config(path).model("small").api_key.get_secret_value() == "from-file"  # type: ignore[union-attr]
        monkeypatch.setenv("MY_KEY", "from-environment")
        assert load_config(path).model("small").api_key.get_secret_value() == "from-environment"  # type: ignore[union-attr]

    @pytest.mark.parametrize("end", ["\n", "\r\n", " ", ""])
    def test_the_line_break_at_a_keys_end_is_none_of_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str
    ) -> None:
        monkeypatch.setenv("MY_KEY", f"sk-one{end}")
        monkeypatch.setenv("LARGE_API_KEY", f"sk-two{end}")
        text = MINIMAL.replace("small_mode:", "small_api_key: ${MY_KEY}\n  small_mode:")
        config = load_config(write(tmp_path, text))
        keys = [config.model(role).api_key for role in ("small", "large")]
        assert [key.get_secret_value() for key in keys if key] == ["sk-one", "sk-two"]

    @pytest.mark.parametrize(
        ("key", "named"),
        [("sk-se\ncret", "character 6 of 10 is a line break"), ("Bearer sk-secret", "character 7 of 16 is a space"),
         ("sk-secrét", "character 8 of 9 is the character U\\+00E9"), ("sk-sec\u200bret", "U\\+200B")],
    )  # fmt: skip
    @pytest.mark.parametrize("variable", ["MY_KEY", "LARGE_API_KEY"])
    def test_what_cannot_be_a_key_is_told_without_showing_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, named: str, variable: str
    ) -> None:
        monkeypatch.setenv("MY_KEY", "sk-fine")
        monkeypatch.setenv(variable, key)
        text = MINIMAL.replace("small_mode:", "small_api_key: ${MY_KEY}\n  small_mode:")
        with pytest.raises(ConfigError, match=f"this is not a valid API key: .*{named}") as raised:
            load_config(write(tmp_path, text))
        assert ("small_api_key" if variable == "MY_KEY" else variable) in str(raised.value).replace(".", "_")
        assert "sec" not in str(raised.value)

    def test_all_that_are_missing_are_told_at_once_and_only_where_they_are_needed(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("EMPTY", " ")
        text = MINIMAL.replace("small_mode: scripted", "small_base_url: https://openrouter.ai/api/v1")
        text = text.replace(
            "large_mode: scripted", "large_api_key: ${EMPTY}\n  judge: {model: c, api_key: '${NONE}', mode: scripted}"
        )
        config = load_config(write(tmp_path, text))
        with pytest.raises(Mistakes) as failure:
            require_keys(config, config.by_role)
        small, large = failure.value.problems
        assert small.message.endswith("config.yaml:4:3: small model a: no API key for openrouter.ai")
        assert "OPENROUTER_API_KEY" in (small.hint or "")
        assert "'api.large_api_key' names ${EMPTY}, which is not set" in large.message
        require_keys(config, ["judge"])

    def test_a_server_of_ones_own_needs_none(self, tmp_path: Path) -> None:
        text = MINIMAL.replace("small_mode: scripted", "small_base_url: http://127.0.0.1:8000/v1")
        config = load_config(write(tmp_path, text))
        require_keys(config, ["small", "large"])
        assert config.model("small").api_key is None
        assert config.key_of("small", "base_url") == "api.small_base_url"

    def test_other_variables_and_all_else_that_is_wrong_are_told_at_once(self, tmp_path: Path) -> None:
        text = MINIMAL.replace("pipeline: correction", "pipeline: ${WHERE}").replace(
            "small_mode: scripted", "small_api_key: ${MY_KEY}"
        )
        text += "system: {chunk_sise: 3}\ncost: {max_usd: -1}\n"
        with pytest.raises(Mistakes) as failure:
            load_config(write(tmp_path, text))
        told = " | ".join(each.message for each in failure.value.problems)
        for part in ("unknown key 'system.chunk_sise'", "'cost.max_usd'", "${WHERE}", "${MY_KEY}"):
            assert part in told
        assert len(failure.value.problems) == 4

    def test_a_providers_key_goes_to_its_own_host_only(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-openai")
        text = MINIMAL.replace("large_mode: scripted", "large_base_url: https://elsewhere.example/v1")
        config = load_config(write(tmp_path, text.replace("  small_mode: scripted\n", "")))
        assert config.model("small").api_key.get_secret_value() == "sk-openai"  # type: ignore[union-attr]
        assert config.model("large").api_key is None

    def test_no_secret_in_any_shown_form(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SMALL_API_KEY", "sk-secret-1")
        text = MINIMAL.replace(
            "large_mode: scripted", "large_api_key: sk-secret-2\n  large_base_url: https://me:sk-secret-3@host/v1"
        )
        config = load_config(write(tmp_path, text))
        shown = json.dumps(config.without_secrets())
        assert "sk-secret" not in shown
        assert "https://host/v1" in shown
        assert "sk-secret-1" not in repr(config) and "sk-secret-2" not in repr(config)


class TestPaths:
    def test_relative_paths_start_at_the_nearest_ancestor_with_prompts(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "project" / "prompts").mkdir(parents=True)
        path = write(tmp_path / "project" / "configs" / "mine", MINIMAL)
        monkeypatch.chdir(tmp_path)
        assert load_config(path).project.resolve("./out") == tmp_path / "project" / "out"

    def test_without_one_they_start_at_the_configs_folder(self, tmp_path: Path) -> None:
        assert Project.of(write(tmp_path / "a", MINIMAL)).root == tmp_path / "a"

    def test_a_miss_lists_every_place(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError) as failure:
            Project(tmp_path).find("the thing", ["x.yaml", "y.yaml"])
        assert str(failure.value).count("\n") == 4

    def test_a_shipped_config_is_found_by_name_from_anywhere(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        assert find_config(Path("configs/smoke.yaml")).is_file()
        assert find_config(Path("smoke")).is_file()
        with pytest.raises(ConfigError, match="config not found"):
            find_config(Path("nowhere.yaml"))

    def test_the_name_of_a_config_is_the_project_s_own_where_it_has_one(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        own = tmp_path / "configs" / "chat.yaml"
        assert find_config(Path("chat")) == bundled() / "configs" / "chat.yaml"
        own.parent.mkdir()
        own.write_text("{}")
        assert find_config(Path("chat")).resolve() == find_config(Path("chat.yaml")).resolve() == own
        assert find_config(Path("configs/smoke.yaml")) == bundled() / "configs" / "smoke.yaml"


BOUNDS: list[tuple[type[BaseModel], str, list[float], list[float]]] = [
    (SystemConfig, "chunk_size", [16], [15]),
    (SystemConfig, "chunk_overlap", [0], [-1]),
    (SystemConfig, "min_chunk", [0], [-1]),
    (SystemConfig, "subset_size", [1], [0]),
    (SystemConfig, "concurrency_limit", [1], [0]),
    *(
        (CostConfig, f"cost_per_million_{role}_{side}", [0], [-0.01])
        for role in ("small", "large", "judge", "target")
        for side in ("input", "output")
    ),
    (CostConfig, "max_usd", [0.01], [0, -1]),
    (LimitsConfig, "max_rejected", [0, 1], [-0.01, 1.01]),
    (SelectionConfig, "duplicates", [0.01, 1], [0, 1.01]),
    (SelectionConfig, "benchmark_ngram", [4], [3]),
    (GateConfig, "share", [0, 0.5], [-0.01, 0.51]),
    (TrainingConfig, "max_length", [64], [63]),
    (TrainingConfig, "learning_rate", [1e-9], [0]),
    *((TrainingConfig, name, [1], [0]) for name in ("epochs", "batch_size", "gradient_accumulation")),
    *((TrainingConfig, name, [1], [0]) for name in ("lora_r", "lora_alpha")),
    *((TrainingConfig, name, [0, 0.99], [-0.01, 1]) for name in ("lora_dropout", "validation_split")),
]


@pytest.mark.parametrize(("section", "name", "allowed", "refused"), BOUNDS, ids=[name for _, name, _, _ in BOUNDS])
def test_a_number_is_allowed_up_to_its_bound_and_no_further(
    section: type[BaseModel], name: str, allowed: list[float], refused: list[float]
) -> None:
    for value in allowed:
        assert float(getattr(section.model_validate({name: value}), name)) == value
    for value in refused:
        with pytest.raises(ValidationError, match=name):
            section.model_validate({name: value})


@pytest.mark.parametrize("address", ["http://[::1", "localhost:8000/v1", "", "//"])
def test_what_is_no_address_is_refused_with_its_line(tmp_path: Path, address: str) -> None:
    text = MINIMAL.replace("small_mode: scripted", f"small_mode: api\n  small_base_url: {json.dumps(address)}")
    with pytest.raises(ConfigError) as failure:
        load_config(write(tmp_path, text))
    assert failure.value.line == 6


def test_a_list_of_addresses_means_several_servers(tmp_path: Path) -> None:
    text = MINIMAL.replace("small_mode: scripted", "small_base_url: [http://a/v1, http://b/v1]")
    model = load_config(write(tmp_path, text)).model("small")
    assert (model.base_url, model.replicas) == ("http://a/v1", ("http://b/v1",))


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("http://someone:secret@proxy:3128", "http://proxy:3128"),
        ("https://me:p@ss@host/v1/@me", "https://host/v1/@me"),
        ("http://[::1]:80/v1", "http://[::1]:80/v1"),
        ("http://me:secret@[::1", "http://[::1"),
    ],
)
def test_credentials_in_an_address_are_not_shown(address: str, shown: str) -> None:
    assert without_credentials(address) == shown


def test_what_is_written_of_a_model_holds_no_credentials(tmp_path: Path) -> None:
    text = MINIMAL.replace(
        "small_mode: scripted",
        "small_base_url: [http://me:secret@a:8000/v1, http://me:secret@b/v1]\n  small_api_key: secret\n"
        "  small_headers: {X-Gateway: secret}",
    )
    told = load_config(write(tmp_path, text)).model("small").without_secrets()
    assert (told["base_url"], told["replicas"]) == ("http://a:8000/v1", ["http://b/v1"])
    assert "secret" not in json.dumps(told)


@pytest.mark.parametrize(("name", "command"), [("train", "train"), ("evaluate", "evaluate"), ("worker", "worker run")])
def test_the_config_of_another_command_is_called_so(name: str, command: str) -> None:
    path = bundled() / "configs" / f"{name}.yaml"
    with pytest.raises(ConfigError, match=f"is a config of `{command}`, and `run` needs one of its own") as refused:
        load_config(path)
    assert refused.value.hint == f"python -m augment_correction {command} {path}"
