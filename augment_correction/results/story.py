"""`debug_outputs/`: for each passage one Markdown file that tells what became of it, call by call."""

from __future__ import annotations

import hashlib
import os
import re
from array import array
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import orjson

from augment_correction.folders import own_folder, write_new
from augment_correction.plan import Plan
from augment_correction.prompts import Prompt
from augment_correction.records import Conversation, Message, content_id
from augment_correction.store import Journal, Outcome, Results, StoredCall, StoredChunk

FORM = 3
"""Counts up when a story is told in another way from the same."""


def write_stories(plan: Plan, journal: Journal, results: Results) -> None:
    """Write a file per passage, unless the one that is there was made from the same, and drop those of passages that
    are no more."""
    folder = plan.folder.debug
    own_folder(folder)
    prompts = {prompt.fingerprint: prompt for prompt in plan.prompts.values()}
    files = _Files(folder)
    for prompt in prompts.values():
        files.write(_prompt_file(prompt), [_constant_part(prompt)])
    shared = orjson.dumps([FORM, sorted(map(_prompt_file, prompts.values()))])
    for chunk, outcomes in groupby(results.outcomes(), key=itemgetter(0)):
        made = [outcome for _, outcome in outcomes]
        name, made_from = story_file(chunk), _made_from(shared, chunk, made)
        if not files.has(name, made_from):
            files.write(
                name, (part for outcome in made for part in _story(chunk, outcome, journal, prompts)), made_from
            )
    files.drop_others()


def story_file(chunk: StoredChunk) -> str:
    """Relative to `debug_outputs/`: the document's folder, the passage's number in it, its id. The lines of a JSONL
    file share a folder."""
    place = chunk.places[0]
    file, mark, line = place["source"].rpartition("#L")
    if not mark or not line.isdecimal():
        file, line = place["source"], ""
    number = f"L{int(line):06d}-{place['index']:05d}" if line else f"{place['index']:05d}"
    return f"{_folder_of(file)}/{number}-{chunk.id}.md"


@lru_cache(maxsize=128)
def _folder_of(document: str) -> str:
    name = re.sub(r"[^\w.#-]+", "_", document)
    if len(name.encode()) > 200:  # a file system takes 255 bytes for one name
        name = f"{name[:40]}_{content_id(name)}"
    return name


def _made_from(shared: bytes, chunk: StoredChunk, outcomes: list[Outcome]) -> bytes:
    """A hash of all that a story is made from. Replies need not be read for it, since a call's key stands for them."""
    digest = hashlib.blake2b(shared, digest_size=10)
    digest.update(
        orjson.dumps([chunk.places, [(each.status, each.stage, each.reason, each.body) for each in outcomes]])
    )
    return digest.digest()


def _mark(made_from: bytes, text: bytes) -> bytes:
    """The last line of a story, which no other text has: neither one that was cut short, nor one that somebody has edited."""
    return f"\n<!-- made from {hashlib.blake2b(text, digest_size=10, key=made_from).hexdigest()} -->\n".encode()


_MARK = len(_mark(b"", b""))


