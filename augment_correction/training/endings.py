"""Whether the rows teach the model to stop."""

from __future__ import annotations

from collections.abc import Sequence

from augment_correction.errors import InputError
from augment_correction.export import ChatTemplate
from augment_correction.export.labelled import TokenRow
from augment_correction.export.segments import answer_end


def prove_endings(rows: Sequence[TokenRow], template: ChatTemplate) -> int:
    """How many rows end on a trained end of turn.

    Raises: InputError where none does: the trained model would never stop.
    """
    ending = sum(row.ends for row in rows)
    if rows and not ending:
        raise InputError(
            f"no row's last trained token ends a turn: {template.name} writes {answer_end(template)!r} after an answer",
            hint="use a template that ends each answer with an end-of-turn token (chat_template: chatml, llama3 ...)",
        )
    return ending
