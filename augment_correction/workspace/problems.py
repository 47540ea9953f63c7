"""What a request may end in besides a page."""

from __future__ import annotations


class Problem(Exception):
    """Shown to whoever asked, in a whole sentence; `field` is the form's that is wrong."""

    status = 400

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.message, self.field = message, field


class Invalid(Problem):
    """The form is shown again with what is wrong in it."""

    status = 422


class Forbidden(Problem):
    status = 403


class NotThere(Problem):
    """Also for what belongs to another organisation: nobody learns that it exists."""

    status = 404

    def __init__(
        self, message: str = "This page does not exist, or you are not a member of the organisation it belongs to."
    ) -> None:
        super().__init__(message)


class Conflict(Problem):
    status = 409


class TooMany(Problem):
    status = 429


class SecondFactorFirst(Forbidden):
    """The organisation lets nobody in without one."""


class SignInFirst(Problem):
    status = 401
