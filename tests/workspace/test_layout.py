"""FastAPI, SQLAlchemy and what else serves the web are imported by the workspace alone, and by nothing that starts without it."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import augment_correction

WEB = {
    "alembic",
    "argon2",
    "cryptography",
    "fastapi",
    "joserfc",
    "markdown_it",
    "nh3",
    "psycopg",
    "sqlalchemy",
    "starlette",
    "uvicorn",
}


def imported(path: Path) -> set[str]:
    tree = ast.parse(path.read_text("utf-8"))
    plain = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    return {
        name.partition(".")[0]
        for name in plain | {n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    }


def test_only_the_workspace_imports_what_serves_the_web() -> None:
    root = Path(augment_correction.__file__).parent
    found = {path.relative_to(root).parts[0] for path in root.rglob("*.py") if imported(path) & WEB}
    assert found == {"workspace"}


def test_neither_the_command_line_nor_the_package_loads_it() -> None:
    program = (
        "import sys, augment_correction, augment_correction.workspace, augment_correction.cli.workspace;"
        f"sys.exit(bool({WEB!r} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
