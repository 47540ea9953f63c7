"""Where `--push` sends what was made: a dataset on the Hugging Face Hub, or an address of object storage."""

from __future__ import annotations

from pathlib import Path
from threading import Event

from augment_correction.errors import InputError
from augment_correction.export.hub import push_folder
from augment_correction.folders import size_of
from augment_correction.remote.at_once import Report, silent
from augment_correction.remote.copying import copy_folder
from augment_correction.remote.push import Push
from augment_correction.remote.storage import is_address
from augment_correction.store import RunFolder


def push_run(
    folder: RunFolder,
    address: str,
    *,
    journal: bool = False,
    dry_run: bool = False,
    report: Report = silent,
    stop: Event | None = None,
) -> Push:
    """Copy what a run has made (datasets, exports, report, ledger, decisions, `run.json`) to an address, where it has kept anything: what
    lies there may be an earlier run's, and good. With its `journal` it can go on from there. To be called while the folder is held.

    Raises: InputError where it cannot be written to, another program has the journal open, or it is not whole; Stopped.
    """
    names = folder.products()
    if not any(name == folder.dataset.name or name.startswith(f"{folder.exports.name}/") for name in names):
        names = [path.name for path in (folder.decisions, folder.gate) if path.is_file()] if journal else []
    if journal:
        if folder.journals.is_dir() and any(folder.journals.iterdir()):
            raise InputError(
                f"the journal lacks what the actors of a run that was killed have left in {folder.journals}",
                hint="start the run again, which takes it in, and copy the journal then",
            )
        if size_of(folder.journal.with_name(f"{folder.journal.name}-wal")):
            raise InputError(
                f"another program has {folder.journal} open", hint="copy the journal when `review` has ended"
            )
        names.append(folder.journal.name)
    if not names:
        return Push(address, [], withheld="the run has kept nothing")
    sets, last = folder.sets(), folder.manifest.name
    return copy_folder(
        folder.root, names, address, folder.copied, sets=sets, last=last, dry_run=dry_run, report=report, stop=stop
    )


def push(
    folder: RunFolder,
    dataset: Path | None,
    target: str,
    *,
    public: bool = False,
    journal: bool = False,
    dry_run: bool = False,
    report: Report = silent,
) -> Push:
    """To the address `target` all that the run in `folder` has made, to the dataset `target` on the Hub the folder `dataset`, which only
    that needs.

    Raises: InputError where it cannot be written to, or another process works in the folder; MissingExtra.
    """
    if not is_address(target):
        if journal:
            raise InputError("a journal is no dataset", hint="copy it with --push s3://BUCKET/FOLDER --journal")
        assert dataset is not None
        return push_folder(dataset, target, public=public, dry_run=dry_run)
    if public:
        raise InputError(
            "--public is for a dataset on the Hugging Face Hub", hint="who may read a bucket is set where the bucket is"
        )
    with folder.held():
        return push_run(folder, target, journal=journal, dry_run=dry_run, report=report)
