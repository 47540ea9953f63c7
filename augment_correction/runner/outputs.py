"""The files of a run, derived from the journal and the outcomes: each appears whole or not at all, in the order of
the documents, and `run.json` last. Made again from the same journal they are the same bytes."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import IO, Any

import orjson
import yaml

from augment_correction.export import axolotl_config, segments_row
from augment_correction.ledger import Ledger
from augment_correction.records import Conversation
from augment_correction.runner.meta import meta_rows
from augment_correction.runner.plan import Plan, describe
from augment_correction.runner.story import write_stories
from augment_correction.store import Journal, Results, StoredChunk
from augment_correction.store.folder import atomic_write
from augment_correction.store.results import Status

INDENT = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE


def write_outputs(plan: Plan, journal: Journal, results: Results, ledger: Ledger) -> dict[str, Path]:
    """Write every file; an earlier dataset stays where nothing was kept this time. Returns the files by name."""
    folder, counts = plan.folder, results.counts()
    files = {"rejected": folder.rejected, "debug": folder.debug, "manifest": folder.manifest}
    with atomic_write(folder.rejected) as file:
        for row in _rejected_rows(results):
            file.write(orjson.dumps(row) + b"\n")
    write_stories(plan, journal, results)
    for role in plan.pipeline.roles:
        files[f"{role}_tokens"] = folder.tokens(role)
        _write_json(folder.tokens(role), ledger.as_json(role))
    if plan.config.meta_datagen.do_meta_datagen:
        files["meta_dataset"] = folder.meta_dataset
        with atomic_write(folder.meta_dataset) as file:
            for row in meta_rows(plan, journal, results):
                file.write(orjson.dumps(row) + b"\n")
    if counts["kept"]:
        files["dataset"] = folder.dataset
        digest = _write_dataset(plan, results)
        prepared = folder.root / "prepared" / digest
        files["axolotl_config"] = folder.axolotl_config
        with atomic_write(folder.axolotl_config) as file:
            file.write(_axolotl_yaml(axolotl_config(plan.config, folder.dataset, prepared, counts["kept"])))
    _write_json(folder.manifest, _manifest(plan, counts))
    return files


def conversations(results: Results) -> Iterator[tuple[StoredChunk, Conversation]]:
    """The kept conversations in the output's order, with where their passage stands."""
    for chunk, outcome in results.outcomes("kept"):
        yield chunk, outcome.conversation(chunk)


def _write_dataset(plan: Plan, results: Results) -> str:
    """A JSON list, one row a line; returns 12 hex digits of its content."""
    digest = hashlib.sha256()
    with atomic_write(plan.folder.dataset) as file:

        def put(data: bytes) -> None:
            digest.update(data)
            file.write(data)

        put(b"[")
        separator = b"\n"
        for _, conversation in conversations(results):
            put(separator + orjson.dumps(segments_row(conversation, plan.template)))
            separator = b",\n"
        put(b"\n]\n")
    return digest.hexdigest()[:12]


def _rejected_rows(results: Results) -> Iterator[dict[str, Any]]:
    for unread in results.unread():
        yield {"stage": "read", "reason": unread.reason, "detail": unread.detail, "source": unread.source}
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
    packages = ("augment-correction", "aiohttp", "jinja2", "pydantic")
    return {
        **describe(plan),
        "counts": counts,
        "versions": {"python": platform.python_version(), **{name: _version(name) for name in packages}},
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _axolotl_yaml(config: dict[str, Any]) -> bytes:
    text = yaml.safe_dump(config, sort_keys=False, allow_unicode=True, width=120)
    return b"# For Axolotl 0.19 or newer: axolotl train axolotl_lora.yaml\n" + text.encode()


def _write_json(path: Path, data: Any) -> None:
    file: IO[bytes]
    with atomic_write(path) as file:
        file.write(orjson.dumps(data, option=INDENT, default=str))
