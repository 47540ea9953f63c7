"""A sign-in through an identity provider for which the account's own proof is still missing: its code, or its password.

It is kept in a cookie of the browser that came back from the provider, signed, for ten minutes."""

from __future__ import annotations

import base64
import time
from dataclasses import asdict, dataclass

import orjson
from fastapi.responses import Response

from augment_correction.workspace import cookies, tokens
from augment_correction.workspace.here import Here
from augment_correction.workspace.settings import Settings

MINUTES = 10


@dataclass(frozen=True)
class Pending:
    """`user` is the id of the account that the identity leads to, or would."""

    user: str
    issuer: str
    subject: str
    then: str


def keep(settings: Settings, response: Response, pending: Pending) -> Response:
    """The same response, with the cookie."""
    said = orjson.dumps({"until": int(time.time()) + MINUTES * 60, **asdict(pending)})
    text = base64.urlsafe_b64encode(said).decode().rstrip("=")
    value = f"{text}.{tokens.signed(settings.secret, 'pending sign-in', text)}"
    response.headers.append("set-cookie", cookies.spelled(settings, settings.pending_cookie, value, MINUTES * 60))
    return response


def end(settings: Settings, response: Response) -> Response:
    """The same response, which takes the cookie away."""
    response.headers.append("set-cookie", cookies.spelled(settings, settings.pending_cookie, "", 0))
    return response


def of(here: Here) -> Pending | None:
    """None where there is none, it is too old, or somebody else has made it."""
    settings = here.site.settings
    text, _, signature = here.request.cookies.get(settings.pending_cookie, "").partition(".")
    if not text or not tokens.same(signature, tokens.signed(settings.secret, "pending sign-in", text)):
        return None
    said = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return Pending(**said) if said.pop("until") > time.time() else None
