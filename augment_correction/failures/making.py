"""Failures through the ordinary run, with its journal, its checks and its mask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from augment_correction.config import RunConfig
from augment_correction.errors import ExitCode, UserError
from augment_correction.failures.failure import Failure
from augment_correction.records import Conversation, Passage
from augment_correction.results.finished import open_run
from augment_correction.runner import run


@dataclass
class FailureResult:
    """What became of one failure; `reason` and `detail` are those of the conversation that was not made."""

    conversations: list[Conversation] = field(default_factory=list)
    reason: str = ""
    detail: str = ""


def quiet_config(pipeline: str, folder: Path, seed: int) -> RunConfig:
    """For rows that are spelled as messages or tokens afterwards, of which a flag at each message can say the mask."""
    paths = {"input_dir": str(folder), "output_dir": str(folder / "run")}
    system = {"loss_on": "answers", "prompt_template": "chatml", "seed": seed}
    return RunConfig.model_validate({"pipeline": pipeline, "api": {}, "path": paths, "system": system})


def passages_of(failures: Sequence[Failure]) -> list[Passage]:
    """Each under a name of its own, by which its outcome is found again."""
    return [replace(each.passage(), source=f"failures.jsonl#L{number}") for number, each in enumerate(failures, 1)]


def make(failures: Sequence[Failure], config: RunConfig) -> list[FailureResult]:
    """What the config's pipeline makes of each failure, in their order. The run stays in its output folder, with its
    report. Made again from the same failures the conversations are the same.

    Raises: KeyboardInterrupt where it was interrupted, UserError where it was stopped: a part would pass for all.
    """
    passages = passages_of(failures)
    result = run(config, passages=passages)
    if result.exit_code is ExitCode.INTERRUPTED:
        raise KeyboardInterrupt
    if result.exit_code not in (ExitCode.DONE, ExitCode.REJECTS):
        raise UserError(result.stopped or "the run was interrupted", hint=result.hint)
    by_source = {passage.source: FailureResult() for passage in passages}
    with open_run(config.project.resolve(config.path.output_dir)) as opened:
        for chunk, outcome in opened.results.outcomes():
            first, *others = (by_source[place["source"]] for place in chunk.places)
            if outcome.status == "kept":
                first.conversations.append(outcome.conversation(chunk))
            else:
                first.reason, first.detail = outcome.reason or "", str(outcome.body.get("detail", ""))
            for other in others:
                other.reason, other.detail = "duplicate", "another failure has the same content"
    return list(by_source.values())
