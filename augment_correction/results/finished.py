"""A finished (or stopped) run, read back from its folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from augment_correction.errors import InputError
from augment_correction.records import Conversation
from augment_correction.results.reviewed import bring_up_to_date
from augment_correction.results.story import story_file
from augment_correction.store import Database, Journal, Results, RunFolder, StoredChunk
from augment_correction.store.journal import SCHEMA as JOURNAL_SCHEMA
from augment_correction.store.results import SCHEMA as RESULTS_SCHEMA


@dataclass(frozen=True)
class MadeRun:
    folder: RunFolder
    journal: Journal
    results: Results
    manifest: dict[str, Any]
    """`run.json`; empty where the run has not come to its end yet."""

    def story(self, chunk: StoredChunk) -> Path:
        return self.folder.debug / story_file(chunk)

    def tokens(self) -> list[dict[str, Any]]:
        """What stands in each `<role>_model_tokens.json`."""
        return [json.loads(path.read_text("utf-8")) for path in sorted(self.folder.root.glob("*_model_tokens.json"))]


def read_conversations(root: str | Path) -> Iterator[Conversation]:
    """The rows of the dataset that a run left in its output folder, one after the other and in its order, each with its loss mask
    and provenance: memory does not grow with their number.

    Raises: InputError where `root` is not the output folder of a run.

    >>> result = run(load_config("configs/smoke.yaml", ["path.output_dir=outputs/reading"]))
    >>> next(read_conversations("outputs/reading")).turns[0].role
    'user'
    """
    with open_run(Path(root)) as opened:
        for chunk, outcome in opened.results.outcomes("kept"):
            yield outcome.conversation(chunk)


@contextmanager
def open_run(root: Path) -> Iterator[MadeRun]:
    """Its rows are as a person has decided about them.

    Raises: InputError where `root` is not the output folder of a run, or its decisions.jsonl cannot be read.
    """
    folder = RunFolder(root.resolve())
    if not folder.journal.is_file():
        raise InputError(f"{root} is not the output folder of a run: it has no {folder.journal.name}")
    database = Database(folder.journal, JOURNAL_SCHEMA + RESULTS_SCHEMA)
    try:
        manifest = json.loads(folder.manifest.read_text("utf-8")) if folder.manifest.is_file() else {}
        results = Results(database, manifest.get("plan", ""))
        bring_up_to_date(results, folder)
        yield MadeRun(folder, Journal(database), results, manifest)
    finally:
        database.close()
