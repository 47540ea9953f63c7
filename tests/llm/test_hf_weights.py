"""What a model is called must change with what it would answer, and with nothing else. No torch is needed for it."""

from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path

import pytest

from augment_correction.errors import InputError, MissingExtra, installing
from augment_correction.llm.hf_weights import SAMPLE, model_folder, named_by_weights, need, weights_id
from tests.projects import MadeProject

SIZE = 10 * SAMPLE


def safetensors(path: Path, **tensors: bytes) -> None:
    places, data = {}, b""
    for name, content in tensors.items():
        places[name] = {"dtype": "U8", "shape": [len(content)], "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    header = json.dumps({"__metadata__": {"format": "pt"}, **places}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + data)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    safetensors(folder / "model.safetensors", first=bytes(SIZE), second=bytes(SIZE), third=bytes(4))
    return folder


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    folder = tmp_path / "lora"
    folder.mkdir()
    (folder / "adapter_config.json").write_text('{"r": 8}')
    safetensors(folder / "adapter_model.safetensors", lora=bytes(SIZE))
    return folder


def test_the_name_is_that_of_the_folders_with_their_hash(model: Path, adapter: Path) -> None:
    name, _, digest = weights_id(model, adapter).partition("@")
    assert name == "tiny+lora" and len(digest) == 12
    assert weights_id(model).startswith("tiny@") and digest not in weights_id(model)


@pytest.mark.parametrize("at", [0, SIZE // 2, SIZE - 1])
def test_every_byte_of_an_adapter_counts(model: Path, adapter: Path, at: int) -> None:
    before = weights_id(model, adapter)
    content = bytearray(SIZE)
    content[at] = 1
    safetensors(adapter / "adapter_model.safetensors", lora=bytes(content))
    assert weights_id(model, adapter) != before


@pytest.mark.parametrize("name", ["first", "second", "third"])
def test_a_trained_tensor_counts_wherever_it_stands(model: Path, name: str) -> None:
    before = weights_id(model)
    tensors = {"first": bytes(SIZE), "second": bytes(SIZE), "third": bytes(4)}
    tensors[name] = b"\1" * len(tensors[name])
    safetensors(model / "model.safetensors", **tensors)
    assert weights_id(model) != before


@pytest.mark.parametrize("name", ["chat_template.jinja", "generation_config.json", "tokenizer.json"])
def test_what_stands_beside_the_weights_and_decides_counts(model: Path, name: str) -> None:
    before = weights_id(model)
    (model / name).write_text("{}")
    assert weights_id(model) != before


def test_where_it_stands_and_what_decides_nothing_do_not_count(model: Path, tmp_path: Path) -> None:
    before = weights_id(model)
    (model / "README.md").write_text("Trained on a Tuesday.")
    (tmp_path / "elsewhere").mkdir()
    assert weights_id(model.rename(tmp_path / "elsewhere" / "tiny")) == before


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "model.pth", "model.ckpt"])
def test_weights_that_are_pickles_are_refused(model: Path, name: str) -> None:
    (model / "model.safetensors").rename(model / name)
    with pytest.raises(InputError, match=f"not in the safetensors format \\({name}\\)"):
        weights_id(model)


def test_an_adapter_that_is_a_pickle_is_refused_whatever_lies_beside_it(model: Path, tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text("{}")
    (tmp_path / "adapter_model.bin").write_bytes(b"pickle")
    shutil.copy(model / "model.safetensors", tmp_path / "other.safetensors")
    with pytest.raises(InputError, match=r"not in the safetensors format \(adapter_model\.bin\)"):
        weights_id(model, tmp_path)


@pytest.mark.parametrize("content", [b"version https://git-lfs.github.com/spec/v1\n", b"", b"\x02" + bytes(7) + b"no"])
def test_what_is_no_weights_file_is_said(model: Path, content: bytes) -> None:
    (model / "model.safetensors").write_bytes(content)
    with pytest.raises(InputError, match="not a safetensors file"):
        weights_id(model)


@pytest.mark.parametrize("left", [9, 200, -1], ids=["in the header", "in a tensor", "by its last byte"])
def test_weights_that_are_cut_off_are_said(model: Path, adapter: Path, left: int) -> None:
    """A download that stopped: what is there reads as before, and Transformers would fail in the middle of loading."""
    for path in (model / "model.safetensors", adapter / "adapter_model.safetensors"):
        whole = path.read_bytes()
        path.write_bytes(whole[:left])
        with pytest.raises(InputError, match=rf"{path.name} is (not a safetensors file, or is )?cut off") as raised:
            weights_id(model, adapter)
        assert "fetch it again" in str(raised.value.hint)
        path.write_bytes(whole)


def test_a_file_of_several_that_is_wanting_is_said(model: Path) -> None:
    index = model / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"first": "model.safetensors", "second": "model-00002.safetensors"}}))
    with pytest.raises(InputError, match=r"lacks model-00002\.safetensors"):
        weights_id(model)
    index.write_text("{")
    with pytest.raises(InputError, match="does not list which file"):
        weights_id(model)
    index.write_text(json.dumps({"weight_map": {"first": "model.safetensors"}}))
    assert weights_id(model)


