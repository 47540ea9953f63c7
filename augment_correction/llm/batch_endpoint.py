"""The Files and Batches endpoints of an OpenAI-compatible server (https://platform.openai.com/docs/guides/batch): seven
calls, each tried once.

Straight over aiohttp and not over the openai SDK: the calls are few and plain, the answers inside a batch's files are
chat completions that `openai_chat.py` reads already, and its errors are told by the same function; the SDK would bring
a second vocabulary of errors, and an extra to install before the mode works.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from augment_correction.errors import ModelError, ModelUnusable, TransientError
from augment_correction.llm.chat_wire import ServerError, error_in
from augment_correction.llm.openai_chat import OpenAIChat
from augment_correction.records import Completion, Request

OUR_NAME = "augment_correction"
"""The key in a batch's metadata under which we find it again."""
CLOCKS_DIFFER = 3600.0
"""Seconds by which the server's clock may be behind ours when we look through its lists for something of ours."""
ENDED = frozenset({"completed", "failed", "expired", "cancelled"})


class Unanswered(TransientError):
    """An item that its batch did not answer. A 429 among them counts like any failure: waiting for another turn takes a
    whole batch's time, so it must use up the retries."""

    @property
    def rate_limited(self) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class BatchStatus:
    """A batch as the server tells it. `errors` are (code, its words with the line) of one that failed as a whole."""

    id: str
    status: str
    done: int
    failed: int
    total: int
    output_file_id: str | None
    error_file_id: str | None
    errors: tuple[tuple[str, str], ...]

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    @property
    def too_many_tokens(self) -> bool:
        """The account may not have so many tokens waiting at once: fewer at a time can be answered."""
        return any(
            code == "token_limit_exceeded" or "enqueued token limit" in words.lower() for code, words in self.errors
        )


class BatchEndpoint(OpenAIChat):
    """`line` and `read_line` spell and read the items of one model's batches; the rest are calls.

    Raises: TransientError, RequestRefused, ModelUnusable, as for a chat request.
    """

    def __init__(self, base_url: str, model: str, *, timeout: float, **settings: Any) -> None:
        super().__init__(base_url, timeout=timeout, connections=1, **settings)
        self.base_url, self.model = base_url.rstrip("/"), model
        self._silence = timeout
        self._files_session: aiohttp.ClientSession | None = None

    # ------------------------------------------------------------------------------------------------ items

    def line(self, request: Request) -> bytes:
        """One line of the file that is uploaded; `custom_id` is the journal's key."""
        item = {
            "custom_id": request.key,
            "method": "POST",
            "url": "/v1/chat/completions",
            "body": self.wire.body(request),
        }
        return orjson.dumps(item) + b"\n"

    def read_line(self, item: Mapping[str, Any], request: Request) -> Completion | ModelError:
        """What an item of the output or error file means for the one who waits for it."""
        response = item.get("response")
        if not isinstance(response, dict):
            error = item.get("error") if isinstance(item.get("error"), dict) else {}
            assert isinstance(error, dict)
            return Unanswered(f"{request.model}: {error.get('code')}: {error.get('message')}")
        raw = orjson.dumps(response.get("body"))
        status = response.get("status_code")
        if status != 200:
            return _settled(self.wire.refusal(status, raw, {}, request))
        try:
            return self.wire.completion(raw, {}, request)
        except ModelError as failure:
            return _settled(failure)

    # ------------------------------------------------------------------------------------------------ files

    async def upload(self, path: Path, name: str) -> str:
        """Returns the file's id."""
        with path.open("rb") as file:
            form = aiohttp.FormData()
            form.add_field("purpose", "batch")
            form.add_field("file", file, filename=_file_name(name), content_type="application/jsonl")
            return _id(await self._call("POST", "/files", data=form))

    async def find_file(self, name: str, made: float) -> str | None:
        async for file in self._listed("/files", made, purpose="batch", order="desc"):
            if file.get("filename") == _file_name(name):
                return _id(file)
        return None

    async def download(self, file_id: str, to: Path) -> None:
        """The whole file, past this process's memory."""
        await self._call("GET", f"/files/{file_id}/content", to=to)

    async def forget_file(self, file_id: str) -> None:
        await self._call("DELETE", f"/files/{file_id}")

    # ---------------------------------------------------------------------------------------------- batches

    async def create(self, file_id: str, name: str) -> BatchStatus:
        made = {
            "input_file_id": file_id,
            "endpoint": "/v1/chat/completions",
            "completion_window": "24h",
            "metadata": {OUR_NAME: name},
        }
        return _status(await self._call("POST", "/batches", json=made))

    async def find_batch(self, name: str, made: float) -> BatchStatus | None:
        async for batch in self._listed("/batches", made):
            if (batch.get("metadata") or {}).get(OUR_NAME) == name:
                return _status(batch)
        return None

    async def offered(self) -> str | None:
        """Why batches cannot be made here, or None. Costs nothing: it asks for the list."""
        try:
            await self._call("GET", "/batches", params={"limit": "1"})
        except ModelError as failure:
            return failure.message
        return None

    async def read_batch(self, batch_id: str) -> BatchStatus:
        return _status(await self._call("GET", f"/batches/{batch_id}"))

    # ------------------------------------------------------------------------------------------------- HTTP

    async def _listed(self, path: str, made: float, **parameters: str) -> AsyncIterator[dict[str, Any]]:
        """The newest first, as far back as `made`."""
        after: dict[str, str] = {}
        while True:
            page = await self._call("GET", path, params={"limit": "100", **parameters, **after})
            for each in page["data"]:
                if each.get("created_at", made) < made - CLOCKS_DIFFER:
                    return
                yield each
            if not page.get("has_more") or not page["data"]:
                return
            after = {"after": page["data"][-1]["id"]}

    async def _call(self, method: str, path: str, *, to: Path | None = None, **arguments: Any) -> Any:
        try:
            async with self._connected().request(
                method, self.base_url + path, allow_redirects=False, **arguments
            ) as response:
                if response.status == 200 and to is not None:
                    await _save(response, to)
                    return None
                raw, status, headers = await response.read(), response.status, response.headers
        except aiohttp.ClientConnectorError as failure:
            raise TransientError(f"{self.base_url} cannot be reached: {failure.os_error}", unreachable=True) from None
        except TimeoutError:
            raise TransientError(f"no reply from {self.base_url}{path}", unreachable=True) from None
        except (aiohttp.ClientError, ConnectionError) as failure:
            raise TransientError(self.wire.hide(f"the connection broke: {type(failure).__name__} {failure}")) from None
        if status != 200:
            error = error_in(raw)
            told = ServerError(f"{method} {path}: {error.text}", error.codes, error.status, error.retry_after)
            raise self.wire.explain(status, told, headers, Request((), self.model))
        try:
            return orjson.loads(raw)
        except ValueError:
            raise TransientError(f"{method} {path}: the answer is not JSON") from None

    def _connected(self) -> aiohttp.ClientSession:
        if self._files_session is None:
            # A file of 200 MB takes its time: only silence is limited.
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=30, sock_read=self._silence)
            headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
            self._files_session = aiohttp.ClientSession(timeout=timeout, headers=headers)
        return self._files_session

    async def close(self) -> None:
        await super().close()
        if self._files_session is not None:
            await self._files_session.close()
            self._files_session = None


