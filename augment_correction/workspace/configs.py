"""Which model an organisation's questions go to, as the package's own configs say it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from augment_correction.config import ApiConfig, PathConfig
from augment_correction.corrections.config import ChatConfig, CorrectionsSection
from augment_correction.models import ModelConfig
from augment_correction.workspace.settings import Settings


def base_model(settings: Settings, *, adapter: str | None = None, address: str = "") -> ModelConfig:
    """`address`: where the embedded model, which all organisations share, is served already."""
    if settings.backend == "embedded":
        if address:
            return ModelConfig(model=settings.model, mode="api", base_url=address)
        return ModelConfig(model=settings.model, mode="embedded")
    if settings.backend == "local":
        return ModelConfig(model=settings.model, mode="hf", adapter=adapter)
    if settings.backend == "openai":
        return ModelConfig(model=settings.model, mode="api", base_url=settings.openai_base_url)
    script = Path(settings.model)
    return ModelConfig(model="scripted", mode="scripted", script=str(script) if script.is_file() else None)


def chat_config(settings: Settings, organisation: str, target: ModelConfig, **learning: Any) -> ChatConfig:
    """The same that `chat` and `corrections` are run by, with an organisation's folder."""
    return ChatConfig(
        pipeline="chat_correction",
        api=ApiConfig(target=target),
        path=PathConfig(output_dir=str(settings.organisation_folder(organisation) / "corrections")),
        corrections=CorrectionsSection(**learning),
    )
