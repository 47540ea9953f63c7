"""Secrets of accounts as the database keeps them: encrypted, so that a copy of the database alone gives none away."""

from __future__ import annotations

import base64
import hashlib
import hmac

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from augment_correction.workspace.problems import Problem


class Unreadable(Problem):
    """What the database keeps was encrypted with another key."""

    status = 503


class Cipher:
    """With a key that is made of `LL_SECRET_KEY`; the earlier ones in `before` still read what they have written."""

    def __init__(self, secret: bytes, before: tuple[bytes, ...] = ()) -> None:
        self._fernet = MultiFernet([Fernet(_key(each)) for each in (secret, *before)])

    def sealed(self, secret: str) -> str:
        return self._fernet.encrypt(secret.encode()).decode()

    def opened(self, sealed: str) -> str:
        """Raises: Unreadable."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise Unreadable(
                "The second factor of this account cannot be read: the workspace's secret key has changed. Whoever runs it puts the "
                "earlier key into LL_SECRET_KEY_BEFORE, or turns the factor off: workspace second-factor-off."
            ) from None

    def renewed(self, sealed: str) -> str:
        """The same secret, encrypted with the key of now, so that an earlier key can be forgotten.

        Raises: Unreadable."""
        return self.sealed(self.opened(sealed))


def _key(secret: bytes) -> bytes:
    """32 bytes for this purpose alone: the same secret signs forms, too."""
    return base64.urlsafe_b64encode(hmac.new(secret, b"encryption of account secrets", hashlib.sha256).digest())
