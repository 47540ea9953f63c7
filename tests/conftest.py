"""Every test works in folders of its own, without network, home, caches or keys of whoever runs it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from augment_correction import declarations, export_formats
from augment_correction.documents import registered
from augment_correction.rows import formats
from augment_correction.stages import building, checks
from tests.guard import sitecustomize as guard
from tests.projects import MadeProject
from tests.servers import ModelServer
from tests.training.making import copying_llama, tiny_llama

pytest_plugins = ("tests.order", "tests.skips")

# On a machine that is busy with other work a case may take any time: no test judges by the clock.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")

GUARD = Path(guard.__file__).parent
SECRET_ENDINGS = ("_API_KEY", "_TOKEN", "_SECRET", "_PROXY", "_proxy")
FOREIGN_BEGINNINGS = (
    "HF_",
    "OPENAI_",
    "AUGMENT_CORRECTION_",
    "XDG_",
    "PIP_",
    "UV_",
    "TIKTOKEN_",
    "HUGGING",
    "AWS_",
    "FSSPEC_",
)


@pytest.fixture(scope="session")
def nobodys_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def shut_in(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, nobodys_home: Path) -> Iterator[None]:
    """Tests marked `embedded` fetch weights, and keep them where the next run of the tests finds them."""
    if request.node.get_closest_marker("embedded"):
        monkeypatch.setattr(guard, "online", True)
        yield
        return
    for name in os.environ:
        if name.endswith(SECRET_ENDINGS) or name.startswith(FOREIGN_BEGINNINGS):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(nobodys_home))
    monkeypatch.setenv("XDG_CACHE_HOME", str(nobodys_home / ".cache"))
    monkeypatch.setenv("HF_HOME", str(nobodys_home / ".cache" / "huggingface"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(GUARD), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep))
    yield


@pytest.fixture
def project(tmp_path: Path) -> MadeProject:
    return MadeProject(tmp_path / "project")


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as running:
        yield running


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two layers of random weights, for tests that have torch."""
    return tiny_llama(tmp_path_factory.mktemp("llama") / "model")


@pytest.fixture(scope="session")
def copying_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that knows something, and does as it is shown (`tests/training/making.py`)."""
    return copying_llama(tmp_path_factory.mktemp("copying") / "model")


@pytest.fixture(scope="module")
def one_torch_thread() -> Iterator[None]:
    """Threads that wait for each other at matrices of 64 x 64 cost twenty times their work."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def registered_for_now() -> Iterator[None]:
    """Stages, checks, readers, row formats and export formats that a test registers are gone after it."""
    tables: tuple[dict[Any, Any], ...] = (
        *(declarations.STAGES, building.BUILDERS, building.VERSIONS),
        *(
            declarations.FEWEST_FIELDS,
            checks.CHECKS,
            checks.VERSIONS,
            export_formats.FORMATS,
            formats.FORMATS,
            registered.REGISTERED,
        ),
    )
    before = [dict(table) for table in tables]
    yield
    for table, kept in zip(tables, before, strict=True):
        table.clear()
        table.update(kept)
