"""Spellings of a conversation for trainers. The mask is read from `Conversation`, never decided here."""

from augment_correction.export.axolotl import axolotl_config, segments_row
from augment_correction.export.chat_template import ChatTemplate, load_chat_template
from augment_correction.export.segments import Rendering, Segment, render, segments

__all__ = [
    "ChatTemplate",
    "Rendering",
    "Segment",
    "axolotl_config",
    "load_chat_template",
    "render",
    "segments",
    "segments_row",
]
