"""Corrections on their way: flagged or found, confirmed by their author, approved by another person, learned, withdrawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from augment_correction.corrections.correction import Evidence, Statement
from augment_correction.corrections.evidence import arithmetic
from augment_correction.corrections.store import MOST, check
from augment_correction.errors import InputError
from augment_correction.workspace.audit import Actor, note
from augment_correction.workspace.permissions import require_other_person
from augment_correction.workspace.problems import Conflict, Forbidden, Invalid, NotThere
from augment_correction.workspace.tables import AuditEvent, ChatMessage, CorrectionRow, Thread, now

STATES = ("candidate", "approved", "rejected", "withdrawn")
EDITED = "correction.edited"


def statement_of(row: CorrectionRow) -> Statement:
    return Statement(row.question, row.wrong, row.right, row.said)


def _checked(said: Statement) -> Statement:
    """Raises: Invalid in the words of whoever learns from it."""
    try:
        check(said)
    except InputError as failure:
        message = failure.message
        raise Invalid(f"{message[0].upper()}{message[1:]}.", field="right") from None
    return said


# ----------------------------------------------------------------------------------------------------- reading


def listed(session: Session, state: str = "candidate") -> list[CorrectionRow]:
    """What its author has confirmed; the latest first."""
    asked = select(CorrectionRow).where(CorrectionRow.confirmed, CorrectionRow.state == state)
    return list(session.execute(asked.order_by(CorrectionRow.created.desc()).limit(500)).scalars())


def approved(session: Session) -> list[CorrectionRow]:
    """All that a training learns."""
    asked = select(CorrectionRow).where(CorrectionRow.confirmed, CorrectionRow.state == "approved")
    return list(session.execute(asked.order_by(CorrectionRow.created, CorrectionRow.id)).scalars())


def counts(session: Session) -> dict[str, int]:
    rows = session.execute(select(CorrectionRow.state).where(CorrectionRow.confirmed)).scalars().all()
    return {state: rows.count(state) for state in STATES}


def undecided(session: Session, user_id: str) -> list[CorrectionRow]:
    """What this person may decide about: no word of it is theirs. The latest first."""
    edited = select(AuditEvent.subject).where(
        AuditEvent.org_id == session.info["organisation"], AuditEvent.action == EDITED, AuditEvent.actor_id == user_id
    )
    not_his = set(session.execute(edited).scalars())
    return [row for row in listed(session) if user_id not in (row.author_id, row.editor_id) and row.id not in not_his]


def waiting(session: Session, user_id: str, after: CorrectionRow) -> list[str]:
    """Ids of what this person may decide about, from the one that follows `after` in the queue on; `after` is not among them."""
    free = [row for row in undecided(session, user_id) if row.id != after.id]
    following = [row.id for row in free if row.created <= after.created]
    return [*following, *(row.id for row in free if row.created > after.created)]


def correction(session: Session, id_: str, user_id: str, *, lock: bool = False) -> CorrectionRow:
    """Raises: NotThere; what its author has not confirmed is there for him alone."""
    asked = select(CorrectionRow).where(
        CorrectionRow.id == id_, or_(CorrectionRow.confirmed, CorrectionRow.author_id == user_id)
    )
    found = session.execute(asked.with_for_update() if lock else asked).scalar_one_or_none()
    if found is None:
        raise NotThere()
    return found


def of_messages(session: Session, messages: Sequence[ChatMessage], user_id: str) -> dict[str, CorrectionRow]:
    """By the message that is wrong; of several the latest."""
    asked = select(CorrectionRow).where(
        CorrectionRow.message_id.in_([each.id for each in messages]),
        or_(CorrectionRow.confirmed, CorrectionRow.author_id == user_id),
    )
    return {row.message_id or "": row for row in session.execute(asked.order_by(CorrectionRow.created)).scalars()}


# ----------------------------------------------------------------------------------------------------- making


def flag(
    session: Session, actor: Actor, of: Thread, message: ChatMessage, question: str, right: str, user_id: str
) -> CorrectionRow:
    """By a click on a wrong answer, with what is right.

    Raises: Invalid, Conflict where it was flagged already."""
    if message.role != "assistant" or message.state == "streaming":
        raise Conflict("Only an answer of the model can be wrong.")
    if message.id in of_messages(session, [message], user_id):
        raise Conflict("This answer is already flagged.")
    said = _checked(Statement(question, message.text[:MOST], right))
    made = _add(session, of, message.id, user_id, said, [])
    note(session, actor, "correction.flagged", made.id, organisation=made.org_id)
    return made


def suggest(
    session: Session, of: Thread, message_id: str, said: Statement, evidence: Sequence[Evidence]
) -> CorrectionRow | None:
    """What the detector found in the author's own words; nobody else sees it before he has said that it is right. None where the
    answer was flagged already, or nobody could learn from it."""
    there = select(CorrectionRow.id).where(CorrectionRow.message_id == message_id)
    if session.execute(there).first() is not None:
        return None
    try:
        check(said)
    except InputError:
        return None
    made = _add(session, of, message_id, of.author_id, said, evidence)
    made.by_detector, made.confirmed = True, False
    return made


def _add(
    session: Session, of: Thread, message_id: str, author: str, said: Statement, evidence: Sequence[Evidence]
) -> CorrectionRow:
    sums = arithmetic(said)
    found = [*evidence, *([sums] if sums and sums.by not in {each.by for each in evidence} else [])]
    made = CorrectionRow(
        org_id=of.org_id, thread_id=of.id, message_id=message_id, author_id=author, question=said.question, wrong=said.wrong,
        right=said.right, said=said.message, evidence=[asdict(each) for each in found],
    )  # fmt: skip
    session.add(made)
    session.flush()
    return made


def confirm(session: Session, actor: Actor, row: CorrectionRow, said: Statement | None) -> None:
    """Its author says that the detector understood him, or what he meant instead.

    Raises: Forbidden for anybody else; Conflict where it is confirmed."""
    _require_author(actor, row)
    if row.confirmed:
        raise Conflict("You have already confirmed this.")
    if said is not None:
        _put(row, _checked(said))
    row.confirmed = True
    note(session, actor, "correction.confirmed", row.id, organisation=row.org_id)


def dismiss(session: Session, actor: Actor, row: CorrectionRow) -> None:
    """The detector was wrong: nothing is kept of it."""
    _require_author(actor, row)
    if row.confirmed:
        raise Conflict("You have already confirmed this. A reviewer can reject it.")
    session.delete(row)


def _require_author(actor: Actor, row: CorrectionRow) -> None:
    if actor.user_id != row.author_id:
        raise Forbidden("Only the person who wrote the message can say what it means.")


# --------------------------------------------------------------------------------------------------- reviewing


def edit(session: Session, actor: Actor, row: CorrectionRow, said: Statement) -> None:
    """Other words need another person's approval: an approved one is a candidate again."""
    if row.state in ("rejected", "withdrawn"):
        raise Conflict(f"It is {row.state}. Flag the answer again.")
    if not row.confirmed:
        raise Conflict("Its author has not confirmed it yet.")
    before = statement_of(row)
    _put(row, _checked(said))
    if statement_of(row) == before:
        return
    row.editor_id, row.evidence = actor.user_id, [asdict(each) for each in [arithmetic(said)] if each]
    row.state, row.decider_id, row.decided, row.reason = "candidate", None, None, ""
    note(session, actor, EDITED, row.id, organisation=row.org_id)


