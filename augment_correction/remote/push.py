"""The result of sending files to another place."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Push:
    """`to` names the place. `files` are the names and sizes, in bytes, of the files that were sent there, or that would be. `url` is where
    they are now; it is None if nothing was sent, and then `withheld` says why. `unchanged` is the number of files that were there already,
    and `removed` are the names of those that were removed there."""

    to: str
    files: list[tuple[str, int]]
    unchanged: int = 0
    removed: list[str] = field(default_factory=list)
    url: str | None = None
    withheld: str = ""

    @property
    def size(self) -> int:
        return sum(size for _, size in self.files)

    def __str__(self) -> str:
        more = f", {self.unchanged:,} unchanged" if self.unchanged else ""
        more += f", {len(self.removed):,} removed there" if self.removed else ""
        sent = f"{len(self.files):,} files, {self.size:,} bytes" if self.files else "nothing new"
        return f"{sent}{more}"
