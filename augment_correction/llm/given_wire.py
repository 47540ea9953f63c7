"""Log-probabilities of tokens that are there already, from a server: the completions endpoint with `echo`, which vLLM, SGLang
and their kin have. The prompt travels as token ids, so that the server reads no other tokens than were meant.

Hosted chat models offer none: their answer to such a request is told as what it is.
"""

from __future__ import annotations

from typing import Any

import orjson

from augment_correction.errors import ModelError, ModelUnusable, RequestRefused, TransientError
from augment_correction.llm.chat_wire import error_in
from augment_correction.llm.refusals import Moderated, speaks_of_context
from augment_correction.records import Completion, GivenTokens, Request
from augment_correction.usage import Usage

REMEDY = (
    "log-probabilities of a given text need mode: hf, mode: vllm, or a server of vLLM's kind, whose completions endpoint takes "
    "echo and logprobs"
)


def given_of(request: Request) -> GivenTokens:
    assert request.given is not None
    return request.given


def body(request: Request) -> dict[str, Any]:
    """One token more is made than was given, since servers refuse to make none; it is left unread."""
    return {
        "model": request.model,
        "prompt": list(given_of(request).ids),
        "echo": True,
        "logprobs": 1,
        "max_tokens": 1,
        "temperature": 0,
    }


def completion(raw: bytes, request: Request) -> Completion:
    """Its text is a JSON array of natural logarithms, as `hf_scoring.log_probabilities` makes them.

    Raises: ModelUnusable where the reply holds none of the given tokens; TransientError where it is none.
    """
    given = given_of(request)
    try:
        reply = orjson.loads(raw)
        choice = reply["choices"][0]
    except (ValueError, KeyError, IndexError, TypeError):
        raise TransientError(f"{request.model}: {error_in(raw).text[:500]}") from None
    told = choice.get("logprobs") if isinstance(choice, dict) else None
    found = told.get("token_logprobs") if isinstance(told, dict) else None
    usage = reply.get("usage") if isinstance(reply.get("usage"), dict) else {}
    read = usage.get("prompt_tokens", len(given.ids))
    if not isinstance(found, list) or len(found) < len(given.ids):
        raise ModelUnusable(f"{request.model}: the server gives no log-probabilities of a given text", hint=REMEDY)
    if read != len(given.ids):
        raise ModelUnusable(
            f"{request.model}: the server read {read} tokens where {len(given.ids)} were sent",
            hint="it must serve the model whose tokenizer was named",
        )
    values = [found[place] for place in given.places]
    if not all(isinstance(value, int | float) for value in values):
        raise ModelUnusable(f"{request.model}: the server omits the log-probabilities", hint=REMEDY)
    return Completion(orjson.dumps(values).decode(), None, "stop", Usage(len(given.ids), 1))


def refusal(failure: ModelError) -> ModelError:
    """What a refused request means here: a server that does not know it cannot be used, for any answer."""
    if isinstance(failure, RequestRefused):
        if isinstance(failure, Moderated) or speaks_of_context(failure.message):
            return RequestRefused(failure.message, status=failure.status)
    elif failure.status not in (404, 405, 501):
        return failure
    return ModelUnusable(
        f"{failure.message}: it tells no log-probabilities of what it is given", status=failure.status, hint=REMEDY
    )
