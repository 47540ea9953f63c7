"""Threads and their messages. A thread is its author's; shared, every member reads it, and only the author writes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from augment_correction.workspace.audit import Actor, note
from augment_correction.workspace.problems import Conflict, Forbidden, Invalid, NotThere, TooMany
from augment_correction.workspace.tables import (
    AuditEvent,
    ChatMessage,
    CorrectionRow,
    DeletedReply,
    Organisation,
    Thread,
    now,
)

LONGEST = 20_000
TITLE = 80
SILENT = timedelta(seconds=30)
"""Without a sign of life for so long, whoever streamed a reply is gone."""
BROKEN_OFF = "The server was stopped while it answered. Ask again."
LISTED = 200
COMPARED = "versions.compared"
"""The audit's word for two answers that no chat holds."""


def readable(session: Session, user_id: str, search: str = "") -> list[Thread]:
    """Own and shared threads, the latest first; with `search`, those that hold it in the title or a message."""
    asked = select(Thread).where(or_(Thread.author_id == user_id, Thread.shared))
    if search:
        pattern = f"%{_escaped(search)}%"
        said = select(ChatMessage.thread_id).where(ChatMessage.text.ilike(pattern, escape="\\"), ~ChatMessage.replaced)
        asked = asked.where(or_(Thread.title.ilike(pattern, escape="\\"), Thread.id.in_(said)))
    return list(session.execute(asked.order_by(Thread.updated.desc()).limit(LISTED)).scalars())


def _escaped(text: str) -> str:
    for sign in "\\%_":
        text = text.replace(sign, f"\\{sign}")
    return text


def thread(session: Session, thread_id: str, user_id: str, *, own: bool = False) -> Thread:
    """Raises: NotThere where it is not his to read; Forbidden where it is and not his to write (`own`)."""
    found = session.execute(select(Thread).where(Thread.id == thread_id)).scalar_one_or_none()
    if found is None or not (found.shared or found.author_id == user_id):
        raise NotThere()
    if own and found.author_id != user_id:
        raise Forbidden("This chat is shared with you for reading. Its author writes in it.")
    return found


def messages(session: Session, thread_id: str, *, replaced: bool = False) -> list[ChatMessage]:
    asked = select(ChatMessage).where(ChatMessage.thread_id == thread_id).order_by(ChatMessage.position)
    return list(session.execute(asked if replaced else asked.where(~ChatMessage.replaced)).scalars())


def message(session: Session, thread_id: str, message_id: str) -> ChatMessage:
    """Raises: NotThere."""
    found = session.execute(
        select(ChatMessage).where(ChatMessage.thread_id == thread_id, ChatMessage.id == message_id)
    ).scalar_one_or_none()
    if found is None:
        raise NotThere()
    return found


# ---------------------------------------------------------------------------------------------------- writing


def begin(session: Session, user_id: str, text: str) -> Thread:
    """A new thread, named after its first words."""
    first = next(iter(text.splitlines()), "")
    made = Thread(author_id=user_id, title=first[:TITLE] or "New chat")
    session.add(made)
    session.flush()
    return made


def say(session: Session, into: Thread, user_id: str, text: str, version: int | None) -> ChatMessage:
    """The user's message, and the empty reply that is to be streamed, which is returned.

    Raises: Invalid; Conflict while a reply is streamed; TooMany above the daily quota."""
    if not text or len(text) > LONGEST:
        raise Invalid(f"A message has 1 to {LONGEST:,} characters.", field="text")
    _lock(session, into)
    refuse_more(session, user_id)
    said = messages(session, into.id)
    if any(each.state == "streaming" for each in said):
        raise Conflict("Wait until the model has answered, or stop it.")
    place = _next_place(session, into)
    session.add(ChatMessage(thread_id=into.id, position=place, role="user", text=text, author_id=user_id))
    return _empty_reply(session, into, user_id, place + 1, version)


def ask_again(session: Session, into: Thread, user_id: str, message_id: str, version: int | None) -> ChatMessage:
    """Another reply in the place of this one, which must be the last."""
    _lock(session, into)
    refuse_more(session, user_id)
    said = messages(session, into.id)
    if not said or said[-1].id != message_id or said[-1].role != "assistant" or said[-1].state == "streaming":
        raise Conflict("Only the last reply can be asked for again.")
    said[-1].replaced = True
    return _empty_reply(session, into, user_id, _next_place(session, into), version)


def edit(session: Session, into: Thread, user_id: str, message_id: str, text: str, version: int | None) -> ChatMessage:
    """Another message in the place of this one; what came after it no longer counts."""
    _lock(session, into)
    said = messages(session, into.id)
    at = next((place for place, each in enumerate(said) if each.id == message_id and each.role == "user"), None)
    if at is None:
        raise NotThere()
    if any(each.state == "streaming" for each in said):
        raise Conflict("Wait until the model has answered, or stop it.")
    for each in said[at:]:
        each.replaced = True
    session.flush()
    return say(session, into, user_id, text, version)


