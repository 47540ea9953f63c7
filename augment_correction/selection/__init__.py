"""Which of the kept conversations go into the dataset, looked at as a set: those of the held-out set, near duplicates, what
gives away a benchmark, too much of one sort. Pure rules; `results/selecting.py` applies them."""

from augment_correction.selection.balancing import BalanceResult, Weighed, balance, weigh
from augment_correction.selection.benchmarks import Benchmarks
from augment_correction.selection.candidate import Candidate, LeftOut, question_of
from augment_correction.selection.checking import check_selection
from augment_correction.selection.duplicates import Duplicates, Kept
from augment_correction.selection.gate import DETAILS, Gate, gate_item, read_gate
from augment_correction.selection.guard import Overlap, overlap
from augment_correction.selection.openings import Openings, diversity
from augment_correction.selection.similar import QuestionIndex, ShingledText

__all__ = [
    "DETAILS",
    "BalanceResult",
    "Benchmarks",
    "Candidate",
    "Duplicates",
    "Gate",
    "Kept",
    "LeftOut",
    "Openings",
    "Overlap",
    "QuestionIndex",
    "ShingledText",
    "Weighed",
    "balance",
    "check_selection",
    "diversity",
    "gate_item",
    "overlap",
    "question_of",
    "read_gate",
    "weigh",
]
