"""The sentences in which servers refuse a part of a request, as they were seen, and what is asked instead."""

from __future__ import annotations

from typing import Any

import pytest

from augment_correction.llm.refusals import (
    SCHEMA,
    SYSTEM,
    Instead,
    Renamed,
    Room,
    Within,
    is_moderation,
    refused_part,
)
from augment_correction.records import Message, Request

SAMPLING = {"temperature": 0.0, "top_p": 0.9, "max_tokens": 10_000}
MESSAGES = (Message("system", "Be brief."), Message("user", "Which town?"))


def part(words: str, sampling: dict[str, Any] | None = None, **more: Any) -> tuple[str, Instead | None] | None:
    return refused_part(Request(MESSAGES, "m", SAMPLING if sampling is None else sampling, **more), words)


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("`temperature` is deprecated for this model.", "temperature"),
        ("Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) value is supported.",
         "temperature"),
        ("Unsupported parameter: 'top_p' is not supported with this model.", "top_p"),
        ("Unrecognized request argument supplied: top_p", "top_p"),
        ("invalid temperature: only 1 is allowed for this model", "temperature"),
        ("body -> top_p: Extra inputs are not permitted", "top_p"),
        ("`temperature` and `top_p` cannot both be specified for this model. Please use only one.", "top_p"),
        ("temperature and top_p can't be used at the same time", "top_p"),
    ],
)  # fmt: skip
def test_what_must_be_left_out(words: str, name: str) -> None:
    assert part(words) == (name, None)


@pytest.mark.parametrize(
    ("words", "sampling", "name", "asked"),
    [
        ("temperature must be in (0, 1]", {"temperature": 0.0}, "temperature", 0.01),
        ("temperature must be in (0, 1]", {"temperature": 1.3}, "temperature", 1.0),
        ("`temperature` must be strictly positive", {"temperature": 0.0}, "temperature", 0.01),
        ("temperature: range: 0..1", {"temperature": 1.5}, "temperature", 1.0),
        ("temperature should be between 0 and 1", {"temperature": 2}, "temperature", 1),
        ("Invalid top_p: must be less than 1, got 1.0", {"top_p": 1.0}, "top_p", 0.99),
        ("max_tokens is too large: 20000. This model supports at most 16384 completion tokens, whereas you provided 20000.",
         {"max_tokens": 20_000}, "max_tokens", 16_384),
        ("max_tokens: 64000 > 8192, which is the maximum allowed number of output tokens for this model",
         {"max_tokens": 64_000}, "max_tokens", 8_192),
        ("Invalid max_tokens value, the valid range of max_tokens is [1, 8192]", {"max_tokens": 9_000}, "max_tokens", 8_192),
        ("`max_tokens` must be less than or equal to `8192`, the maximum value for `max_tokens` is less than the "
         "`context_window` for this model", {"max_tokens": 9_000}, "max_tokens", 8_192),
        ("max_completion_tokens is too large: 200000. This model supports at most 128,000 completion tokens",
         {"max_tokens": 200_000}, "max_tokens", 128_000),
    ],
)  # fmt: skip
def test_a_value_outside_of_what_is_taken_becomes_the_nearest_inside(
    words: str, sampling: dict[str, Any], name: str, asked: float
) -> None:
    found = part(words, sampling)
    assert found is not None and found[0] == name
    assert isinstance(found[1], Within)
    made = found[1].nearest(sampling[name])
    assert made == pytest.approx(asked) and type(made) is type(sampling[name])
    assert found[1].holds(made)


@pytest.mark.parametrize(
    ("words", "room"),
    [
        ("This model's maximum context length is 8192 tokens. However, you requested 10300 tokens (300 in the messages, "
         "10000 in the completion). Please reduce the length of the messages or completion.", Room(8192, 300)),
        ("'max_tokens' or 'max_completion_tokens' is too large: 10000. This model's maximum context length is 8192 tokens "
         "and your request has 300 input tokens (10000 > 8192 - 300).", Room(8192, 300)),
        ("You passed 300 input tokens and requested 10000 output tokens. However, the model's context length is only 8192 "
         "tokens, resulting in a maximum input length of 0 tokens.", Room(8192, 300)),
    ],
)  # fmt: skip
def test_prompt_and_reply_share_a_context(words: str, room: Room) -> None:
    assert part(words) == ("max_tokens", room)


@pytest.mark.parametrize(
    "words",
    [
        "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.",
        "This model's maximum context length is 8192 tokens. However, you requested 19000 tokens (9000 in the messages, "
        "10000 in the completion).",
        "the request exceeds the available context size (2048 tokens)",
        "the prompt is too long",
        "temperature: 9 is too high",
        "invalid request",
    ],
)
def test_a_passage_that_is_too_long_by_itself_is_refused(words: str) -> None:
    assert part(words) is None


def test_the_limit_under_its_new_name() -> None:
    words = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
    assert part(words) == ("max_tokens", Renamed("max_completion_tokens"))


@pytest.mark.parametrize(
    "words",
    [
        "System role not supported",
        "Jinja Exception: System role not supported",
        "Unsupported value: 'messages[0].role' does not support 'system' with this model.",
        "Conversation roles must alternate user/assistant/user/assistant/...",
        "Developer instruction is not enabled for models/gemma-3-27b-it",
        "This model does not support system messages: system messages are not supported",
    ],
)
def test_a_model_without_a_system_role(words: str) -> None:
    assert part(words) == (SYSTEM, None)
    assert refused_part(Request(MESSAGES[1:], "m", {}), words) is None


def test_a_schema_is_refused_only_where_one_was_sent() -> None:
    words = "response_format json_schema is not supported"
    assert part(words, {}, structured=True, schema={"type": "object"}) == (SCHEMA, None)
    assert part(words, {}) is None


@pytest.mark.parametrize(
    ("words", "moderated"),
    [
        ("Your chosen model requires moderation and your input was flagged for \"violence\"", True),
        ("The response was filtered due to the prompt triggering Azure OpenAI's content management policy", True),
        ("content_filter", True),
        ("Invalid API key", False),
        ("You do not have access to this model", False),
    ],
)  # fmt: skip
def test_moderation(words: str, moderated: bool) -> None:
    assert is_moderation(words) is moderated
