"""The routes, by what they are about. A route reads the form, calls one function, and answers with a page or a redirect."""

from augment_correction.workspace.routes import (
    accounts,
    corrections,
    entrance,
    members,
    organisation,
    threads,
    versions,
)

ROUTERS = (
    entrance.router,
    accounts.router,
    threads.router,
    corrections.router,
    versions.router,
    members.router,
    organisation.router,
)
