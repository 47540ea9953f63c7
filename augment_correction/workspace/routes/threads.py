"""Chats: list, search, write, stream, stop, edit, ask again, rename, share, export, delete."""

from __future__ import annotations

from collections.abc import AsyncIterator

import orjson
from fastapi import APIRouter
from fastapi.responses import Response, StreamingResponse
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from augment_correction.workspace import accounts, corrections, organisations, threads, versions
from augment_correction.workspace.answering import WantedReply, follow
from augment_correction.workspace.entering import Entered
from augment_correction.workspace.here import Here
from augment_correction.workspace.markdown import Growing
from augment_correction.workspace.problems import Problem
from augment_correction.workspace.tables import ChatMessage, Thread, User

router = APIRouter(prefix="/o/{slug}/threads")


@router.get("")
def chats(here: Entered) -> Response:
    return _new_chat(here)


def _new_chat(here: Here, problem: Problem | None = None, text: str = "") -> Response:
    search = here.query("q")
    with here.read() as session:
        listed = threads.readable(session, here.user.id, search)
        active = versions.active(session)
        alone = here.may("members.invite") and len(organisations.members(session)) == 1
        waiting = len(corrections.undecided(session, here.user.id)) if here.may("corrections.decide") else 0
    status = problem.status if problem else 200
    return here.page(
        "threads.html", status=status, threads=listed, search=search, problem=problem, text=text, active=active, alone=alone,
        waiting=waiting,
    )  # fmt: skip


@router.post("")
def begin(here: Entered) -> Response:
    text = here.form.get("text", "")
    try:
        with here.write() as session:
            made = threads.begin(session, here.user.id, here.text("text", most=threads.LONGEST))
            reply = threads.say(session, made, here.user.id, here.text("text"), versions.active(session))
    except Problem as problem:
        return _new_chat(here, problem, text)
    return _asked(here, made, reply)


@router.get("/{thread}")
def show(here: Entered) -> Response:
    return _show(here)


def _show(here: Here, problem: Problem | None = None, text: str = "") -> Response:
    _end_silent(here)
    with here.read() as session:
        shown = threads.thread(session, here.path("thread"), here.user.id)
        said = threads.messages(session, shown.id)
        listed = threads.readable(session, here.user.id)
        author = session.get_one(User, shown.author_id)
        flagged = corrections.of_messages(session, said, here.user.id)
    status = problem.status if problem else 200
    return here.page(
        "thread.html", status=status, thread=shown, messages=said, threads=listed, author=author, search="", problem=problem,
        text=text, mine=shown.author_id == here.user.id, editing=here.query("edit"),
        corrections=flagged,
    )  # fmt: skip


def _end_silent(here: Here) -> None:
    """Looking at a chat takes the lock of a writer only where there is something to write."""
    with here.read() as session:
        thread = threads.thread(session, here.path("thread"), here.user.id).id
        silent = threads.has_silent(session, thread)
    if silent:
        with here.write() as session:
            threads.end_silent(session, thread)


@router.post("/{thread}")
def say(here: Entered) -> Response:
    try:
        with here.write() as session:
            into = _own(here, session)
            reply = threads.say(session, into, here.user.id, here.text("text"), versions.active(session))
    except Problem as problem:
        if problem.status in (403, 404):
            raise
        return _show(here, problem, here.form.get("text", ""))
    return _asked(here, into, reply)


def _own(here: Here, session: Session) -> Thread:
    return threads.thread(session, here.path("thread"), here.user.id, own=True)


def _asked(here: Here, into: Thread, reply: ChatMessage) -> Response:
    """Only after the transaction: the task that answers must find what was written."""
    here.site.answering.start(WantedReply(here.organisation.id, into.id, reply.id, here.user.id, reply.version))
    return here.go(f"{here.root}/threads/{into.id}")


# ------------------------------------------------------------------------------------------------- one message


@router.post("/{thread}/{message}/again")
def ask_again(here: Entered) -> Response:
    with here.write() as session:
        into = _own(here, session)
        reply = threads.ask_again(session, into, here.user.id, here.path("message"), versions.active(session))
    return _asked(here, into, reply)


@router.post("/{thread}/{message}/edit")
def edit(here: Entered) -> Response:
    with here.write() as session:
        into, version = _own(here, session), versions.active(session)
        reply = threads.edit(session, into, here.user.id, here.path("message"), here.text("text"), version)
    return _asked(here, into, reply)


@router.post("/{thread}/{message}/stop")
def stop(here: Entered) -> Response:
    with here.write() as session:
        into = _own(here, session)
        threads.stop(session, into.id, here.path("message"))
    return here.go(f"{here.root}/threads/{into.id}")


@router.get("/{thread}/{message}/stream")
async def stream(here: Entered) -> Response:
    """Server-sent events: `blocks` with how many blocks of the answer stay and the HTML of those after them, and `end`. A browser that lost
    the connection begins anew: the first event has all of it."""

    def check() -> None:
        with here.read() as session:
            threads.thread(session, here.path("thread"), here.user.id)
            threads.message(session, here.path("thread"), here.path("message"))

    await run_in_threadpool(check)
    return StreamingResponse(_events(here), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


async def _events(here: Here) -> AsyncIterator[bytes]:
    growing = Growing()
    async for message in follow(here.site.database, here.organisation.id, here.path("thread"), here.path("message")):
        if message.state == "streaming":
            kept, html = await run_in_threadpool(growing.html_of, message.text)
            yield _event("blocks", {"kept": kept, "html": html})
        else:
            yield _event("end", {})


def _event(kind: str, data: object) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (kind.encode(), orjson.dumps(data))


# ---------------------------------------------------------------------------------------------- the whole thread


@router.post("/{thread}/title")
def rename(here: Entered) -> Response:
    with here.write() as session:
        _own(here, session).title = accounts.name_of(here.text("title"), "title", "title")
    return here.go(f"{here.root}/threads/{here.path('thread')}", said="saved")


@router.post("/{thread}/share")
def share(here: Entered) -> Response:
    with here.write() as session:
        _own(here, session).shared = here.text("shared") == "yes"
    return here.go(
        f"{here.root}/threads/{here.path('thread')}", said="shared" if here.text("shared") == "yes" else "unshared"
    )


@router.post("/{thread}/delete")
def delete(here: Entered) -> Response:
    with here.write() as session:
        threads.delete(session, here.actor, _own(here, session))
    return here.go(f"{here.root}/threads", said="thread_deleted")


@router.get("/{thread}/export")
def export(here: Entered) -> Response:
    """Markdown to read, or (`?form=jsonl`) the row that `corrections import` reads."""
    with here.read() as session:
        shown = threads.thread(session, here.path("thread"), here.user.id)
        said = threads.messages(session, shown.id)
        author = "You" if shown.author_id == here.user.id else session.get_one(User, shown.author_id).name
    if here.query("form") == "jsonl":
        content, kind, ending = orjson.dumps(threads.as_row(shown, said)) + b"\n", "application/jsonl", "jsonl"
    else:
        content, kind, ending = threads.as_markdown(shown, said, author).encode(), "text/markdown; charset=utf-8", "md"
    named = {"Content-Disposition": f'attachment; filename="chat-{shown.id}.{ending}"'}
    return Response(content, media_type=kind, headers=named)
