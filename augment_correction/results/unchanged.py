"""Whether a run's files are there already, made from the same: then a finished run that is started again has nothing to write.

Making them anew would give the same bytes (`outputs.py`), and takes a minute for 100,000 passages. So that this is a matter of
time alone, everything that the files depend on is looked at: what was read and what became of it, what was paid, the config, the
template and the tokenizer, the program's own code; and of each file its size and when it was written.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from augment_correction.export import Verification, tokenizer_of
from augment_correction.export.proofs import MaskProblem
from augment_correction.ledger import Ledger
from augment_correction.plan import Plan, describe
from augment_correction.results.dataset import Written
from augment_correction.store import Journal, Results

_PROGRAM = Path(__file__).parents[1]
_OURS_ALONE = ("journal.", ".", "logs", "journals", "earlier")
"""What begins so in a run's folder is no file that is made here, or changes while nothing is made."""


class Unchanged:
    """One look, before anything is written."""

    def __init__(
        self,
        plan: Plan,
        journal: Journal,
        results: Results,
        ledger: Ledger,
        versions: Mapping[str, str | None],
        *,
        complete: bool,
    ) -> None:
        self._root, self._results = plan.folder.root, results
        selection = plan.config.selection
        # The rows of another run, and lists that are no part of the config, are not looked at.
        self._known = complete and not (selection.across or selection.benchmarks)
        self._made_from = self._digest(plan, journal, ledger, versions) if self._known else ""

    def _digest(self, plan: Plan, journal: Journal, ledger: Ledger, versions: Mapping[str, str | None]) -> str:
        tokenizer, missing = tokenizer_of(plan.config)
        looked_at = [
            list(_listed(_PROGRAM, ("__pycache__",))),
            dict(versions), describe(plan), asdict(plan.template), tokenizer.fingerprint if tokenizer else missing,
            [ledger.as_json(role) for role in plan.roles], [repr(each) for each in journal.totals()], self._results.digest(),
        ]  # fmt: skip
        return hashlib.sha256(orjson.dumps(looked_at, default=str)).hexdigest()

    def written(self) -> Written | None:
        """What the earlier run wrote, where all of it stands there as it left it."""
        found = self._results.written() if self._known else None
        if found is None or found[0] != self._made_from:
            return None
        if self._results.made_with("rows") != self._results.made_with("files"):
            return None
        made = orjson.loads(found[1])
        return _read(made, self._root) if made["there"] == self._there() else None

    def forget(self) -> None:
        """To be called before a file is touched."""
        self._results.set_written(None)

    def remember(self, made: Written) -> None:
        """A mask that is wrong is proven again, with all its lines."""
        if self._known and not made.wrong:
            row = {"there": self._there(), **_spelled(made, self._root)}
            self._results.set_written((self._made_from, orjson.dumps(row).decode()))

    def _there(self) -> str:
        listed = orjson.dumps(list(_listed(self._root, _OURS_ALONE)))
        return hashlib.sha256(listed).hexdigest()


def _listed(root: Path, without: tuple[str, ...]) -> Iterator[tuple[str, int, int]]:
    """(path, bytes, when it was written) of every file, but for what stands under the root with one of these beginnings."""
    waiting = [(root, "")]
    while waiting:
        folder, above = waiting.pop()
        for entry in _entries(folder):
            name = f"{above}{entry.name}"
            if entry.name == "__pycache__" or (not above and name.startswith(without)):
                continue
            if entry.is_dir(follow_symlinks=False):
                waiting.append((folder / entry.name, f"{name}/"))
            else:
                yield name, *_size_and_time(entry)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        return sorted(os.scandir(folder), key=lambda each: each.name)
    except OSError:
        return []


def _size_and_time(entry: os.DirEntry[str]) -> tuple[int, int]:
    """Of what another process takes away at this moment, none."""
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError:
        return -1, -1
    return status.st_size, status.st_mtime_ns


def _spelled(made: Written, root: Path) -> dict[str, Any]:
    proof = made.verification
    return {
        "files": {name: os.path.relpath(path, root) for name, path in made.files.items()},
        "notices": made.notices,
        "digest": made.digest,
        "verification": asdict(proof) | {"failing": dict(proof.failing)} if proof else None,
    }


def _read(made: dict[str, Any], root: Path) -> Written:
    proof = made["verification"]
    if proof is not None:
        proof |= {
            "failing": Counter(proof["failing"]),
            "problems": [MaskProblem(**each) for each in proof["problems"]],
            "long_rows": [tuple(each) for each in proof["long_rows"]],
        }
    return Written(
        {name: root / path for name, path in made["files"].items()},
        made["notices"],
        made["digest"],
        Verification(**proof) if proof is not None else None,
    )
