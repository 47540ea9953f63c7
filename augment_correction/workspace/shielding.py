"""What every answer carries, and which requests are refused before anything looks at them."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from augment_correction.workspace.settings import LOOPBACK, Settings

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
MOST_BYTES, MOST_UPLOADED = 4 * 2**20, 64 * 2**20
UPLOADS = re.compile(r"/o/[^/]+/datasets")
"""The one form that takes files."""
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not `no-referrer`: a browser would then send `Origin: null` with our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Not possible</title>
<link rel="stylesheet" href="/static/workspace.css"><link rel="icon" href="/static/icon.svg" type="image/svg+xml"></head>
<body class="outside"><main id="main"><section class="card narrow"><h1>This did not work</h1><p>{message}</p>
<p><a class="button" href="/">Go to the front page</a></p></section></main></body></html>
"""


def _refused(message: str, status: int) -> HTMLResponse:
    return HTMLResponse(_PAGE.replace("{message}", message), status_code=status)


class Shield:
    """Knows no form: it lets a request that changes something pass only where the browser says that it comes from our own pages
    (Fetch Metadata, or the Origin of browsers that have none). Another port of the same host is `same-site` and not ours."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app, self._settings = app, settings
        self._hosts = {settings.host, *(LOOPBACK if settings.host in LOOPBACK else ())}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if "\0" in scope["path"] or b"%00" in scope["query_string"]:  # PostgreSQL knows no such character
            await _refused("There is no such address.", 400)(scope, receive, self._dressed(scope, send))
            return
        if (refusal := self._refusal(scope["method"], scope["path"], headers)) is not None:
            await refusal(scope, receive, self._dressed(scope, send))
            return
        await self._app(scope, receive, self._dressed(scope, send))

    def _refusal(self, method: str, path: str, headers: Headers) -> HTMLResponse | None:
        if (urlsplit(f"//{headers.get('host', '')}").hostname or "") not in self._hosts:
            return _refused("This host name is not the one of the workspace (LL_PUBLIC_URL).", 400)
        if method in SAFE_METHODS:
            return None
        if not self._from_here(headers):
            return _refused("This request does not come from a page of the workspace.", 403)
        length, most = headers.get("content-length", ""), MOST_UPLOADED if UPLOADS.fullmatch(path) else MOST_BYTES
        if "transfer-encoding" in headers or not length.isdecimal() or int(length) > most:
            said = f"This is larger than {most // 2**20} MB, or its size was not stated. Send fewer or smaller files."
            return _refused(said, 413)
        return None

    def _from_here(self, headers: Headers) -> bool:
        if site := headers.get("sec-fetch-site"):
            return site == "same-origin"
        return headers.get("origin") == self._settings.origin

    def _dressed(self, scope: Scope, send: Send) -> Send:
        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if self._settings.cookie_secure:
                    headers["Strict-Transport-Security"] = "max-age=63072000"
                if not scope["path"].startswith("/static/"):
                    headers["Cache-Control"] = "no-store"
            await send(message)

        return dressed
