"""Spellings of a conversation for trainers. The mask is read from `Conversation`, never decided here."""

from augment_correction.export.axolotl import segments_row, write_segments
from augment_correction.export.axolotl_lora import TrainingSet, axolotl_config, axolotl_yaml
from augment_correction.export.chat_template import ChatTemplate, load_chat_template
from augment_correction.export.exporting import Exported, export, register_export
from augment_correction.export.segments import Rendering, Segment, render, segments
from augment_correction.export.source import ExportSource
from augment_correction.export.tokenizer import Tokenizer, load_tokenizer, tokenizer_of
from augment_correction.export.verify import Verification, verify_dataset

__all__ = [
    "ChatTemplate",
    "ExportSource",
    "Exported",
    "Rendering",
    "Segment",
    "Tokenizer",
    "TrainingSet",
    "Verification",
    "axolotl_config",
    "axolotl_yaml",
    "export",
    "load_chat_template",
    "load_tokenizer",
    "register_export",
    "render",
    "segments",
    "segments_row",
    "tokenizer_of",
    "verify_dataset",
    "write_segments",
]
