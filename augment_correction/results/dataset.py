"""What a trainer reads: the dataset, proven to the token where the tokenizer is known, its further spellings, and the
Axolotl configs that train on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from augment_correction.errors import InputError
from augment_correction.export import (
    ExportSource,
    TrainingSet,
    Verification,
    axolotl_config,
    axolotl_yaml,
    export,
    tokenizer_of,
    verify_dataset,
    write_segments,
)
from augment_correction.export.axolotl_chat import FILE as CHAT_FILE
from augment_correction.plan import Plan
from augment_correction.records import Conversation
from augment_correction.results.earlier import Earlier
from augment_correction.selection import Openings
from augment_correction.store import Results, StoredChunk
from augment_correction.store.folder import atomic_write

INSTEAD = "trains on exports/axolotl_chat, which is tokenized as a whole"


@dataclass
class Written:
    """`files` by name. `verification` is None where no tokenizer is at hand."""

    files: dict[str, Path] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    digest: str = ""
    """Changes with the dataset's content."""
    verification: Verification | None = None
    openings: dict[str, dict[str, Any]] = field(default_factory=dict)
    """How alike messages begin, by message."""
    counts: dict[str, Any] = field(default_factory=dict)
    """`Results.counts` of what was written."""

    @property
    def wrong(self) -> bool:
        return self.verification is not None and self.verification.wrong


def write_dataset(
    plan: Plan,
    results: Results,
    rows: int,
    manifest: Mapping[str, Any],
    tokens: tuple[Mapping[str, Any], ...],
    earlier: Earlier,
) -> Written:
    """Write all of it for `rows` > 0 conversations."""
    made = Written()
    tokenizer, missing = tokenizer_of(plan.config)
    if tokenizer is None:
        made.notices.append(f"the loss mask was not checked against a tokenizer: {missing}")
    made.files["dataset"] = plan.folder.dataset
    openings = Openings()
    seen = openings.watch(_conversations(results))
    digest = made.digest = write_segments(plan.folder.dataset, seen, plan.template, tokenizer)
    made.openings = openings.measured()
    names: list[str] = [name for name in plan.config.output.formats if name != "axolotl"]
    source = ExportSource(
        lambda: _conversations(results), plan.template, tokenizer, manifest, results.documents, tokens
    )
    whole = False
    if tokenizer is not None:
        proof = made.verification = verify_dataset(
            plan.folder.dataset, _conversations(results), plan.template, tokenizer, plan.config.training.max_length
        )
        # Segments that this tokenizer cannot take (SentencePiece): train on what is tokenised as a whole.
        if "seam" in proof.failing and _export(made, ["axolotl_chat"], source, plan):
            whole = proof.whole = True
            with (made.files["export_axolotl_chat"] / CHAT_FILE).open("rb") as file:
                rows = sum(1 for _ in file)  # it leaves out what it cannot say
            made.notices.append(f"{tokenizer.name} cannot tokenize every row in segments: axolotl_lora.yaml {INSTEAD}")
    _export(made, [name for name in names if f"export_{name}" not in made.files], source, plan)
    earlier.move_exports(digest, (name.removeprefix("export_") for name in made.files))
    _write_configs(made, plan, TrainingSet(plan.folder, rows, digest, plan.template, tokenizer, whole))
    return made


def conversations(results: Results) -> Iterator[tuple[StoredChunk, Conversation]]:
    """The kept conversations in the output's order, with where their passage stands."""
    for chunk, outcome in results.outcomes("kept"):
        yield chunk, outcome.conversation(chunk)


def _conversations(results: Results) -> Iterator[Conversation]:
    return (conversation for _, conversation in conversations(results))


def _export(made: Written, names: list[str], source: ExportSource, plan: Plan) -> bool:
    """A spelling that cannot be written is a line in the summary: the paid rows are there in the others."""
    done = True
    for name in names:
        try:
            for exported in export([name], source, plan.folder):
                made.files[f"export_{name}"] = exported.path
                made.notices += exported.notices
        except InputError as failure:
            done = False
            made.notices.append(f"no export {name}: {failure.message} ({failure.hint})")
    return done


def _write_configs(made: Written, plan: Plan, data: TrainingSet) -> None:
    for name, several in (("axolotl_config", False), ("axolotl_config_multi_gpu", True)):
        path = plan.folder.axolotl_config
        if several:
            path = path.with_name(f"{path.stem}_multi_gpu{path.suffix}")
        keys = axolotl_config(plan.config, data, several_gpus=several)
        with atomic_write(path) as file:
            file.write(axolotl_yaml(keys, path, several_gpus=several))
        made.files[name] = path
