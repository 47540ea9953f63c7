"""What all requests of one process share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import jinja2

from augment_correction.workspace.agents import named
from augment_correction.workspace.answering import Answering
from augment_correction.workspace.database import Database
from augment_correction.workspace.detecting import Detecting
from augment_correction.workspace.encryption import Cipher
from augment_correction.workspace.expecting import Expectations
from augment_correction.workspace.markdown import html_of
from augment_correction.workspace.oidc import OpenIdConnect
from augment_correction.workspace.serving import Serving
from augment_correction.workspace.settings import Settings
from augment_correction.workspace.tables import now
from augment_correction.workspace.threads import day_of

PAGES = Path(__file__).with_name("pages")
STATIC = Path(__file__).with_name("static")


@dataclass(frozen=True)
class Site:
    settings: Settings
    database: Database
    templates: jinja2.Environment
    serving: Serving
    answering: Answering
    cipher: Cipher
    oidc: OpenIdConnect | None
    expectations: Expectations


def open_site(settings: Settings) -> Site:
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(PAGES), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, auto_reload=False,
    )  # fmt: skip
    templates.filters["markdown"] = html_of
    templates.globals["now"] = now
    templates.globals["day_of"] = day_of
    templates.filters["browser"] = named
    templates.globals["assets"] = _stamp()
    database, serving = Database(settings.database_url, settings.pool), Serving(settings)
    detecting = Detecting(database) if settings.detects else None
    oidc = OpenIdConnect(settings.provider, settings) if settings.provider else None
    answering = Answering(database, serving, detecting)
    return Site(settings, database, templates, serving, answering, settings.cipher, oidc, Expectations(settings))


def _stamp() -> str:
    """Changes with the files, so that browsers may keep them."""
    return format(max(int(path.stat().st_mtime) for path in STATIC.iterdir()), "x")
