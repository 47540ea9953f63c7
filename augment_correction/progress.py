"""The live display on stderr: bars in a terminal, short lines elsewhere. It polls the run's counters and costs the run
nothing."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Column, Table
from rich.text import Text

from augment_correction.console import Terminal
from augment_correction.ledger import Ledger, last_failure
from augment_correction.records import Turn
from augment_correction.runner.state import RunState, StageCounts
from augment_correction.terminal import tell
from augment_correction.text.excerpts import counted, line_of

REFRESH = 0.25
RATE_WINDOW = 60.0
"""Seconds. Several replies of a slow reasoning model fall into it, and it is not the distance of two lines: a window that
holds no earlier sample knows no rate."""
BAR, LEAST_BAR = 28, 8
"""Columns of a bar; where there is room for fewer than the least, there is none, and the figures stay whole."""
EXCERPT = 300
"""Characters of each message of the first conversation."""
FIRST_LINE, LINES_APART = 5.0, 60.0
"""Seconds: the distance of two lines doubles from the one to the other, so that a short run is seen to work and one of a
day leaves a log that can be read."""


@contextmanager
def live_display(state: RunState) -> Iterator[None]:
    """Show `state` until the block ends."""
    console = Terminal(stderr=True)
    if console.is_terminal:
        with Live(console=console, auto_refresh=False, transient=True) as live, _polling(state, _Bars(live)):
            yield
    else:
        with _polling(state, _Lines()):
            yield


class _First:
    """The first conversation that a run has made, told once and as soon as it is there: whoever waits sees what he gets."""

    def __init__(self) -> None:
        self._told = False

    def lines(self, state: RunState) -> list[str]:
        if self._told or state.first is None:
            return []
        self._told = True
        told = (f"  {turn.role}{_mask(turn)}: {line_of(turn.text, EXCERPT)}" for turn in state.first.turns)
        return [f"the first conversation, after {duration(time.monotonic() - state.started)}:", *told]


def _mask(turn: Turn) -> str:
    if not turn.train:
        return " (masked: not trained)"
    return " (begins masked)" if turn.masked else ""


class _Bars:
    def __init__(self, live: Live) -> None:
        self._live = live
        self._noticed = 0
        self._first = _First()
        self._rate = _Rate()

    def show(self, state: RunState, last: bool) -> None:
        for notice in state.notices[self._noticed :]:
            self._live.console.print(Text.assemble(("note: ", "yellow"), notice))
            self._noticed += 1
        for line in self._first.lines(state):
            self._live.console.print(Text(line), soft_wrap=True)
        if not last:
            self._live.update(self._picture(state), refresh=True)

    def _picture(self, state: RunState) -> RenderableType:
        rate = self._rate.of(state)
        if state.loading is not None:
            return _loading_bar(*state.loading)
        rows = [
            (counts, f"{counts.done}/{_end(state, counts.share)}", _told([counts], state.verdicts))
            for counts in _asking(state)
        ]
        texts = [(each.name, ended, told) for each, ended, told in rows]
        used = sum(max((len(row[place]) for row in texts), default=0) for place in range(3))
        room = min(BAR, self._live.console.width - used - 3 * len("  "))
        table = Table.grid(
            *(Column(overflow="fold") for _ in range(4 if room >= LEAST_BAR else 3)), padding=(0, 2, 0, 0)
        )
        for each, ended, told in rows:
            total = max((state.total or state.expected or state.chunks) * each.share, 1)
            bar = [ProgressBar(total=total, completed=min(each.done, total), width=room)] if room >= LEAST_BAR else []
            table.add_row(Text(each.name, style="bold"), *bar, ended, Text(told, style="cyan"))
        return Group(table, Text(_footer(state, rate), style="dim"))


def _loading_bar(what: str, done: int, total: int) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    if total:
        table.add_row(what, ProgressBar(total=total, completed=done, width=BAR), _of_bytes(done, total))
    else:
        table.add_row(what, f"{done} s" if done else "")
    return table


def _of_bytes(done: int, total: int) -> str:
    unit, size = ("MB", 1e6) if total >= 10e6 else ("kB", 1e3)
    return f"{done / size:,.0f} of {total / size:,.0f} {unit}"


class _Lines:
    """A line when the phase changes, then in growing distances when something changed, and once a minute in any case."""

    def __init__(self) -> None:
        self._noticed = 0
        self._said = ""
        self._phase = ""
        self._distance = FIRST_LINE
        self._next = time.monotonic() + FIRST_LINE
        self._rate = _Rate()
        self._first = _First()

    def show(self, state: RunState, last: bool) -> None:
        rate = self._rate.of(state)
        for notice in state.notices[self._noticed :]:
            tell(f"note: {notice}")
            self._noticed += 1
        for text in self._first.lines(state):
            tell(text)
        now, turned = time.monotonic(), state.phase != self._phase and self._said != ""
        if now < self._next and not turned and not last:
            return
        line = self.line(state, rate)
        self._phase = state.phase
        self._distance = min(2 * self._distance, LINES_APART)
        self._next = now + self._distance
        if line == self._said and (last or self._distance < LINES_APART):
            return
        self._said = line
        tell(line)

    def line(self, state: RunState, rate: float | None) -> str:
        if state.loading is not None:
            what, done, total = state.loading
            return f"{what}{f': {_of_bytes(done, total)}' if total else f': {done} s' if done else ''}"
        told = [_footer(state, rate)]
        stages = _asking(state)
        if len(stages) > 2 and state.unit == "passages":
            told += [_named(stages[0].name, stages[:1], state), _named("later stages", stages[1:], state)]
        else:
            told += [_named(each.name, [each], state) for each in stages]
        return f"{state.phase}: {'; '.join(told)}"


def _named(name: str, stages: list[StageCounts], state: RunState) -> str:
    told = _told(stages, state.verdicts)
    return f"{name} {sum(each.done for each in stages)}" + (f" ({told})" if told else "")


def _told(stages: list[StageCounts], verdicts: tuple[str, str]) -> str:
    """What is 0 is left out: a line is short."""
    counts = zip(
        (*verdicts, "failed", "in flight"),
        (sum(getattr(each, key) for each in stages) for key in ("kept", "rejected", "failed", "in_flight")),
        strict=True,
    )
    return ", ".join(f"{count} {what}" for what, count in counts if count)


class _Rate:
    """Requests per second over the last minute, or since the beginning. To be asked often: it remembers what it was
    asked."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def of(self, state: RunState) -> float | None:
        """None where nothing can be said yet."""
        if state.ledger is None:
            return None
        now = time.monotonic()
        self._seen.append((now, sum(totals.requests for totals in state.ledger.totals.values())))
        while len(self._seen) > 2 and now - self._seen[1][0] >= RATE_WINDOW:
            self._seen.popleft()
        (first_at, first), (last_at, last) = self._seen[0], self._seen[-1]
        return (last - first) / (last_at - first_at) if last_at - first_at >= 1 else None


