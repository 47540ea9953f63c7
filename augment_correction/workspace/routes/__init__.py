"""The routes, by what they are about. A route reads the form, calls one function, and answers with a page or a redirect."""

from augment_correction.workspace.routes import accounts, entrance, members, organisation, threads

ROUTERS = (entrance.router, accounts.router, threads.router, members.router, organisation.router)
