"""The versions of a model that learned from corrections: what each was made of, and which one is active. A version never changes;
`active` is one pointer, and a rollback moves it."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import orjson

from augment_correction.corrections.config import TARGET, ChatConfig
from augment_correction.errors import InputError
from augment_correction.folders import private_folder
from augment_correction.store.folder import atomic_write

Outcome = Literal["accept", "reject", "undecided"]


@dataclass(frozen=True, slots=True)
class Version:
    """`corrections` are the ids that it was trained on, `data` the hash of all its rows, `parent` the version that was active when it was
    made. `adapter`, `evaluation` and `page` are paths."""

    id: int
    parent: int | None
    model: str
    method: str
    corrections: tuple[int, ...]
    data: str
    adapter: str
    evaluation: str
    page: str
    outcome: Outcome
    reasons: tuple[str, ...]
    created: str


class Versions:
    """Under `folder` a file for each, written once, and `active.jsonl`: every activation, of which the last one counts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "versions"
        self._active = self._folder / "active.jsonl"

    def all(self) -> list[Version]:
        files = sorted(self._folder.glob("[0-9]*.json"), key=lambda path: int(path.stem))
        return [_version(path) for path in files]

    def get(self, id_: int) -> Version:
        """Raises: InputError where there is none."""
        path = self._folder / f"{id_}.json"
        if not path.is_file():
            raise InputError(f"there is no version {id_}", hint="`corrections versions` shows all versions")
        return _version(path)

    def made_of(self, data: str) -> Version | None:
        """The version that was trained on exactly these rows in exactly this way."""
        return next((each for each in self.all() if each.data == data), None)

    def add(self, made: Version) -> Version:
        """Under the next number, whatever number it has."""
        numbered = Version(**{**asdict(made), "id": max((each.id for each in self.all()), default=0) + 1})
        with atomic_write(self._folder / f"{numbered.id}.json") as file:
            file.write(orjson.dumps(asdict(numbered), option=orjson.OPT_INDENT_2))
        return numbered

    def active(self) -> Version | None:
        """None: the base model as it is."""
        last = next(iter(reversed(self._activated())), None)
        return self.get(last) if last else None

    def activate(self, id_: int | None, who: str = "", *, force: bool = False) -> None:
        """None: the base model.

        Raises: InputError where the version was not accepted and `force` is not given.
        """
        if id_ is not None:
            made = self.get(id_)
            if made.outcome != "accept" and not force:
                why = f": {made.reasons[0]}" if made.reasons else ""
                raise InputError(
                    f"version {id_} was not accepted ({made.outcome}){why}",
                    hint=f"to use it anyway: corrections activate {id_} --force (this is recorded)",
                )
        self._note({"version": id_, "who": who, "forced": force})

    def roll_back(self, who: str = "") -> Version | None:
        """To what was active before; None: the base model. Called again it goes back one more.

        Raises: InputError where no version is active.
        """
        if self.active() is None:
            raise InputError("no version is active: the base model already answers")
        self._note({"back": True, "who": who})
        return self.active()

    def worn(self, config: ChatConfig) -> tuple[ChatConfig, int | None]:
        """The config with the active version's adapter on its model, where that model is the version's own and the config names no
        other adapter."""
        model, active = config.model(TARGET), self.active()
        if active is None or model.mode != "hf" or model.adapter or model.model != active.model:
            return config, None
        return config.with_models({TARGET: model.model_copy(update={"adapter": active.adapter})}), active.id

    def _note(self, row: dict[str, Any]) -> None:
        private_folder(self._folder)
        with self._active.open("ab") as file:
            file.write(orjson.dumps({**row, "at": datetime.now(UTC).isoformat(timespec="seconds")}) + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def _activated(self) -> list[int | None]:
        """What was active, one after the other, without what was rolled back; without a last line that a kill cut short."""
        data = self._active.read_bytes() if self._active.is_file() else b""
        versions: list[int | None] = []
        for row in map(orjson.loads, data[: data.rfind(b"\n") + 1].splitlines()):
            if row.get("back"):
                versions.pop()
            else:
                versions.append(row["version"])
        return versions


def _version(path: Path) -> Version:
    read = orjson.loads(path.read_bytes())
    return Version(**{**read, "corrections": tuple(read["corrections"]), "reasons": tuple(read["reasons"])})
