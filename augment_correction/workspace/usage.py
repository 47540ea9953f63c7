"""What members asked, in messages, tokens and money."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from augment_correction.corrections.config import TARGET
from augment_correction.ledger import price_of
from augment_correction.usage import Price, Usage
from augment_correction.workspace.configs import base_model, chat_config
from augment_correction.workspace.settings import Settings
from augment_correction.workspace.tables import ChatMessage, User, now

DAYS = 30


@dataclass(frozen=True)
class Spent:
    """`cost` is None where nobody knows the model's price."""

    name: str
    messages: int
    tokens_in: int
    tokens_out: int
    cost: Decimal | None
    today: int


def price(settings: Settings, organisation: str) -> Price | None:
    return price_of(chat_config(settings, organisation, base_model(settings)), TARGET)


def by_member(session: Session, known: Price | None) -> list[Spent]:
    """Of the last 30 days, replaced and failed replies included: they were paid for, too. Who asked the most comes first."""
    rows = session.execute(
        select(
            ChatMessage.author_id, func.count(), func.sum(ChatMessage.tokens_in), func.sum(ChatMessage.tokens_out)
        )
        .where(ChatMessage.role == "assistant", ChatMessage.created > now() - timedelta(days=DAYS))
        .group_by(ChatMessage.author_id)
    ).all()  # fmt: skip
    today = _counts(session, now() - timedelta(days=1))
    names: dict[str | None, str] = {
        user.id: user.name
        for user in session.execute(select(User).where(User.id.in_([row[0] for row in rows]))).scalars()
    }
    spent = [
        Spent(names.get(who, ""), count, read or 0, said or 0, _cost(known, read or 0, said or 0), today.get(who, 0))
        for who, count, read, said in rows
    ]
    return sorted(spent, key=lambda each: -each.messages)


def _counts(session: Session, since: datetime) -> Mapping[str | None, int]:
    asked = select(ChatMessage.author_id, func.count()).where(
        ChatMessage.role == "assistant", ChatMessage.created > since
    )
    return {row[0]: row[1] for row in session.execute(asked.group_by(ChatMessage.author_id)).all()}


def _cost(known: Price | None, read: int, said: int) -> Decimal | None:
    return known.cost(Usage(read, said)) if known else None
