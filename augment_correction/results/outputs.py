"""The files of a run, derived from the journal and the outcomes: each appears whole or not at all, in the order of
the documents, and `run.json` last. Made again from the same journal they are the same bytes."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from dataclasses import asdict
from functools import lru_cache
from importlib import metadata
from typing import Any

from augment_correction.documents.notes import note_lines, unread_lines
from augment_correction.ledger import Ledger
from augment_correction.plan import Plan, describe
from augment_correction.plugins import recorded
from augment_correction.records import NAVIGATION
from augment_correction.report import write_report
from augment_correction.results.dataset import Written, write_dataset
from augment_correction.results.earlier import Earlier
from augment_correction.results.meta import meta_rows
from augment_correction.results.selecting import select
from augment_correction.results.story import story_file, write_stories
from augment_correction.results.unchanged import Unchanged
from augment_correction.store import Journal, Results
from augment_correction.store.json_files import write_json, write_lines
from augment_correction.store.outcomes import Status


def standing_outputs(plan: Plan, journal: Journal, results: Results, ledger: Ledger) -> Written | None:
    """What an earlier run has written, where it came to its end and nothing is another: then nothing need be read, either."""
    return Unchanged(plan, journal, results, ledger, _versions(), complete=True).finished()


def write_outputs(
    plan: Plan, journal: Journal, results: Results, ledger: Ledger, *, read: str = "", complete: bool = True
) -> Written:
    """Select what goes into the dataset and write every file. What an earlier run left for a trainer and this one does not
    replace is moved aside; nothing is done where all of it is there already. `read` is the state of the input before it was read
    (`state_of_input`), empty where it is not known; `complete`: the run was not stopped early."""
    unchanged = Unchanged(plan, journal, results, ledger, _versions(), complete=complete)
    if (there := unchanged.written(read)) is not None:
        return there
    unchanged.forget()
    earlier = Earlier(plan)
    earlier.move_gate()
    selected = select(plan, results)
    folder, counts = plan.folder, results.counts()
    files = {"rejected": folder.rejected, "debug": folder.debug, "manifest": folder.manifest}
    earlier.move_products(counts["kept"], complete=complete)
    write_lines(folder.rejected, _rejected_rows(results))
    write_stories(plan, journal, results)
    for role in plan.roles:
        files[f"{role}_tokens"] = folder.tokens(role)
        write_json(folder.tokens(role), ledger.as_json(role), default=str)
    if plan.config.meta_datagen.do_meta_datagen:
        files["meta_dataset"] = folder.meta_dataset
        write_lines(folder.meta_dataset, meta_rows(plan, journal, results))
    manifest = _manifest(plan, counts) | ({"review": selected.review} if selected.review else {})
    made = Written()
    if counts["kept"]:
        tokens = tuple(ledger.as_json(role) for role in plan.roles)
        made = write_dataset(plan, results, counts["kept"], manifest, tokens, earlier)
        manifest["dataset"] = made.digest
        manifest["openings"] = made.openings
        manifest["verified"] = made.verification.as_json() if made.verification else None
    files["report"] = write_report(
        folder, journal, results, about=manifest, prices=ledger.prices, story=story_file
    )  # fmt: skip
    write_json(folder.manifest, manifest, default=str)
    results.note_files(results.made_with("rows"))
    made.files = files | selected.files | made.files
    made.counts = counts
    made.notices[:0] = [*_reading_notices(results), *selected.notices, *earlier.notices]
    if not earlier.notices:  # what was moved is said once
        unchanged.remember(made, read)
    return made


def _reading_notices(results: Results) -> Iterator[str]:
    yield from (f"not read: {line}" for line in unread_lines(results.unread(), at_most=8))
    yield from (f"reading {line}" for line in note_lines(results.notes()))


def _rejected_rows(results: Results) -> Iterator[dict[str, Any]]:
    for unread in results.unread():
        yield {"stage": "read", "reason": unread.reason, "detail": unread.detail, "source": unread.source}
    for document in results.documents():
        for beside in document["metadata"].get(NAVIGATION, ()):
            yield {"stage": "read", "reason": "navigation", "detail": beside, "source": document["source"]}
    statuses: tuple[Status, ...] = ("rejected", "failed")
    for status in statuses:
        for chunk, outcome in results.outcomes(status):
            yield {
                "stage": outcome.stage,
                "reason": outcome.reason,
                "detail": outcome.body["detail"],
                "failed": status == "failed",
                "id": chunk.id,
                "source": chunk.places[0]["source"],
                "page": chunk.places[0]["page"],
                "heading": chunk.places[0]["heading"],
                "passage": chunk.text,
            }


def _manifest(plan: Plan, counts: dict[str, Any]) -> dict[str, Any]:
    return {
        **describe(plan),
        "prompt_template": asdict(plan.template),
        "counts": counts,
        "versions": _versions(),
        **recorded(),
    }


def _versions() -> dict[str, str | None]:
    packages = ("augment-correction", "aiohttp", "jinja2", "pydantic")
    return {"python": platform.python_version(), **{name: _version(name) for name in packages}}


@lru_cache
def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
