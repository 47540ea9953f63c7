"""The Files and Batches endpoints of an OpenAI-compatible server (https://platform.openai.com/docs/guides/batch) through
the openai SDK, each call tried once; the answers inside a batch's files are chat completions and read as such."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import orjson

from augment_correction.errors import ModelError, ModelUnusable, TransientError
from augment_correction.llm.chat_wire import ChatWire
from augment_correction.llm.sdk import errors_told, open_client
from augment_correction.records import Completion, Request

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from openai.types import Batch, BatchError

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


class _Made(Protocol):
    @property
    def created_at(self) -> int: ...


MadeT = TypeVar("MadeT", bound=_Made)


class BatchEndpoint:
    """`line` and `read_line` spell and read the items of one model's batches; the rest are calls.

    Raises: TransientError, RequestRefused, ModelUnusable, as for a chat request.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        *,
        api_key: str | None,
        timeout: float,
        count: Callable[[str], int],
        extra_body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        api_version: str | None = None,
    ) -> None:
        self.base_url, self.model = base_url.rstrip("/"), model
        secrets = [api_key or "", *(headers or {}).values()]
        self.wire = ChatWire(base_url, count=count, extra_body=extra_body, secrets=secrets)
        # A file of 200 MB takes its time: only silence is limited.
        self._new_client = partial(
            open_client, self.base_url, api_key=api_key, timeout=timeout, connections=4, headers=headers,
            api_version=api_version,
        )  # fmt: skip
        self._client: AsyncOpenAI | None = None

    @property
    def _sdk(self) -> AsyncOpenAI:
        if self._client is None:
            self._client = self._new_client()
        return self._client

    def _told(self, what: str) -> AbstractContextManager[None]:
        return errors_told(self.base_url, self.wire, Request((), self.model), f"{what}: ")

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
        with self._told("uploading a batch's file"), path.open("rb") as file:
            made = await self._sdk.files.create(purpose="batch", file=(_file_name(name), file, "application/jsonl"))
            return _id(made)

    async def find_file(self, name: str, made: float) -> str | None:
        with self._told("listing files"):
            async for file in _since(made, self._sdk.files.list(purpose="batch", order="desc", limit=100)):
                if file.filename == _file_name(name):
                    return _id(file)
        return None

    async def download(self, file_id: str, to: Path) -> None:
        """The whole file, past this process's memory."""
        with self._told(f"fetching {file_id}"):
            async with self._sdk.files.with_streaming_response.content(file_id) as response:
                await response.stream_to_file(to)

    async def forget_file(self, file_id: str) -> None:
        with self._told(f"deleting {file_id}"):
            await self._sdk.files.delete(file_id)

    # ---------------------------------------------------------------------------------------------- batches

    async def create(self, file_id: str, name: str) -> BatchStatus:
        with self._told("making a batch"):
            return _status(
                await self._sdk.batches.create(
                    input_file_id=file_id,
                    endpoint="/v1/chat/completions",
                    completion_window="24h",
                    metadata={OUR_NAME: name},
                )
            )

    async def find_batch(self, name: str, made: float) -> BatchStatus | None:
        with self._told("listing batches"):
            async for batch in _since(made, self._sdk.batches.list(limit=100)):
                if (batch.metadata or {}).get(OUR_NAME) == name:
                    return _status(batch)
        return None

    async def offered(self) -> str | None:
        """Why batches cannot be made here, or None. Costs nothing: it asks for the list."""
        try:
            with self._told("listing batches"):
                await self._sdk.batches.list(limit=1)
        except ModelError as failure:
            return failure.message
        return None

    async def read_batch(self, batch_id: str) -> BatchStatus:
        with self._told(f"reading {batch_id}"):
            return _status(await self._sdk.batches.retrieve(batch_id))

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()
            self._client = None


async def _since(made: float, listed: AsyncIterable[MadeT]) -> AsyncIterator[MadeT]:
    """The newest first, page after page, as far back as `made`."""
    async for each in listed:
        if (each.created_at or made) < made - CLOCKS_DIFFER:
            return
        yield each


def items_in(path: Path) -> Iterator[dict[str, Any]]:
    """The items of a downloaded file; a line that is not an item is left out: its question counts as unanswered."""
    with path.open("rb") as file:
        for line in file:
            try:
                item = orjson.loads(line)
            except ValueError:
                continue
            if isinstance(item, dict) and isinstance(item.get("custom_id"), str):
                yield item


def write_fitting_lines(path: Path, lines: Iterable[bytes], most: int) -> int:
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


def _settled(failure: ModelError) -> ModelError:
    if isinstance(failure, TransientError):
        return Unanswered(failure.message, status=failure.status)
    return failure


def _file_name(name: str) -> str:
    return f"{name}.jsonl"


def _id(thing: Any) -> str:
    """The SDK takes whatever comes for what it should be, so an id is looked for."""
    found = getattr(thing, "id", None)
    if not isinstance(found, str):
        raise ModelUnusable("the server's answer has no id: it does not support the Files and Batches endpoints")
    return found


def _status(batch: Batch) -> BatchStatus:
    id_, counts = _id(batch), batch.request_counts
    errors = (batch.errors.data if batch.errors else None) or []
    return BatchStatus(
        id_,
        str(batch.status),
        (counts.completed or 0) if counts else 0,
        (counts.failed or 0) if counts else 0,
        (counts.total or 0) if counts else 0,
        batch.output_file_id,
        batch.error_file_id,
        tuple((str(error.code), _words(error)) for error in errors),
    )


def _words(error: BatchError) -> str:
    line = f"line {error.line}: " if error.line is not None else ""
    return f"{line}{error.code}: {error.message}"
