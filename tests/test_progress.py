"""What the display says, in a log and on a terminal; time is the test's own."""

from __future__ import annotations

import io
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise

import pytest
from rich.console import Console
from rich.live import Live

from augment_correction import progress
from augment_correction.ledger import Ledger
from augment_correction.progress import _Bars, _Lines, money
from augment_correction.records import Conversation, Turn
from augment_correction.runner import RunState, StageCounts
from augment_correction.store import Outcome
from augment_correction.usage import Price, Usage

MILLION = Price(Decimal(1), Decimal(1))


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(progress, "time", made)
    return made


def running(*names: str, max_usd: Decimal | None = None) -> RunState:
    ledger = Ledger({"small": "m"}, {"small": MILLION}, max_usd)
    return RunState({name: StageCounts(name) for name in names or ("judgement",)}, ledger=ledger, phase="running")


def answer(state: RunState, times: int = 1) -> None:
    """`times` passages judged."""
    assert state.ledger is not None
    for _ in range(times):
        state.ledger.of("small").add(Usage(1000, 10))
    first = next(iter(state.stages.values()))
    first.kept += times
    state.finished += times


def watched(lines: _Lines, state: RunState, clock: Clock, seconds: float) -> Iterator[None]:
    """The polls of so many seconds, four in each."""
    for _ in range(int(4 * seconds)):
        clock.now += 0.25
        lines.show(state, last=False)
        yield


