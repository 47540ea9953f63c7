"""The routes, by what they are about. A route reads the form, calls one function, and answers with a page or a redirect."""

from augment_correction.workspace.routes import (
    accounts,
    corrections,
    datasets,
    entrance,
    members,
    oidc,
    organisation,
    threads,
    versions,
)

ROUTERS = tuple(
    module.router
    for module in (entrance, oidc, accounts, threads, corrections, versions, datasets, members, organisation)
)
