"""A request as the body of a chat completion, and what comes back as a completion or an error: the same for every way
there (aiohttp, the openai SDK, a line in a batch's file)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import Any

import orjson

from augment_correction.errors import ModelError, ModelUnusable, RequestRefused, TransientError
from augment_correction.llm import sse
from augment_correction.llm.pace import seconds_of
from augment_correction.llm.refusals import SYSTEM, Moderated, PartRefused, is_moderation, refused_part, refuses_system
from augment_correction.records import Completion, Request
from augment_correction.usage import Usage

MAX_REPLY = 32 * 1024 * 1024
"""Bytes, unpacked. What is longer is no answer."""
_NO_MONEY_CODES = frozenset(
    {
        "insufficient_quota",
        "insufficient_balance",
        "insufficient_credits",
        "billing_hard_limit_reached",
        "billing_not_active",
    }
)
_NO_MONEY = (*_NO_MONEY_CODES, "billing", "exceeded your current quota", "credit balance")
UNANSWERED = frozenset({"error", "abort", "insufficient_system_resource"})
"""Finish reasons that say the server broke off: OpenRouter's, vLLM's, DeepSeek's."""
_RETRY_WORDS = re.compile(r"(?:retry|try again|wait)(?: in| after| for)? ((?:\d+(?:\.\d+)? ?(?:ms|h|m|s)[a-z]* ?)+)")
_READ = 4000
"""Characters of an error's words: what is wrong stands in front of them, and some servers send the whole request back."""
_UNIT = re.compile(r"\s*(ms|h|m|s)[a-z]*\s*")