def items_in(path: Path) -> Iterator[dict[str, Any]]:
    """The items of a downloaded file; a line that is none is left out: its question counts as unanswered."""
    with path.open("rb") as file:
        for line in file:
            try:
                item = orjson.loads(line)
            except ValueError:
                continue
            if isinstance(item, dict) and isinstance(item.get("custom_id"), str):
                yield item


def write_lines(path: Path, lines: Iterable[bytes], most: int) -> int:
    """How many lines fitted into `most` bytes; the first one always does, so that the server can say what is wrong."""
    size = count = 0
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        for line in lines:
            size += len(line)
            if size > most and count:
                break
            file.write(line)
            count += 1
    return count


async def _save(response: aiohttp.ClientResponse, to: Path) -> None:
    file = await asyncio.to_thread(to.open, "wb")
    try:
        async for piece in response.content.iter_chunked(2**20):
            await asyncio.to_thread(file.write, piece)
    finally:
        file.close()


def _settled(failure: ModelError) -> ModelError:
    if isinstance(failure, TransientError):
        return Unanswered(failure.message, status=failure.status)
    return failure


def _file_name(name: str) -> str:
    return f"{name}.jsonl"


def _id(thing: Any) -> str:
    if not isinstance(thing, dict) or not isinstance(thing.get("id"), str):
        raise ModelUnusable("the server's answer has no id: it does not speak the Files and Batches endpoints")
    return str(thing["id"])


def _status(batch: Any) -> BatchStatus:
    counts = batch.get("request_counts") or {}
    errors = (batch.get("errors") or {}).get("data") or []
    return BatchStatus(
        _id(batch),
        str(batch.get("status")),
        counts.get("completed") or 0,
        counts.get("failed") or 0,
        counts.get("total") or 0,
        batch.get("output_file_id"),
        batch.get("error_file_id"),
        tuple((str(error.get("code")), _words(error)) for error in errors),
    )


def _words(error: Mapping[str, Any]) -> str:
    line = f"line {error['line']}: " if error.get("line") is not None else ""
    return f"{line}{error.get('code')}: {error.get('message')}"
