"""`debug_outputs/`: for each passage one Markdown file that tells what became of it, call by call."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from augment_correction.prompts import Prompt
from augment_correction.records import Message, content_id
from augment_correction.runner.plan import Plan
from augment_correction.store import Journal, Outcome, Results, StoredCall, StoredChunk


def write_stories(plan: Plan, journal: Journal, results: Results) -> None:
    """Write a file per passage and drop those of passages that are no more."""
    folder = plan.folder.debug
    folder.mkdir(parents=True, exist_ok=True)
    prompts = {prompt.fingerprint: prompt for prompt in plan.prompts.values()}
    written = {_write(folder / _prompt_file(prompt), _constant_part(prompt)) for prompt in prompts.values()}
    name, text = "", ""
    for chunk, outcome in results.outcomes():
        if outcome.part == 0 and name:
            written.add(_write(folder / name, text))
            text = ""
        name = story_file(chunk)
        text += "".join(_story(chunk, outcome, journal, prompts))
    if name:
        written.add(_write(folder / name, text))
    for path in folder.rglob("*.md"):
        if path.is_file() and path not in written:
            path.unlink()
    _prune(folder)


def story_file(chunk: StoredChunk) -> str:
    """Relative to `debug_outputs/`: the document's folder, the passage's number in it, its id."""
    place = chunk.places[0]
    document = re.sub(r"[^\w.#-]+", "_", str(PurePosixPath(place["source"])))
    if len(document.encode()) > 200:  # a file system takes 255 bytes for one name
        document = f"{document[:40]}_{content_id(document)}"
    return f"{document}/{place['index']:05d}-{chunk.id}.md"


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", errors="replace")
    return path


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
    if outcome.status == "kept":
        yield "\n## Conversation\n\n"
        for turn in outcome.body["conversation"]["turns"]:
            mask = "" if turn["train"] else " (masked: no loss on this)"
            yield f"**{turn['role']}{mask}**\n\n{_quote(turn['text'])}\n\n"


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


def _prune(folder: Path) -> None:
    """Folders of documents that are no more."""
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
