"""The real program with a Batch API's long waits made short. `DIE` names one of our own steps to end at, as the power
would end it: `settled:2` after the second transaction of answers, `outcome:3` when the third passage is finished."""

from __future__ import annotations

import os
import signal
from typing import Any

from augment_correction.__main__ import main
from augment_correction.llm import batch, batch_steps
from augment_correction.store import Batches, Results

QUICK = {
    (batch, "LINGER"): 0.15,
    (batch, "PAUSE"): 0.05,
    (batch, "SLICE"): 3,
    (batch_steps, "FIRST_POLL"): 0.02,
    (batch_steps, "LAST_POLL"): 0.1,
}


def _die_at(step: str, times: int) -> None:
    left = times

    def count() -> None:
        nonlocal left
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

    if step == "settled":
        settle = Batches.settle

        async def settled(self: Batches, *arguments: Any) -> None:
            await settle(self, *arguments)
            count()

        Batches.settle = settled  # type: ignore[method-assign]
    else:
        add = Results.add_outcomes

        def added(self: Results, *arguments: Any) -> None:
            count()
            add(self, *arguments)

        Results.add_outcomes = added  # type: ignore[method-assign]


if __name__ == "__main__":
    for (module, name), seconds in QUICK.items():
        setattr(module, name, seconds)
    if os.environ.get("DIE"):
        step, _, times = os.environ["DIE"].partition(":")
        _die_at(step, int(times))
    main()
