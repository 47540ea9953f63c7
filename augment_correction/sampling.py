"""Sampling parameters, as a pipeline's stage sets them and a config overrides them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Declaration(BaseModel):
    """Base of everything a person writes in YAML: frozen, unknown keys refused, documented under each field. No
    number in it is infinite or no number: a limit that is never reached is left out instead."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Sampling(Declaration):
    """Sampling parameters of a stage. Only what is set is sent. top_k, min_p and repetition_penalty are understood by vLLM and
    llama.cpp, not by OpenAI.

    >>> Sampling(temperature=0.7, max_tokens=512).sent()
    {'temperature': 0.7, 'max_tokens': 512}
    """

    temperature: float | None = Field(None, ge=0, le=5)
    top_p: float | None = Field(None, gt=0, le=1)
    top_k: int | None = Field(None, ge=-1)
    min_p: float | None = Field(None, ge=0, le=1)
    max_tokens: int | None = Field(None, ge=1)
    seed: int | None = None
    frequency_penalty: float | None = Field(None, ge=-2, le=2)
    presence_penalty: float | None = Field(None, ge=-2, le=2)
    repetition_penalty: float | None = Field(None, gt=0)
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high"] | None = None
    stop: tuple[str, ...] = Field((), max_length=4)
    """At most four: OpenAI answers 400 to more."""

    def merged(self, override: Sampling | None) -> Sampling:
        """These values, overridden by those that `override` sets."""
        if override is None:
            return self
        return self.model_copy(update=override.model_dump(exclude_unset=True))

    def sent(self) -> dict[str, Any]:
        """The keys of the request's body."""
        return {key: value for key, value in self.model_dump().items() if value is not None and value != ()}
