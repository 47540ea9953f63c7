"""Everything a run keeps: its folder, the journal of paid calls, and what became of every passage."""

from augment_correction.store.batches import Batches
from augment_correction.store.database import Database
from augment_correction.store.folder import RunFolder
from augment_correction.store.journal import Journal, StoredCall
from augment_correction.store.outcomes import REVIEW, SELECTION, Excluded, Outcome, StoredChunk
from augment_correction.store.results import Results

__all__ = [
    "REVIEW",
    "SELECTION",
    "Batches",
    "Database",
    "Excluded",
    "Journal",
    "Outcome",
    "Results",
    "RunFolder",
    "StoredCall",
    "StoredChunk",
]
