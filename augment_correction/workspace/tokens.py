"""Secrets that travel: 256 random bits, of which the database keeps only a digest."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import struct

TOTP_SECONDS, TOTP_DIGITS = 30, 6


def new_token() -> str:
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """Of a token with 256 random bits a plain hash is enough: there is nothing to guess."""
    return hashlib.sha256(token.encode()).hexdigest()


def signed(key: bytes, purpose: str, text: str) -> str:
    return hmac.new(key, f"{purpose}\0{text}".encode(), hashlib.sha256).hexdigest()


def same(one: str, other: str) -> bool:
    """In a time that tells nothing."""
    return hmac.compare_digest(one.encode(), other.encode())


def new_totp_secret() -> str:
    return base64.b32encode(secrets.token_bytes(20)).decode()


def totp(secret: str, step: int) -> str:
    """The code of a time step: RFC 6238 with SHA-1 and six digits, as every authenticator app has it."""
    made = hmac.new(base64.b32decode(secret), struct.pack(">Q", step), hashlib.sha1).digest()
    place = made[-1] & 15
    return f"{(struct.unpack('>I', made[place : place + 4])[0] & 0x7FFFFFFF) % 10**TOTP_DIGITS:06d}"


def totp_step_of(secret: str, code: str, at: float, after: int) -> int | None:
    """The step whose code it is, now or one before or behind, and later than `after`: a code counts once."""
    now = int(at) // TOTP_SECONDS
    fits = (step for step in (now, now - 1, now + 1) if step > after and same(totp(secret, step), code.strip()))
    return next(fits, None)
