"""What the workspace reads from the environment: the variables `LL_*`."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

from pydantic import ValidationError

from augment_correction.corrections.config import CorrectionsSection
from augment_correction.errors import ConfigError
from augment_correction.folders import private_folder
from augment_correction.workspace.encryption import Cipher

Backend = Literal["embedded", "local", "vllm", "openai", "mock"]
TRAINABLE = ("local", "vllm")
Registration = Literal["invite", "open"]
LOOPBACK = ("127.0.0.1", "localhost", "::1")
SHORTEST_KEY = 32
KNOWN_KEYS = ("dev-secret-change-me",)
"""Secrets that stand in somebody's documentation are none."""
MODELS: Mapping[Backend, str] = {
    "embedded": "qwen2.5-coder-1.5b",
    "local": "Qwen/Qwen2.5-7B-Instruct",
    "vllm": "Qwen/Qwen2.5-7B-Instruct",
    "openai": "gpt-4o-mini",
    "mock": "scripted",
}
VLLM_KEY = "LL_VLLM_API_KEY"
LEARNING = {
    "LL_PROMPT_VARIATIONS": "num_prompt_variations",
    "LL_EXPERT_DEMOS_PER_PROMPT": "num_expert_demos_per_prompt",
    "LL_TRAIN_LR": "learning_rate",
    "LL_TRAIN_EPOCHS": "num_train_epochs",
    "LL_TRAIN_GRAD_ACC": "gradient_accumulation_steps",
}
"""By variable, the key of a chat's config under `corrections` that it sets."""


@dataclass(frozen=True)
class Provider:
    """An identity provider (OpenID Connect); without a `secret` we are a public client, which PKCE protects."""

    issuer: str
    client: str
    secret: str = field(default="", repr=False)
    name: str = "your identity provider"


@dataclass(frozen=True)
class Settings:
    """`public_url` is where browsers find the workspace; it decides about cookies and about where a form may come from."""

    database_url: str
    storage: Path
    secret: bytes
    backend: Backend = "embedded"
    model: str = MODELS["embedded"]
    openai_base_url: str = "https://api.openai.com/v1"
    vllm_url: str = "http://127.0.0.1:8000/v1"
    vllm_key: str = field(default="", repr=False)
    teacher: str | None = None
    """The model behind `openai_base_url` that detects corrections and writes demonstrations; None: the chat's own model does."""
    detects: bool = True
    learning: Mapping[str, Any] = field(default_factory=dict)
    """Keys of `corrections` in a chat's config."""
    app_name: str = "Correction workspace"
    public_url: str = "http://127.0.0.1:8080"
    cookie_secure: bool = False
    registration: Registration = "invite"
    session_hours: int = 168
    idle_hours: int = 24
    pool: int = 5
    secrets_before: tuple[bytes, ...] = ()
    """Earlier secrets, which still read what they have encrypted."""
    provider: Provider | None = None

    @property
    def trains(self) -> bool:
        """Whether the model's weights are at hand."""
        return self.backend in TRAINABLE

    @property
    def cipher(self) -> Cipher:
        return Cipher(self.secret, self.secrets_before)

    @property
    def host(self) -> str:
        return urlsplit(self.public_url).hostname or ""

    @property
    def origin(self) -> str:
        found = urlsplit(self.public_url)
        return f"{found.scheme}://{found.netloc}"

    @property
    def session_cookie(self) -> str:
        """Browsers keep a `__Host-` cookie from being set by another host or over plain HTTP."""
        return "__Host-session" if self.cookie_secure else "session"

    @property
    def pending_cookie(self) -> str:
        return "__Host-pending" if self.cookie_secure else "pending"

    @property
    def visitor_cookie(self) -> str:
        return "__Host-visitor" if self.cookie_secure else "visitor"

    def organisation_folder(self, organisation: str) -> Path:
        folder = self.storage / "organisations" / organisation
        private_folder(folder)
        return folder

    def placed(self, organisation: str, path: str) -> Path:
        """A file of the organisation, whose `path` was written down when the storage folder may have been at another place: a backup is
        restored where there is room."""
        parts = Path(path).parts
        at = next((n for n, pair in enumerate(pairwise(parts)) if pair == ("organisations", organisation)), None)
        return Path(path) if at is None else self.storage.joinpath(*parts[at:])


def read_settings(environment: Mapping[str, str] = os.environ, *, public_url: str | None = None) -> Settings:
    """Raises: ConfigError with the variable that is wrong and what to write."""
    storage = Path(environment.get("LL_MODEL_STORAGE_DIR") or "outputs/workspace").resolve()
    backend = _one_of(environment, "LL_INFERENCE_BACKEND", get_args(Backend), "embedded")
    named = environment.get("LL_OPENAI_MODEL" if backend == "openai" else "LL_BASE_MODEL_NAME")
    url = (environment.get("LL_PUBLIC_URL") or public_url or Settings.public_url).rstrip("/")
    return Settings(
        database_url=environment.get("LL_DATABASE_URL") or f"sqlite:///{storage}/workspace.db",
        storage=storage,
        secret=_secret(environment, storage),
        backend=backend,  # type: ignore[arg-type]
        model=named or MODELS[backend],  # type: ignore[index]
        vllm_url=environment.get("LL_VLLM_URL") or Settings.vllm_url,
        vllm_key=environment.get(VLLM_KEY, "").strip(),
        openai_base_url=environment.get("LL_OPENAI_BASE_URL") or Settings.openai_base_url,
        teacher=_teacher(environment, backend),
        learning=_learning(environment),
        detects=_truth(environment, "LL_DETECT_CORRECTIONS", True),
        app_name=environment.get("LL_APP_NAME") or Settings.app_name,
        public_url=url,
        cookie_secure=_cookie_secure(environment, url),
        registration=_one_of(environment, "LL_REGISTRATION", get_args(Registration), "invite"),  # type: ignore[arg-type]
        session_hours=_number(environment, "LL_SESSION_TTL_HOURS", Settings.session_hours),
        pool=_number(environment, "LL_DATABASE_POOL", Settings.pool),
        secrets_before=tuple(each.encode() for each in environment.get("LL_SECRET_KEY_BEFORE", "").split()),
        provider=_provider(environment),
    )