class ChatWire:
    """`count` estimates tokens where the server sends no usage; `secrets` are hidden in every message."""

    def __init__(
        self,
        base_url: str,
        *,
        count: Callable[[str], int],
        extra_body: Mapping[str, Any] | None = None,
        secrets: Sequence[str] = (),
    ) -> None:
        # OpenAI's reasoning models refuse `max_tokens`; everybody else may not know its successor.
        self._limit_name = "max_completion_tokens" if "://api.openai.com" in base_url else "max_tokens"
        self._count = count
        self._extra = dict(extra_body or {})
        self._secrets = [secret for secret in secrets if secret]

    def body(self, request: Request) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": request.model,
            "messages": [{"role": message.role, "content": message.content} for message in request.messages],
            **request.sampling,
            **self._extra,
        }
        if "max_tokens" in body:
            body[self._limit_name] = body.pop("max_tokens")
        if request.structured and request.schema is not None:
            schema = {"name": "reply", "strict": True, "schema": request.schema}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        return body

    def hide(self, text: str) -> str:
        """Servers quote keys in their errors ("Incorrect API key provided: sk-...")."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text

    # ------------------------------------------------------------------------------------------------ replies

    def completion(self, raw: bytes, headers: Mapping[str, str], request: Request) -> Completion:
        """What a 200 holds.

        Raises: TransientError, RequestRefused, ModelUnusable, where it is none of a completion.
        """
        try:
            body = orjson.loads(sse.whole(raw) if sse.is_stream(raw) else raw)
            choice = body["choices"][0]
            message = choice["message"]
            text = _text(message.get("content"))
            reasoning = message.get("reasoning_content") or message.get("reasoning")
            finish_reason = str(choice.get("finish_reason") or "unknown")
        except (ValueError, KeyError, IndexError, TypeError, AttributeError):
            # Some gateways answer 200 with an error in the body.
            error = error_in(raw)
            raise self.explain(error.status, error, headers, request) from None
        if finish_reason in UNANSWERED:
            raise self._broken_off(choice, finish_reason, request)
        reasoning = reasoning if isinstance(reasoning, str) else None
        return Completion(text, reasoning, finish_reason, self._usage(body, request, text, reasoning))

    def _broken_off(self, choice: Mapping[str, Any], finish_reason: str, request: Request) -> TransientError:
        words = error_in(orjson.dumps(choice)).text if choice.get("error") else "the server ended the reply early"
        shown = self.hide(f"{request.model}: finish_reason {finish_reason}: {words}")[:600]
        return TransientError(shown)

    def _usage(self, body: Mapping[str, Any], request: Request, text: str, reasoning: str | None) -> Usage:
        """As the server counts. A side that it leaves out, or counts as 0 though there is a text, is counted here, and
        that is noted: a cap on the cost must bind where a server counts nothing."""
        usage = body.get("usage")
        prompt, output = _tokens(usage, "prompt_tokens"), _tokens(usage, "completion_tokens")
        if prompt is None or output is None:
            prompt = output = 0
        asked, said = any(message.content for message in request.messages), bool(text or reasoning)
        estimated = not isinstance(usage, dict) or (not prompt and asked) or (not output and said)
        if estimated:
            prompt = prompt or sum(self._count(message.content) + 4 for message in request.messages)
            output = output or self._count(text) + self._count(reasoning or "")
        details = usage if isinstance(usage, dict) and not estimated else {}
        return Usage(
            prompt,
            output,
            _tokens(details.get("prompt_tokens_details"), "cached_tokens"),
            _tokens(details.get("completion_tokens_details"), "reasoning_tokens"),
            estimated=estimated,
        )

    # ------------------------------------------------------------------------------------------------- errors

    def refusal(
        self, status: int | None, raw: bytes, headers: Mapping[str, str], request: Request, what: str = ""
    ) -> ModelError:
        """What an answer that is no 200 means; `what` was asked opens its words."""
        error = error_in(raw)
        if status is not None and 300 <= status < 400:
            return ModelUnusable(
                f"{what}it redirects to {headers.get('Location', 'another place')}",
                status=status,
                hint="set base_url to that address",
            )
        return self.explain(status, replace(error, text=f"{what}{error.text}"), headers, request)

    def explain(
        self, status: int | None, error: ServerError, headers: Mapping[str, str], request: Request
    ) -> ModelError:
        """The error that says what is to be done; the tree in `errors.py` says what follows from it."""
        text = error.text
        # Hidden before it is cut: the cut may go through the key.
        shown = f"{request.model}: HTTP {status or 200}: {self.hide(text)[:500]}"
        retry_after = _retry_after(headers)
        retry_after = error.retry_after if retry_after is None else retry_after
        if status == 403 and is_moderation(text):
            return Moderated(shown, status=status)
        if status in (401, 403):
            return ModelUnusable(shown, status=status, hint="check the API key, and whether it may use this model")
        if status == 402 or (status == 429 and _out_of_money(error, retry_after)):
            return ModelUnusable(shown, status=status, hint="the account has no credit left; what was paid for is kept")
        if status == 404:
            return ModelUnusable(shown, status=status, hint="check the model's name and that base_url ends in /v1")
        if status == 407:
            return ModelUnusable(
                shown,
                status=status,
                hint="HTTPS_PROXY must contain the credentials that the proxy asks for: user:password@host",
            )
        if status is not None and 400 <= status < 500 and status not in (408, 409, 425, 429):
            part = refused_part(request, text)
            if part is not None:
                return PartRefused(shown, part[0], status=status, instead=part[1])
            return (Moderated if is_moderation(text) else RequestRefused)(shown, status=status)
        if status is not None and status >= 500 and refuses_system(request, text):
            return PartRefused(shown, SYSTEM, status=status)
        return TransientError(shown, status=status, retry_after=retry_after)


@dataclass(frozen=True, slots=True)
class ServerError:
    """An error's body: its words, its codes in lower case, the status that a gateway wrote into it, and the wait that it
    names, in seconds."""

    text: str
    codes: frozenset[str] = frozenset()
    status: int | None = None
    retry_after: float | None = None


def error_in(raw: bytes) -> ServerError:
    """What is inside OpenAI's, vLLM's, Google's or FastAPI's error body, else the body itself."""
    try:
        body = orjson.loads(sse.whole(raw) if sse.is_stream(raw) else raw)
    except ValueError:
        return ServerError(raw[:_READ].decode("utf-8", "replace").strip() or "empty body")
    if isinstance(body, list) and body and isinstance(body[0], dict):
        body = body[0]  # Google wraps it in a list
    error = body.get("error", body) if isinstance(body, dict) else body
    if not isinstance(error, dict):
        return ServerError(str(error)[:_READ])
    words = [str(error[key]) for key in ("code", "type", "message", "detail") if error.get(key)]
    behind = error.get("metadata")
    if isinstance(behind, dict):  # OpenRouter: what the provider behind it said
        words += [str(behind[key]) for key in ("raw", "reasons") if behind.get(key)]
    text = " ".join(words)[:_READ] or "no choices in the reply"
    code = error.get("code")
    return ServerError(
        text,
        frozenset(str(error[key]).lower() for key in ("code", "type", "status") if error.get(key)),
        code if isinstance(code, int) and 400 <= code < 600 else None,
        _wait_named(error, text),
    )


def _wait_named(error: Mapping[str, Any], text: str) -> float | None:
    """Google's RetryInfo, or a sentence ("Please retry in 36.5s", "try again in 1m2s", "retry after 20 seconds")."""
    details = error.get("details")
    for detail in details if isinstance(details, list) else ():
        if isinstance(detail, dict) and isinstance(detail.get("retryDelay"), str):
            return seconds_of(detail["retryDelay"])
    words = _RETRY_WORDS.search(text.lower())
    return seconds_of(_UNIT.sub(r"\1", words[1])) if words else None


def _out_of_money(error: ServerError, retry_after: float | None) -> bool:
    """By the server's code where it has one. Words alone do not decide where a wait is named: Google's free tier says
    "exceeded your current quota, check your billing" for a minute that is full."""
    if error.codes & _NO_MONEY_CODES:
        return True
    return retry_after is None and any(word in error.text.lower() for word in _NO_MONEY)


def _text(content: Any) -> str:
    """A message's content: a text, null, or a list of parts of which the texts count."""
    if isinstance(content, list):
        return "".join(_text(part.get("text")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def _tokens(usage: Any, name: str) -> int | None:
    """A count that a server sent; None for what is none (some send null, text or nothing)."""
    value = usage.get(name) if isinstance(usage, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**48 else None


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds; the header holds seconds or an HTTP date."""
    milliseconds = headers.get("retry-after-ms")
    value = headers.get("Retry-After")
    try:
        if milliseconds is not None:
            return max(0.0, float(milliseconds) / 1000)
        return max(0.0, float(value)) if value is not None else None
    except ValueError:
        return _seconds_until(value or "", headers.get("Date", ""))


def _seconds_until(date: str, now: str) -> float | None:
    """Both as the server's clock has it, since ours may be wrong by any amount; ours where it names no time."""
    try:
        then = parsedate_to_datetime(date).timestamp()
    except (TypeError, ValueError):
        return None
    try:
        return max(0.0, then - parsedate_to_datetime(now).timestamp())
    except (TypeError, ValueError):
        return max(0.0, then - time.time())
