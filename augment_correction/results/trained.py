"""What a model was trained on, as far as it says what was asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from augment_correction.errors import InputError
from augment_correction.records import Conversation, Turn
from augment_correction.results.finished import open_run
from augment_correction.results.reexport import run_conversations, run_template
from augment_correction.rows import asked, read_rows
from augment_correction.selection.candidate import Candidate
from augment_correction.store import RunFolder

TRAINED = "trained.jsonl"
"""What our trainer leaves in its output folder: each conversation that it trained or held out."""
FORMATS = "name the output folder of a run or of a training, or a .jsonl or .json file of training rows"


def training_rows(path: Path) -> Iterator[Candidate]:
    """Of a run, whose folder or dataset it is, what was written for training; of what a training left, or of the rows of a
    file, the user's words alone. Such a row is known by its place: what it calls its id may be anything.

    Raises: InputError where none of them is there, the run was interrupted, or a row asks nothing.
    """
    run = RunFolder(path if path.is_dir() else path.parent)
    file = path / TRAINED if path.is_dir() else path
    if path in (run.root, run.dataset) and run.journal.is_file():
        yield from map(Candidate, _of_run(run.root))
    elif file.is_file() and file.suffix in (".jsonl", ".json"):
        for place, found in read_rows(file, asked):
            turns = tuple(Turn("user", text, False) for text in found.texts)
            group = {"group": found.group} if found.group else {}
            yield Candidate(Conversation(place, "", turns, False, group), rendered=found.rendered)
    else:
        raise InputError(f"the rows at {path} cannot be read", hint=FORMATS)


def _of_run(path: Path) -> Iterator[Conversation]:
    """Neither its gate nor what a later run, which was interrupted, has made."""
    with open_run(path) as made:
        if not made.folder.dataset.is_file():
            raise InputError(f"the run in {path} has written no dataset", hint="run it until it has finished")
        run_template(made)  # refuses an interrupted run
        yield from run_conversations(made)