class TestLines:
    def test_a_long_run_says_a_line_a_minute_and_a_short_one_sooner(
        self, clock: Clock, capsys: pytest.CaptureFixture[str]
    ) -> None:
        state, lines, said = running(), _Lines(), []
        for _ in watched(lines, state, clock, 600):
            answer(state)
            if capsys.readouterr().err:
                said.append(clock.now - 100)
        assert said[:4] == [5, 15, 35, 75]
        assert [round(b - a) for a, b in pairwise(said[4:])] == [60] * (len(said) - 5)
        assert len(said) == 12

    def test_the_rate_is_that_of_the_last_minute(self, clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
        state, lines = running(), _Lines()
        for _ in watched(lines, state, clock, 120):
            answer(state)  # four in a second
        assert "4.0 requests/s" in capsys.readouterr().err.splitlines()[-1]
        for second, _ in enumerate(watched(lines, state, clock, 120)):
            if second % 120 == 0:  # one in thirty seconds
                answer(state)
        assert ", 2 requests/min, " in capsys.readouterr().err.splitlines()[-1]

    def test_what_an_earlier_run_asked_is_no_rate(self, clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
        state, lines = running(), _Lines()
        assert state.ledger is not None
        state.ledger.of("small").requests = 5000
        for _ in watched(lines, state, clock, 6):
            pass
        assert "0 requests/min" in capsys.readouterr().err

    def test_where_nothing_changes_a_line_a_minute_says_that_it_lives(
        self, clock: Clock, capsys: pytest.CaptureFixture[str]
    ) -> None:
        state, lines = running(), _Lines()
        for _ in watched(lines, state, clock, 600):
            pass
        assert 8 <= len(capsys.readouterr().err.splitlines()) <= 12

    def test_the_first_conversation_is_shown_once_and_as_soon_as_it_is_there(
        self, clock: Clock, capsys: pytest.CaptureFixture[str]
    ) -> None:
        state, lines = running(), _Lines()
        state.started = clock.now
        for _ in watched(lines, state, clock, 3):
            pass
        assert "first conversation" not in capsys.readouterr().err
        turns = (
            Turn("user", "When?", False),
            Turn("assistant", "In\n1911. " + "x" * 400, False),
            Turn("assistant", "1912.", True),
        )
        state.note_made([Outcome("p", 0, "kept", None, None, {"conversation": Conversation("c", "k", turns, True)})])
        for _ in watched(lines, state, clock, 1):
            pass
        told = capsys.readouterr().err
        assert told.count("the first conversation, after 3 s:") == 1 and "assistant: 1912.\n" in told
        assert "assistant (masked: not trained): In 1911. xx" in told and "xx [...]\n" in told

    def test_what_is_left_is_told_at_the_pace_from_one_finish_to_the_next(
        self, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("augment_correction.runner.state.time", clock)
        state = running()
        state.total = 10
        for _ in range(2):
            clock.now += 70
            state.note_finished()
        assert state.eta == 8 * 70
        clock.now += 210
        assert state.eta == 8 * 140

    def test_a_new_phase_is_said_at_once(self, clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
        state, lines = running(), _Lines()
        for _ in watched(lines, state, clock, 6):
            answer(state)
        state.phase = "writing"
        for _ in watched(lines, state, clock, 0.25):
            pass
        assert [line.split(":")[0] for line in capsys.readouterr().err.splitlines()] == ["running", "writing"]

    def test_a_line_is_short_however_many_stages_there_are(self) -> None:
        state = running("judgement", *(f"a_conversation_of_kind_{number}" for number in range(8)))
        for each in state.stages.values():
            each.kept, each.rejected, each.in_flight = 100, 7, 5
        line = _Lines().line(state, 3.2)
        assert "judgement 107 (100 kept, 7 rejected, 5 in flight); later stages 856 (800 kept, 56" in line
        assert len(line) < 200

    def test_an_evaluation_names_all_its_models(self) -> None:
        stages = {name: StageCounts(name, kept=2, rejected=1) for name in ("base", "tuned", "other")}
        line = _Lines().line(RunState(stages, "questions", ("right", "wrong"), total=5, phase="asking"), None)
        assert "questions 0/5; base 3 (2 right, 1 wrong); tuned 3 (2 right, 1 wrong); other 3" in line

    def test_the_cost_is_this_runs_with_that_of_earlier_ones_and_the_cap_beside_it(self) -> None:
        state = running(max_usd=Decimal(5))
        assert state.ledger is not None
        state.ledger.of("small").add(Usage(2_000_000, 0))
        state.ledger.before = {"small": Usage(500_000, 0)}
        assert "1.50 USD (2.00 USD with earlier runs), cap 5.00 USD" in _Lines().line(state, None)

    def test_retries_are_shown_with_what_the_server_said_last(self) -> None:
        state = running()
        assert state.ledger is not None
        totals = state.ledger.of("small")
        totals.failures, totals.last_failure = 37, f"m: HTTP 500: upstream\n{'x ' * 200}"
        line = _Lines().line(state, None)
        assert "37 retries (last: m: HTTP 500: upstream x x " in line and "\n" not in line
        assert len(line) < 250

    def test_reading_ahead_of_a_dry_run_is_counted(self) -> None:
        state = RunState({}, phase="reading", documents=1200, chunks=34_000)
        assert _Lines().line(state, None).startswith("reading: 1,200 documents, 34,000 passages, ")


@pytest.mark.parametrize("width", [60, 80, 120])
def test_bars_are_left_out_before_a_figure_is_cut(width: int) -> None:
    state = running("judgement", "wrong_user_conversation", "grounded_standing")
    state.expected = 1440
    for each in state.stages.values():
        each.kept, each.rejected, each.in_flight, each.share = 800, 106, 13, 0.5
    console = Console(file=io.StringIO(), force_terminal=True, width=width)
    console.print(_Bars(Live(console=console))._picture(state))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "…" not in shown
    assert shown.count("800 kept, 106 rejected, 13 in flight" if width > 60 else "800 kept") == 3
    assert ("━" in shown) is (width == 120)


@pytest.mark.parametrize(
    ("cost", "says"),
    [
        (None, "price unknown"),
        (Decimal(0), "0.00 USD"),
        (Decimal("0.00001"), "under 0.0001 USD"),
        (Decimal("0.0213"), "0.0213 USD"),
        (Decimal("1234.5"), "1,234.50 USD"),
    ],
)
def test_money(cost: Decimal | None, says: str) -> None:
    assert money(cost) == says
