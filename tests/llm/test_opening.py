"""From a config to models that can be asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from augment_correction.config import RunConfig
from augment_correction.errors import ConfigError
from augment_correction.ledger import Ledger
from augment_correction.llm.limiter import Limiter, SharedLimiter
from augment_correction.llm.metered import Halt
from augment_correction.llm.openai_chat import OpenAIChat
from augment_correction.llm.opening import concurrency_of, open_models
from augment_correction.llm.scripted import Scripted
from augment_correction.llm.session import Session
from augment_correction.store import Database, Journal
from augment_correction.store.journal import SCHEMA
from tests.projects import MadeProject
from tests.servers import ModelServer

ROLES = ("small", "large")


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    database = Database(tmp_path / "journal.sqlite", SCHEMA)
    yield Session(
        journal=Journal(database), ledger=Ledger({}, {}), halt=Halt(), logs=tmp_path, count=len,
        report=lambda *_: None, notice=lambda _: None,
    )  # fmt: skip
    database.close()


def test_every_model_has_a_limit_of_its_own_with_the_common_one_as_default(
    project: MadeProject, server: ModelServer
) -> None:
    config = project.load(server, system={"concurrency_limit": 12}, api={"large_concurrency": 3})
    assert [concurrency_of(config, config.model(role)) for role in ROLES] == [12, 3]


async def test_roles_with_models_of_their_own_wait_for_themselves_only(
    project: MadeProject, server: ModelServer, session: Session
) -> None:
    async with open_models(project.load(server), ROLES, session) as models:
        assert models["small"].limiter is not models["large"].limiter
        assert isinstance(models["small"]._backend, OpenAIChat)


async def test_roles_with_the_same_model_share_its_connection_and_limit(
    project: MadeProject, server: ModelServer, session: Session
) -> None:
    key = "sk-0123456789"
    config = project.load(
        server, api={"small_model": "one", "large_model": "one", "small_api_key": key, "large_api_key": key}
    )
    async with open_models(config, ROLES, session) as models:
        assert models["small"].limiter is models["large"].limiter
        assert models["small"]._backend is models["large"]._backend


@pytest.mark.parametrize("further", [[], ["http://127.0.0.1:9/v1"]])
async def test_models_of_one_account_at_one_server_share_what_it_allows(
    project: MadeProject, server: ModelServer, session: Session, further: list[str]
) -> None:
    """Also where one of them has further servers."""
    key = "sk-0123456789"
    addresses = [f"{server.url}/", *further]
    api = {"small_api_key": key, "large_api_key": key, "large_concurrency": 3, "large_base_url": addresses}
    config = project.load(server, api=api)
    async with open_models(config, ROLES, session) as models:
        small, large = models["small"].limiter, models["large"].limiter
        assert isinstance(small, SharedLimiter) and isinstance(large, SharedLimiter)
        assert small._server is large._server
        assert (small.maximum, large.maximum) == (concurrency_of(config, config.model("small")), 3)
        assert small._server.maximum == small.maximum + 3
        assert models["small"]._backend is not models["large"]._backend


async def test_the_same_name_with_another_key_is_another_account(
    project: MadeProject, server: ModelServer, session: Session
) -> None:
    config = project.load(server, api={"small_model": "one", "large_model": "one"})
    async with open_models(config, ROLES, session) as models:
        assert models["small"]._backend is not models["large"]._backend
        assert all(isinstance(model.limiter, Limiter) for model in models.values())


async def test_a_script_is_looked_for_in_the_project(project: MadeProject, session: Session) -> None:
    project.write("my.yaml", "fields: {reason: Because.}\n")
    async with open_models(project.load(api={"small_script": "my.yaml"}), ROLES, session) as models:
        assert isinstance(models["small"]._backend, Scripted)


async def test_a_role_without_a_model_is_the_users_mistake(project: MadeProject, session: Session) -> None:
    config: RunConfig = project.load()
    alone = config.model_copy(update={"api": config.api.model_copy(update={"large": None})})
    with pytest.raises(ConfigError, match="needs a large model"):
        async with open_models(alone, ROLES, session):
            pass


async def test_connections_are_closed_whatever_happens(
    project: MadeProject, server: ModelServer, session: Session
) -> None:
    with pytest.raises(RuntimeError, match="mid-run"):
        async with open_models(project.load(server), ROLES, session) as models:
            backend = models["small"]._backend
            assert isinstance(backend, OpenAIChat)
            session = backend._open()
            raise RuntimeError("mid-run")
    assert session.closed
