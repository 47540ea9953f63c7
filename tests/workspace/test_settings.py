"""The variables LL_*: what they mean, and which values are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from augment_correction.corrections.config import load_chat
from augment_correction.errors import ConfigError
from augment_correction.workspace.configs import base_model, chat_config, learning_file
from augment_correction.workspace.settings import read_settings


def read(folder: Path, **more: str) -> object:
    return read_settings({"LL_MODEL_STORAGE_DIR": str(folder), **more})


def test_a_start_without_variables_is_safe_and_needs_none(tmp_path: Path) -> None:
    made = read_settings({"LL_MODEL_STORAGE_DIR": str(tmp_path)})
    assert made.database_url == f"sqlite:///{tmp_path}/workspace.db"
    assert (made.backend, made.registration, made.cookie_secure) == ("embedded", "invite", False)
    kept = tmp_path / "secret_key"
    assert kept.stat().st_mode & 0o777 == 0o600 and len(made.secret) >= 32
    assert read_settings({"LL_MODEL_STORAGE_DIR": str(tmp_path)}).secret == made.secret


@pytest.mark.parametrize("kept", [b"", b"short", b"\xff" * 40])
def test_a_secret_that_is_none_is_said_with_what_hangs_on_it(tmp_path: Path, kept: bytes) -> None:
    (tmp_path / "secret_key").write_bytes(kept)
    with pytest.raises(ConfigError, match="no valid secret") as failure:
        read(tmp_path)
    assert "from a backup" in failure.value.hint and "second factors" in failure.value.hint
    assert "sign in again" not in failure.value.hint  # sessions are rows of the database


def test_the_variables_of_the_original_are_read(tmp_path: Path) -> None:
    made = read_settings({
        "LL_DATABASE_URL": "postgresql://db/workspace", "LL_SECRET_KEY": "k" * 40, "LL_INFERENCE_BACKEND": "openai",
        "LL_OPENAI_MODEL": "gpt-5-mini", "LL_BASE_MODEL_NAME": "unused", "LL_MODEL_STORAGE_DIR": str(tmp_path),
        "LL_APP_NAME": "Bridges", "LL_PUBLIC_URL": "https://chat.example.org/", "LL_SESSION_TTL_HOURS": "12",
    })  # fmt: skip
    assert made.model == "gpt-5-mini" and made.secret == b"k" * 40 and made.app_name == "Bridges"
    assert made.origin == "https://chat.example.org" and made.cookie_secure and made.session_hours == 12
    assert made.session_cookie == "__Host-session"


def test_who_detects_and_teaches_is_the_hosted_model_where_there_is_a_key_for_it(tmp_path: Path) -> None:
    local = {"LL_MODEL_STORAGE_DIR": str(tmp_path), "LL_INFERENCE_BACKEND": "local", "LL_OPENAI_MODEL": "gpt-5-mini"}
    keyed = {**local, "OPENAI_API_KEY": "sk-x"}
    assert read_settings(local).teacher is None
    assert read_settings(keyed).teacher == "gpt-5-mini"
    assert read_settings({**keyed, "LL_USE_LOCAL_STRUCTURED": "true"}).teacher is None
    assert read_settings(keyed).model == "Qwen/Qwen2.5-7B-Instruct"


def test_the_numbers_of_a_training_reach_the_config_that_trains(tmp_path: Path) -> None:
    made = read_settings({
        "LL_MODEL_STORAGE_DIR": str(tmp_path), "LL_INFERENCE_BACKEND": "local", "LL_PROMPT_VARIATIONS": "4",
        "LL_EXPERT_DEMOS_PER_PROMPT": "2", "LL_TRAIN_LR": "1e-5", "LL_TRAIN_EPOCHS": "8", "LL_TRAIN_GRAD_ACC": "1",
    })  # fmt: skip
    section = load_chat(learning_file(made, "0" * 16)).corrections
    assert (section.num_prompt_variations, section.num_expert_demos_per_prompt) == (4, 2)
    assert section.train == {"learning_rate": 1e-5, "epochs": 8, "gradient_accumulation": 1}
    with pytest.raises(ConfigError, match="LL_TRAIN_LR"):
        read(tmp_path, LL_TRAIN_LR="fast")
    with pytest.raises(ConfigError, match="LL_TRAIN_EPOCHS=0: Input should be greater than 0"):
        read(tmp_path, LL_TRAIN_EPOCHS="0")
    with pytest.raises(ConfigError, match="LL_PROMPT_VARIATIONS=99: Input should be less than or equal to 64"):
        read(tmp_path, LL_PROMPT_VARIATIONS="99")


def test_an_error_of_a_model_tells_the_variable_that_names_it(tmp_path: Path) -> None:
    hosted = read_settings({"LL_MODEL_STORAGE_DIR": str(tmp_path), "LL_INFERENCE_BACKEND": "openai"})
    served = read_settings({
        "LL_MODEL_STORAGE_DIR": str(tmp_path), "LL_INFERENCE_BACKEND": "vllm", "OPENAI_API_KEY": "sk-x",
    })  # fmt: skip
    keys = [
        chat_config(each, "0" * 16, base_model(each)).key_of(role, "base_url")
        for each, role in ((hosted, "target"), (served, "target"), (served, "large"))
    ]
    assert keys == ["LL_OPENAI_BASE_URL", "LL_VLLM_URL", "LL_OPENAI_BASE_URL"]


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"LL_SECRET_KEY": "dev-secret-change-me"}, "LL_SECRET_KEY"),
        ({"LL_SECRET_KEY": "short"}, "LL_SECRET_KEY"),
        ({"LL_INFERENCE_BACKEND": "magic"}, "LL_INFERENCE_BACKEND=magic"),
        ({"LL_PUBLIC_URL": "http://chat.example.org"}, "not HTTPS"),
        ({"LL_PUBLIC_URL": "http://127.0.0.1:80", "LL_COOKIE_SECURE": "true"}, "over HTTPS only"),
        ({"LL_PUBLIC_URL": "chat.example.org"}, "is not a URL"),
        ({"LL_SESSION_TTL_HOURS": "0"}, "LL_SESSION_TTL_HOURS"),
        ({"LL_COOKIE_SECURE": "perhaps"}, "neither true nor false"),
    ],
)
def test_what_is_wrong_is_refused_with_its_name(tmp_path: Path, variables: dict[str, str], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        read(tmp_path, **variables)
