"""What a model answered, and what is known of it: all that rows are made from. A line of JSON each, in the spelling that
`pipelines/from_failures.yaml` and `pipelines/curated_failures.yaml` read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal

import orjson

from augment_correction.errors import InputError
from augment_correction.grading import pattern_of
from augment_correction.records import Passage, content_id

Verdict = Literal["right", "wrong", "undecided", "unanswered"]


@dataclass(frozen=True, slots=True)
class Failure:
    """One graded answer; a right one, too, for rows that stand by it. `why` is the grader's reason, `critique` what
    somebody says to the answer, `item` the id of what was asked, `step` that of the training where it was given in one.
    `undecided` ones never become rows; of an `unanswered` question (`answer` is empty) only the reference is known."""

    question: str
    reference: str
    answer: str
    verdict: Verdict
    codes: tuple[str, ...] = ()
    why: str = ""
    origin: str = "target_model"
    model: str = ""
    step: int | None = None
    item: str = ""
    category: str = ""
    finish_reason: str = "stop"
    critique: str = ""

    @property
    def id(self) -> str:
        """The same for the same answer to the same question, whenever it is given."""
        return content_id("failure", self.question, self.reference, self.answer)

    @property
    def patterns(self) -> tuple[str, ...]:
        """Its codes without their numbers, as the catalogue names them."""
        return tuple(dict.fromkeys(pattern_of(code).name for code in self.codes))

    def passage(self) -> Passage:
        """`text` is what the pipeline tells rows apart by."""
        text = f"{self.question}\n\n{self.reference}\n\n{self.answer}"
        return Passage(text, metadata={"id": self.id, **asdict(self), "codes": list(self.codes)})

    def line(self) -> bytes:
        return orjson.dumps({"id": self.id, **asdict(self)}) + b"\n"


_NAMES = {each.name for each in fields(Failure)}


def failure_of(row: Mapping[str, Any]) -> Failure:
    """Raises: TypeError where it lacks a field that every failure has."""
    known = {name: value for name, value in row.items() if name in _NAMES}
    return Failure(**{**known, "codes": tuple(known.get("codes", ()))})


def read_failures(path: Path) -> Iterator[Failure]:
    """None where there is no such file.

    Raises: InputError with the line that is not a failure.
    """
    if not path.exists():
        return
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            yield failure_of(orjson.loads(line))
        except (ValueError, TypeError, AttributeError) as failure:
            raise InputError(
                f"{path}:{number} is not a graded answer: {failure}",
                hint="remove the line; the rest of the file can be used",
            ) from None


def distinct(failures: Iterable[Failure]) -> list[Failure]:
    """Of identical ones the first: a model that repeats itself gives one row."""
    found: dict[str, Failure] = {}
    for each in failures:
        found.setdefault(each.id, each)
    return list(found.values())
