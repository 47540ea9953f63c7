"""What `run --dry-run` prints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from augment_correction.cli.tables import print_table
from augment_correction.terminal import say

if TYPE_CHECKING:
    from decimal import Decimal

    from augment_correction.runner import Estimate

HEADERS = ("stage", "model", "requests", "tokens in", "tokens out", "at most", "")


def print_estimate(made: Estimate) -> None:
    from augment_correction.documents.notes import note_lines, unread_lines
    from augment_correction.text.excerpts import counted

    say(
        f"{counted(made.documents, 'document')}, {counted(made.chunks, 'passage')}, {made.passage_tokens:,} tokens in them"
    )
    for line in unread_lines(made.unread):
        say(f"  could not be read: {line}")
    for line in (*note_lines(made.notes), *made.notices):
        say(f"  note: {line}")
    rows = []
    for bound in made.stages:
        stage = bound.expected
        limit = f"{bound.output_limit:,}" if bound.output_limit is not None else "unbounded"
        source = "" if stage.observed else "(assumed)"
        rows.append(
            (stage.name, stage.model, f"{stage.requests:,}", f"{stage.input:,}", f"{stage.output:,}", limit, source)
        )
    print_table(HEADERS, rows, right=HEADERS[2:6])
    for role, price in made.prices.items():
        shown = f"{price.input} in, {price.output} out USD per million ({price.source})" if price else "unknown"
        say(f"price of the {role} model: {shown}")
    say("\n".join(_costs(made)))
    if not any(stage.observed for stage in made.stages):
        say(
            "the estimate assumes that every passage passes every stage and that no model reasons: a reasoning model's thoughts are "
            "billed as output, often several times the reply. `preview -n 3` measures both, and the estimate then uses what it measured"
        )


def _costs(made: Estimate) -> Iterator[str]:
    from augment_correction.progress import money

    def around(expected: Decimal | None, limit: Decimal | None) -> str:
        if expected is None:
            return "unknown, because a price is unknown"
        most = (
            "there is no upper bound, because a stage sets no max_tokens"
            if limit is None
            else f"at most {money(limit)}"
        )
        return f"about {money(expected)}; {most}, retries not counted"

    yield f"total cost: {around(made.cost(), made.cost(limit=True))}"
    if made.done or made.paid != 0:
        yield f"already paid for this folder: {money(made.paid)}; {made.done} of {made.chunks} passages are done"
        yield f"remaining cost: {around(made.remaining_cost(), made.remaining_cost(limit=True))}"
    left = made.remaining_cost()
    if made.max_usd is None:
        yield "spending cap: none is set (cost.max_usd)"
    elif made.paid is not None and left is not None:
        room = made.max_usd - made.paid
        says = (
            "that is enough for the expected cost"
            if left <= room
            else f"the run will stop at the cap, because it needs about {money(left)}"
        )
        yield f"spending cap: {money(made.max_usd)} (cost.max_usd), of which {money(max(room, room * 0))} is left; {says}"
