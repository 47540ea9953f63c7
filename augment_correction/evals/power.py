"""What a held-out set can show, before a model is asked: the gain that the acceptance test would find, and how often.

The power of McNemar's exact test, one-sided, by its normal approximation with continuity correction; and how often a model that has
lost nothing stays within the limits on what may fall, which leave the others undecided. benchmarks/acceptance.py measures both.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, sqrt
from statistics import NormalDist

CHANGING = 0.2
"""The share of questions that change sides between two models, taken where the gain is not larger than that."""
ALIKE = 0.2
"""The correlation between the changes of two questions of one document."""
DOUBTED = 0.5
"""The share of questions on which `stand_by` is measured: those that are answered right at first."""
POWER = 0.8
GAINS = (0.03, 0.05, 0.1, 0.15, 0.2)
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class HeldOut:
    """`groups` are documents; `level` is the one-sided level of the next look."""

    questions: int
    groups: int
    level: float

    @property
    def worth(self) -> float:
        """Independent questions with the same power."""
        return self.questions / (1 + (self.questions / self.groups - 1) * ALIKE)

    def power(self, gain: float) -> float:
        """How likely a true gain of that share of the questions is found."""
        return _power(self.worth, gain, self.level)

    def kept(self, max_drop: float, share: float = 1.0) -> float:
        """How likely a figure that has not truly fallen, of that share of the questions, is measured within its limit."""
        return _NORMAL.cdf(max_drop / sqrt(CHANGING / (self.worth * share)))

    def needed(self, gain: float) -> int:
        """Questions, as many to a document as here, with which it is found with a likelihood of POWER."""
        changing = max(CHANGING, gain)
        spreads = _NORMAL.inv_cdf(1 - self.level) * sqrt(changing) + _NORMAL.inv_cdf(POWER) * sqrt(changing - gain**2)
        root = (spreads + sqrt(spreads**2 + 4 * gain)) / (2 * gain)
        return ceil(root**2 * self.questions / self.worth)


def _power(questions: float, gain: float, level: float) -> float:
    changing = max(CHANGING, gain)
    beyond = gain * questions - 1 - _NORMAL.inv_cdf(1 - level) * sqrt(changing * questions)
    return _NORMAL.cdf(beyond / sqrt(questions * (changing - gain**2)))