class _Files:
    """The files of `debug_outputs/`. What was written or found is remembered by eight bytes for each."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._present = array("q")
        self._folder = ""

    def has(self, name: str, made_from: bytes) -> bool:
        """Whether the file is there as it was written."""
        try:
            with (self._root / name).open("rb", buffering=0) as file:
                text = file.read()
        except OSError:
            return False
        same = text[-_MARK:] == _mark(made_from, text[:-_MARK])
        if same:
            self._present.append(hash(name))
        return same

    def write(self, name: str, parts: Iterable[str], made_from: bytes = b"") -> None:
        folder = name.rpartition("/")[0]
        if folder != self._folder:
            own_folder(self._root / folder)
            self._folder = folder
        text = "".join(parts).encode("utf-8", "replace")
        write_new(f"{self._root}/{name}", text + _mark(made_from, text) if made_from else text)
        self._present.append(hash(name))

    def drop_others(self) -> None:
        """Stories that nobody wrote or found, and folders that are empty without them. Where there are as many as there should be,
        each name once, there are no others."""
        if sum(1 for _ in _stories(self._root)) == len(self._present):
            return
        present = set(self._present)
        for folder, _, names in os.walk(self._root, topdown=False):
            place = Path(folder)
            relative = place.relative_to(self._root).as_posix()
            for name in names:
                if name.endswith(".md") and hash(f"{relative}/{name}") not in present:
                    (place / name).unlink()
            if place != self._root and not any(place.iterdir()):
                place.rmdir()


def _stories(folder: Path | str) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _stories(entry.path)
            elif entry.name.endswith(".md"):
                yield entry.path


def _prompt_file(prompt: Prompt) -> str:
    return f"_prompts/{prompt.name.replace('/', '-')}-{prompt.fingerprint[:8]}.md"


def _constant_part(prompt: Prompt) -> str:
    lines = [f"# {prompt.name}: what every call begins with\n"]
    return "\n".join([*lines, *(_message(message) for message in prompt.constant_prefix)])


def _story(chunk: StoredChunk, outcome: Outcome, journal: Journal, prompts: dict[str, Prompt]) -> Iterator[str]:
    place = chunk.places[0]
    ending = "kept" if outcome.status == "kept" else f"{outcome.status} at {outcome.stage}: {outcome.reason}"
    yield f"# {place['title']}, passage {place['index'] + 1}: {ending}\n\n"
    for each in chunk.places:
        page = f", page {each['page']}" if each["page"] else ""
        heading = f", under {' > '.join(each['heading'])}" if each["heading"] else ""
        yield f"- {each['source']}, characters {each['start']} to {each['end']}{page}{heading}\n"
    yield f"- id {chunk.id}\n\n## Passage\n\n{_quote(chunk.text)}\n"
    for number, step in enumerate(outcome.body["steps"], 1):
        yield from _step(number, step, journal, prompts)
    if "conversation" in outcome.body:
        yield from _conversation(outcome.conversation(chunk))


def _conversation(made: Conversation) -> Iterator[str]:
    yield f"\n## Conversation: {made.kind}\n\n"
    for turn in made.turns:
        masked, trained = turn.text[: turn.masked], turn.text[turn.masked :].lstrip()
        if masked:
            yield f"**{turn.role} (begins masked: no loss on this)**\n\n{_quote(masked)}\n\n"
        mask = "" if turn.train else " (masked: no loss on this)"
        yield f"**{turn.role}{', the same message goes on' if masked else mask}**\n\n{_quote(trained)}\n\n"
    found = {name: value for name, value in made.provenance.items() if name not in ("chunk_id", "places", "attempt")}
    yield "".join(
        f"- {name}: {' | '.join(map(str, value)) if isinstance(value, list) else value}\n"
        for name, value in found.items()
    )


def _step(number: int, step: dict[str, Any], journal: Journal, prompts: dict[str, Prompt]) -> Iterator[str]:
    reason = step.get("reason")
    verdict = f"not usable: {reason}" if reason and step.get("call") else reason or "ok"
    yield f"\n## {number}. {step['stage']}: {verdict}\n\n"
    if step.get("detail"):
        yield f"{step['detail']}\n\n"
    call = journal.read(step["call"]) if step.get("call") else None
    if call is None:
        return
    yield from _call(call, prompts.get(step["prompt"]))
    if step.get("parsed"):
        yield "\n### Read as\n\n"
        for name, value in step["parsed"].items():
            yield f"- **{name}**: {value}\n"


def _call(call: StoredCall, prompt: Prompt | None) -> Iterator[str]:
    usage = call.completion.usage
    counted = "counted here" if usage.estimated else "as the server says"
    sampling = ", ".join(f"{key} {value}" for key, value in call.sampling.items()) or "the server's defaults"
    yield f"{call.role} model {call.model}; {sampling}; tokens in {usage.input}, out {usage.output} ({counted})\n\n"
    yield "### Asked\n\n"
    constant = prompt.constant_prefix if prompt else ()
    shared = call.messages[: len(constant)] == constant and len(constant)
    if shared and prompt:
        yield f"The first {shared} messages are constant: ../{_prompt_file(prompt)}\n\n"
    for message in call.messages[shared or 0 :]:
        yield _message(message) + "\n"
    if call.completion.reasoning:
        yield f"### Reasoning\n\n{_quote(call.completion.reasoning)}\n\n"
    yield f"### Replied (finish reason: {call.completion.finish_reason})\n\n{_quote(call.completion.text)}\n"


def _message(message: Message) -> str:
    return f"**{message.role}**\n\n{_quote(message.content)}\n"


def _quote(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.splitlines()) or ">"
