"""`workspace serve`: uvicorn around the application, and the first owner's link."""

from __future__ import annotations

from collections.abc import Callable

import uvicorn

from augment_correction.workspace.accounts import new_setup_link
from augment_correction.workspace.application import application
from augment_correction.workspace.settings import read_settings


def serve(host: str, port: int, trusted_proxy: str, tell: Callable[[str], None]) -> None:
    """Returns when it is stopped.

    Raises: ConfigError."""
    settings = read_settings(public_url=f"http://{'127.0.0.1' if host in ('0.0.0.0', '::') else host}:{port}")
    app = application(settings)
    with app.state.site.database.as_system(writes=True) as session:
        token = new_setup_link(session)
    tell(f"the workspace is at {settings.public_url}, its data in {settings.storage}")
    if token:
        tell(f"open this once to make the first account: {settings.public_url}/setup/{token}")
    uvicorn.run(
        app, host=host, port=port, log_level="warning", proxy_headers=True, forwarded_allow_ips=trusted_proxy,
        server_header=False, timeout_graceful_shutdown=5,
    )  # fmt: skip
