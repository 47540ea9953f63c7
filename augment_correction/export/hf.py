"""A folder that Hugging Face `datasets` loads (`load_dataset(folder)`) and the hub shows, with its card."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import yaml

from augment_correction.export.source import ExportSource, Spelling, json_lines
from augment_correction.records import Conversation

FILE = "data/train.jsonl"
SOURCES_SHOWN = 100
SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


ABOUT = """\
In each an assistant answers wrongly and then right: when it is doubted, or on its own in the same message. A message's
loss mask is `train`, and the first `masked` characters of its content are not trained even where `train` is true. The
mistakes have `train: false` or are those characters, and **must be left out of the loss**; a trainer that ignores the
mask teaches them.
"""
LIMITS = """\
## Known limits

- The conversations are written by the models above{checked}; the right answers are only as
  right as those models and the documents.
- The mistakes are ones that a model invents, not ones that your model was seen to make.
- The licence of the documents decides what may be done with text derived from them."""


def hf_row(conversation: Conversation) -> dict[str, Any]:
    place: Mapping[str, Any] = next(iter(conversation.provenance.get("places", ())), {})
    return {
        "id": conversation.id,
        "kind": conversation.kind,
        "messages": [
            {"role": turn.role, "content": turn.text, "train": turn.train, "masked": turn.masked}
            for turn in conversation.turns
        ],
        "source": place.get("source"),
        "title": place.get("title"),
        "page": place.get("page"),
    }  # fmt: skip


SPELLING = Spelling(FILE, hf_row)


def write(source: ExportSource, folder: Path) -> list[str]:
    kinds: Counter[str] = Counter()
    with json_lines(folder / FILE) as put:
        for conversation in source.conversations():
            kinds[conversation.kind] += 1
            put(hf_row(conversation))
    (folder / "README.md").write_text("\n".join(_card(source, kinds)) + "\n", encoding="utf-8")
    if _licence(source) is None:
        return ["the dataset card says 'license: unknown': set output.licence to the licence of your documents' text"]
    return []


def _licence(source: ExportSource) -> str | None:
    """The config's; without one that of all documents, if it is the same for all, and "other" if it is not."""
    found: str | None = (_config(source).get("output") or {}).get("licence")
    named = {str((document.get("metadata") or {}).get("licence") or "") for document in source.documents()}
    if found or not named or "" in named:
        return found
    return named.pop() if len(named) == 1 else "other"


def _config(source: ExportSource) -> Mapping[str, Any]:
    config: Mapping[str, Any] = source.manifest.get("config", {})
    return config


def _card(source: ExportSource, kinds: Counter[str]) -> Iterator[str]:
    rows = kinds.total()
    front = {
        "license": _licence(source) or "unknown",
        "task_categories": ["text-generation"],
        "tags": ["synthetic", "self-correction", "loss-masking"],
        "size_categories": [next((name for limit, name in SIZES if rows < limit), "n>1M")],
        "configs": [{"config_name": "default", "data_files": [{"split": "train", "path": FILE}]}],
    }
    yield f"---\n{yaml.safe_dump(front, sort_keys=False)}---\n"
    yield "# Corrections\n"
    yield f"{rows:,} conversations: {', '.join(f'{count:,} {kind}' for kind, count in sorted(kinds.items()))}.\n"
    yield ABOUT
    yield from _numbers(source)
    yield from _making(source)
    yield from _sources(source)
    yield _limits(source)


def _numbers(source: ExportSource) -> Iterator[str]:
    counts = source.manifest.get("counts", {})
    yield "## Counts\n\n| | |\n|---|---|"
    for name in ("documents", "chunks", "kept", "rejected", "failed"):
        yield f"| {'passages' if name == 'chunks' else name} | {counts.get(name, 0):,} |"
    for reason, count in sorted(counts.get("reasons", {}).items()):
        yield f"| dropped: {_cell(reason)} | {count:,} |"
    yield ""


def _making(source: ExportSource) -> Iterator[str]:
    pipeline = source.manifest.get("pipeline", {})
    stages = [stage.get("name") or stage.get("stage") for stage in pipeline.get("stages", [])]
    yield "## How it was made\n"
    yield (
        f"With augment-correction, pipeline `{pipeline.get('name', 'unknown')}`: {', '.join(map(str, stages))}. Plan "
        f"`{source.manifest.get('plan', 'unknown')}` (the hash of pipeline, prompts, models and sampling).\n"
    )
    yield "| model | requests | tokens in | tokens out | cost in USD |\n|---|---|---|---|---|"
    for each in sorted(source.tokens, key=lambda tokens: str(tokens.get("name"))):
        cost = each.get("total_cost")
        yield (
            f"| {_cell(each.get('name'))} | {each.get('requests', 0):,} | {each.get('input_tokens', 0):,} | "
            f"{each.get('output_tokens', 0):,} | {'unknown' if cost is None else cost} |"
        )
    yield ""


def _sources(source: ExportSource) -> Iterator[str]:
    yield "## Sources\n"
    documents = iter(source.documents())
    for document in islice(documents, SOURCES_SHOWN):
        licence = (document.get("metadata") or {}).get("licence")
        under = f", {_cell(licence)}" if licence else ""
        yield f"- {_cell(document['title'])} (`{_cell(document['source'])}`, {document['characters']:,} characters{under})"
    if more := sum(1 for _ in documents):
        yield f"- and {more:,} more"
    yield ""


def _limits(source: ExportSource) -> str:
    """With what a person has looked at."""
    review = source.manifest.get("review") or {}
    told = [f"{review[name]:,} {name}" for name in ("approved", "edited", "rejected") if review.get(name)]
    checked = (
        f"; of the rows that were made a person has {', '.join(told)}" if told else " and were not checked by a person"
    )
    return LIMITS.replace("{checked}", checked)


def _cell(value: Any) -> str:
    """Safe inside a Markdown table: titles come out of documents."""
    text = " ".join(str(value).split())
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|").replace("`", "'")
