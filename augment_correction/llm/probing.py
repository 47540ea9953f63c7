"""Whether a server can be asked for a model, found out without a paid call."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from augment_correction.errors import ModelUnusable
from augment_correction.llm import sdk

if TYPE_CHECKING:
    from openai import AsyncOpenAI

SECONDS = 5.0
SHOWN = 5
ANY_NAME = "llamacpp"
"""`owned_by` of a server that answers under whatever name it is asked."""


@dataclass(frozen=True)
class ProbeResult:
    """`said` is a sentence for a person; `remedy` is None where the advice to check base_url and api_key says it best."""

    ok: bool
    said: str
    remedy: str | None = None


async def probe(
    base_url: str,
    model: str,
    api_key: str | None,
    seconds: float = SECONDS,
    *,
    headers: Mapping[str, str] | None = None,
    api_version: str | None = None,
) -> ProbeResult:
    """Asks for the list of models; where a server has none (some gateways do not), whether there is a place for chats.
    `api_version` means Azure, whose list is of what can be deployed and not of what is."""
    await sdk.load()
    import openai

    address = base_url.rstrip("/")
    try:
        client = sdk.open_client(
            address, api_key=api_key, timeout=seconds, connections=1, headers=headers, api_version=api_version
        )
        async with client, asyncio.timeout(seconds):
            status, body = await _models(client)
            if status in (401, 403):
                return ProbeResult(False, f"HTTP {status}: the server refuses the API key")
            if status == 200 and api_version:
                return ProbeResult(True, "it does not list deployments, so that the name of this one cannot be checked")
            if status == 200 and (listed := _listed(body)) is not None:
                return _among(model, listed)
            if status == 429:
                return ProbeResult(True, "HTTP 429: it is busy")
            if status >= 500:
                return ProbeResult(False, f"HTTP {status}: the server fails")
            chats = await _takes_chats(client)
    except ModelUnusable as failure:
        return ProbeResult(False, failure.message, failure.hint)
    except (TimeoutError, openai.APITimeoutError):
        return ProbeResult(False, f"no answer within {seconds:g} seconds")
    except openai.APIConnectionError as failure:
        cause = failure.__cause__ or failure
        return ProbeResult(False, f"it cannot be reached: {str(cause) or type(cause).__name__}")
    if chats:
        return ProbeResult(
            True, f"it lists no models (HTTP {status}), so that the name of this model cannot be checked"
        )
    what = f"HTTP {status}" if status != 200 else "no list of models"
    return ProbeResult(
        False,
        f"{what} from {address}/models: there is no OpenAI-compatible API at this address",
        "check base_url: it usually ends in /v1",
    )


async def _models(client: AsyncOpenAI) -> tuple[int, bytes]:
    import openai

    try:
        answer = await client.models.with_raw_response.list()
    except openai.APIStatusError as failure:
        return failure.response.status_code, failure.response.content
    return answer.status_code, answer.content


async def _takes_chats(client: AsyncOpenAI) -> bool:
    """There it takes POST alone: 405, or 401 for want of a key."""
    import openai

    try:
        await client.get("/chat/completions", cast_to=object)
    except openai.APIStatusError as failure:
        return failure.response.status_code != 404
    return False


def _listed(body: bytes) -> list[dict[str, Any]] | None:
    """The entries of a list of models, `{"data": [...]}` or the list alone; None where it is none."""
    try:
        found = orjson.loads(body)
    except ValueError:
        return None
    rows = found.get("data") if isinstance(found, dict) else found
    if not isinstance(rows, list):
        return None
    return [row for row in rows if isinstance(row, dict) and isinstance(row.get("id"), str)]


def _among(model: str, listed: list[dict[str, Any]]) -> ProbeResult:
    names = [row["id"] for row in listed]
    if any(row.get("owned_by") == ANY_NAME for row in listed):
        return ProbeResult(True, f"answers with the following model whatever name is asked for: {', '.join(names)}")
    if not names:
        return ProbeResult(True, "it lists no models, so that the name of this model cannot be checked")
    if _is_listed(model, names):
        return ProbeResult(True, "it lists the model")
    close = difflib.get_close_matches(model, names, n=3, cutoff=0.5)
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ProbeResult(
        False,
        f"it does not list the model {model}",
        f"did you mean {' or '.join(close)}?" if close else f"it has {', '.join(sorted(names)[:SHOWN])}{more}",
    )


def _is_listed(model: str, names: Iterable[str]) -> bool:
    """Also as Ollama (`llama3` for `llama3:latest`), OpenRouter (`name:free` is a way to ask for `name`) and Gemini
    (`models/name`) take it."""
    wanted = {model, f"{model}:latest", model.partition(":")[0], f"models/{model}"}
    return not wanted.isdisjoint(names)
