"""What an earlier state of the output folder left for a trainer, moved aside before this run's files are written.

A dataset, an `axolotl_lora.yaml` or exports that stand beside a `run.json` are taken for that run's. So they go to
`earlier/<number>/` where this run is another one (another pipeline, prompt, model, seed, input folder, chunk or subset), has
kept nothing, or was stopped before it came to as many rows. Nothing is deleted: an old dataset may be a good one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from augment_correction.folders import own_folder
from augment_correction.plan import Plan
from augment_correction.selection import read_gate
from augment_correction.store import RunFolder
from augment_correction.store.folder import atomic_write

CUT = ("chunk_size", "chunk_unit", "chunk_overlap", "use_subset", "subset_size")
"""Keys of `system` that decide which passages there are."""
EXPORTS = "exports"


class Earlier:
    """One look at the folder as the last finished run left it. `notices` tell what was moved."""

    def __init__(self, plan: Plan) -> None:
        self._plan, self._folder = plan, plan.folder
        self._before = _manifest(plan.folder)
        self._home: Path | None = None
        self.notices: list[str] = []

    def move_gate(self) -> None:
        """The gate is frozen, but one that was drawn from another input folder, of which no document is in this one,
        would keep this run's gate from being drawn and have models asked about what they never learned."""
        if self._before and not self._same_input and self._folder.gate.exists() and not self._knows_gate():
            self._move([self._folder.gate], "it was drawn from other documents: move it back to go on with it")

    def move_products(self, kept: int, *, complete: bool) -> None:
        """To be called when it is known how many rows this run writes, and before it writes the first one."""
        made = [self._folder.dataset, *self._folder.axolotl_configs(), self._folder.root / EXPORTS]
        if self._before and not self._same:
            made.append(self._folder.meta_dataset.parent)
            why = "of a run with another configuration"
        elif not kept:
            why = "of an earlier run; this one has kept nothing"
        elif not complete and kept < self._before.get("counts", {}).get("kept", 0):
            why = "of an earlier run with more rows; this one was stopped early"
        else:
            return
        self._move([*made, self._folder.manifest] if any(path.exists() for path in made) else [], why)

    def move_exports(self, digest: str, written: Iterable[str]) -> None:
        """Those that this run does not write again, where the rows are not the ones that they were made from."""
        if not self._before or self._before.get("dataset") == digest:
            return
        kept = set(written)
        left = [path for path in sorted((self._folder.root / EXPORTS).glob("[!.]*")) if path.name not in kept]
        self._move(left, "of an earlier run with other rows: export again")

    @property
    def _same_input(self) -> bool:
        resolve = self._plan.config.project.resolve
        return resolve(self._before["config"]["path"]["input_dir"]) == resolve(self._plan.config.path.input_dir)

    @property
    def _same(self) -> bool:
        before, now = self._before["config"]["system"], self._plan.config.system
        same_passages = all(before.get(key) == getattr(now, key) for key in CUT)
        return self._before.get("plan") == self._plan.fingerprint() and same_passages and self._same_input

    def _knows_gate(self) -> bool:
        """Whether a document of the held-out set is in the input folder, or is it."""
        if not self._plan.config.path.input_dir:
            return False
        input_dir = self._plan.input_dir
        sources = {re.sub(r"#L\d+$", "", str(item.get("source") or "")) for item in read_gate(self._folder.gate)}
        return any(name == input_dir.name if input_dir.is_file() else (input_dir / name).exists() for name in sources)

    def _move(self, paths: Iterable[Path], why: str) -> None:
        there = [path for path in paths if path.exists()]
        if not there:
            return
        home = self._home = self._home or _next(self._folder.earlier)
        for path in there:
            target = home / path.relative_to(self._folder.root)
            own_folder(target.parent)
            path.replace(target)
        _point_at_moved(self._folder, RunFolder(home))
        names = ", ".join(path.name for path in there if path != self._folder.manifest)
        self.notices.append(f"moved to {home}: {names} ({why})")


def _manifest(folder: RunFolder) -> Mapping[str, Any]:
    """Empty where no run has come to its end, or an older version wrote what cannot be compared."""
    try:
        found = json.loads(folder.manifest.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    comparable = isinstance(found, dict) and {"config", "plan"} <= found.keys()
    return found if comparable else {}


def _next(folder: Path) -> Path:
    numbers = [int(path.name) for path in folder.glob("*") if path.name.isdigit()]
    return folder / str(max(numbers, default=0) + 1)


def _point_at_moved(before: RunFolder, after: RunFolder) -> None:
    """The moved Axolotl configs train on the moved rows, and not on what takes their place."""
    for path in after.axolotl_configs():
        text = path.read_text("utf-8")
        head = "".join(line for line in text.splitlines(keepends=True) if line.startswith("#"))
        moved = _replaced(yaml.safe_load(text), _mover(before, after))
        with atomic_write(path) as file:
            file.write(head.replace(str(before.root), str(after.root)).encode())
            file.write(yaml.safe_dump(moved, sort_keys=False, allow_unicode=True, width=120).encode())


def _mover(before: RunFolder, after: RunFolder) -> Callable[[str], str]:
    def moved(text: str) -> str:
        path = Path(text)
        if path != before.dataset and not path.is_relative_to(before.root / EXPORTS):
            return text
        place = after.root / path.relative_to(before.root)
        return str(place) if place.exists() else text

    return moved


def _replaced(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        return {key: _replaced(each, change) for key, each in value.items()}
    if isinstance(value, list):
        return [_replaced(each, change) for each in value]
    return change(value) if isinstance(value, str) else value
