"""One request: who asks, in which organisation, and what he may."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session
from starlette.datastructures import UploadFile

from augment_correction.workspace import tokens
from augment_correction.workspace.audit import Actor
from augment_correction.workspace.permissions import ROUTES, allows, require
from augment_correction.workspace.problems import Invalid
from augment_correction.workspace.site import Site
from augment_correction.workspace.tables import LoginSession, Membership, Organisation, User

LONGEST_FIELD = 40_000
_CONTROLS = dict.fromkeys({*range(32), 127} - {ord("\n"), ord("\t")})


@dataclass
class Here:
    """`user`, `own` (the membership) and `organisation` are there where the route wants them; `form` holds what was sent."""

    site: Site
    request: Request
    cookie: str
    form: Mapping[str, str] = field(default_factory=dict)
    files: Sequence[UploadFile] = ()
    login: LoginSession | None = None
    _user: User | None = None
    _organisation: Organisation | None = None
    own: Membership | None = None

    @property
    def user(self) -> User:
        assert self._user is not None
        return self._user

    @property
    def signed_in(self) -> bool:
        return self._user is not None

    @property
    def organisation(self) -> Organisation:
        assert self._organisation is not None
        return self._organisation

    @property
    def in_organisation(self) -> bool:
        return self._organisation is not None

    @property
    def role(self) -> str | None:
        return self.own.role if self.own else None

    @property
    def address(self) -> str:
        """Of the browser; behind a proxy uvicorn puts the one that the proxy tells in its place."""
        return self.request.client.host if self.request.client else ""

    @property
    def actor(self) -> Actor:
        return Actor(self._user.id if self._user else None, self.address)

    @property
    def csrf(self) -> str:
        return csrf_token(self.site, self.cookie)

    @property
    def root(self) -> str:
        return f"/o/{self.organisation.slug}"

    def may(self, action: str) -> bool:
        return allows(self.role, action)

    def has_page(self, path: str) -> bool:
        return f"GET /o/{{slug}}{path}" in ROUTES

    def require(self, action: str) -> None:
        require(self.role, action)

    @property
    def before(self) -> str:
        """The path of our own page that this request came from; empty where there is none, or it is the same."""
        came = urlsplit(self.request.headers.get("referer", ""))
        ours = came.netloc == self.request.headers.get("host") and came.path.startswith("/")
        same = self.request.method == "GET" and came.path == self.request.url.path
        return came.path if ours and not same and not came.path.startswith("//") else ""

    # ------------------------------------------------------------------------------------------------- input

    def path(self, name: str) -> str:
        return str(self.request.path_params[name])

    def text(self, name: str, *, most: int = LONGEST_FIELD, missing: str = "") -> str:
        """What the form says, without control characters, which a terminal would obey; with `missing`, it has to.

        Raises: Invalid."""
        text = self.form.get(name, "").replace("\r\n", "\n").translate(_CONTROLS).strip()
        if missing and not text:
            raise Invalid(missing, field=name)
        if len(text) > most:
            raise Invalid(f"This is longer than {most:,} characters.", field=name)
        return text

    def query(self, name: str) -> str:
        return self.request.query_params.get(name, "")[:200]

    def number(self, name: str) -> int | None:
        """Of the query; None for what is none, or one that no table holds."""
        return number_in(self.query(name))

    # ---------------------------------------------------------------------------------------------- database

    @contextmanager
    def read(self) -> Iterator[Session]:
        with self.site.database.read(self._organisation.id if self._organisation else "") as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        with self.site.database.write(self._organisation.id if self._organisation else "") as session:
            yield session

    # ------------------------------------------------------------------------------------------------ answers

    def page(self, template: str, *, status: int = 200, **values: Any) -> Response:
        shown = self.site.templates.get_template(template).render(
            here=self,
            settings=self.site.settings,
            said=self.query("said") if self.request.method == "GET" else "",
            **values,
        )
        return HTMLResponse(shown, status_code=status)

    def go(self, path: str, *, at: str = "", **query: str) -> Response:
        """After a form: the browser asks for `path`, and shows the element `at`, so that a reload sends nothing twice."""
        asked = f"{path}?{urlencode(query)}" if query else path
        return RedirectResponse(f"{asked}#{at}" if at else asked, status_code=303)


def csrf_token(site: Site, cookie: str) -> str:
    """Bound to the browser's cookie: a token of somebody else is worth nothing."""
    return tokens.signed(site.settings.secret, "csrf", cookie)


def number_in(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 10 else None
