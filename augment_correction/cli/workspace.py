"""`workspace`: the web product, served."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from augment_correction.cli import app
from augment_correction.cli.helping import Commands
from augment_correction.errors import MissingExtra
from augment_correction.terminal import tell

workspace = Commands(
    name="workspace",
    help="Serve the web workspace, where organisations chat with their model, correct it, approve, train, activate and roll back.",
    epilog="Example: python -m augment_correction workspace serve --port 8080",
)
app.add_typer(workspace)


@workspace.command(epilog="Example: python -m augment_correction workspace serve --port 8080")
def serve(
    host: Annotated[
        str, typer.Option(help="The address to listen on. Keep the default and put a proxy with TLS in front.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port.")] = 8080,
    trust_proxy: Annotated[
        str,
        typer.Option(
            "--trust-proxy",
            help="The address or network of the proxy, whose X-Forwarded-For header is trusted; several with commas. * believes everybody who sends one.",
        ),
    ] = "127.0.0.1",
    worker: Annotated[bool, typer.Option("--worker/--no-worker", help="Run the jobs in this process as well.")] = True,
) -> None:
    """Serve the workspace until it is stopped. The first start prints a link with which the first owner creates an account."""
    _module("serve").serve(host, port, trust_proxy, tell, work=worker)


@workspace.command(epilog="Example: python -m augment_correction workspace work")
def work() -> None:
    """Run the jobs of a workspace that another process serves with --no-worker. Several workers may share one database."""
    _module("serve").work_on(tell)


@workspace.command(epilog="Example: python -m augment_correction workspace migrate")
def migrate() -> None:
    """Bring the tables up to date and stop. `serve` does so at every start; this is for a database in which its role may not change tables."""
    _module("serve").bring_up_to_date(tell)


@workspace.command(
    name="second-factor-off", epilog="Example: python -m augment_correction workspace second-factor-off ada@example.org"
)
def second_factor_off(
    email: Annotated[str, typer.Argument(help="The account's e-mail address.", metavar="EMAIL")],
) -> None:
    """Turn off the second factor of somebody who has lost the device, and end every session of the account."""
    _module("serve").recover(email, tell)


@workspace.command(
    name="new-password", epilog="Example: python -m augment_correction workspace new-password ada@example.org"
)
def new_password(email: Annotated[str, typer.Argument(help="The account's e-mail address.", metavar="EMAIL")]) -> None:
    """Print a one-time link with which somebody sets a new password. Send it to the account's address and nowhere else."""
    _module("serve").offer_new_password(email, tell)


@workspace.command(epilog="Example: python -m augment_correction workspace backup /backups/2026-01-31")
def backup(folder: Annotated[Path, typer.Argument(help="A folder for it, new or empty.", metavar="FOLDER")]) -> None:
    """Write the database and the storage folder into FOLDER, while the workspace runs."""
    made, settings = _module("backup"), _module("settings").read_settings()
    for path in made.back_up(settings, folder):
        tell(f"written: {path}")
    if made.secret_is_kept(settings):
        tell(
            "the backup contains secret_key: whoever reads it can read the second factors; keep it as safe as the machine"
        )
    else:
        tell(
            "the secret comes from LL_SECRET_KEY and is not in the backup: keep it, too; second factors are encrypted with it"
        )


@workspace.command(epilog="Example: python -m augment_correction workspace restore /backups/2026-01-31")
def restore(folder: Annotated[Path, typer.Argument(help="What `workspace backup` wrote.", metavar="FOLDER")]) -> None:
    """Put a backup back: into an empty database and an empty storage folder, while nothing runs."""
    made = _module("backup")
    made.restore(_module("settings").read_settings(), folder)
    if not made.secret_is_kept(_module("settings").read_settings()):
        tell(
            "LL_SECRET_KEY is used, and no secret_key of the backup: set it to the value of the workspace that was backed up"
        )
    tell("restored; `workspace serve` brings the tables up to date")


def _module(name: str) -> Any:
    """Raises: MissingExtra."""
    from importlib import import_module

    try:
        return import_module(f"augment_correction.workspace.{name}")
    except ModuleNotFoundError as failure:
        if (failure.name or "").startswith("augment_correction"):
            raise
        raise MissingExtra("the workspace", "workspace") from None
