"""Replies in the making: a task for each, which writes what was said to the database before anybody sees it.

The database is the truth: a reader of another process, or one that comes back, reads it there. No transaction is open while the
model speaks."""

from __future__ import annotations

import asyncio
import sys
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from sqlalchemy import update
from starlette.concurrency import run_in_threadpool

from augment_correction.errors import AugmentCorrectionError, RequestRefused
from augment_correction.llm.metered import MeteredModel
from augment_correction.llm.refusals import speaks_of_context
from augment_correction.llm.streaming import heard_by
from augment_correction.parsing import final_answer
from augment_correction.records import Completion, Message, Request
from augment_correction.sampling import Sampling
from augment_correction.workspace import threads
from augment_correction.workspace.database import DATABASE_AWAY, Database
from augment_correction.workspace.serving import Opened, Serving
from augment_correction.workspace.tables import ChatMessage, Organisation, now
from augment_correction.workspace.versions import adapter_of

EVERY = 0.4
"""Seconds between two looks at what was said since: what is shown is on disk before."""
WANTED = 1.0
"""Seconds between two looks at whether a silent reply is still wanted."""
LOOKED_BACK, MOST_CHARACTERS = 40, 24_000
"""What of a long chat is sent along."""
SAMPLING = Sampling(temperature=0.7, max_tokens=1024)
COMPARED = Sampling(temperature=0, max_tokens=400)
COMPARING = 120.0
"""Seconds for all answers of a comparison."""
LOOKING = 15.0
"""Seconds that an answered message waits for the look at whether it corrected the one before; then that goes on by itself."""
AWAY = 60.0
"""Seconds for which a reply and its readers wait for a database that is away."""
T = TypeVar("T")
Look = Callable[[Opened, "WantedReply"], Awaitable[None]]


@dataclass(frozen=True)
class WantedReply:
    """A reply that is wanted."""

    organisation: str
    thread: str
    message: str
    user: str
    version: int | None


@dataclass
class Heard:
    """What the model said so far; `text` is without its reasoning, which is no part of the answer."""

    parts: list[str] = field(default_factory=list)

    def begin(self) -> None:
        self.parts.clear()

    def add(self, text: str) -> None:
        self.parts.append(text)

    @property
    def text(self) -> str:
        return final_answer("".join(self.parts))


