"""The web workspace: organisations chat with their model, flag what it got wrong, let another person approve the correction, train,
and activate or roll back what was trained. `uvicorn augment_correction.workspace:app` serves it, as `workspace serve` does.

The only package that imports FastAPI and SQLAlchemy (extra `workspace`). No database transaction is open while a model answers."""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    # Made when it is asked for: importing the package must neither read the environment nor open a database.
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from augment_correction.workspace.application import application

    return application()
