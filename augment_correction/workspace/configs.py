"""Which model an organisation's questions go to, as the package's own configs say it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml
from pydantic import PrivateAttr, SecretStr

from augment_correction.config import ApiConfig, PathConfig
from augment_correction.corrections.config import TARGET, ChatConfig, CorrectionsSection
from augment_correction.models import ModelConfig
from augment_correction.store.folder import atomic_write
from augment_correction.workspace.adapters import name_of
from augment_correction.workspace.settings import VLLM_KEY, Settings


def base_model(settings: Settings, *, adapter: str | None = None, address: str = "") -> ModelConfig:
    """`address`: where the embedded model, which all organisations share, is served already."""
    if settings.backend == "embedded":
        if address:
            return ModelConfig(model=settings.model, mode="api", base_url=address)
        return ModelConfig(model=settings.model, mode="embedded")
    if settings.backend == "local":
        return ModelConfig(model=settings.model, mode="hf", adapter=adapter)
    if settings.backend == "vllm":
        name = name_of(adapter) if adapter else settings.model
        return ModelConfig(
            model=name,
            mode="api",
            base_url=settings.vllm_url,
            api_key=SecretStr(settings.vllm_key) if settings.vllm_key else None,
        )
    if settings.backend == "openai":
        return ModelConfig(model=settings.model, mode="api", base_url=settings.openai_base_url)
    script = Path(settings.model)
    return ModelConfig(model="scripted", mode="scripted", script=str(script) if script.is_file() else None)


def trained_model(settings: Settings) -> ModelConfig:
    """The weights that a version is trained on: of what vLLM serves, too."""
    if settings.backend == "vllm":
        return ModelConfig(model=settings.model, mode="hf")
    return base_model(settings)


def teacher(settings: Settings) -> ModelConfig | None:
    """Who detects corrections and writes wordings and demonstrations, where that is not the model itself."""
    if settings.teacher is None:
        return None
    return ModelConfig(model=settings.teacher, mode="api", base_url=settings.openai_base_url)


OF_OPENAI = {"base_url": "LL_OPENAI_BASE_URL", "api_key": "OPENAI_API_KEY", "model": "LL_OPENAI_MODEL"}
"""By key of a model, the variable that sets it."""
VARIABLES: Mapping[str, Mapping[str, str]] = {
    "vllm": {"base_url": "LL_VLLM_URL", "api_key": VLLM_KEY, "model": "LL_BASE_MODEL_NAME"},
    "openai": OF_OPENAI,
}


class WorkspaceChat(ChatConfig):
    """Its errors tell the variables of the workspace."""

    _backend: str = PrivateAttr("")

    def key_of(self, role: str, name: str) -> str:
        known = VARIABLES.get(self._backend, {}) if role == TARGET else OF_OPENAI
        return known.get(name) or super().key_of(role, name)


def chat_config(settings: Settings, organisation: str, target: ModelConfig) -> WorkspaceChat:
    """The same that `chat` and `corrections` are run by, with an organisation's folder."""
    made = WorkspaceChat(
        pipeline="chat_correction",
        api=ApiConfig(target=target, large=teacher(settings)),
        path=PathConfig(output_dir=str(settings.organisation_folder(organisation) / "corrections")),
        corrections=CorrectionsSection(**settings.learning),
    )
    made._backend = settings.backend
    return made


def learning_file(settings: Settings, organisation: str) -> Path:
    """A config that `corrections train` reads, written anew: the settings are those of now."""
    target, large = trained_model(settings), teacher(settings)
    api = {f"target_{name}": getattr(target, name) for name in ("model", "mode")}
    if large is not None:
        api |= {f"large_{name}": getattr(large, name) for name in ("model", "mode", "base_url")}
    folder = settings.organisation_folder(organisation)
    written = {
        "pipeline": "chat_correction",
        "api": api,
        "path": {"output_dir": str(folder / "corrections")},
        "corrections": settings.learning,
    }
    path = folder / "chat.yaml"
    with atomic_write(path) as file:
        file.write(yaml.safe_dump(written, allow_unicode=True).encode())
    return path
