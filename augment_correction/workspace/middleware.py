"""Between the shield and the routes: a cookie for browsers without one, and an answer where a bug left none."""

from __future__ import annotations

import sys
import traceback

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from augment_correction.workspace import cookies, tokens
from augment_correction.workspace.database import DATABASE_AWAY
from augment_correction.workspace.here import Here
from augment_correction.workspace.settings import Settings
from augment_correction.workspace.site import Site

AWAY = "The workspace's database cannot be reached at the moment. Nothing is lost: try again in a minute."
BUG = "Something went wrong on the server. The server's log has the details."


class Visitor:
    """Gives a browser without a session a cookie, to which the tokens of its forms are bound."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app, self._settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET" or scope["path"].startswith("/static/"):
            await self._app(scope, receive, send)
            return
        settings, known = self._settings, Request(scope).cookies
        if settings.session_cookie in known or settings.visitor_cookie in known:
            await self._app(scope, receive, send)
            return
        made = tokens.new_token()
        header = (b"cookie", f"{settings.visitor_cookie}={made}".encode())
        told = cookies.spelled(settings, settings.visitor_cookie, made, cookies.MONTH).encode()

        async def with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], (b"set-cookie", told)]}
            await send(message)

        await self._app({**scope, "headers": [*scope["headers"], header]}, receive, with_cookie)


class Bugs:
    """The traceback goes to the log, and none of it to the browser."""

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self._app, self._site = app, site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as failure:
            if scope["type"] != "http" or begun:
                raise
            traceback.print_exc(file=sys.stderr)
            away = isinstance(failure, DATABASE_AWAY)
            page = Here(self._site, Request(scope), "").page(
                "problem.html",
                status=503 if away else 500,
                message=AWAY if away else BUG,
                back="",
                written="",
                again=False,
            )
            await page(scope, receive, send)
