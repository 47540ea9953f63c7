"""What a training would take, told before somebody starts it; worked out beside the requests, and again when something has changed."""

from __future__ import annotations

import sys
import threading
import traceback
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from concurrent.futures import Future
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from augment_correction.corrections.correction import Correction
from augment_correction.corrections.expecting import Expected, expected
from augment_correction.corrections.store import CorrectionStore
from augment_correction.errors import AugmentCorrectionError, UserError
from augment_correction.folders import modified
from augment_correction.records import content_id
from augment_correction.store import RunFolder
from augment_correction.workspace.configs import chat_config, trained_model
from augment_correction.workspace.corrections import statement_of
from augment_correction.workspace.learning import SOURCE
from augment_correction.workspace.settings import Settings
from augment_correction.workspace.tables import CorrectionRow, Job

PATIENCE = 1.0
"""Seconds that a page waits before it is shown without, and asks again: prompts are counted in less, and a tokenizer may have to be
fetched first."""
MOST_KEPT = 50
LEAST = 0.01
"""US dollars; less is not told apart."""


class Expectations:
    """Of one process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._kept: OrderedDict[Hashable, Future[Expected]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, organisation: str, approved: Sequence[CorrectionRow]) -> Expected | None:
        """None where it is not known yet.

        Raises: AugmentCorrectionError with the reason for which a training could not begin either."""
        found = self._future(organisation, approved)
        try:
            return found.result(PATIENCE)
        except TimeoutError:
            return None

    def _future(self, organisation: str, approved: Sequence[CorrectionRow]) -> Future[Expected]:
        folder = self._settings.organisation_folder(organisation) / "corrections"
        said = [f"{row.id} {statement_of(row)}" for row in approved]
        key = (organisation, content_id("expected", *said), modified(RunFolder(folder / "prepared").journal))
        with self._lock:
            if (known := self._kept.get(key)) is not None and not _failed(known):
                return known
            made = self._kept[key] = Future()
            self._kept.move_to_end(key)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        work = (made, organisation, corrections_of(folder, approved))
        threading.Thread(target=self._work_out, args=work, name="expecting", daemon=True).start()
        return made

    def _work_out(self, made: Future[Expected], organisation: str, approved: Sequence[Correction]) -> None:
        try:
            config = chat_config(self._settings, organisation, trained_model(self._settings))
            made.set_result(expected(config, approved))
        except AugmentCorrectionError as failure:
            made.set_exception(failure)
        except Exception as failure:  # a page must not end with it
            traceback.print_exc(file=sys.stderr)
            made.set_exception(UserError(f"{type(failure).__name__}: {failure}"))


def _failed(known: Future[Expected]) -> bool:
    """It is tried again: what was wrong may have been mended."""
    return known.done() and known.exception() is not None


def corrections_of(folder: Path, approved: Sequence[CorrectionRow]) -> list[Correction]:
    """As the training would find them; those that no training has seen get numbers of their own."""
    path = folder / "corrections.sqlite"
    known = {each.source: each.id for each in CorrectionStore(path).all()} if path.is_file() else {}
    new = max(known.values(), default=0)
    return [
        Correction(known.get(f"{SOURCE}{row.id}", new + place), "approved", statement_of(row), row.author_id, "")
        for place, row in enumerate(approved, 1)
    ]


def time_of(last: Job | None, count: int) -> timedelta | None:
    """As long for each correction as in the `last` training; None where there was none."""
    learned = len(last.about.get("corrections", ())) if last else 0
    if last is None or not (last.began and last.ended and learned):
        return None
    return (last.ended - last.began) / learned * count


def cost_of_training(made: Expected) -> str:
    about, most = made.estimate.remaining_cost(), made.estimate.remaining_cost(limit=True)
    return cost_line(about, most, " and ".join(_unpriced(made)))


def cost_line(about: Decimal | float | None, most: Decimal | float | None, model: str) -> str:
    """In US dollars, for a person; `about` is None where the price of `model` is not known."""
    if about is None:
        return f"unknown: no price is known for {model}"
    if not about:
        return "nothing: it is asked on this machine, or was asked before"
    return around(about, most)


def _unpriced(made: Expected) -> list[str]:
    roles = [role for role, price in made.estimate.prices.items() if price is None]
    return sorted({each.model for each in made.estimate.stages if each.role in roles})


def around(about: Decimal | float, most: Decimal | float | None) -> str:
    expected = dollars(about) if about < LEAST else f"about {dollars(about)}"
    return expected if most is None or most < LEAST else f"{expected}, at most {dollars(most)}"


def dollars(cost: Decimal | float) -> str:
    return "under $0.01" if 0 < cost < LEAST else f"${cost:,.2f}"


def roughly(time: timedelta) -> str:
    """Rounded to what an estimate can tell."""
    minutes = round(time.total_seconds() / 60)
    if minutes < 1:
        return "less than a minute"
    hours, rest = divmod(minutes, 60)
    if not hours:
        return f"about {minutes} min"
    return f"about {hours} h {rest} min" if rest else f"about {hours} h"
