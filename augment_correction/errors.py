"""Every error this package raises on purpose, and what happens to each.

    AugmentCorrectionError            carries `hint`: what the user does about it
    ├── UserError                     exit 2, one clear line, no traceback
    │   ├── ConfigError               a config, pipeline or prompt file is wrong; carries file, line, column
    │   │   └── Mistakes                  several of them in one message
    │   ├── InputError                the input or output folder cannot be used
    │   ├── MissingExtra              an optional dependency is not installed
    │   └── PluginFailure             something registered (a stage, a check, a row format ...) has a bug or returned something else
    ├── ModelError                    a model call failed
    │   ├── TransientError            429, 5xx, timeout, dropped connection: retried by llm/metered.py, nowhere else
    │   ├── RequestRefused            this request is bad (400: context too long ...): its record is rejected
    │   └── ModelUnusable             wrong key, unknown model, server unreachable: the run stops, resumable (exit 2)
    ├── BudgetExhausted               the cap was reached: the run stops cleanly, all files valid (exit 4)
    └── Reject                        a stage drops this record: data, not a failure

Anything else that escapes is a bug: it keeps its traceback and exits 1. A run that is interrupted exits 130; a
run that finished but kept nothing, or rejected more than `limits.max_rejected` allows, exits 3.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import IntEnum
from importlib import metadata
from pathlib import Path
from urllib.parse import unquote, urlsplit


class ExitCode(IntEnum):
    """How a command, a run, an evaluation or a training ended; 0 is the only success.

    >>> ExitCode.REJECTS == 3
    True
    """

    DONE = 0
    BUG = 1
    USER = 2
    REJECTS = 3
    BUDGET = 4
    INTERRUPTED = 130


class AugmentCorrectionError(Exception):
    """Base of every error that this package raises on purpose; `hint` says what to do about it, and `exit_code` with what a
    command ends.

    >>> try:
    ...     load_config("configs/nothing_of_that_name.yaml")
    ... except AugmentCorrectionError as failure:
    ...     print(failure.exit_code.name)
    USER
    """

    exit_code = ExitCode.BUG

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UserError(AugmentCorrectionError):
    """What the caller gave cannot be used: a config, an input, an environment. Nothing was asked or written.

    >>> issubclass(ConfigError, UserError) and issubclass(InputError, UserError)
    True
    """

    exit_code = ExitCode.USER


class ConfigError(UserError):
    """A config, pipeline or prompt is wrong. `str()` starts with `file:line:column:` where these are known, so that editors can
    jump there.

    >>> str(ConfigError("unknown key 'modle'", file="mine.yaml", line=3, column=1))
    "mine.yaml:3:1: unknown key 'modle'"
    """

    def __init__(
        self,
        message: str,
        *,
        file: Path | str | None = None,
        line: int | None = None,
        column: int | None = None,
        hint: str | None = None,
    ) -> None:
        self.bare = message
        self.file, self.line, self.column = file, line, column
        place = ":".join(str(part) for part in (file, line, column) if part is not None)
        super().__init__(f"{place}: {message}" if place else message, hint=hint)


class Mistakes(ConfigError):
    """Several of the user's mistakes at once: a person who mends one should not be told of the next one by another try."""

    def __init__(self, problems: Sequence[UserError]) -> None:
        self.problems = tuple(problems)
        lines = []
        for problem in problems:
            lines.append("  " + problem.message.replace("\n", "\n  "))
            if problem.hint:
                lines.append(f"    remedy: {problem.hint}")
        super().__init__("\n".join([f"{len(problems)} mistakes", *lines]))
        first = problems[0]
        if isinstance(first, ConfigError):
            self.file, self.line, self.column = first.file, first.line, first.column


