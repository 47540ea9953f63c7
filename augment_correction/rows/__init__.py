"""Rows that others wrote: every command reads them here, so that one file means the same to all of them.

`files` reads a file row by row; `names` is the table of the fields' names, and the error of a row that cannot be used;
`chats` reads a conversation in any common shape, `pairs` preference pairs, `items` questions with their references, `curated`
what somebody puts together for a training, `demonstrated` rows of self-distillation, `answers` those of a model, `probes` what a
gate row says of the correction that it probes, `formats` rows of registered formats, `asked` what any training row asks, `segments` Axolotl's own rows.
docs/reference/rows.md is made of `kinds` and the tables.
"""

from augment_correction.rows.answers import Answer, answer_of
from augment_correction.rows.asked import Asked, asked
from augment_correction.rows.chats import RowMessage, chat
from augment_correction.rows.curated import FIELDS, Curated, curated, fields_of, graded, turns_of
from augment_correction.rows.demonstrated import KIND as CONTEXT_KIND
from augment_correction.rows.demonstrated import Demonstrated, Shown, demonstrated
from augment_correction.rows.files import each_row, in_known_kinds, read_rows
from augment_correction.rows.formats import FORMATS, RowFormat, format_of, register_rows
from augment_correction.rows.items import Item, asked_of, item_of
from augment_correction.rows.kinds import KINDS, looks_like_a_row
from augment_correction.rows.names import (
    NAMES,
    TITLES,
    Field,
    RowError,
    columns,
    group_of,
    missing,
    text_in,
    text_of,
    unused_keys,
)
from augment_correction.rows.pairs import flat
from augment_correction.rows.probes import ASKS_AGAIN, PROBES, Probe, refuse_probe
from augment_correction.rows.segments import segments_of

__all__ = [
    "ASKS_AGAIN",
    "CONTEXT_KIND",
    "FIELDS",
    "FORMATS",
    "KINDS",
    "NAMES",
    "PROBES",
    "TITLES",
    "Answer",
    "Asked",
    "Curated",
    "Demonstrated",
    "Field",
    "Item",
    "Probe",
    "RowError",
    "RowFormat",
    "RowMessage",
    "Shown",
    "answer_of",
    "asked",
    "asked_of",
    "chat",
    "columns",
    "curated",
    "demonstrated",
    "each_row",
    "fields_of",
    "flat",
    "format_of",
    "graded",
    "group_of",
    "in_known_kinds",
    "item_of",
    "looks_like_a_row",
    "missing",
    "read_rows",
    "refuse_probe",
    "register_rows",
    "segments_of",
    "text_in",
    "text_of",
    "turns_of",
    "unused_keys",
]
