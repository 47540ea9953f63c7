"""Cookies that no script reads and no other site sends."""

from __future__ import annotations

from augment_correction.workspace.settings import Settings

MONTH = 30 * 24 * 3600


def spelled(settings: Settings, name: str, value: str, seconds: int) -> str:
    """The `Set-Cookie` header; 0 seconds take the cookie away."""
    secure = "; Secure" if settings.cookie_secure else ""
    return f"{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"
