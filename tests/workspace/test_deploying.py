"""The unit, the compose file and the statements of the documentation are what systemd, Docker and PostgreSQL read, and name what is there."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from typer.testing import CliRunner

from augment_correction.cli import app
from augment_correction.errors import ConfigError
from augment_correction.workspace.backup import back_up
from augment_correction.workspace.settings import read_settings
from tests.pages import ROOT, program
from tests.workspace.conftest import Server
from tests.workspace.places import Place, settings_in

GUIDE = ROOT / "docs" / "guides" / "workspace.md"
DEPLOY = GUIDE.with_name("deploy")
VARIABLE = re.compile(r"LL_[A-Z_]+")


def command(line: str) -> list[str]:
    """The words after the program's name; every flag is one that it has."""
    words = line.split()
    at = program()
    given = words[1:]
    while given and given[0] in getattr(at, "commands", {}):
        at = at.commands[given.pop(0)]
    known = {flag for option in at.params for flag in option.opts}
    assert at.name == "serve" and {each for each in given if each.startswith("--")} <= known
    return words


UNIT = (DEPLOY / "workspace.service").read_text()
KNOWN = {
    "Unit": {"Description", "After", "Wants"},
    "Service": {
        "User", "WorkingDirectory", "EnvironmentFile", "ExecStart", "Restart", "KillMode", "NoNewPrivileges", "PrivateTmp",
        "ProtectSystem", "ProtectHome", "ReadWritePaths", "UMask",
    },
    "Install": {"WantedBy"},
}  # fmt: skip
"""Of systemd.unit(5), systemd.service(5), systemd.exec(5) and systemd.kill(5): what the unit uses. systemd only warns of others."""


def test_the_unit_says_what_systemd_knows() -> None:
    made = configparser.ConfigParser(strict=True, delimiters=("=",), interpolation=None)
    made.optionxform = str  # type: ignore[assignment,method-assign]
    made.read_string(UNIT)
    assert {section: set(made[section]) for section in made.sections()} == KNOWN
    service = made["Service"]
    [program_, *words] = command(service["ExecStart"])
    assert program_.endswith("/augment-correction") and words[:2] == ["workspace", "serve"]
    folder = service["WorkingDirectory"]
    for path in (program_, folder, service["ReadWritePaths"], service["EnvironmentFile"]):
        assert path.startswith("/")
    assert program_.startswith(f"{folder}/") and service["ReadWritePaths"] == folder  # all else it may only read
    assert service["KillMode"] in ("control-group", "mixed", "process") and service["Restart"] in (
        "on-failure",
        "always",
    )
    assert service["ProtectSystem"] == "strict" and int(service["UMask"], 8) == 0o077
    assert {service[name] for name in ("NoNewPrivileges", "PrivateTmp", "ProtectHome")} == {"true"}
    assert set(made["Unit"]["Wants"].split()) <= set(made["Unit"]["After"].split())


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    [started] = re.findall(r"^ExecStart=(.*)$", UNIT, re.MULTILINE)
    # The program and its user are those of another machine.
    here = UNIT.replace(started.split()[0], "/bin/true").replace("User=workspace", "User=daemon")
    (tmp_path / "workspace.service").write_text(here)
    ended = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / "workspace.service")],
        capture_output=True,
        text=True,
        check=False,
    )
    said = [line for line in ended.stderr.splitlines() if "workspace.service" in line]
    assert ended.returncode == 0 and not said, ended.stderr


def test_the_compose_file_names_what_it_has() -> None:
    made = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    services = made["services"]
    for service in services.values():
        assert set(service.get("depends_on", {})) <= set(services)
        named = {volume.partition(":")[0] for volume in service.get("volumes", [])}
        assert named <= set(made["volumes"])
        assert {each["source"] for each in service.get("configs", [])} <= set(made["configs"])
        assert "image" in service or "build" in service
    assert (DEPLOY / services["web"]["build"]["context"]).resolve() == ROOT
    dockerfile = services["web"]["build"]["dockerfile_inline"]
    assert "postgresql-client" in dockerfile  # `workspace backup` runs pg_dump
    [started] = re.findall(r"^CMD \[(.*)\]$", dockerfile, re.MULTILINE)
    command(started.replace('"', "").replace(",", ""))
    assert re.search(r"^USER workspace$", dockerfile, re.MULTILINE)
    extras = re.findall(r"\[([\w,]+)\]", dockerfile)
    assert {"train", "workspace"} <= set(extras[0].split(","))


def test_every_variable_that_is_named_is_read(tmp_path: Path) -> None:
    """Of the documentation, the unit and the compose file: what is misspelled there does nothing on a user's machine."""
    source = (ROOT / "augment_correction" / "workspace" / "settings.py").read_text()
    known = set(VARIABLE.findall(source))
    for page in (GUIDE, DEPLOY / "workspace.service", DEPLOY / "compose.yaml"):
        assert set(VARIABLE.findall(page.read_text())) <= known, page.name
    told = set(VARIABLE.findall(GUIDE.read_text()))
    assert {each for each in known if not each.endswith("_")} <= told
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]["web"]["environment"]
    given = {name: value.replace("${PUBLIC_HOST}", "chat.example.org") for name, value in compose.items()}
    made = read_settings({**given, "LL_MODEL_STORAGE_DIR": str(tmp_path)})
    assert made.cookie_secure and made.public_url == "https://chat.example.org"


def test_a_role_that_owns_no_table_is_enough(postgres: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [block] = re.findall(r"^```sql\n(.*?)^```", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
    as_superuser, _, inside = block.partition("\\c workspace\n")
    postgres.run(*as_superuser.splitlines())
    postgres.run(*inside.splitlines(), database="workspace")
    settings = settings_in(tmp_path / "storage", postgres.url("workspace", "workspace"))
    with pytest.raises(ConfigError, match="may not") as refused:
        Place(settings)
    assert "workspace migrate" in str(refused.value.hint)
    monkeypatch.setenv("LL_DATABASE_URL", postgres.url("workspace_owner", "workspace"))
    monkeypatch.setenv("LL_MODEL_STORAGE_DIR", str(settings.storage))
    migrated = CliRunner().invoke(app, ["workspace", "migrate"])
    assert migrated.exit_code == 0, migrated.output
    place = Place(settings)
    ada = place.owner()
    place.join(ada, "reviewer")
    for page in ("threads", "members", "corrections", "versions", "jobs", "usage", "audit", "settings"):
        ada.get(ada.at(f"/{page}"))
        assert ada.status == 200, page
    for change in (
        "ALTER TABLE audit_events DISABLE TRIGGER ALL",
        "DROP TRIGGER audit_events_not_emptied ON audit_events",
        "DROP TABLE audit_events",
        "TRUNCATE audit_events",
        "ALTER TABLE memberships NO FORCE ROW LEVEL SECURITY",
        "CREATE OR REPLACE FUNCTION audit_is_sealed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$",
    ):
        with (
            pytest.raises(ProgrammingError, match=r"must be owner|permission denied"),
            place.site.database.engine.begin() as it,
        ):
            it.execute(text(change))
    assert back_up(settings, tmp_path / "backup")
    place.close()
