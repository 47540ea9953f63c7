"""The files of a finished run once more, as a person has decided about its rows: the dataset, the Axolotl configs, the exports that are
there and the report; then the mask is proven again. Nothing is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from augment_correction.config import TrainingConfig
from augment_correction.errors import InputError, UserError
from augment_correction.export import ExportSource, Verification, export, write_segments
from augment_correction.export.axolotl_lora import trained_on_other_rows
from augment_correction.results.decisions import Decisions
from augment_correction.results.finished import MadeRun
from augment_correction.results.reexport import (
    cut_for_tokenizer,
    export_source,
    run_conversations,
    run_template,
    run_tokenizer,
    verify_run,
    written_exports,
)
from augment_correction.results.reviewed import bring_up_to_date, review_of
from augment_correction.store.folder import atomic_write


@dataclass
class Applied:
    """`rows` is how many are in the dataset now. `verification` is None where no tokenizer is at hand."""

    rows: int
    review: Mapping[str, int]
    files: list[Path] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    verification: Verification | None = None


def apply_decisions(made: MadeRun, tokenizer_name: str | None = None) -> Applied:
    """Write all again. The folder must be held. The tokenizer is the run's own where none is named.

    Raises: InputError where nothing would be left, the run has not come to its end, or the tokenizer that its rows were cut
    for is not on this machine.
    """
    template = run_template(made)
    bring_up_to_date(made.results, made.folder)
    review = dict(review_of(made.results, Decisions(made.folder.decisions)).counts)
    tokenizer = run_tokenizer(made, tokenizer_name, needed=cut_for_tokenizer(made))
    rows = sum(1 for _ in run_conversations(made))
    if not rows:
        raise InputError(
            f"all conversations of {made.folder.root} are rejected: the dataset was not changed",
            hint="run the config again: it moves the dataset aside and asks again about the marked conversations",
        )
    applied = Applied(rows, review)
    digest = write_segments(made.folder.dataset, run_conversations(made), template, tokenizer)
    applied.files.append(made.folder.dataset)
    _write_configs(made, applied, digest)
    _write_exports(made, applied, export_source(made, template, tokenizer))
    made.results.note_files(made.results.made_with("rows"))
    if tokenizer is not None:
        applied.verification = verify_run(made, tokenizer_name)
    return applied


def _write_configs(made: MadeRun, applied: Applied, digest: str) -> None:
    training = TrainingConfig.model_validate(made.manifest["config"]["training"])
    for path in made.folder.axolotl_configs():
        text = trained_on_other_rows(path.read_bytes(), path, training, applied.rows, digest)
        with atomic_write(path) as file:
            file.write(text)
        applied.files.append(path)


def _write_exports(made: MadeRun, applied: Applied, source: ExportSource) -> None:
    """Those that are there. One that cannot be written again would go on teaching what was rejected."""
    for name in written_exports(made.folder.root):
        folder = made.folder.root / "exports" / name
        try:
            for exported in export([name], source, made.folder):
                applied.files.append(exported.path)
                applied.notices += exported.notices
        except UserError as failure:
            applied.notices.append(
                f"{folder} was not updated by the review and may contain rejected rows: {failure.message} ({failure.hint})"
            )
