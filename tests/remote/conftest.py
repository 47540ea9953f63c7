from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.remote.server import S3, s3_server


@pytest.fixture(scope="module")
def s3_running() -> Iterator[S3]:
    with s3_server() as running:
        yield running


@pytest.fixture
def s3(s3_running: S3, monkeypatch: pytest.MonkeyPatch, cache: Path) -> S3:
    """With an empty bucket named `bucket`; this process and those that it starts talk to it."""
    for name, value in s3_running.environment.items():
        monkeypatch.setenv(name, value)
    s3_running.empty()
    return s3_running


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AUGMENT_CORRECTION_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def stop() -> threading.Event:
    return threading.Event()


@pytest.fixture
def memory() -> str:
    """An address in this process, of this test alone."""
    return f"memory://{os.urandom(6).hex()}"
