"""Whatever is asked of any route, the answer is a page or a refusal and never a bug."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest

from augment_correction.workspace.permissions import ROUTES
from tests.workspace.places import Place

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
