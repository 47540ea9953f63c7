"""The kept rows whose questions say nearly the same, in groups."""

from __future__ import annotations

from dataclasses import dataclass, field

from augment_correction.selection.similar import SIMILAR, QuestionIndex, ShingledText

__all__ = ["SIMILAR", "Group", "QuestionGroups"]


@dataclass(slots=True)
class Group:
    """Rows whose questions are nearly the same as the first one's, with their similarity to it (1.0: the same but for
    case, spacing and punctuation)."""

    row: int
    question: str
    others: list[tuple[int, float, str]] = field(default_factory=list)


class QuestionGroups:
    """Each question joins the most similar earlier one that leads a group, or leads one of its own: one pass."""

    def __init__(self) -> None:
        self._leaders: list[Group] = []
        self._index = QuestionIndex(lambda number: self._leaders[number].question)

    def add(self, row: int, text: str) -> None:
        question = ShingledText(text)
        found = self._index.nearest(question)
        if found is None:
            self._index.add(question, len(self._leaders))
            self._leaders.append(Group(row, text))
        else:
            self._leaders[found.number].others.append((row, round(found.similarity, 3), text))

    def groups(self) -> list[Group]:
        """Of two and more, the largest first."""
        return sorted(
            (group for group in self._leaders if group.others), key=lambda group: (-len(group.others), group.row)
        )
