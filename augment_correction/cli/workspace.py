"""`workspace`: the web product, served."""

from __future__ import annotations

from typing import Annotated

import typer

from augment_correction.cli import WholeHelp, app
from augment_correction.errors import MissingExtra
from augment_correction.terminal import tell

workspace = typer.Typer(
    name="workspace",
    cls=WholeHelp,
    no_args_is_help=True,
    help="Serve the web workspace: organisations chat with their model, correct it, approve, train, activate, roll back.",
    epilog="Example: python -m augment_correction workspace serve --port 8080",
)
app.add_typer(workspace)


@workspace.command(epilog="Example: python -m augment_correction workspace serve --port 8080")
def serve(
    host: Annotated[
        str, typer.Option(help="The address to listen at; leave it and put a proxy with TLS in front.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port.")] = 8080,
    trust_proxy: Annotated[
        str, typer.Option("--trust-proxy", help="The proxy's address, whose word on the browser's address is taken.")
    ] = "127.0.0.1",
) -> None:
    """Serve until it is stopped. The first start prints a link, with which the first owner makes an account."""
    try:
        from augment_correction.workspace.serve import serve as go
    except ModuleNotFoundError as failure:
        if (failure.name or "").startswith("augment_correction"):
            raise
        raise MissingExtra("the workspace", "workspace") from None
    go(host, port, trust_proxy, tell)
