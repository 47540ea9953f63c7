"""What became of files that were sent away."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Push:
    """`to` names the place, `files` are (name, bytes) of what was sent there or would be. `url` is where they are now; None where nothing
    was sent, and `withheld` says why. Of what lies there already, some is `unchanged`, and `removed` is no longer among what is sent."""

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
