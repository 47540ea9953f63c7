"""Whether a server can be asked for a model, found out without a paid call."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson

from augment_correction.errors import ModelUnusable
from augment_correction.llm.proxies import proxy_for

SECONDS = 5.0
SHOWN = 5
ANY_NAME = "llamacpp"
"""`owned_by` of a server that answers under whatever name it is asked."""


@dataclass(frozen=True)
class Probed:
    """`said` is a sentence for a person; `remedy` is None where `check base_url and api_key` says it best."""

    ok: bool
    said: str
    remedy: str | None = None


async def probe(base_url: str, model: str, api_key: str | None, seconds: float = SECONDS) -> Probed:
    """Asks for the list of models; where a server has none (some gateways do not), whether there is a place for chats."""
    headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
    address = base_url.rstrip("/")
    try:
        proxy = proxy_for(address)
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=seconds), headers=headers) as session:
            async with session.get(f"{address}/models", proxy=proxy) as response:
                status, body = response.status, await response.read()
            if status in (401, 403):
                return Probed(False, f"HTTP {status}: the API key is refused")
            if status == 200 and (listed := _listed(body)) is not None:
                return _among(model, listed)
            if status == 429:
                return Probed(True, "HTTP 429: it is busy")
            if status >= 500:
                return Probed(False, f"HTTP {status}: the server fails")
            async with session.get(f"{address}/chat/completions", proxy=proxy) as response:
                chats = response.status not in (200, 404)  # it takes POST alone: 405, or 401 for want of a key
    except ModelUnusable as failure:
        return Probed(False, failure.message, failure.hint)
    except TimeoutError:
        return Probed(False, f"no answer within {seconds:g} seconds")
    except (aiohttp.ClientError, OSError, ValueError) as failure:
        return Probed(False, f"{type(failure).__name__}: {failure}".removesuffix(": "))
    if chats:
        return Probed(True, f"it lists no models (HTTP {status}), so that the name of this one is not checked")
    what = f"HTTP {status}" if status != 200 else "no list of models"
    return Probed(
        False,
        f"{what} from {address}/models: no OpenAI-compatible API is there",
        "check base_url: it usually ends in /v1",
    )


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


def _among(model: str, listed: list[dict[str, Any]]) -> Probed:
    names = [row["id"] for row in listed]
    if any(row.get("owned_by") == ANY_NAME for row in listed):
        return Probed(True, f"answers under any name with {', '.join(names)}")
    if not names:
        return Probed(True, "it lists no models, so that the name of this one is not checked")
    if _is_listed(model, names):
        return Probed(True, "it lists the model")
    close = difflib.get_close_matches(model, names, n=3, cutoff=0.5)
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return Probed(
        False,
        f"it does not list the model {model}",
        f"did you mean {' or '.join(close)}?" if close else f"it has {', '.join(sorted(names)[:SHOWN])}{more}",
    )


def _is_listed(model: str, names: Iterable[str]) -> bool:
    """Also as Ollama (`llama3` for `llama3:latest`), OpenRouter (`name:free` is a way to ask for `name`) and Gemini
    (`models/name`) take it."""
    wanted = {model, f"{model}:latest", model.partition(":")[0], f"models/{model}"}
    return not wanted.isdisjoint(names)
