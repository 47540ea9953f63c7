"""What a model got wrong, whoever found it: a monitor in a training, a grader of answers, a person with a file. `Failure` is
what all of them hand on, and `make` sends it through a pipeline: the one way from a failure to a row."""

from augment_correction.failures.curated import RowProblem
from augment_correction.failures.failure import Failure, Verdict, distinct, read_failures
from augment_correction.failures.importing import (
    PIPELINE,
    Imported,
    SourceFile,
    conversations,
    only_failures,
    read_files,
)
from augment_correction.failures.making import FailureResult, make, passages_of, quiet_config

__all__ = [
    "PIPELINE",
    "Failure",
    "FailureResult",
    "Imported",
    "RowProblem",
    "SourceFile",
    "Verdict",
    "conversations",
    "distinct",
    "make",
    "only_failures",
    "passages_of",
    "quiet_config",
    "read_failures",
    "read_files",
]