def _speed(rate: float) -> str:
    return f"{rate:.1f} requests/s" if rate >= 1 else f"{60 * rate:.0f} requests/min"


def _asking(state: RunState) -> list[StageCounts]:
    """The stages that take time; the others are done at once."""
    return [counts for counts in state.stages.values() if counts.asks]


def _end(state: RunState, share: float = 1.0) -> str:
    """Passages in all; which kind of conversation each becomes is drawn, so that a share of them is never exact."""
    if state.total is not None and share == 1:
        return str(state.total)
    known = state.expected if state.total is None else state.total
    return f"{state.chunks}+" if known is None else f"about {round(known * share)}"


def _footer(state: RunState, rate: float | None) -> str:
    if state.phase == "reading":
        return f"{counted(state.documents, 'document')}, {counted(state.chunks, 'passage')}, {duration(time.monotonic() - state.started)}"
    parts = [f"{state.unit} {state.finished}/{_end(state)}"]
    if state.reused:
        parts.append(f"{state.reused} reused")
    if state.ledger is not None and state.ledger.totals:  # a pipeline may ask nobody
        totals = state.ledger.totals.values()
        if rate is not None and state.phase != "writing":
            parts.append(_speed(rate))
        parts.append(f"tokens in {sum(t.input for t in totals):,} out {sum(t.output for t in totals):,}")
        retries = sum(t.failures for t in totals)
        if retries:
            why = last_failure(totals)
            parts.append(f"{retries} retries (last: {why})" if why else f"{retries} retries")
        parts.append(_spent(state.ledger))
    if state.eta and state.phase != "writing":
        parts.append(f"about {duration(state.eta)} left")
    return ", ".join(parts)


def _spent(ledger: Ledger) -> str:
    """In this run, and in the folder where earlier runs have paid into it; the cap counts both."""
    here, all_ = ledger.cost_of_this_run(), ledger.cost()
    if here is None or all_ is None:
        return money(all_)
    more = f" ({money(all_)} with earlier runs)" if all_ != here else ""
    cap = f", cap {money(ledger.max_usd)}" if ledger.max_usd is not None else ""
    return f"{money(here)}{more}{cap}"


def money(cost: Decimal | float | None) -> str:
    if cost is None:
        return "price unknown"
    if 0 < cost < 0.0001:
        return "under 0.0001 USD"
    return f"{cost:.4f} USD" if 0 < cost < 1 else f"{cost:,.2f} USD"


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