def _lock(session: Session, into: Thread) -> None:
    session.execute(
        select(Thread).where(Thread.id == into.id).with_for_update().execution_options(populate_existing=True)
    ).scalar_one()
    into.updated = now()


def _next_place(session: Session, into: Thread) -> int:
    asked = select(func.coalesce(func.max(ChatMessage.position), -1)).where(ChatMessage.thread_id == into.id)
    return int(session.execute(asked).scalar_one()) + 1


def _empty_reply(session: Session, into: Thread, user_id: str, place: int, version: int | None) -> ChatMessage:
    made = ChatMessage(
        thread_id=into.id, position=place, role="assistant", text="", state="streaming", author_id=user_id,
        version=version, beat=now(),
    )  # fmt: skip
    session.add(made)
    session.flush()
    return made


def refuse_more(session: Session, user_id: str, more: int = 1) -> None:
    """Raises: TooMany above what the organisation allows a member in 24 hours; each answer of a comparison is one, too."""
    organisation, day = session.info["organisation"], now() - timedelta(days=1)
    most = session.get_one(Organisation, organisation).daily_messages
    asked = select(func.count()).select_from(ChatMessage).where(
        ChatMessage.author_id == user_id, ChatMessage.role == "assistant", ChatMessage.created > day
    )  # fmt: skip
    deleted = select(func.count()).select_from(DeletedReply).where(
        DeletedReply.author_id == user_id, DeletedReply.created > day
    )  # fmt: skip
    compared = select(func.count()).select_from(AuditEvent).where(
        AuditEvent.org_id == organisation, AuditEvent.actor_id == user_id, AuditEvent.action == COMPARED, AuditEvent.at > day
    )  # fmt: skip
    spent = (
        sum(session.execute(each).scalar_one() for each in (asked, deleted))
        + 2 * session.execute(compared).scalar_one()
    )
    if spent + more > most:
        raise TooMany(
            f"The limit of answers in 24 hours, which your organisation sets for each member, is {most}, and you have had {spent}. Wait, or ask an admin to allow more."
        )


def stop(session: Session, thread_id: str, message_id: str) -> None:
    """Whoever streams it sees that it is no longer wanted; what was said so far stays."""
    session.execute(
        update(ChatMessage)
        .where(ChatMessage.thread_id == thread_id, ChatMessage.id == message_id, ChatMessage.state == "streaming")
        .values(state="stopped")
    )


def has_silent(session: Session, thread_id: str) -> bool:
    asked = select(ChatMessage.id).where(
        ChatMessage.thread_id == thread_id, ChatMessage.state == "streaming", ChatMessage.beat < now() - SILENT
    )
    return session.execute(asked).first() is not None


def end_silent(session: Session, thread_id: str) -> None:
    """Replies whose server is gone are told as broken off."""
    session.execute(
        update(ChatMessage)
        .where(
            ChatMessage.thread_id == thread_id, ChatMessage.state == "streaming", ChatMessage.beat < now() - SILENT
        )
        .values(state="failed", why=BROKEN_OFF)
    )  # fmt: skip


def delete(session: Session, actor: Actor, gone: Thread) -> None:
    """With all its messages. Corrections that came of it keep what they say, and no longer know where; what it cost is counted on."""
    asked = select(ChatMessage).where(ChatMessage.thread_id == gone.id, ChatMessage.role == "assistant")
    for each in session.execute(asked).scalars():
        session.add(
            DeletedReply(
                id=each.id, org_id=each.org_id, author_id=each.author_id, tokens_in=each.tokens_in,
                tokens_out=each.tokens_out, created=each.created,
            )
        )  # fmt: skip
    session.execute(
        update(CorrectionRow).where(CorrectionRow.thread_id == gone.id).values(thread_id=None, message_id=None)
    )
    session.delete(gone)
    note(session, actor, "thread.deleted", gone.id, organisation=gone.org_id)


# ---------------------------------------------------------------------------------------------------- exports


def as_row(of: Thread, said: Sequence[ChatMessage]) -> dict[str, Any]:
    """A chat as `corrections import` and every trainer reads it; `times` tells of each message when it was written."""
    kept = [each for each in said if each.text]
    return {
        "id": of.id,
        "title": of.title,
        "messages": [{"role": each.role, "content": each.text} for each in kept],
        "times": [each.created.isoformat(timespec="seconds") for each in kept],
    }


def as_markdown(of: Thread, said: Sequence[ChatMessage], author: str) -> str:
    """Times are in UTC: the file does not know who reads it where."""
    parts, day = [f"# {of.title}\n"], ""
    for each in said:
        if not each.text:
            continue
        if day != (day := day_of(each.created)):
            parts.append(f"*{day}*\n")
        parts.append(f"## {author if each.role == 'user' else 'Model'}, {each.created:%H:%M} UTC\n\n{each.text}\n")
    return "\n".join(parts)


def day_of(moment: datetime) -> str:
    return f"{moment:%A}, {moment.day} {moment:%B %Y}"
