"""The application: routes, each with its line in the table of permissions, behind the shield."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Route
from starlette.staticfiles import StaticFiles

from augment_correction.workspace.entering import enter
from augment_correction.workspace.here import Here
from augment_correction.workspace.middleware import Bugs, Visitor
from augment_correction.workspace.migrating import migrate
from augment_correction.workspace.permissions import ROUTES
from augment_correction.workspace.problems import NotThere, Problem, SecondFactorFirst, SignInFirst
from augment_correction.workspace.routes import ROUTERS
from augment_correction.workspace.settings import Settings, read_settings
from augment_correction.workspace.shielding import Shield
from augment_correction.workspace.site import STATIC, Site, open_site

SMALL_FORM = 128 * 1024
"""Bytes: a message of 20,000 characters, each written as several."""
WRITTEN = ("text", "right", "system_prompt", "reason", "question")
"""Fields that take a while to write, and hold no secret."""


def application(settings: Settings | None = None) -> FastAPI:
    """Opens the database and brings its tables up to date.

    Raises: ConfigError; RuntimeError for a route without a permission."""
    site = open_site(settings or read_settings())
    migrate(site.database, cipher=site.cipher)
    return make_app(site)


def make_app(site: Site) -> FastAPI:
    app = FastAPI(
        title=site.settings.app_name, docs_url=None, redirect_slashes=False, redoc_url=None, openapi_url=None, lifespan=_living,
        dependencies=[Depends(enter)],
    )  # fmt: skip
    app.state.site = site
    for router in ROUTERS:
        app.include_router(router)
    require_permissions(app)
    app.mount("/static", StaticFiles(directory=STATIC))
    app.add_exception_handler(Problem, _show_problem)
    app.add_exception_handler(HTTPException, _show_http)
    app.add_middleware(Bugs, site=site)
    app.add_middleware(Visitor, settings=site.settings)
    app.add_middleware(Shield, settings=site.settings)
    return app


def require_permissions(app: FastAPI) -> None:
    """Raises: RuntimeError for a route that the table does not have, or a line without a route."""
    routes = {
        f"{method} {route.path}"
        for route in all_routes(app.router)
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }
    if unknown := routes ^ ROUTES.keys():
        raise RuntimeError(f"routes and permissions differ (permissions.ROUTES): {', '.join(sorted(unknown))}")


def all_routes(router: Any) -> Iterator[BaseRoute]:
    """Those of the routers that were included, too."""
    for route in router.routes:
        inner = getattr(route, "original_router", None)
        if inner is None:
            yield route
        else:
            yield from all_routes(inner)


@asynccontextmanager
async def _living(app: FastAPI) -> AsyncIterator[None]:
    site: Site = app.state.site
    site.answering.live_in(asyncio.get_running_loop())
    yield
    await site.answering.close()
    await site.serving.close()
    app.state.site.database.close()


# ------------------------------------------------------------------------------------------------------ errors


def _here(request: Request) -> Here:
    found = getattr(request.state, "here", None)
    return found if isinstance(found, Here) else Here(request.app.state.site, request, "")


def _wants_json(request: Request) -> bool:
    return "application/json" in request.headers.get("accept", "")


async def _show_problem(request: Request, problem: Any) -> Response:
    if isinstance(problem, SignInFirst) and request.method in ("GET", "HEAD") and not _wants_json(request):
        return RedirectResponse(f"/login?then={request.url.path}", status_code=303)
    if isinstance(problem, SecondFactorFirst) and request.method in ("GET", "HEAD") and not _wants_json(request):
        return RedirectResponse("/account?said=second_factor#second-factor", status_code=303)
    if _wants_json(request):
        return JSONResponse({"error": problem.message, "field": problem.field}, status_code=problem.status)
    again = isinstance(problem, SignInFirst)
    written = _long_words(await _small_form(request) if again else _here(request).form)
    return _problem_page(request, problem.status, problem.message, again=again, written=written)


async def _show_http(request: Request, failure: Any) -> Response:
    path = request.url.path
    if failure.status_code == 404 and path.startswith("/o/") and path.endswith("/") and request.method == "GET":
        return RedirectResponse(path.rstrip("/"), status_code=308)
    message = NotThere().message if failure.status_code == 404 else str(failure.detail)
    return _problem_page(request, failure.status_code, message)


def _problem_page(request: Request, status: int, message: str, *, again: bool = False, written: str = "") -> Response:
    """With the way back, and with what was written where it would be lost."""
    here = _here(request)
    return here.page("problem.html", status=status, message=message, back=here.before, written=written, again=again)


def _long_words(form: Mapping[str, str]) -> str:
    return next((form[name] for name in WRITTEN if form.get(name)), "")


async def _small_form(request: Request) -> dict[str, str]:
    """Of somebody whose session has ended: no upload, and no more than a long message."""
    length, kind = request.headers.get("content-length", ""), request.headers.get("content-type", "")
    if not (length.isdecimal() and int(length) <= SMALL_FORM and kind == "application/x-www-form-urlencoded"):
        return {}
    return {name: value for name, value in (await request.form(max_fields=20)).items() if isinstance(value, str)}
