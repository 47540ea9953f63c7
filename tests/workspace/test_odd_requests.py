"""Whatever is asked of any route, the answer is a page or a refusal and never a bug."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest

from augment_correction.workspace.permissions import ROUTES
from tests.workspace.places import ORIGIN, Place

ODD = ("-1", "9" * 40, "'; DROP TABLE users; --", "..", "\u202e\U0001f9c0", "a" * 3000, "\0\x01")
FIELDS = (
    "text", "title", "shared", "email", "role", "name", "password", "current", "code", "secret", "session", "organisation",
    "daily_messages", "system_prompt", "question", "wrong", "right", "reason", "against_evidence", "step_down", "one", "other",
    "row", "action", "turn_0", "turn_99999999", "from", "then",
)  # fmt: skip
HARMLESS = {"POST /logout", "POST /account/delete", "POST /o/{slug}/leave"}
"""Would end the visit."""


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_odd_words_anywhere(place: Place, odd: str) -> None:
    ada = place.owner()
    slug = ada.slug
    for route in sorted(ROUTES.keys() - HARMLESS):
        method, path = route.split(" ")
        target = re.sub(r"\{\w+\}", lambda _: quote(odd, safe=""), path.replace("{slug}", slug))
        for address in {
            target,
            f"{target}?q={quote(odd)}&from={quote(odd)}&before={quote(odd)}&state={quote(odd)}&said={quote(odd)}",
        }:
            if method == "GET" and not path.endswith("/stream"):
                ada.get(address)
            elif method == "POST":
                ada.post(address, dict.fromkeys(FIELDS, odd))
                ada.post(address)
            assert ada.status < 500, (route, address, ada.status)


@pytest.mark.parametrize(
    ("path", "field"),
    [("/login", "email"), ("/login", "password"), ("/account/name", "name"), ("/settings", "system_prompt"),
     ("/account/name", "csrf"), ("/members/x/role", "role")],
)  # fmt: skip
def test_halves_of_characters_that_an_encoding_makes(place: Place, path: str, field: str) -> None:
    """`+2AA-` is half a character in UTF-7, which a sender may say that it writes."""
    ada = place.owner()
    fields = {"csrf": ada.csrf, "name": "Bridges", "daily_messages": "9", field: "+2AA-"}
    parts = "".join(
        f'--x\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{text}\r\n' for key, text in fields.items()
    )
    headers = {**ada.headers, "content-type": "multipart/form-data; boundary=x; charset=utf-7"}
    target = path if path in ("/login", "/account/name") else ada.at(path)
    assert ada.client.post(target, content=f"{parts}--x--\r\n", headers=headers).status_code < 500


def test_what_was_written_is_not_lost_with_the_session(place: Place) -> None:
    ada = place.owner()
    page = ada.at("/threads")
    ada.client.cookies.clear()
    ada.post(page, {"text": "An hour's <b>work</b>"}, headers={"referer": f"{ORIGIN}{page}"})
    assert ada.status == 401 and "Your session has ended." in ada.text
    assert "An hour&#39;s &lt;b&gt;work&lt;/b&gt;" in ada.page and f'href="/login?then={page}"' in ada.page


def test_a_page_that_refuses_leads_back(place: Place) -> None:
    ada = place.owner()
    ada.get(ada.at("/nothing"), headers={"referer": f"{ORIGIN}{ada.at('/jobs')}"})
    assert ada.status == 404 and f'href="{ada.at("/jobs")}">Go back' in ada.page
    ada.get(ada.at("/nothing"), headers={"referer": "https://elsewhere.example/jobs"})
    assert "Go back" not in ada.page


def test_escape_sequences_are_not_kept(place: Place) -> None:
    ada = place.owner()
    ada.post(ada.at("/settings"), {"name": "B", "daily_messages": "9", "system_prompt": "a\x1b[31m\x7fb\n\tc\x00"})
    assert ada.status == 200 and "a[31mb\n\tc</textarea>" in ada.page
