"""Where a project's files are: the user's folder first, then the copies that the package carries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from augment_correction.errors import ConfigError

EDITED_FOLDERS = ("configs", "pipelines", "prompts", "inputs")
_MARKERS = ("pipelines", "prompts")
EXAMPLES = ("examples", "experiment")
"""The folders of inputs/ that are shipped; what a user puts beside them in a checkout is not."""


def bundled() -> Path:
    """The shipped configs/, pipelines/, prompts/ and inputs/: inside an installed wheel, or the checkout's own."""
    package = Path(__file__).parent
    inside = package / "_bundled"
    return inside if inside.is_dir() else package.parent


@dataclass(frozen=True)
class Project:
    """`root` is the folder that relative paths start from."""

    root: Path

    @classmethod
    def of(cls, config: Path) -> Project:
        """The config's nearest ancestor with `pipelines/` or `prompts/`, else its folder; for a config inside the
        package itself the current folder, so that nothing is written among the installed files."""
        config = config.resolve()
        if bundled().name == "_bundled" and config.is_relative_to(bundled()):
            return cls(Path.cwd())
        for folder in config.parents:
            if any((folder / marker).is_dir() for marker in _MARKERS):
                return cls(folder)
        return cls(config.parent)

    def resolve(self, path: str | Path) -> Path:
        """An absolute path; a relative one starts at the root."""
        return (self.root / Path(path).expanduser()).resolve()

    def places(self, folder: str) -> list[Path]:
        """Where a folder of that name is: the project's own, then the shipped one."""
        places = [(base / folder).resolve() for base in (self.root, bundled())]
        return [place for place in dict.fromkeys(places) if place.is_dir()]

    def find(self, what: str, candidates: Iterable[str | Path]) -> Path:
        """The first of `candidates` that exists, each looked for in the project and then among the shipped files.

        Raises: ConfigError that lists every place tried.
        """
        tried: list[Path] = []
        for base in (self.root, bundled()):
            for candidate in candidates:
                place = (base / Path(candidate).expanduser()).resolve()
                if place.exists():
                    return place
                if place not in tried:
                    tried.append(place)
        listing = "".join(f"\n  {place}" for place in tried)
        raise ConfigError(
            f"{what} not found; looked for{listing}",
            hint="your own are looked for in the project: the nearest folder above the config that holds pipelines/ or prompts/, as "
            "`init FOLDER` makes it",
        )


def find_config(path: Path) -> Path:
    """The config at `path`, or of that name in `configs/` of the current folder; a shipped one where there is none."""
    names = [path, Path("configs") / (path if path.suffix else f"{path}.yaml")]
    places = [base / name for base in (Path(), bundled()) for name in names]
    if found := next((place for place in places if place.is_file()), None):
        return found
    listing = "".join(f"\n  {place}" for place in dict.fromkeys(place.absolute() for place in places))
    raise ConfigError(
        f"config not found; looked for{listing}",
        hint="`augment-correction list` shows the shipped ones, 'init' copies them here",
    )
