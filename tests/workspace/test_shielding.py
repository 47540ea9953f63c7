"""What protects every route alike: the origin of a request, the form's token, hosts, headers, the table of permissions."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from fastapi import APIRouter
from sqlalchemy import select

from augment_correction.workspace.application import require_permissions
from augment_correction.workspace.permissions import ACTIONS, PUBLIC, ROUTES, SIGNED_IN
from augment_correction.workspace.tables import AuditEvent, Organisation
from tests.workspace.places import Place

CHANGING = sorted(route.removeprefix("POST ") for route in ROUTES if route.startswith("POST "))
OF_AN_ORGANISATION = sorted(route for route, rule in ROUTES.items() if rule not in (PUBLIC, SIGNED_IN))


def filled(path: str, slug: str) -> str:
    return re.sub(r"\{\w+\}", "0123456789abcdef", path.replace("{slug}", slug))


def test_every_rule_of_a_route_is_one_of_the_table() -> None:
    assert set(ROUTES.values()) - {PUBLIC, SIGNED_IN} <= ACTIONS


def test_an_application_with_a_route_that_the_table_does_not_have_is_refused(place: Place) -> None:
    require_permissions(place.app)
    router = APIRouter()
    router.add_api_route("/o/{slug}/forgotten", lambda: "all of it")
    place.app.include_router(router)
    with pytest.raises(RuntimeError, match=r"GET /o/\{slug\}/forgotten"):
        require_permissions(place.app)


@pytest.mark.parametrize("headers", [{"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"sec-fetch-site": "none"},
                                     {}, {"origin": "https://evil.example"}, {"origin": "null"}, {"origin": "https://workspace.test:81"}])  # fmt: skip
def test_what_does_not_come_from_our_pages_changes_nothing(place: Place, headers: dict[str, str]) -> None:
    ada = place.owner()
    token = ada.csrf
    for path in CHANGING:
        answer = ada.client.post(filled(path, ada.slug), data={"csrf": token}, headers=headers)
        assert answer.status_code == 403, path


def test_an_old_browser_says_where_it_comes_from_by_its_origin(place: Place) -> None:
    ada = place.owner()
    ada.headers = {"origin": place.settings.origin}
    ada.post("/account/name", {"name": "Ada Lovelace"})
    assert ada.status == 200 and "Ada Lovelace" in ada.text


def test_a_form_without_its_token_or_with_anothers_changes_nothing(place: Place) -> None:
    ada = place.owner()
    others = place.owner("Other Ltd", "Eve").csrf
    for path in CHANGING:
        for token in ("", "x", others):
            answer = ada.client.post(filled(path, ada.slug), data={"csrf": token}, headers=ada.headers)
            assert answer.status_code == 403, (path, token)


def test_a_stranger_finds_nothing_changes_nothing_and_the_audit_is_told(place: Place) -> None:
    ada, eve = place.owner(), place.owner("Other Ltd", "Eve")
    with place.site.database.as_system() as session:
        organisation = session.execute(select(Organisation.id).where(Organisation.slug == ada.slug)).scalar_one()
        before = _events(session, organisation)
    for route in OF_AN_ORGANISATION:
        method, path = route.split(" ")
        target = filled(path, ada.slug)
        eve.get(target) if method == "GET" else eve.post(target)
        assert eve.status == 404, route
        assert "Bridges" not in eve.text
        eve.get(filled(path, "no-such-place")) if method == "GET" else eve.post(filled(path, "no-such-place"))
        assert eve.status == 404, route
    with place.site.database.as_system() as session:
        made = _events(session, organisation)[len(before) :]
    assert [event.action for event in made] == ["refused"] * len(OF_AN_ORGANISATION)


def test_a_stranger_does_not_fill_the_audit(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("augment_correction.workspace.entering.REFUSALS", 2)
    ada, eve = place.owner(), place.owner("Other Ltd", "Eve")
    for _ in range(4):
        eve.get(ada.at("/members"))
        assert eve.status == 404
    assert ada.get(ada.at("/audit")).count("refused") == 2


def test_of_a_stranger_no_upload_is_read(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    ada, nobody = place.owner(), place.person()
    token = nobody.csrf
    monkeypatch.setattr("starlette.requests.Request.form", None)
    answer = nobody.client.post(
        ada.at("/datasets"), data={"csrf": token}, files={"files": b"x" * 100}, headers=ada.headers
    )
    assert answer.status_code == 401


def test_a_form_is_small_and_says_its_size(place: Place) -> None:
    ada = place.owner()
    for path, headers in (
        ("/login", {}),
        (ada.at("/threads"), {}),
        (ada.at("/datasets"), {"transfer-encoding": "chunked"}),
    ):
        answer = ada.client.post(path, content=b"x" * 5_000_000, headers={**ada.headers, **headers})
        assert answer.status_code == 413, path
    answer = ada.client.post(ada.at("/datasets"), content=b"x" * 5_000_000, headers=ada.headers)
    assert answer.status_code == 403  # it is read, and has no token


def _events(session: object, organisation: str) -> list[AuditEvent]:
    asked = select(AuditEvent).where(AuditEvent.org_id == organisation).order_by(AuditEvent.number)
    return list(session.execute(asked).scalars())  # type: ignore[attr-defined]


def test_who_is_not_signed_in_is_led_to_the_door(place: Place) -> None:
    ada = place.owner()
    nobody = place.person()
    for route in sorted(route for route, rule in ROUTES.items() if rule != PUBLIC):
        method, path = route.split(" ")
        if method == "GET":
            assert "Sign in" in nobody.get(filled(path, ada.slug))
        else:
            nobody.post(filled(path, ada.slug))
            assert nobody.status == 401, route


def test_another_host_name_is_refused(place: Place) -> None:
    answer = place.person().client.get("/login", headers={"host": "rebound.example"})
    assert answer.status_code == 400


@pytest.mark.parametrize("path", ["/login", "/nowhere", "/static/workspace.css", "/account"])
def test_every_answer_carries_the_headers(place: Place, path: str) -> None:
    answer = place.person().client.get(path, follow_redirects=False)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "max-age=63072000" in answer.headers["strict-transport-security"]


def test_no_page_holds_what_the_policy_forbids(open_place: Callable[..., Place]) -> None:
    place = open_place()
    ada = place.owner()
    for path in ("/login", "/account", "/organisations", ada.at("/members"), ada.at("/settings"), ada.at("/audit")):
        page = ada.get(path)
        assert ada.status == 200, path
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|javascript:", page), path


def test_a_bug_shows_nothing_of_itself(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("the secret of the house")

    monkeypatch.setattr("augment_correction.workspace.organisations.memberships_of", broken)
    ada = place.owner()
    ada.get("/organisations")
    assert ada.status == 500 and "secret" not in ada.page and "went wrong" in ada.text


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}", "javascript:alert(1)"]
)
def test_names_stay_inert(place: Place, name: str) -> None:
    ada = place.owner()
    ada.post("/account/name", {"name": name})
    page = ada.get(ada.at("/members"))
    assert name in ada.text
    assert "<script>alert" not in page and "<img src=x" not in page and ">49<" not in page