def _put(row: CorrectionRow, said: Statement) -> None:
    row.question, row.wrong, row.right = said.question.strip(), said.wrong.strip(), said.right.strip()


def approve(session: Session, actor: Actor, row: CorrectionRow, *, against_evidence: bool) -> None:
    """Raises: Forbidden for who wrote it; Conflict where something contradicts it, or another approved one does."""
    _require_candidate(row)
    require_other_person(actor.user_id or "", *writers(session, row))
    contradicted = [each for each in row.evidence if each["verdict"] == "contradicts"]
    if contradicted and not against_evidence:
        first = contradicted[0]
        raise Conflict(f"{first['by']} contradicts this: {first['reason']}. Tick the box to approve it anyway.")
    if rival := _rival(session, row):
        raise Conflict(
            f"An approved correction says “{rival.right[:80]}” to the same question. A model cannot learn both: withdraw that one, or "
            "reject this one."
        )
    _decide(session, actor, row, "approved", "", forced=bool(contradicted))


def writers(session: Session, row: CorrectionRow) -> list[str | None]:
    """Its author and everybody who has changed its words, not only the last one: a typo that somebody else corrected after makes the words
    nobody else's."""
    edits = select(AuditEvent.actor_id).where(
        AuditEvent.org_id == row.org_id, AuditEvent.action == EDITED, AuditEvent.subject == row.id
    )
    return [row.author_id, row.editor_id, *session.execute(edits).scalars()]


def _rival(session: Session, row: CorrectionRow) -> CorrectionRow | None:
    said = statement_of(row)
    others = session.execute(select(CorrectionRow).where(CorrectionRow.state == "approved", CorrectionRow.id != row.id))
    same = (each for each in others.scalars() if statement_of(each).subject == said.subject)
    return next((each for each in same if statement_of(each).claim != said.claim), None)


def reject(session: Session, actor: Actor, row: CorrectionRow, reason: str) -> None:
    _require_candidate(row)
    require_other_person(actor.user_id or "", *writers(session, row))
    _decide(session, actor, row, "rejected", reason)


def withdraw(session: Session, actor: Actor, row: CorrectionRow, reason: str) -> None:
    """Taking back is never dangerous: its author may, too, where his role lets him."""
    if row.state != "approved":
        raise Conflict("Only an approved correction can be withdrawn.")
    _decide(session, actor, row, "withdrawn", reason)


def _require_candidate(row: CorrectionRow) -> None:
    if row.state != "candidate":
        raise Conflict(f"It already is {row.state}.")
    if not row.confirmed:
        raise Conflict("Its author has not confirmed it yet.")


def _decide(session: Session, actor: Actor, row: CorrectionRow, state: str, reason: str, **detail: bool) -> None:
    row.state, row.decider_id, row.reason, row.decided = state, actor.user_id, reason, now()
    note(
        session, actor, f"correction.{state}", row.id, organisation=row.org_id, **{k: v for k, v in detail.items() if v}
    )
