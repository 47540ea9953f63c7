"""Whether a run's files are there already, made from the same: then a finished run that is started again has nothing to write.

Making them anew would give the same bytes (`outputs.py`), and takes a minute for 100,000 passages. So that this is a matter of
time alone, everything that the files depend on is looked at: what was read and what became of it, what was paid, the config, the
template and the tokenizer, the program's own code and the installed packages; and of each file its size and when it was last touched.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from augment_correction.documents import are_read_by_others
from augment_correction.export import Verification, tokenizer_of
from augment_correction.export.proofs import MaskProblem
from augment_correction.export_formats import FORMATS
from augment_correction.ledger import Ledger
from augment_correction.plan import Plan, describe
from augment_correction.results.dataset import Written
from augment_correction.store import Journal, Results
from augment_correction.store.folder import OURS_ALONE

_PROGRAM = Path(__file__).parents[1]

_MAY_PASS = ("reader_crashed", "unreadable")
_WHOLE_SECOND = 10**9


def state_of_input(plan: Plan) -> str:
    """Of each file that is to be read where it is, its size and when it was last touched in any way, and of the vocabulary that counts
    its tokens. Empty where this cannot be told: folders behind links may go round in circles, and on a disk whose clock counts whole
    seconds a file of this moment may be edited again and look the same; a registered reader may read the same file otherwise; and what could not
    be fetched may be there now."""
    if plan.unfetched:
        return ""
    root, encoding = plan.input_dir, Path(plan.encoding)
    files = [root] if root.is_file() else []
    files += [encoding] if encoding.is_absolute() else []
    try:
        looked_at = [*_touched(root)] if root.is_dir() else []
        looked_at += [(str(path), *_touch(path.stat())) for path in files]
    except OSError:
        return ""
    recent = any(_may_be_edited_unseen(each) for *_, written, changed, _ in looked_at for each in (written, changed))
    if recent or are_read_by_others(name for name, *_ in looked_at):
        return ""
    return f"{sum(_number(each) for each in looked_at) % (1 << 256):064x}"


def _may_be_edited_unseen(touched: int) -> bool:
    return touched % _WHOLE_SECOND == 0 and time.time_ns() - touched < 3 * _WHOLE_SECOND


def _touched(root: Path) -> Iterator[tuple[str, int, int, int, int]]:
    """Raises: OSError where a folder cannot be listed or is behind a link."""
    waiting = [root]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(Path(entry.path))
                elif entry.is_dir():
                    raise OSError(f"{entry.path} is behind a link")
                else:
                    yield entry.path, *_touch(entry.stat())


def _touch(status: os.stat_result) -> tuple[int, int, int, int]:
    """A file that is written, replaced or made readable has another `st_ctime`, whatever its writer says of its times."""
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def _packages() -> list[str]:
    """Name and version of each."""
    return sorted(name for place in sys.path for name in _packages_in(place))


def _packages_in(place: str) -> list[str]:
    try:
        return [entry.name for entry in os.scandir(place or ".") if entry.name.endswith((".dist-info", ".egg-info"))]
    except OSError:
        return []


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
        self._root, self._results, self._plan = plan.folder.root, results, plan
        selection = plan.config.selection
        # Rows of another run, lists that are no part of the config, and the code of other people's formats are not looked at.
        elsewhere = selection.across or selection.benchmarks or not all(map(_ours, plan.config.output.formats))
        self._known = complete and not elsewhere
        self._made_from = self._digest(plan, journal, ledger, versions) if self._known else ""

    def _digest(self, plan: Plan, journal: Journal, ledger: Ledger, versions: Mapping[str, str | None]) -> str:
        tokenizer, missing = tokenizer_of(plan.config)
        looked_at = [
            _digest_of(_listed(_PROGRAM, ("__pycache__",))), _packages(),
            dict(versions), describe(plan), asdict(plan.template), tokenizer.fingerprint if tokenizer else missing,
            [ledger.as_json(role) for role in plan.roles], [repr(each) for each in journal.totals()], self._results.digest(),
        ]  # fmt: skip
        return hashlib.sha256(orjson.dumps(looked_at, default=str)).hexdigest()

    def written(self, read: str) -> Written | None:
        """What the earlier run wrote, where all of it stands there as it left it. `read` is remembered for the next run: files that
        were only touched have made nothing new."""
        made = self._made()
        if not made or made["there"] != self._there():
            return None
        there = _read(made, self._root)
        if made["read"] != (lasting := self._lasting(there, read)):
            self._results.set_written((self._made_from, orjson.dumps(made | {"read": lasting}).decode()))
        return there

    def finished(self) -> Written | None:
        """The same before anything is read, where what would be read is as it was, and nothing of it was left to be done."""
        made = self._made()
        if not made or not made["read"] or made["read"] != state_of_input(self._plan):
            return None
        return _read(made, self._root) if made["there"] == self._there() else None

    def _made(self) -> dict[str, Any] | None:
        found = self._results.written() if self._known else None
        if found is None or found[0] != self._made_from:
            return None
        if self._results.made_with("rows") != self._results.made_with("files"):
            return None
        made: dict[str, Any] = orjson.loads(found[1])
        return made

    def forget(self) -> None:
        """To be called before a file is touched."""
        self._results.set_written(None)

    def remember(self, made: Written, read: str) -> None:
        """A mask that is wrong is proven again, with all its lines."""
        if self._known and not made.wrong:
            row = {"there": self._there(), "read": self._lasting(made, read), **_spelled(made, self._root)}
            self._results.set_written((self._made_from, orjson.dumps(row).decode()))

    def _lasting(self, made: Written, read: str) -> str:
        """`read`, or empty where the next run must read again: what failed is tried again, and so are files that could not be read for
        a reason that may be gone."""
        left = made.counts["failed"] or self._results.settled() < made.counts["chunks"]
        return "" if left or any(each.reason in _MAY_PASS for each in self._results.unread()) else read

    def _there(self) -> str:
        return _digest_of(_listed(self._root, OURS_ALONE))


def _digest_of(listed: Iterable[tuple[str, int, int, int]]) -> str:
    """The same in any order, so that a folder of a million files need not be sorted."""
    return f"{sum(map(_number, listed)) % (1 << 256):064x}"


def _number(listed: tuple[str | int, ...]) -> int:
    return int.from_bytes(hashlib.sha256(orjson.dumps(listed)).digest(), "big")


def _ours(name: str) -> bool:
    return name not in FORMATS or FORMATS[name].ours


def _listed(root: Path, without: tuple[str, ...]) -> Iterator[tuple[str, int, int, int]]:
    """(path, bytes, when it was written, when it was touched) of every file, but for what stands under the root with one of these
    beginnings. Folders and files behind links are looked at too, each folder once."""
    waiting, behind_links = [(root, "")], set[str]()
    while waiting:
        folder, above = waiting.pop()
        for entry in _entries(folder):
            name = f"{above}{entry.name}"
            if entry.name == "__pycache__" or (not above and name.startswith(without)):
                continue
            if not entry.is_dir():
                yield name, *_touch_of(entry)
            elif not entry.is_symlink() or (place := os.path.realpath(entry)) not in behind_links:
                waiting.append((folder / entry.name, f"{name}/"))
                if entry.is_symlink():
                    behind_links.add(place)


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    with suppress(OSError), os.scandir(folder) as entries:
        yield from entries


def _touch_of(entry: os.DirEntry[str]) -> tuple[int, int, int]:
    """Of what another process takes away at this moment, none."""
    try:
        status = entry.stat()
    except OSError:
        return -1, -1, -1
    return _touch(status)[:3]


def _spelled(made: Written, root: Path) -> dict[str, Any]:
    proof = made.verification
    return {
        "files": {name: os.path.relpath(path, root) for name, path in made.files.items()},
        "notices": made.notices,
        "digest": made.digest,
        "counts": made.counts,
        "openings": made.openings,
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
        counts=made["counts"],
        openings=made["openings"],
    )