class Answering:
    """Of one process."""

    def __init__(self, database: Database, serving: Serving, look: Look | None = None) -> None:
        self._database, self._serving, self._look = database, serving, look
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    def live_in(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def start(self, asked: WantedReply) -> None:
        """From any thread."""
        assert self._loop is not None, "the application has not started"
        self._loop.call_soon_threadsafe(self._begin, asked)

    def _begin(self, asked: WantedReply) -> None:
        self._keep(self._answer(asked))

    def _keep(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _answer(self, asked: WantedReply) -> None:
        heard = Heard()
        try:
            completion = await self._complete(asked, heard)
        except asyncio.CancelledError:
            await asyncio.shield(self._save(asked, heard.text, state="failed", why=threads.BROKEN_OFF))
            raise
        except AugmentCorrectionError as failure:
            if failure.hint:  # for who runs the server; whoever chats cannot follow it
                sys.stderr.write(f"a reply failed: {failure.message}\n  remedy: {failure.hint}\n")
            await self._save(asked, heard.text, state="failed", why=failure.message[:1000])
            return
        except Exception:
            traceback.print_exc(file=sys.stderr)
            await self._save(
                asked,
                heard.text,
                state="failed",
                why="Something went wrong on the server. The server's log has the details.",
            )
            return
        if completion is None:
            return  # stopped, with what was said so far
        text = final_answer(completion.text) or completion.text.strip()
        why = "" if completion.finish_reason != "length" else "The reply was cut off at the largest length."
        await self._save(
            asked, text, state="whole", why=why, tokens_in=completion.usage.input, tokens_out=completion.usage.output
        )

    async def _look_at(self, adapter: str | None, asked: WantedReply) -> None:
        assert self._look is not None
        try:
            async with self._serving.using(asked.organisation, adapter) as opened:
                await self._look(opened, asked)
        except AugmentCorrectionError as failure:
            sys.stderr.write(f"looking for a correction: {failure.message}\n")
        except Exception:
            traceback.print_exc(file=sys.stderr)

    async def _complete(self, asked: WantedReply, heard: Heard) -> Completion | None:
        """None where the reply is no longer wanted."""
        adapter, messages = await run_in_threadpool(self._question, asked)
        async with self._serving.using(asked.organisation, adapter) as opened:
            looking = self._keep(self._look_at(adapter, asked)) if self._look is not None else None
            return await self._spoken(opened, messages, asked, heard, looking)

    async def _spoken(
        self,
        opened: Opened,
        messages: tuple[Message, ...],
        asked: WantedReply,
        heard: Heard,
        looking: asyncio.Task[None] | None,
    ) -> Completion | None:
        request = opened.model.request(messages, SAMPLING.sent(), {}, "text")
        request = replace(request, sample=int(asked.message, 16) % 2**31)  # the same words again are another draw

        async def complete() -> Completion:
            with heard_by(heard):
                return await within_context(opened.model, request)

        speaking = asyncio.create_task(complete())
        try:
            written, at = "", time.monotonic()
            while not (await asyncio.wait({speaking}, timeout=EVERY))[0]:
                if heard.text == written and time.monotonic() - at < WANTED:
                    continue
                written, at = heard.text, time.monotonic()
                if not await self._save(asked, written):
                    return None
            if looking is not None:
                await asyncio.wait({looking}, timeout=LOOKING)
            return speaking.result()
        finally:
            speaking.cancel()
            await asyncio.gather(speaking, return_exceptions=True)

    def ask_each(self, organisation: str, adapters: Sequence[str | None], question: str) -> list[str]:
        """What each version says to a question, greedily; from any thread, which waits. Nothing is kept of it.

        Raises: AugmentCorrectionError; TimeoutError."""
        assert self._loop is not None, "the application has not started"

        async def ask(adapter: str | None) -> str:
            async with self._serving.using(organisation, adapter) as opened:
                asked = opened.model.request((Message("user", question),), COMPARED.sent(), {}, "text")
                completion = await opened.model.complete(asked, "compare")
                return final_answer(completion.text) or completion.text.strip()

        async def ask_all() -> list[str]:
            return [await ask(adapter) for adapter in adapters]

        future = asyncio.run_coroutine_threadsafe(ask_all(), self._loop)
        try:
            return future.result(COMPARING)
        except TimeoutError:
            future.cancel()
            raise

    def _question(self, asked: WantedReply) -> tuple[str | None, tuple[Message, ...]]:
        with self._database.read(asked.organisation) as session:
            said = [each for each in threads.messages(session, asked.thread) if each.id != asked.message]
            adapter = adapter_of(session, asked.version)
            system = session.get_one(Organisation, asked.organisation).system_prompt
        opening = (Message("system", system),) if system else ()
        return adapter, (*opening, *recent(said))

    async def _save(self, asked: WantedReply, text: str, **more: Any) -> bool:
        """Whether it is still wanted. What a model has said is not lost because the database is away for a while."""
        return await outlasting(lambda: run_in_threadpool(self._write, asked, text, more))

    def _write(self, asked: WantedReply, text: str, more: dict[str, Any]) -> bool:
        with self._database.write(asked.organisation) as session:
            result = session.execute(
                update(ChatMessage)
                .where(ChatMessage.id == asked.message, ChatMessage.state == "streaming")
                .values(text=text, beat=now(), **more)
            )
            return bool(getattr(result, "rowcount", 0))


async def outlasting(ask: Callable[[], Awaitable[T]]) -> T:
    """Asks the database again, for `AWAY` seconds, where it is not there: killed, restarted, or cut off.

    Raises: what `ask` raises."""
    end = time.monotonic() + AWAY
    while True:
        try:
            return await ask()
        except DATABASE_AWAY:
            if time.monotonic() > end:
                raise
            await asyncio.sleep(EVERY)


async def within_context(model: MeteredModel, request: Request) -> Completion:
    """Where the chat has grown longer than the model can read, its beginning is left out.

    Raises: what the model's `complete` raises."""
    while True:
        try:
            return await model.complete(request, "chat")
        except RequestRefused as failure:
            kept = shorter(request.messages)
            if kept == request.messages or not speaks_of_context(failure.message):
                raise
            request = replace(request, messages=kept)


def shorter(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """Without the first half of what was said; the instructions and the last message stay."""
    opening = tuple(each for each in messages if each.role == "system")
    said = messages[len(opening) :]
    kept = said[(len(said) + 1) // 2 :] or said[-1:]
    while len(kept) > 1 and kept[0].role != "user":
        kept = kept[1:]
    return (*opening, *kept)


def recent(said: list[ChatMessage]) -> tuple[Message, ...]:
    """The last messages that fit, beginning with one of the user."""
    kept: list[Message] = []
    left = MOST_CHARACTERS
    for each in reversed([each for each in said if each.text][-LOOKED_BACK:]):
        left -= len(each.text)
        if kept and left < 0:
            break
        kept.append(Message("assistant" if each.role == "assistant" else "user", each.text))
    kept.reverse()
    while kept and kept[0].role != "user":
        kept.pop(0)
    return tuple(kept)


async def follow(database: Database, organisation: str, thread: str, message: str) -> AsyncIterator[ChatMessage]:
    """A reply as it stands, whenever it has changed, until it has ended. It reads the database, so that it is one to it which process
    the reply is made in."""

    def look() -> ChatMessage:
        with database.read(organisation) as session:
            return threads.message(session, thread, message)

    def end_silent() -> None:
        with database.write(organisation) as session:
            threads.end_silent(session, thread)

    shown = ""
    while True:
        found = await outlasting(lambda: run_in_threadpool(look))
        if found.text != shown or found.state != "streaming":
            yield found
            shown = found.text
        if found.state != "streaming":
            return
        if found.beat is None or now() - found.beat > threads.SILENT:
            await outlasting(lambda: run_in_threadpool(end_silent))
        await asyncio.sleep(EVERY)
