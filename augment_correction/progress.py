"""The live display on stderr: bars in a terminal, plain lines elsewhere. It polls the run's counters and costs the
run nothing; what it prints says the same in both forms."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from augment_correction.runner.state import RunState, StageCounts

REFRESH = 0.25
PLAIN_LINES_EVERY = 10.0


@contextmanager
def live_display(state: RunState) -> Iterator[None]:
    """Show `state` until the block ends."""
    console = Console(stderr=True)
    if console.is_terminal:
        with Live(console=console, auto_refresh=False, transient=True) as live, _polling(state, _Bars(live)):
            yield
    else:
        with _polling(state, _Lines()):
            yield


class _Bars:
    def __init__(self, live: Live) -> None:
        self._live = live
        self._noticed = 0
        self._rate = _Rate()

    def show(self, state: RunState, last: bool) -> None:
        for notice in state.notices[self._noticed :]:
            self._live.console.print(f"[yellow]note:[/] {notice}", highlight=False)
            self._noticed += 1
        if not last:
            self._live.update(self._picture(state), refresh=True)

    def _picture(self, state: RunState) -> RenderableType:
        if state.loading is not None:
            return _loading_bar(*state.loading)
        table = Table.grid(padding=(0, 2))
        for _ in range(6):
            table.add_column()
        kept, rejected = state.verdicts
        for counts in _asking(state):
            total = max((state.total or state.expected or state.chunks) * counts.share, 1)
            table.add_row(
                Text(counts.name, style="bold"),
                ProgressBar(total=total, completed=min(counts.done, total), width=28),
                f"{counts.done}/{_end(state, counts.share)}",
                Text(f"{kept} {counts.kept}", style="green"),
                Text(f"{rejected} {counts.rejected}" + (f", failed {counts.failed}" if counts.failed else "")),
                Text(f"in flight {counts.in_flight}", style="cyan"),
            )
        return Group(table, Text(_footer(state, self._rate.of(state)), style="dim"))


def _loading_bar(what: str, done: int, total: int) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    if total:
        table.add_row(
            what, ProgressBar(total=total, completed=done, width=28), f"{done / 1e6:.0f} of {total / 1e6:.0f} MB"
        )
    else:
        table.add_row(what, f"{done} s")
    return table


class _Lines:
    def __init__(self) -> None:
        self._noticed = 0
        self._said = ""
        self._next = time.monotonic() + 1.0
        self._rate = _Rate()

    def show(self, state: RunState, last: bool) -> None:
        for notice in state.notices[self._noticed :]:
            _say(f"note: {notice}")
            self._noticed += 1
        if time.monotonic() < self._next and not last:
            return
        self._next = time.monotonic() + PLAIN_LINES_EVERY
        line = self._line(state)
        if line != self._said:
            self._said = line
            _say(line)

    def _line(self, state: RunState) -> str:
        if state.loading is not None:
            what, done, total = state.loading
            return f"{what}: {done / 1e6:.0f} of {total / 1e6:.0f} MB" if total else f"{what}: {done} s"
        kept, rejected = state.verdicts
        stages = "; ".join(
            f"{counts.name} {counts.done} ({kept} {counts.kept}, {rejected} {counts.rejected}"
            + (f", failed {counts.failed}" if counts.failed else "")
            + f", in flight {counts.in_flight})"
            for counts in _asking(state)
        )
        told = "; ".join(filter(None, (stages, _footer(state, self._rate.of(state)))))
        return f"{state.phase}: {told}"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201


class _Rate:
    """Requests per second over the last ten seconds."""

    def __init__(self) -> None:
        self._seen: list[tuple[float, int]] = []

    def of(self, state: RunState) -> float:
        now = time.monotonic()
        requests = sum(totals.requests for totals in state.ledger.totals.values()) if state.ledger else 0
        self._seen = [(at, count) for at, count in self._seen if now - at < 10] + [(now, requests)]
        first_at, first = self._seen[0]
        return (requests - first) / (now - first_at) if now > first_at else 0.0


def _asking(state: RunState) -> list[StageCounts]:
    """The stages that take time; the others are done at once."""
    return [counts for counts in state.stages.values() if counts.asks]


def _end(state: RunState, share: float = 1.0) -> str:
    """Passages in all; which kind of conversation each becomes is drawn, so that a share of them is never exact."""
    if state.total is not None and share == 1:
        return str(state.total)
    known = state.expected if state.total is None else state.total
    return f"{state.chunks}+" if known is None else f"about {round(known * share)}"


def _footer(state: RunState, rate: float) -> str:
    parts = [f"{state.unit} {state.finished}/{_end(state)}"]
    if state.reused:
        parts.append(f"{state.reused} from before")
    if state.ledger is not None and state.ledger.totals:  # a pipeline may ask nobody
        totals = state.ledger.totals.values()
        parts.append(f"{rate:.1f} requests/s")
        parts.append(f"tokens in {sum(t.input for t in totals):,} out {sum(t.output for t in totals):,}")
        retries = sum(t.failures for t in totals)
        if retries:
            parts.append(f"{retries} retries")
        parts.append(money(state.ledger.cost()))
    if state.eta:
        parts.append(f"about {duration(state.eta)} to go")
    return ", ".join(parts)


def money(cost: Decimal | float | None) -> str:
    if cost is None:
        return "cost unknown"
    return f"{cost:.4f} USD" if 0 < cost < 1 else f"{cost:.2f} USD"


def duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


@contextmanager
def _polling(state: RunState, display: _Bars | _Lines) -> Iterator[None]:
    """`display.show` from a thread of its own, so that a busy event loop still moves the bars."""
    ended = threading.Event()

    def poll() -> None:
        while not ended.wait(REFRESH):
            display.show(state, last=False)

    thread = threading.Thread(target=poll, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        display.show(state, last=True)
