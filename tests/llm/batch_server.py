"""An OpenAI-compatible server on 127.0.0.1 that speaks the Files and Batches endpoints, answers the shipped prompts,
misbehaves on demand, counts what it was given and can end its client with `kill -9` at any step."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web

from tests.servers import InThread, able_reply, passage_in, usage_of

Item = dict[str, Any]


def answered(body: dict[str, Any], text: str | None = None) -> Item:
    said = able_reply(body) if text is None else text
    choice = {"index": 0, "message": {"role": "assistant", "content": said}, "finish_reason": "stop"}
    reply = {"id": "x", "object": "chat.completion", "choices": [choice], "usage": usage_of(body, said)}
    return {"response": {"status_code": 200, "request_id": "r", "body": reply}, "error": None}


def refused(status: int, message: str) -> Item:
    body = {"error": {"message": message, "type": "test", "code": None}}
    return {"response": {"status_code": status, "request_id": "r", "body": body}, "error": None}


def unanswered(code: str) -> Item:
    return {"response": None, "error": {"code": code, "message": "This request was not executed in time."}}


@dataclass
class Batch:
    id: str
    metadata: dict[str, str]
    input_file_id: str
    asked: list[Item]
    created_at: int
    fate: str = "completed"
    errors: list[Item] = field(default_factory=list)
    polls: int = 0
    output_file_id: str | None = None
    error_file_id: str | None = None


@dataclass
class BatchServer(InThread):
    """`answer(body)` makes an item of the output or error file; `fates` are how the next batches end (`completed`,
    `expired:3` after three answers, `failed:code:message`), `polls` how many looks a batch takes."""

    answer: Callable[[dict[str, Any]], Item] = answered
    fates: list[str] = field(default_factory=list)
    polls: int = 2
    most_in_a_batch: int | None = None
    uploads: list[bytes] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)
    paid: Counter[str] = field(default_factory=Counter)
    """How often each question was answered, by its body."""
    steps: Counter[str] = field(default_factory=Counter)
    stumbles: dict[str, list[Callable[[], Any]]] = field(default_factory=dict)
    """What happens when a step is reached, one for each time: a status to answer with, or None."""
    _files: dict[str, tuple[str, bytes, int]] = field(default_factory=dict)

    # -------------------------------------------------------------------------------------------- its client

    def kill(self, pid: Callable[[], int], step: str) -> None:
        """End the client when this step is reached, before it hears of it; what only `comes` is not taken."""

        def end() -> int | None:
            os.kill(pid(), signal.SIGKILL)
            return 503 if step.endswith("comes") else None

        self.stumbles[step] = [end]

    async def _step(self, name: str) -> None:
        self.steps[name] += 1
        if self.stumbles.get(name):
            made = self.stumbles[name].pop(0)()
            if made is not None:
                raise _Said(made)
            await asyncio.sleep(0)

    # -------------------------------------------------------------------------------------------- endpoints

    async def _upload(self, request: web.Request) -> web.Response:
        await self._step("upload comes")
        form = await request.post()
        file = form["file"]
        assert form["purpose"] == "batch"
        assert isinstance(file, web.FileField)
        data = file.file.read()
        id_ = f"file-{len(self._files)}"
        self._files[id_] = (file.filename, data, int(time.time()))
        self.uploads.append(data)
        await self._step("upload is stored")
        return web.json_response(self._file(id_))

    def _file(self, id_: str) -> Item:
        name, data, made = self._files[id_]
        return {
            "id": id_,
            "object": "file",
            "filename": name,
            "bytes": len(data),
            "created_at": made,
            "purpose": "batch",
        }

    async def _list_files(self, request: web.Request) -> web.Response:
        await self._step("files are listed")
        return _page([self._file(id_) for id_ in reversed(self._files)], request)

    async def _create(self, request: web.Request) -> web.Response:
        await self._step("batch comes")
        body = await request.json()
        assert body["endpoint"] == "/v1/chat/completions"
        assert body["completion_window"] == "24h"
        _, data, _ = self._files[body["input_file_id"]]
        asked = [orjson.loads(line) for line in data.splitlines()]
        made = Batch(f"batch_{len(self.batches)}", body["metadata"], body["input_file_id"], asked, int(time.time()))
        made.fate = self.fates.pop(0) if self.fates else "completed"
        if self.most_in_a_batch is not None and len(asked) > self.most_in_a_batch:
            made.fate = "failed:token_limit_exceeded:Enqueued token limit reached for small"
        self.batches.append(made)
        self._work(made)
        await self._step("batch is stored")
        return web.json_response(self._batch(made))

    def _work(self, batch: Batch) -> None:
        """All at once: a batch costs what it answers, whether somebody fetches it or not."""
        fate, _, rest = batch.fate.partition(":")
        batch.fate = fate
        if fate == "failed":
            code, _, message = rest.partition(":")
            batch.errors = [{"code": code, "line": 1, "message": message, "param": None}]
            return
        files: dict[bool, list[bytes]] = {True: [], False: []}
        for number, item in enumerate(batch.asked):
            late = rest and number >= int(rest)
            made = unanswered(f"batch_{fate}") if late else self.answer(item["body"])
            good = (made["response"] or {}).get("status_code") == 200
            self.paid[orjson.dumps(item["body"], option=orjson.OPT_SORT_KEYS).decode()] += good
            files[good].append(orjson.dumps({"id": f"r{number}", "custom_id": item["custom_id"], **made}))
        for good, lines in files.items():
            if lines:
                id_ = f"file-{len(self._files)}"
                # A server answers in whatever order it likes.
                self._files[id_] = ("output", b"\n".join(reversed(lines)) + b"\n", int(time.time()))
                setattr(batch, "output_file_id" if good else "error_file_id", id_)

    def _batch(self, batch: Batch) -> Item:
        over = batch.polls >= self.polls
        lines = {
            name: len(self._files[id_][1].splitlines()) if over and id_ else 0
            for name, id_ in (("completed", batch.output_file_id), ("failed", batch.error_file_id))
        }
        return {
            "id": batch.id,
            "object": "batch",
            "status": batch.fate if over else ("in_progress" if batch.polls else "validating"),
            "input_file_id": batch.input_file_id,
            "output_file_id": batch.output_file_id if over else None,
            "error_file_id": batch.error_file_id if over else None,
            "errors": {"object": "list", "data": batch.errors} if over and batch.errors else None,
            "metadata": batch.metadata,
            "created_at": batch.created_at,
            "request_counts": {"total": len(batch.asked), **lines},
        }

    async def _read(self, request: web.Request) -> web.Response:
        found = next((each for each in self.batches if each.id == request.match_info["id"]), None)
        if found is None:
            return web.json_response({"error": {"message": "No batch found with that id"}}, status=404)
        await self._step("poll")
        found.polls += 1
        return web.json_response(self._batch(found))

    async def _list_batches(self, request: web.Request) -> web.Response:
        await self._step("batches are listed")
        return _page([self._batch(each) for each in reversed(self.batches)], request)

    async def _content(self, request: web.Request) -> web.StreamResponse:
        await self._step("download comes")
        data = self._files[request.match_info["id"]][1]
        response = web.StreamResponse(headers={"Content-Length": str(len(data))})
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            await response.write(data[: len(data) // 2])
            await self._step("download is half done")
            await response.write(data[len(data) // 2 :])
        return response

    async def _delete(self, request: web.Request) -> web.Response:
        self._files.pop(request.match_info["id"], None)
        return web.json_response({"id": request.match_info["id"], "deleted": True})

    def application(self) -> web.Application:
        app = web.Application(client_max_size=256 * 2**20)
        app.router.add_post("/v1/files", self._upload)
        app.router.add_get("/v1/files", self._list_files)
        app.router.add_get("/v1/files/{id}/content", self._content)
        app.router.add_delete("/v1/files/{id}", self._delete)
        app.router.add_post("/v1/batches", self._create)
        app.router.add_get("/v1/batches", self._list_batches)
        app.router.add_get("/v1/batches/{id}", self._read)
        app.router.add_get("/v1/models", _models)
        return app

    # --------------------------------------------------------------------------------------------- what it saw

    def asked(self) -> Counter[str]:
        """The passages of every batch that was made, by model."""
        return Counter(
            f"{item['body']['model']}: {passage_in(item['body']['messages'])}"
            for each in self.batches
            for item in each.asked
        )


class _Said(web.HTTPException):
    def __init__(self, status: int) -> None:
        self.status_code = status
        super().__init__(text=orjson.dumps({"error": {"message": "no"}}).decode(), content_type="application/json")


async def _models(_: web.Request) -> web.Response:
    return web.json_response({"object": "list", "data": []})


def _page(rows: list[Item], request: web.Request) -> web.Response:
    """Two a page, whatever is asked for: so the client must turn pages."""
    ids = [row["id"] for row in rows]
    after = request.query.get("after")
    start = ids.index(after) + 1 if after else 0
    return web.json_response({"object": "list", "data": rows[start : start + 2], "has_more": start + 2 < len(rows)})
