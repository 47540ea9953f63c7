"""Who may do what: the one table. Routes, services and templates ask here and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from augment_correction.workspace.problems import Forbidden

Role = Literal["member", "reviewer", "admin", "owner"]
ROLES: Final[tuple[Role, ...]] = ("member", "reviewer", "admin", "owner")
"""Each may what the ones before it may."""
PUBLIC, SIGNED_IN = "public", "signed_in"
"""Routes of no organisation."""

_FROM: Mapping[str, Role] = {
    "organisation.see": "member",
    "organisation.leave": "member",
    "threads.read": "member",
    "threads.write": "member",
    "corrections.flag": "member",
    "corrections.confirm": "member",
    "corrections.read": "member",
    "corrections.edit": "reviewer",
    "corrections.decide": "reviewer",
    "corrections.withdraw": "reviewer",
    "versions.read": "member",
    "versions.compare": "reviewer",
    "versions.train": "admin",
    "versions.activate": "admin",
    "versions.roll_back": "admin",
    "jobs.read": "member",
    "jobs.cancel": "admin",
    "datasets.read": "member",
    "datasets.make": "reviewer",
    "datasets.review": "reviewer",
    "members.read": "member",
    "members.invite": "admin",
    "members.change": "admin",
    "members.remove": "admin",
    "ownership.give": "owner",
    "usage.read": "admin",
    "audit.read": "admin",
    "settings.change": "admin",
}
"""By action, the least role that has it."""


def rank(role: str) -> int:
    return ROLES.index(role)


def allows(role: str | None, action: str) -> bool:
    """Raises: KeyError for an action that the table does not have."""
    return role is not None and rank(role) >= rank(_FROM[action])


def require(role: str | None, action: str) -> None:
    """Raises: Forbidden with who may."""
    if not allows(role, action):
        raise Forbidden(f"Your role in this organisation does not allow this. It needs the role {_FROM[action]}.")


def require_other_person(person: str, *others: str | None) -> None:
    """Nobody decides about his own words.

    Raises: Forbidden."""
    if person in others:
        raise Forbidden("You wrote these words yourself. Another person must decide about them.")


def require_no_higher(own: str, *roles: str) -> None:
    """Raises: Forbidden where one of `roles` is above the own."""
    for role in roles:
        if role not in ROLES:
            raise Forbidden("There is no such role.")
        if rank(role) > rank(own):
            raise Forbidden(f"You are {own} here and cannot give or change the role {role}.")


ACTIONS = frozenset(_FROM)
ROUTES: dict[str, str] = {
    # ------------------------------------------------------------------------------------ of no organisation
    "GET /": PUBLIC,
    "GET /healthz": PUBLIC,
    "GET /login": PUBLIC,
    "POST /login": PUBLIC,
    "GET /register": PUBLIC,
    "POST /register": PUBLIC,
    "GET /oidc/start": PUBLIC,
    "GET /oidc/callback": PUBLIC,
    "GET /oidc/confirm": PUBLIC,
    "POST /oidc/confirm": PUBLIC,
    "GET /password/{token}": PUBLIC,
    "POST /password/{token}": PUBLIC,
    "GET /setup/{token}": PUBLIC,
    "POST /setup/{token}": PUBLIC,
    "GET /invite/{token}": PUBLIC,
    "POST /invite/{token}": PUBLIC,
    "POST /logout": SIGNED_IN,
    "GET /organisations": SIGNED_IN,
    "POST /organisations": SIGNED_IN,
    "GET /account": SIGNED_IN,
    "POST /account/name": SIGNED_IN,
    "POST /account/password": SIGNED_IN,
    "POST /account/sessions/end": SIGNED_IN,
    "POST /account/totp": SIGNED_IN,
    "POST /account/totp/off": SIGNED_IN,
    "GET /account/data": SIGNED_IN,
    "POST /account/delete": SIGNED_IN,
    # --------------------------------------------------------------------------------- of an organisation
    "GET /o/{slug}": "organisation.see",
    "GET /o/{slug}/threads": "threads.read",
    "POST /o/{slug}/threads": "threads.write",
    "GET /o/{slug}/threads/{thread}": "threads.read",
    "POST /o/{slug}/threads/{thread}": "threads.write",
    "GET /o/{slug}/threads/{thread}/export": "threads.read",
    "POST /o/{slug}/threads/{thread}/title": "threads.write",
    "POST /o/{slug}/threads/{thread}/share": "threads.write",
    "POST /o/{slug}/threads/{thread}/delete": "threads.write",
    "GET /o/{slug}/threads/{thread}/{message}/stream": "threads.read",
    "POST /o/{slug}/threads/{thread}/{message}/stop": "threads.write",
    "POST /o/{slug}/threads/{thread}/{message}/again": "threads.write",
    "POST /o/{slug}/threads/{thread}/{message}/edit": "threads.write",
    "POST /o/{slug}/threads/{thread}/{message}/flag": "corrections.flag",
    "POST /o/{slug}/corrections/{correction}/confirm": "corrections.confirm",
    "POST /o/{slug}/corrections/{correction}/dismiss": "corrections.confirm",
    "GET /o/{slug}/corrections": "corrections.read",
    "GET /o/{slug}/corrections/{correction}": "corrections.read",
    "POST /o/{slug}/corrections/{correction}/edit": "corrections.edit",
    "POST /o/{slug}/corrections/{correction}/approve": "corrections.decide",
    "POST /o/{slug}/corrections/{correction}/reject": "corrections.decide",
    "POST /o/{slug}/corrections/{correction}/withdraw": "corrections.withdraw",
    "GET /o/{slug}/versions": "versions.read",
    "POST /o/{slug}/versions": "versions.train",
    "GET /o/{slug}/versions/{number}": "versions.read",
    "GET /o/{slug}/versions/{number}/page": "versions.read",
    "POST /o/{slug}/versions/{number}/activate": "versions.activate",
    "POST /o/{slug}/versions/rollback": "versions.roll_back",
    "POST /o/{slug}/versions/compare": "versions.compare",
    "GET /o/{slug}/datasets": "datasets.read",
    "POST /o/{slug}/datasets": "datasets.make",
    "GET /o/{slug}/datasets/{dataset}": "datasets.read",
    "POST /o/{slug}/datasets/{dataset}/start": "datasets.make",
    "POST /o/{slug}/datasets/{dataset}/decide": "datasets.review",
    "POST /o/{slug}/datasets/{dataset}/edit": "datasets.review",
    "POST /o/{slug}/datasets/{dataset}/write": "datasets.make",
    "GET /o/{slug}/datasets/{dataset}/file": "datasets.read",
    "GET /o/{slug}/datasets/{dataset}/report": "datasets.read",
    "GET /o/{slug}/jobs": "jobs.read",
    "GET /o/{slug}/jobs/{job}": "jobs.read",
    "POST /o/{slug}/jobs/{job}/cancel": "jobs.cancel",
    "GET /o/{slug}/members": "members.read",
    "POST /o/{slug}/members/{user}/role": "members.change",
    "POST /o/{slug}/members/{user}/remove": "members.remove",
    "POST /o/{slug}/members/{user}/owner": "ownership.give",
    "POST /o/{slug}/leave": "organisation.leave",
    "POST /o/{slug}/members/invites": "members.invite",
    "POST /o/{slug}/members/invites/{invite}/end": "members.invite",
    "GET /o/{slug}/usage": "usage.read",
    "GET /o/{slug}/audit": "audit.read",
    "GET /o/{slug}/settings": "settings.change",
    "POST /o/{slug}/settings": "settings.change",
}
"""By route, what it takes. The application refuses to start with a route that is not here."""
