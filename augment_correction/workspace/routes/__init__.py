"""The routes, by what they are about. A route reads the form, calls one function, and answers with a page or a redirect."""

from augment_correction.workspace.routes import accounts, entrance, members, organisation

ROUTERS = (entrance.router, accounts.router, members.router, organisation.router)
