"""Rows that others wrote: every command reads them here, so that one file means the same to all of them.

`names` is the table of the fields' names, `chats` reads a conversation in any common shape, `items` questions
with their references, `asked` what a training row asks, `segments` Axolotl's own rows. docs/reference/rows.md is made of `kinds` and the table.
"""

from augment_correction.rows.asked import Asked, asked
from augment_correction.rows.chats import Said, chat
from augment_correction.rows.items import Item, asked_of, item_of, read_rows
from augment_correction.rows.kinds import KINDS
from augment_correction.rows.names import NAMES, TITLES, Field, RowError, columns, missing, plain, text_of
from augment_correction.rows.pairs import pair
from augment_correction.rows.segments import segments_problem

__all__ = [
    "KINDS",
    "NAMES",
    "TITLES",
    "Asked",
    "Field",
    "Item",
    "RowError",
    "Said",
    "asked",
    "asked_of",
    "chat",
    "columns",
    "item_of",
    "missing",
    "pair",
    "plain",
    "read_rows",
    "segments_problem",
    "text_of",
]
