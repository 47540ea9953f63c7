"""Corrections: flagged in a chat, confirmed by their author, reviewed by others."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter
from fastapi.responses import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from augment_correction.corrections.correction import Statement
from augment_correction.corrections.store import MOST
from augment_correction.workspace import corrections, threads, versions
from augment_correction.workspace.entering import Entered
from augment_correction.workspace.here import Here
from augment_correction.workspace.problems import Problem
from augment_correction.workspace.tables import ChatMessage, CorrectionRow, User

router = APIRouter(prefix="/o/{slug}")


@router.post("/threads/{thread}/{message}/flag")
def flag(here: Entered) -> Response:
    with here.write() as session:
        of = threads.thread(session, here.path("thread"), here.user.id)
        message = threads.message(session, of.id, here.path("message"))
        question = here.text("question", most=MOST) or question_before(session, message)
        right = here.text("right", most=MOST, missing="Say what is right.")
        corrections.flag(session, here.actor, of, message, question, right, here.user.id)
    return here.go(f"{here.root}/threads/{of.id}", at=f"m{message.id}", said="flagged")


def question_before(session: Session, message: ChatMessage) -> str:
    asked = select(ChatMessage.text).where(
        ChatMessage.thread_id == message.thread_id, ChatMessage.role == "user", ChatMessage.position < message.position
    )  # fmt: skip
    return (session.execute(asked.order_by(ChatMessage.position.desc()).limit(1)).scalar_one_or_none() or "")[:MOST]


def _said(here: Here, row: CorrectionRow) -> Statement:
    question, wrong, right = (here.text(name, most=MOST) for name in ("question", "wrong", "right"))
    return Statement(question, wrong, right, row.said)


@router.post("/corrections/{correction}/confirm")
def confirm(here: Entered) -> Response:
    with here.write() as session:
        row = corrections.correction(session, here.path("correction"), here.user.id, lock=True)
        said = _said(here, row) if "right" in here.form else None
        corrections.confirm(session, here.actor, row, said)
    return here.go(f"{here.root}/threads/{row.thread_id}", at=f"m{row.message_id}", said="flagged")


@router.post("/corrections/{correction}/dismiss")
def dismiss(here: Entered) -> Response:
    with here.write() as session:
        row = corrections.correction(session, here.path("correction"), here.user.id, lock=True)
        corrections.dismiss(session, here.actor, row)
    return here.go(f"{here.root}/threads/{row.thread_id}", at=f"m{row.message_id}", said="dismissed")


# --------------------------------------------------------------------------------------------------- reviewing


@router.get("/corrections")
def queue(here: Entered) -> Response:
    state = here.query("state")
    state = state if state in corrections.STATES else "candidate"
    with here.read() as session:
        rows = corrections.listed(session, state)
        counted = corrections.counts(session)
        people = _people(session, rows)
    return here.page(
        "corrections.html", rows=rows, state=state, states=corrections.STATES, counts=counted, people=people
    )


@router.get("/corrections/{correction}")
def show(here: Entered) -> Response:
    return _show(here)


def _show(here: Here, problem: Problem | None = None) -> Response:
    with here.read() as session:
        row = corrections.correction(session, here.path("correction"), here.user.id)
        people = _people(session, [row])
        mine = here.user.id in corrections.writers(session, row)
        queue = corrections.waiting(session, here.user.id, row) if here.may("corrections.decide") else []
        learned = [each.number for each in versions.all_versions(session) if row.id in each.corrections]
    status = problem.status if problem else 200
    return here.page(
        "correction.html",
        status=status,
        row=row,
        people=people,
        learned=learned,
        problem=problem,
        mine=mine,
        queue=queue,
        form=here.form,
    )


@router.post("/corrections/{correction}/edit")
def edit(here: Entered) -> Response:
    return _change(here, lambda session, row: corrections.edit(session, here.actor, row, _said(here, row)), "saved")


@router.post("/corrections/{correction}/approve")
def approve(here: Entered) -> Response:
    against = here.text("against_evidence") == "yes"
    return _change(
        here, lambda session, row: corrections.approve(session, here.actor, row, against_evidence=against), "approved"
    )


@router.post("/corrections/{correction}/reject")
def reject(here: Entered) -> Response:
    def change(session: Session, row: CorrectionRow) -> None:
        reason = here.text("reason", most=500, missing="Say why, so that its author can learn from it.")
        corrections.reject(session, here.actor, row, reason)

    return _change(here, change, "rejected")


@router.post("/corrections/{correction}/withdraw")
def withdraw(here: Entered) -> Response:
    def change(session: Session, row: CorrectionRow) -> None:
        corrections.withdraw(session, here.actor, row, here.text("reason", most=500))

    return _change(here, change, "withdrawn")


def _change(here: Here, change: Callable[[Session, CorrectionRow], None], said: str) -> Response:
    """The form is shown again with what is wrong in it."""
    try:
        with here.write() as session:
            row = corrections.correction(session, here.path("correction"), here.user.id, lock=True)
            change(session, row)
    except Problem as problem:
        if problem.status == 404:
            raise
        return _show(here, problem)
    return here.go(f"{here.root}/corrections/{row.id}", said=said)


def _people(session: Session, rows: list[CorrectionRow]) -> dict[str, str]:
    ids = {each for row in rows for each in (row.author_id, row.editor_id, row.decider_id) if each}
    return {user.id: user.name for user in session.execute(select(User).where(User.id.in_(ids))).scalars()}
