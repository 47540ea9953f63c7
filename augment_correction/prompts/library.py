"""How the model is asked: one question per file.

A `.jinja` prompt is a sequence of `{% system %}...{% endsystem %}`, `{% user %}` and `{% assistant %}` blocks; inside
them is ordinary Jinja2, strict (an unknown variable is an error) and sandboxed. Values are data: Jinja syntax in a
document is never evaluated. What a prompt asks for by `{% if name is defined %}` may be missing. A `.yaml` prompt is Augmentoolkit's: a list of {role, content} with {text} and {metadata}.

Outside of the blocks `{% include "other.jinja" %}` puts the blocks of another file there, for what prompts share; inside
a block it puts text there. Both are looked for beside the file; those inside a block then in the prompt folders.
A block without variables is rendered once, when the prompt is loaded; constant blocks in front of the passage are
also what the prefix caches of vLLM and of hosted APIs need.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from augment_correction.project import Project
from augment_correction.prompts.braces import load_yaml
from augment_correction.prompts.jinja import load_jinja
from augment_correction.prompts.prompt import Prompt


class PromptLibrary:
    """Prompts by name, looked up in `folders` in order, then among the shipped ones; `.jinja` before `.yaml`."""

    def __init__(self, project: Project, folders: Sequence[str] = ("prompts",)) -> None:
        self._project = project
        self._folders = tuple(dict.fromkeys([*folders, "prompts"]))
        self._loaded: dict[str, Prompt] = {}

    def load(self, name: str) -> Prompt:
        """Raises: ConfigError with file and line, or with every place where it was looked for."""
        if name not in self._loaded:
            candidates = [f"{folder}/{name}{end}" for folder in self._folders for end in ("", ".jinja", ".yaml")]
            path = self._project.find(f"prompt '{name}'", [c for c in candidates if Path(c).suffix])
            roots = [root for folder in self._folders for root in self._project.places(folder)]
            self._loaded[name] = load_prompt(path, name, roots)
        return self._loaded[name]


def load_prompt(path: Path, name: str | None = None, roots: Sequence[Path] = ()) -> Prompt:
    """`roots` are further folders where what a message includes is looked for."""
    name = name or path.stem
    return load_yaml(path, name) if path.suffix in (".yaml", ".yml") else load_jinja(path, name, roots)
