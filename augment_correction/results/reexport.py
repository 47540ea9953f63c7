"""What can be made again from a run's folder without asking a model: its spellings, and the proof of its mask."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from augment_correction.config import TrainingConfig
from augment_correction.errors import InputError, UserError
from augment_correction.export import (
    ChatTemplate,
    Exported,
    ExportSource,
    Tokenizer,
    TrainingSet,
    Verification,
    export,
    load_tokenizer,
    verify_dataset,
)
from augment_correction.export.proofs import ProofRow
from augment_correction.export.verify import read_rows
from augment_correction.export.verify_configs import trains_whole, verify_config
from augment_correction.export.verify_files import verify_export
from augment_correction.export_formats import FORMATS
from augment_correction.plugins import load_plugins
from augment_correction.records import Conversation
from augment_correction.results.dataset import conversations
from augment_correction.results.decisions import Decisions
from augment_correction.results.finished import MadeRun
from augment_correction.results.reviewed import review_of

AGAIN = "run the same config again: finished calls are not repeated"


def verify_run(made: MadeRun, tokenizer: str | None) -> Verification:
    """The dataset, the Axolotl configs and every export that is there, the one that the configs name in any case.

    Raises: UserError where the folder or the tokenizer cannot be used.
    """
    template = run_template(made)
    known = run_tokenizer(made, tokenizer, needed=True)
    assert known is not None
    length = TrainingConfig.model_validate(made.manifest["config"]["training"]).max_length
    proof = verify_dataset(_dataset(made), run_conversations(made), template, known, length)
    configs, exports = made.folder.axolotl_configs(), made.folder.root / "exports"
    for path in configs:
        whole = trains_whole(path)
        proof.whole |= whole
        proof.files.append(verify_config(path, TrainingSet(made.folder, proof.rows, "", template, known, whole)))
    source, written = export_source(made, template, known), written_exports(made.folder.root)
    for name in written if not proof.whole or "axolotl_chat" in written else ["axolotl_chat", *written]:
        proof.files.append(verify_export(name, exports / name, source, known))
    return proof


def written_exports(root: Path) -> list[str]:
    """Of a run's folder, ours first; a format that no installed plugin brings, too."""
    there = [path.name for path in sorted((root / "exports").glob("[!.]*")) if path.is_dir()]
    if not set(there) <= set(FORMATS):
        load_plugins()
    return [*(name for name in FORMATS if name in there), *(name for name in there if name not in FORMATS)]


def find_row(made: MadeRun, tokenizer: str | None, id_: str) -> tuple[ProofRow, Tokenizer]:
    """The first row whose id begins with `id_`.

    Raises: UserError.
    """
    known = run_tokenizer(made, tokenizer, needed=True)
    assert known is not None
    for row in read_rows(_dataset(made), run_conversations(made), run_template(made), known):
        if row.conversation.id.startswith(id_):
            return row, known
    raise InputError(
        f"no conversation of {made.folder.root} has an id that begins with '{id_}'",
        hint="'inspect' lists some, and every row of the dataset has its id",
    )


def export_run(
    made: MadeRun, names: Sequence[str], tokenizer: str | None, *, partial: bool = False
) -> Iterator[Exported]:
    """Raises: UserError where the folder is of an interrupted or older run, or `axolotl` is asked for and the tokenizer that
    the dataset was cut for is not on this machine; its earlier exports are unchanged."""
    template = run_template(made)
    pending = made.results.counts()["chunks"] - made.results.settled()
    if pending and not partial:
        raise InputError(
            f"the run in {made.folder.root} is not finished ({pending} passages are open); earlier exports are unchanged",
            hint=f"{AGAIN}; or export what there is with --partial",
        )
    known = run_tokenizer(made, tokenizer, needed="axolotl" in names and cut_for_tokenizer(made))
    yield from export(names, export_source(made, template, known), made.folder)


def export_source(made: MadeRun, template: ChatTemplate, tokenizer: Tokenizer | None) -> ExportSource:
    """What every export of the run is written from, and compared with by `verify`."""
    manifest = {**made.manifest, **_review(made)}
    return ExportSource(
        lambda: run_conversations(made), template, tokenizer, manifest, made.results.documents, tuple(made.tokens())
    )


def _review(made: MadeRun) -> dict[str, Any]:
    """For the card: what a person has decided until now."""
    if not made.folder.decisions.is_file():
        return {}
    return {"review": dict(review_of(made.results, Decisions(made.folder.decisions)).counts)}


def run_conversations(made: MadeRun) -> Iterator[Conversation]:
    return (conversation for _, conversation in conversations(made.results))


def run_template(made: MadeRun) -> ChatTemplate:
    """The template that the run's rows were written with.

    Raises: InputError where `run.json` is missing, older, or not of what the journal holds.
    """
    root, stored = made.folder.root, made.manifest.get("prompt_template", {})
    if not made.manifest:
        raise InputError(f"the run in {root} is not finished: it has no run.json", hint=AGAIN)
    if "source" not in stored:
        raise InputError(f"{root} was written by an older version: its run.json holds no chat template", hint=AGAIN)
    counts = made.results.counts()
    if _undecided(counts | made.manifest["counts"]) != _undecided(counts):  # an older run.json counts fewer things
        raise InputError(
            f"a later run in {root} was interrupted: its run.json does not belong to its journal", hint=AGAIN
        )
    return ChatTemplate(stored["name"], stored["source"], stored["bos_token"], stored["eos_token"])


def _undecided(counts: Mapping[str, Any]) -> dict[str, Any]:
    """What no decision of a person changes, however many came since the run."""
    same = {name: counts.get(name) for name in ("documents", "unread", "chunks", "gate", "failed")}
    return {**same, "made": counts["kept"] + counts["rejected"]}


def cut_for_tokenizer(made: MadeRun) -> bool:
    """Whether the dataset's cuts are those of a tokenizer: with others a model may train on tokens it never meets in use."""
    return bool(made.manifest.get("verified"))


def run_tokenizer(made: MadeRun, wanted: str | None, *, needed: bool = False) -> Tokenizer | None:
    """The one that is asked for, else the one of the run's config where this machine has it.

    Raises: UserError where one is asked for or needed and cannot be had.
    """
    if wanted:
        return load_tokenizer(wanted, Path.cwd())
    config = made.manifest["config"]
    own = config["system"]["tokenizer"] or config["training"]["base_model"]
    try:
        return load_tokenizer(own, Path.cwd())
    except UserError as failure:
        if not needed:
            return None
        raise InputError(
            failure.message, hint=f"name a tokenizer with --tokenizer PATH_OR_ID, or {failure.hint or ''}"
        ) from None


def _dataset(made: MadeRun) -> Path:
    if not made.folder.dataset.is_file():
        raise InputError(f"{made.folder.root} holds no dataset", hint=f"{AGAIN}; rejected.jsonl has the reasons")
    if made.results.made_with("files") != made.results.made_with("rows"):
        raise InputError(
            f"{made.folder.decisions} has decisions that are not yet applied to the dataset",
            hint="apply them: python -m augment_correction review OUTPUT_DIR --apply, or run the same config again",
        )
    return made.folder.dataset