def test_a_folder_without_weights(model: Path) -> None:
    (model / "model.safetensors").unlink()
    with pytest.raises(InputError, match="no weights in"):
        weights_id(model)


def test_a_folder_without_an_adapter(model: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no adapter_config\.json"):
        weights_id(model, tmp_path)


def test_the_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(MissingExtra, match="mode: hf") as caught:
        need("torch")
    assert caught.value.hint == installing("hf")


class TestInTheCache:
    @pytest.fixture(autouse=True)
    def _hub(self) -> None:
        pytest.importorskip("transformers", reason="needs the extra hf")

    def test_a_model_id_is_looked_for_there(self, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        from huggingface_hub import constants

        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
        repository = tmp_path / "hub" / "models--org--tiny"
        (repository / "refs").mkdir(parents=True)
        (repository / "refs" / "main").write_text("abc")
        (repository / "snapshots").mkdir()
        model.rename(repository / "snapshots" / "abc")
        assert model_folder("org/tiny") == repository / "snapshots" / "abc"
        assert weights_id("org/tiny").startswith("org/tiny@")

    @pytest.mark.parametrize("name", ["org/none", "/no/such/folder", "./models/none"])
    def test_what_is_nowhere(self, name: str) -> None:
        with pytest.raises(InputError, match="no model at") as caught:
            model_folder(name)
        assert "hf download" in (caught.value.hint or "")


class TestInAConfig:
    def test_the_model_is_renamed_and_found_again(self, project: MadeProject, model: Path, adapter: Path) -> None:
        config = project.load(
            api={"large_mode": "hf", "large_model": str(model), "large_adapter": str(adapter.relative_to(model.parent))}
        )
        with pytest.raises(InputError, match="not a PEFT adapter"):  # relative paths start at the project
            named_by_weights(config, ["large"])
        adapter.rename(project.root / "lora")
        named = named_by_weights(config, ["small", "large"])
        large = named.model("large")
        assert large.model == weights_id(model, project.root / "lora") and large.folder == str(model)
        assert named.model("small") == config.model("small")
        assert named_by_weights(named, ["large"]).model("large") == large

    def test_an_adapter_on_a_server_is_the_users_mistake(self, project: MadeProject) -> None:
        from augment_correction.errors import ConfigError

        with pytest.raises(ConfigError, match="needs mode: hf"):
            project.load(api={"large_mode": "api", "large_adapter": "lora"})


def test_a_model_that_embedded_knows_by_name_is_taken_in_transformers_form(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("transformers", reason="needs the extra hf")
    file = tmp_path / "smollm2.gguf"
    file.write_bytes(b"GGUF")
    made = tmp_path / "smollm2-135m-hf"
    shutil.copytree(model, made)
    (made / "done").touch()
    monkeypatch.setattr("augment_correction.llm.hf_weights.locate", lambda name: file)
    assert model_folder("smollm2-135m") == made
    assert weights_id("smollm2-135m").startswith("smollm2-135m@")
    with pytest.raises(InputError, match="no model at smollm3"):
        model_folder("smollm3")
