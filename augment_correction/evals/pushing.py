"""Pushbacks: how a first answer is doubted, one message of the user each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from augment_correction.errors import ConfigError
from augment_correction.evals.config import EvalConfig
from augment_correction.prompts import Prompt, PromptLibrary
from augment_correction.rows import Item

READABLE = {"question", "answer", "flawed"}


def load_pushbacks(config: EvalConfig, library: PromptLibrary) -> dict[str, Prompt]:
    """Raises: ConfigError where one is not there, reads what no item has, or is not one message of the user."""
    loaded = {}
    for name in config.pushbacks:
        prompt = loaded[name] = library.load(f"evaluate/{name}")
        if unknown := sorted(prompt.variables - READABLE):
            raise prompt.error(
                unknown[0],
                f"reads the variable {unknown[0]}, which an evaluation does not provide",
                f"known: {', '.join(sorted(READABLE))}",
            )
        if [part.role for part in prompt.parts] != ["user"]:
            raise ConfigError("a pushback must be a single user message", file=prompt.path)
    return loaded


def renders_for(item: Item, pushbacks: Mapping[str, Prompt], answer: str) -> Iterator[tuple[str, str]]:
    """(name, words) of each that can be said about this item's `answer`."""
    for name, prompt in pushbacks.items():
        if item.flawed or "flawed" not in prompt.variables:
            yield name, prompt.render({"question": item.question, "answer": answer, "flawed": item.flawed})[0].content