def _one_of(environment: Mapping[str, str], name: str, allowed: tuple[str, ...], default: str) -> str:
    value = (environment.get(name) or default).strip().lower()
    if value not in allowed:
        raise ConfigError(f"{name}={value} is not a known value", hint=f"write one of {', '.join(allowed)}")
    return value


def _number(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name) or str(default)
    if not text.strip().isdecimal() or int(text) < 1:
        raise ConfigError(f"{name}={text} is not a number above 0", hint=f"write {name}={default}")
    return int(text)


def _truth(environment: Mapping[str, str], name: str, default: bool) -> bool:
    text = (environment.get(name) or str(default)).strip().lower()
    if text not in ("true", "false", "1", "0", "yes", "no"):
        raise ConfigError(f"{name}={text} is neither true nor false", hint=f"write {name}=true or {name}=false")
    return text in ("true", "1", "yes")


def _teacher(environment: Mapping[str, str], backend: str) -> str | None:
    """Where there is a key for it, unless the local model is to do this, too."""
    if (
        backend not in TRAINABLE
        or _truth(environment, "LL_USE_LOCAL_STRUCTURED", False)
        or not environment.get("OPENAI_API_KEY")
    ):
        return None
    return environment.get("LL_OPENAI_MODEL") or MODELS["openai"]


def _learning(environment: Mapping[str, str]) -> dict[str, Any]:
    """Raises: ConfigError for what is no number, or none that a training takes."""
    made: dict[str, Any] = {}
    for name, key in LEARNING.items():
        if text := environment.get(name):
            try:
                made[key] = int(text) if text.strip().isdecimal() else float(text)
                CorrectionsSection(**{key: made[key]})
            except ValidationError as failure:
                raise ConfigError(
                    f"{name}={text}: {failure.errors()[0]['msg']}", hint=f"leave {name} unset for the default"
                ) from None
            except ValueError:
                raise ConfigError(
                    f"{name}={text} is not a number", hint=f"leave {name} unset for the default"
                ) from None
    return made


def _cookie_secure(environment: Mapping[str, str], url: str) -> bool:
    found = urlsplit(url)
    if found.scheme not in ("http", "https") or not found.hostname:
        raise ConfigError(f"LL_PUBLIC_URL={url} is not a URL", hint="write https://workspace.example.org")
    secure = _truth(environment, "LL_COOKIE_SECURE", found.scheme == "https")
    if secure and found.scheme == "http":
        raise ConfigError(
            f"LL_COOKIE_SECURE=true and LL_PUBLIC_URL={url}: browsers send secure cookies over HTTPS only",
            hint="name the https:// address of the proxy in LL_PUBLIC_URL",
        )
    if not secure and found.hostname not in LOOPBACK and "LL_COOKIE_SECURE" not in environment:
        raise ConfigError(
            f"LL_PUBLIC_URL={url} is not this machine and not HTTPS: passwords would be sent unencrypted",
            hint="put a proxy with TLS in front and name its https:// address; to go without: LL_COOKIE_SECURE=false",
        )
    return secure


def _provider(environment: Mapping[str, str]) -> Provider | None:
    """Raises: ConfigError where half of it is said, or the issuer is no HTTPS address."""
    issuer, client = environment.get("LL_OIDC_ISSUER", "").strip(), environment.get("LL_OIDC_CLIENT_ID", "").strip()
    if not issuer and not client:
        return None
    if not issuer or not client:
        raise ConfigError(
            "of LL_OIDC_ISSUER and LL_OIDC_CLIENT_ID one is missing", hint="set both, or neither to go without"
        )
    found = urlsplit(issuer)
    if not found.hostname or (found.scheme != "https" and found.hostname not in LOOPBACK):
        raise ConfigError(f"LL_OIDC_ISSUER={issuer} is no https:// address", hint="write what the provider names")
    return Provider(
        issuer, client, environment.get("LL_OIDC_CLIENT_SECRET", ""), environment.get("LL_OIDC_NAME") or found.hostname
    )


def _secret(environment: Mapping[str, str], storage: Path) -> bytes:
    given = environment.get("LL_SECRET_KEY")
    if given is None or not given.strip():
        return _kept_secret(storage)
    if given in KNOWN_KEYS or len(given) < SHORTEST_KEY:
        raise ConfigError(
            f"LL_SECRET_KEY is shorter than {SHORTEST_KEY} characters or publicly known",
            hint="write what `python -c 'import secrets; print(secrets.token_urlsafe(48))'` prints, or leave it unset",
        )
    return given.encode()


def _kept_secret(storage: Path) -> bytes:
    """Made at the first start, in a file that only its owner can read; of two that start at once one makes it."""
    private_folder(storage)
    path = storage / "secret_key"
    if not path.exists():
        made = storage / f"secret_key.{secrets.token_hex(8)}"
        with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(made, path)
        made.unlink()
    kept = path.read_bytes().strip()
    if len(kept) < SHORTEST_KEY or not kept.isascii():
        raise ConfigError(
            f"{path} contains no valid secret",
            hint="put the file back from a backup; without one remove it: a new secret is made, and second factors that were set up "
            "before cannot be read any more (workspace second-factor-off turns one off). Nobody is signed out",
        )
    return kept
