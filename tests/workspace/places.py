"""A workspace in a folder of its own, on SQLite or PostgreSQL, and people who use it through its pages."""

from __future__ import annotations

import html
import re
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.testclient import TestClient

from augment_correction.workspace.accounts import new_setup_link
from augment_correction.workspace.application import application
from augment_correction.workspace.settings import Settings
from augment_correction.workspace.site import Site

ORIGIN = "https://workspace.test"
PASSWORD = "violet staple orbit harbour"


def settings_in(folder: Path, database_url: str = "", **more: Any) -> Settings:
    given: dict[str, Any] = {"backend": "mock", "model": "scripted", "detects": False, "secret": b"s" * 40} | more
    folder.mkdir(parents=True, exist_ok=True)
    return Settings(
        database_url=database_url or f"sqlite:///{folder}/workspace.db", storage=folder,
        public_url=ORIGIN, cookie_secure=True, **given,
    )  # fmt: skip


@dataclass
class Person:
    """A browser: it keeps cookies, sends what browsers send, and takes a form's token from the page."""

    client: TestClient
    email: str = ""
    slug: str = ""
    page: str = ""
    status: int = 0
    url: str = ""
    headers: dict[str, str] = field(default_factory=lambda: {"sec-fetch-site": "same-origin"})

    def get(self, path: str, **more: Any) -> str:
        return self._took(self.client.get(path, **more))

    @property
    def csrf(self) -> str:
        """As a page of now has it."""
        found = re.search(r'name="csrf" value="([0-9a-f]+)"', self.client.get("/login").text)
        assert found
        return found[1]

    def post(self, path: str, data: dict[str, Any] | None = None, **more: Any) -> str:
        headers = {**self.headers, **more.pop("headers", {})}
        return self._took(self.client.post(path, data={"csrf": self.csrf, **(data or {})}, headers=headers, **more))

    def _took(self, answer: Any) -> str:
        self.status, self.page, self.url = answer.status_code, answer.text, answer.url.path
        if found := re.search(r"/o/([a-z0-9-]+)", str(answer.url)):
            self.slug = found[1]
        return self.page

    @property
    def text(self) -> str:
        return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", self.page)).split())

    def at(self, path: str) -> str:
        return f"/o/{self.slug}{path}"

    def sign_in(self, email: str = "", password: str = PASSWORD, code: str = "") -> str:
        return self.post("/login", {"email": email or self.email, "password": password, "code": code})


class Place:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.app: FastAPI = application(settings)
        self._number = 0

    @property
    def site(self) -> Site:
        site = self.app.state.site
        assert isinstance(site, Site)
        return site

    def person(self, email: str = "", address: str = "192.0.2.1") -> Person:
        return Person(TestClient(self.app, base_url=ORIGIN, client=(address, 4000)), email)

    def owner(self, organisation: str = "Bridges Ltd", name: str = "Ada Owner") -> Person:
        """The first owner by the one-time link, later ones by invitation and a foundation of their own."""
        self._number += 1
        person = self.person(f"owner{self._number}@example.org")
        with self.site.database.as_system(writes=True) as session:
            token = new_setup_link(session)
        if token is None:
            return self._another_owner(person, organisation, name)
        person.get(f"/setup/{token}")
        person.post(f"/setup/{token}", self.filled(person, name, organisation))
        assert person.status == 200, person.text
        return person

    def _another_owner(self, person: Person, organisation: str, name: str) -> Person:
        from augment_correction.workspace import accounts, organisations
        from augment_correction.workspace.audit import Actor

        with self.site.database.as_system(writes=True) as session:
            user = accounts.add_user(session, person.email, name, PASSWORD)
            made = organisations.found(session, Actor(user.id), user, organisation)
        person.sign_in()
        person.slug = made.slug
        return person

    @staticmethod
    def filled(person: Person, name: str, organisation: str) -> dict[str, str]:
        return {"name": name, "email": person.email, "password": PASSWORD, "organisation": organisation}

    def join(self, inviter: Person, role: str, name: str = "", email: str = "") -> Person:
        """A new account by an invitation's link."""
        self._number += 1
        person = self.person(email or f"{role}{self._number}@example.org")
        link = invited(inviter, person.email, role)
        person.get(link)
        person.post(link, {"name": name or f"{role.title()} {self._number}", "password": PASSWORD})
        assert person.status == 200, person.text
        person.slug = inviter.slug
        return person

    def live(self) -> AbstractContextManager[TestClient]:
        """Inside, the application runs: it has the loop in which replies are made."""
        return TestClient(self.app, base_url=ORIGIN)

    def close(self) -> None:
        self.site.database.close()


def invited(inviter: Person, email: str, role: str) -> str:
    """The path of the link that the page shows once."""
    inviter.post(inviter.at("/members/invites"), {"email": email, "role": role})
    found = re.search(rf'value="{re.escape(ORIGIN)}(/invite/[^"]+)"', inviter.page)
    assert found, inviter.text
    return found[1]
