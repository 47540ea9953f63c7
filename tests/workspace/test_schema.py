"""Schemathesis, over every route of the table as an API: whatever is sent, by whomever, no request ends in a bug."""

from __future__ import annotations

import re
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

from augment_correction.workspace.permissions import ROUTES
from tests.workspace.places import Place, settings_in
from tests.workspace.test_odd_requests import FIELDS, HARMLESS

EXAMPLES = 80
TEXT = {"type": "string", "maxLength": 300}


def described(slug: str) -> dict[str, Any]:
    """What the table of permissions says, as OpenAPI: the workspace itself publishes none."""
    paths: dict[str, Any] = {}
    for route in sorted(ROUTES.keys() - HARMLESS):
        method, path = route.split(" ")
        if path.endswith("/stream") or path.startswith("/oidc"):
            continue
        path = path.replace("{slug}", slug)
        parts = re.findall(r"\{(\w+)\}", path)
        told: dict[str, Any] = {
            "parameters": [
                *({"name": name, "in": "path", "required": True, "schema": {**TEXT, "minLength": 1}} for name in parts),
                *(
                    {"name": name, "in": "query", "schema": TEXT}
                    for name in ("q", "from", "before", "state", "said", "edit")
                ),
            ],
            "responses": {"default": {"description": "A page, or a refusal."}},
        }
        if method == "POST":
            form = {"type": "object", "properties": dict.fromkeys(FIELDS, TEXT)}
            told["requestBody"] = {"content": {"application/x-www-form-urlencoded": {"schema": form}}}
        paths.setdefault(path, {})[method.lower()] = told
    return {"openapi": "3.1.0", "info": {"title": "workspace", "version": "1"}, "paths": paths}


def test_no_request_ends_in_a_bug(tmp_path_factory: pytest.TempPathFactory) -> None:
    place = Place(settings_in(tmp_path_factory.mktemp("schema")))
    ada = place.owner()
    schema = schemathesis.openapi.from_dict(described(ada.slug))
    token = ada.csrf
    tried = set()

    @given(case=schema.as_strategy())
    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    def ask(case: Any) -> None:
        form = case.body if isinstance(case.body, dict) else {}
        answer = ada.client.request(
            case.method, case.formatted_path, params=case.query or {},
            data={**form, "csrf": token} if case.method == "POST" else None, headers=ada.headers, follow_redirects=False,
        )  # fmt: skip
        tried.add((case.method, case.path))
        assert answer.status_code < 500, (case.method, case.formatted_path, answer.status_code)

    ask()
    assert len(tried) > 20
    place.close()