class Noted:
    """Collects mistakes while what can still be looked at is looked at."""

    def __init__(self) -> None:
        self.problems: list[UserError] = []

    def add(self, *problems: UserError) -> None:
        for problem in problems:
            self.problems += problem.problems if isinstance(problem, Mistakes) else [problem]

    @contextmanager
    def noting(self) -> Iterator[None]:
        """A mistake ends the block and not the caller."""
        try:
            yield
        except UserError as problem:
            self.add(problem)

    def raise_all(self) -> None:
        """Raises: the mistake where it is one, Mistakes where they are several."""
        different = list({(type(each), each.message): each for each in self.problems}.values())
        if len(different) == 1:
            raise different[0]
        if different:
            raise Mistakes(different)


class InputError(UserError):
    """An input or output file or folder cannot be used.

    >>> try:
    ...     next(read_conversations("inputs"))
    ... except InputError as failure:
    ...     print(failure.message)
    inputs is not the output folder of a run: it has no journal.sqlite
    """


def installing(extra: str) -> str:
    """The command that installs an extra to where this package came from (PEP 610): a checkout, an address, or an
    index."""
    try:
        told = json.loads(metadata.distribution("augment-correction").read_text("direct_url.json") or "{}")
    except (metadata.PackageNotFoundError, ValueError):
        told = {}
    url, version_control = str(told.get("url", "")), told.get("vcs_info", {}).get("vcs")
    if url.startswith("file://"):
        editable = "-e " if told.get("dir_info", {}).get("editable") else ""
        return f'pip install {editable}"{unquote(urlsplit(url).path)}[{extra}]"'
    if url:
        address = f"{version_control}+{url}" if version_control else url
        return f'pip install "augment-correction[{extra}] @ {address}"'
    return f'pip install "augment-correction[{extra}]"'


class MissingExtra(UserError):
    """An optional dependency is not installed; `hint` is the command that installs it.

    >>> MissingExtra("to_pandas()", "frames").message
    'to_pandas() needs an optional dependency that is not installed'
    """

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(
            f"{what} needs an optional dependency that is not installed",
            hint=installing(extra),
        )


class PluginFailure(UserError):
    """A registered stage, check or row format failed, or returned what it must not. `told` says which and how; calls
    that were paid before are in the journal."""

    def __init__(
        self, told: str, *, hint: str = "correct it and run the same command again: finished calls are not repeated"
    ) -> None:
        super().__init__(told, hint=hint)


class ModelError(AugmentCorrectionError):
    """A model call failed; `status` is the HTTP status where there was one."""

    def __init__(self, message: str, *, status: int | None = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.status = status


class TransientError(ModelError):
    """Worth another try; `retry_after` (seconds) is the server's own wish where it gave one."""

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        retry_after: float | None = None,
        unreachable: bool = False,
    ) -> None:
        super().__init__(message, status=status)
        self.retry_after = retry_after
        self.unreachable = unreachable

    @property
    def rate_limited(self) -> bool:
        return self.status == 429


class RequestRefused(ModelError):
    """`unproven`: no call of its stage has been answered, so the next run asks again."""

    unproven = False


class ModelUnusable(ModelError):
    exit_code = ExitCode.USER


class BudgetExhausted(AugmentCorrectionError):
    exit_code = ExitCode.BUDGET


class Reject(AugmentCorrectionError):
    """Raised by a stage to drop its record. `reason` is a short closed word, `detail` a sentence for a person, which the
    model is told, too, where it is asked again; `hint` is for the person alone.

    >>> str(Reject("too_short", "answer has 2 words. Write at least 5"))
    'too_short: answer has 2 words. Write at least 5'
    """

    def __init__(self, reason: str, detail: str = "", hint: str | None = None) -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason, hint=hint)
        self.reason = reason
        self.detail = detail

    @property
    def explained(self) -> str:
        return f"{self.detail} ({self.hint})" if self.hint else self.detail


class Interrupted(AugmentCorrectionError):
    """The user asked the run to stop."""

    exit_code = ExitCode.INTERRUPTED
