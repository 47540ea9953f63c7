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
from augment_correction.workspace.tables import ChatMessage, DeletedReply, User, now

DAYS = 30


@dataclass(frozen=True)
class Spending:
    """`cost` is None where nobody knows the model's price."""

    name: str
    messages: int
    tokens_in: int
    tokens_out: int
    cost: Decimal | None
    today: int


def price(settings: Settings, organisation: str) -> Price | None:
    return price_of(chat_config(settings, organisation, base_model(settings)), TARGET)


def by_member(session: Session, known: Price | None) -> list[Spending]:
    """Of the last 30 days, replaced and failed replies and those of deleted chats included: they were paid for, too. Who asked the most
    comes first."""
    month, today = (_asked(session, now() - timedelta(days=days)) for days in (DAYS, 1))
    names: dict[str | None, str] = {
        user.id: user.name for user in session.execute(select(User).where(User.id.in_(list(month)))).scalars()
    }
    spent = [
        Spending(names.get(who, ""), count, read, said, _cost(known, read, said), today[who][0] if who in today else 0)
        for who, (count, read, said) in month.items()
    ]
    return sorted(spent, key=lambda each: -each.messages)


def _asked(session: Session, since: datetime) -> Mapping[str | None, tuple[int, int, int]]:
    """By member: replies, tokens read, tokens said."""
    found: dict[str | None, tuple[int, int, int]] = {}
    for kind in (ChatMessage, DeletedReply):
        asked = select(kind.author_id, func.count(), func.sum(kind.tokens_in), func.sum(kind.tokens_out)).where(
            kind.created > since
        )
        wanted = asked.where(ChatMessage.role == "assistant") if kind is ChatMessage else asked
        for who, *figures in session.execute(wanted.group_by(kind.author_id)).all():
            count, read, said = found.get(who, (0, 0, 0))
            found[who] = (count + figures[0], read + (figures[1] or 0), said + (figures[2] or 0))
    return found


def _cost(known: Price | None, read: int, said: int) -> Decimal | None:
    return known.cost(Usage(read, said)) if known else None
