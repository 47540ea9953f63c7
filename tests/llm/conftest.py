from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from augment_correction.llm import limiter, metered
from augment_correction.store import Database
from augment_correction.store.journal import SCHEMA
from tests.llm.metering import Bench


@pytest_asyncio.fixture
async def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    monkeypatch.setattr(metered, "_backoff", lambda _: 0.001)
    monkeypatch.setattr(limiter, "UNNAMED_PAUSE", 0.001)
    database = Database(tmp_path / "journal.sqlite", SCHEMA)
    yield Bench(database)
    database.close()
