"""How the model is asked: one question per file, as a Jinja template or in Augmentoolkit's YAML."""

from augment_correction.prompts.library import PromptLibrary, load_prompt
from augment_correction.prompts.prompt import Prompt

__all__ = ["Prompt", "PromptLibrary", "load_prompt"]
