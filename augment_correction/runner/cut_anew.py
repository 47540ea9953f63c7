"""A resumed run may have to pay again for passages that are new only because documents are now cut otherwise than before. This counts
them, and the run says so before its first request."""

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
    """Compares the passages that earlier runs into the folder have finished with those into which the documents are cut now, and adds
    a notice if some of the former are gone and some of the latter are new. The documents are read only if other rules or settings
    cut them then, and only until all finished passages have been found.

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
                f"documents are cut otherwise than by earlier runs into this folder, because of another version of the program or other "
                f"settings: {gone:,} of the {len(finished):,} passages that those runs finished do not exist any more, and of the "
                f"{len(passages):,} that there are now {new:,} are asked about anew. `run --dry-run` tells what that costs"
            )
    results.set_cut(cut)
