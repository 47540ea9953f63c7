"""What a resumed run would pay for because documents are cut otherwise than before: told before the first request."""

from __future__ import annotations

import time
from contextlib import aclosing

from augment_correction.documents import CUTTING
from augment_correction.llm.metered import Halt
from augment_correction.llm.session import interruptible
from augment_correction.plan import Plan
from augment_correction.records import content_id
from augment_correction.runner.source import read_passages
from augment_correction.runner.state import RunState
from augment_correction.store import Results


async def tell_what_is_cut_anew(plan: Plan, results: Results, state: RunState) -> None:
    """Reads the documents where earlier runs into the folder cut them by other rules or settings, and by the same no more; no further
    than to the last passage that is finished.

    Raises: Interrupted at Ctrl-C.
    """
    cut = content_id(CUTTING, plan.encoding, repr(plan.chunks), repr(sorted(plan.cut_by_folder.items())))
    finished = results.finished_passages() if results.cut_by() != cut else set()
    if finished:
        passages: set[str] = set()
        begun = time.monotonic()
        async with (
            interruptible(Halt(), lambda: True, lambda _: None),
            aclosing(read_passages(plan)) as reads,
        ):
            async for read in reads:
                state.loading = "looking whether documents are cut as before", round(time.monotonic() - begun), 0
                passages.update(placed.chunk.id for placed in read.passages)
                if finished <= passages:
                    break
        state.loading = None
        gone, new = len(finished - passages), len(passages - finished)
        if gone and new:
            state.notices.append(
                f"documents are cut otherwise than by earlier runs into this folder (another version of the program, other settings): "
                f"{gone:,} of the {len(finished):,} passages that they finished are not among the present {len(passages):,}, and "
                f"{new:,} are asked about anew. `run --dry-run` tells what that costs"
            )
    results.set_cut(cut)
