"""What happens to a run when something goes wrong that nobody planned for."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from augment_correction.errors import ConfigError, ExitCode, InputError
from augment_correction.llm.metered import Halt, Halted
from augment_correction.records import Record
from augment_correction.runner import RunState, run, run_async
from augment_correction.stages import Tools
from augment_correction.stages.compose import Compose
from augment_correction.store import Database
from tests.projects import MadeProject, adds_up, ended, until
from tests.servers import ModelServer, stalls

BUG = "a stage meets a value that nobody thought of"


@pytest.fixture
def buggy(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The last stage trips over one passage, after its calls are paid."""
    compose = Compose.__call__

    async def trip(self: Compose, record: Record, tools: Tools) -> Sequence[Record]:
        if "Ander5" in record.fields["passage"]:
            raise ZeroDivisionError(BUG)
        return await compose(self, record, tools)

    monkeypatch.setattr(Compose, "__call__", trip)
    yield
    monkeypatch.undo()


class TestABug:
    def test_it_is_raised_as_it_is_after_the_calls_in_flight_have_come_home(
        self, project: MadeProject, server: ModelServer, buggy: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        project.facts(range(16))
        server.delay = 0.05
        with pytest.raises(ZeroDivisionError, match=BUG) as raised:
            project.run(server, system={"concurrency_limit": 4})
        assert raised.traceback[-1].name == "trip"
        assert not server.unanswered()
        asked = server.questions()

        monkeypatch.undo()
        server.forget()
        result = project.run(server, system={"concurrency_limit": 4})
        assert result.kept == 16
        assert not server.questions() & asked  # nothing paid was lost

    def test_the_program_shows_the_traceback_and_exits_with_1(self, project: MadeProject) -> None:
        project.facts(range(8))
        project.config()
        plant = (
            "import augment_correction.stages.compose as c;"
            "c.neutral = lambda text: 1 // (0 if 'Ander5' in text else 1) and text"
        )
        made = ended(project.start(before=plant))
        assert made.code == ExitCode.BUG
        assert "ZeroDivisionError" in made.err
        assert "Traceback (most recent call last)" in made.err
        assert "ExceptionGroup" not in made.err


class TestTheUsersMistakes:
    """They come to light in the middle of a run, and still are one clear line and not a group of exceptions."""

    def test_a_template_that_asks_a_value_for_what_it_has_not(self, project: MadeProject, server: ModelServer) -> None:
        project.facts(range(3))
        project.write("prompts/filter.jinja", "{% user %}{{ metadata.author.name }} {{ passage }}{% enduser %}")
        with pytest.raises(ConfigError, match=r"filter\.jinja: prompt cannot be rendered"):
            project.run(server)
        assert server.count() == 0

    def test_a_reader_that_refuses_its_settings(self, project: MadeProject, server: ModelServer) -> None:
        project.facts([1])
        with pytest.raises(ConfigError):
            project.run(server, system={"encoding": "no_such_encoding"})

    def test_an_overlap_that_leaves_no_room(self, project: MadeProject, server: ModelServer) -> None:
        project.facts([1])
        with pytest.raises(ConfigError, match="chunk_overlap must be smaller"):
            project.run(server, system={"chunk_overlap": 400})


class TestDatabaseErrors:
    def test_a_reply_that_cannot_be_stored_is_not_used(
        self, project: MadeProject, server: ModelServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        connect = Database._connect

        def small(self: Database) -> sqlite3.Connection:
            connection = connect(self)
            connection.execute("PRAGMA max_page_count = 30")  # 120 kB
            return connection

        project.facts(range(40))
        monkeypatch.setattr(Database, "_connect", small)
        with pytest.raises(InputError, match=r"journal\.sqlite cannot be written: database or disk is full"):
            project.run(server)
        assert not (project.output / "axolotl_correction_conversations.json").exists()
        monkeypatch.undo()
        assert project.run(server).kept == 40


class TestFromPython:
    async def test_a_run_inside_an_event_loop(self, project: MadeProject, server: ModelServer) -> None:
        project.facts(range(3))
        result = await run_async(project.load(server))
        assert (result.exit_code, result.kept) == (ExitCode.DONE, 3)

    async def test_a_cancelled_run_is_cancelled_and_gives_its_folder_back(
        self, project: MadeProject, server: ModelServer
    ) -> None:
        project.facts(range(3))
        server.delay = 30
        task = asyncio.create_task(run_async(project.load(server)))
        await until(lambda: server.asked)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        server.delay = 0
        assert (await run_async(project.load(server))).kept == 3

    def test_a_run_outside_of_the_main_thread(self, project: MadeProject, server: ModelServer) -> None:
        project.facts(range(2))
        config = project.load(server)

        async def threaded() -> int:
            return (await asyncio.to_thread(run, config)).kept

        assert asyncio.run(threaded()) == 2

    def test_the_state_that_a_display_polls_ends_where_the_result_does(
        self, project: MadeProject, server: ModelServer
    ) -> None:
        project.facts(range(5))
        seen: list[RunState] = []

        @contextmanager
        def watch(state: RunState) -> Iterator[None]:
            seen.append(state)
            yield

        config = project.load(server)
        result = run(config, watch=watch)
        (state,) = seen
        assert (state.total, state.finished, state.chunks, state.reused) == (5, 5, 5, 0)
        assert [counts.kept for counts in state.stages.values()] == [5, 5, 5]
        assert [counts.in_flight for counts in state.stages.values()] == [0, 0, 0]
        assert state.ledger is not None and state.ledger.totals["small"].requests == 5
        assert adds_up(result)
        run(config, watch=watch)
        assert (seen[1].reused, seen[1].finished) == (5, 5)
        assert [counts.kept for counts in seen[1].stages.values()] == [5, 5, 5]


class TestStreaming:
    def test_the_large_model_works_while_the_small_one_still_filters(
        self, project: MadeProject, server: ModelServer
    ) -> None:
        project.facts(range(40))
        server.delay = 0.01
        project.run(server, system={"concurrency_limit": 2})
        order = [asked.model for asked in server.asked]
        assert order.index("large") < 12 < len(order) - order[::-1].index("small")

    def test_a_slow_model_holds_back_the_fast_one(self, project: MadeProject, server: ModelServer) -> None:
        project.facts(range(60))
        config = project.load(server, system={"concurrency_limit": 2})
        server.where("The bridge", stalls(60), model="large")

        async def watched() -> int:
            task = asyncio.create_task(run_async(config))
            end = time.monotonic() + 20
            seen = -1
            while server.count("small") != seen and time.monotonic() < end:
                seen = server.count("small") if server.count("large") else -1
                await asyncio.sleep(0.4)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            return seen

        # 2 at the large model, 2 at the small one, 4 between them: the other 52 have not been touched.
        assert asyncio.run(watched()) <= 8


class TestHalt:
    def test_the_first_cause_stays(self) -> None:
        halt = Halt()
        halt.check()
        halt.because(ConfigError("first"))
        halt.because(ConfigError("second"))
        with pytest.raises(Halted, match="first"):
            halt.check()
        assert str(halt.cause) == "first"

    async def test_sleepers_wake_up(self) -> None:
        halt = Halt()
        sleeper = asyncio.create_task(halt.sleep(60))
        await asyncio.sleep(0)
        halt.because(ConfigError("stop"))
        await asyncio.wait_for(sleeper, 5)
        assert sleeper.done() and halt.stopped.is_set()
