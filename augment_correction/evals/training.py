"""A question that a model was trained on measures memory and not learning: such an evaluation is refused."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import orjson

from augment_correction.errors import InputError
from augment_correction.evals.config import EvalConfig
from augment_correction.project import Project
from augment_correction.results.trained import TRAINED, training_rows
from augment_correction.rows import ASKS_AGAIN, Item
from augment_correction.selection.candidate import Candidate
from augment_correction.selection.guard import Guard

DEEP = 3
"""Folders at most between an adapter and the output folder of its training, that folder included."""
SHOWN = 10
REMEDY = (
    "take these rows out of the training data and train again, or these items out of the held-out set; a run with gate.share "
    "above 0 keeps whole documents apart"
)


def training_of(config: EvalConfig) -> tuple[tuple[str, ...], list[str]]:
    """The training data to look through, those of the config or else those beside the adapters, and a line for every
    model for which they were found there, or are not known."""
    if config.training:
        return config.training, []
    found, notices = [], []
    for name, model in config.models.items():
        adapter = config.project.resolve(model.adapter) if model.adapter else None
        file = _trained_by(adapter) if adapter else None
        if adapter and file:
            found.append(str(file))
            last = " (of its last training)" if _went_on(adapter, file.parent) else ""
            notices.append(f"{name} was trained on {file}{last}: it contains no question of the held-out set")
        elif name in config.tuned or not config.tuned:
            notices.append(
                f"it is not known whether {name} was trained on the held-out set: name its data under `training`"
            )
    return tuple(dict.fromkeys(found)), notices


def _trained_by(adapter: Path) -> Path | None:
    """The nearest one: `final/` stands beside it, `axolotl/lora/checkpoint-8/` three folders deeper."""
    files = (folder / TRAINED for folder in adapter.parents[:DEEP])
    return next((file for file in files if file.is_file()), None) if adapter.is_dir() else None


def _went_on(adapter: Path, root: Path) -> bool:
    """Whether the training in `root` began with another adapter, as the file beside its weights or its checkpoints says."""
    folders = [each for each in (adapter, *adapter.parents[:DEEP]) if each.is_relative_to(root)]
    files = (folder / "training.json" for folder in folders)
    return any(orjson.loads(file.read_bytes()).get("adapter") for file in files if file.is_file())


def refuse_trained(project: Project, paths: Iterable[str], items: Iterable[Item]) -> None:
    """Corrected questions themselves are trained: they may stand in rows that name a correction's `group`.

    Raises: InputError with the rows of the training data that give away a question, or nearly, and the held-out set's rows.
    """
    guard = Guard()
    known: dict[str, Item] = {}
    taught: set[str] = set()
    corrections: set[str] = set()
    for item in items:
        known.setdefault(item.id, item)
        if item.probe in ASKS_AGAIN:
            taught.add(item.id)
            corrections.add(item.group)
        guard.add_item({"id": item.id, "question": item.question, "passage": item.passage})
    for path in paths:
        rows = training_rows(project.resolve(path))
        found = [each for row in rows if (each := guard.overlap(row, taught if _group(row) in corrections else ()))]
        if found:
            named = "".join(f"\n  {each.conversation}: {each.detail}{_row(known[each.item])}" for each in found[:SHOWN])
            more = f"\n  and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
            raise InputError(
                f"{len(found)} rows of {path} give away questions of the held-out set:{named}{more}", hint=REMEDY
            )


def _group(row: Candidate) -> str:
    return str(row.conversation.provenance.get("group") or "")


def _row(item: Item) -> str:
    """Where it stands, and what it probes."""
    probe = f"the probe '{item.probe}' of the correction {item.correction}" if item.correction else ""
    return f" ({', '.join(filter(None, (probe, item.place)))})" if probe or item.place else ""
