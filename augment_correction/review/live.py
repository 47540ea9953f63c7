"""`run --watch`: the run on a page while it goes on: its counters, the latest conversations, and the report of what there is so far."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from augment_correction.config import RunConfig
from augment_correction.export.turn_labels import TurnLabels
from augment_correction.plan import make_plan
from augment_correction.report import write_report
from augment_correction.review.local import LocalServer, PageResponse, Query, not_here
from augment_correction.review.page import served_page
from augment_correction.runner.state import RunState
from augment_correction.store import Database, Journal, Outcome, Results, RunFolder, StoredChunk
from augment_correction.store.journal import SCHEMA as JOURNAL_SCHEMA
from augment_correction.store.results import SCHEMA as RESULTS_SCHEMA

LATEST = 5
APART = 10
"""A report is made again after this many times as long as the last one took: it must not hold up the run."""
REPORT_POLICY = "frame-ancestors 'none'"
"""What else it may do stands in the page itself."""


class LiveServer(LocalServer):
    """Reads the run's journal over connections of its own. `pipeline` is what `run.json` will say of it."""

    def __init__(self, folder: RunFolder, pipeline: dict[str, Any], state: RunState) -> None:
        self._folder, self._pipeline, self._state = folder, pipeline, state
        self._database = Database(folder.journal, JOURNAL_SCHEMA + RESULTS_SCHEMA)
        self._results, self._journal = Results(self._database, ""), Journal(self._database)
        self._labels = TurnLabels(pipeline)
        self._page = served_page(folder.root.name, "live")
        self._reports = TemporaryDirectory()
        self._made: tuple[float, float] = (float("-inf"), 0.0)
        """When the last report was made, and how long it took."""
        self._lock = threading.Lock()
        super().__init__(0)

    def server_close(self) -> None:
        super().server_close()
        with self._lock:
            self._database.close()
            self._reports.cleanup()

    def looked_at(self, path: str, query: Query) -> PageResponse:
        if path == "":
            return self._page
        with self._lock:
            if path == "api/state":
                return PageResponse.json(self._told())
            if path == "report.html":
                return self._report()
            if path.startswith("report_data/"):
                return self._shard(path.removeprefix("report_data/"))
        raise not_here()

    def _told(self) -> dict[str, Any]:
        state, ledger = self._state, self._state.ledger
        total = state.total if state.total is not None else state.expected
        cost = ledger.cost_of_this_run() if ledger else None
        return {
            "phase": state.phase, "finished": state.finished, "reused": state.reused, "total": total,
            "passages": state.chunks, "seconds": round(time.monotonic() - state.started), "eta": state.eta,
            "cost": None if cost is None else float(cost), "notices": [each for each in state.notices if self.token not in each][-5:],
            "stages": [[each.name, each.kept, each.rejected, each.failed, each.in_flight] for each in [*state.stages.values()]],
            "reasons": sorted(state.reasons.copy().items(), key=lambda each: -each[1])[:8],
            "latest": [self._conversation(*each) for each in self._results.latest(LATEST)],
        }  # fmt: skip

    def _conversation(self, chunk: StoredChunk, outcome: Outcome) -> dict[str, Any]:
        made = outcome.conversation(chunk)
        labels = self._labels.of(made.kind, [(turn.role, turn.train) for turn in made.turns])
        turns = []
        for turn, label in zip(made.turns, labels, strict=True):
            shown = {"role": turn.role, "train": turn.train, "is": label, "text": turn.text[turn.masked :].strip()}
            if turn.masked:
                turns.append({**shown, "train": False, "is": "mistake", "text": turn.text[: turn.masked]})
            turns.append(shown)
        title = chunk.places[0]["title"] if chunk.places else ""
        return {"id": made.id, "kind": made.kind, "title": title, "text": chunk.text, "turns": turns}

    def _report(self) -> PageResponse:
        """Of what there is, made again where the last one is old enough."""
        root, (when, took) = Path(self._reports.name), self._made
        begun = time.monotonic()
        if begun - when >= max(2.0, APART * took):
            prices = self._state.ledger.prices if self._state.ledger else {}
            write_report(
                RunFolder(root), self._journal, self._results, about={"pipeline": self._pipeline}, prices=prices
            )
            self._made = time.monotonic(), time.monotonic() - begun
        return PageResponse((root / "report.html").read_bytes(), "text/html; charset=utf-8", REPORT_POLICY)

    def _shard(self, name: str) -> PageResponse:
        path = Path(self._reports.name) / "report_data" / name
        if "/" in name or not path.is_file():
            raise not_here()
        return PageResponse(path.read_bytes(), "text/javascript")


@contextmanager
def live_page(config: RunConfig, state: RunState, tell: Callable[[str], None]) -> Iterator[LiveServer]:
    """Served at a free port until the block ends; `tell` is told its address."""
    plan = make_plan(config)
    pipeline = plan.pipeline.model_dump(mode="json", by_alias=True)
    with LiveServer(plan.folder, pipeline, state) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        tell(f"watch: {server.address}")
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
