from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augment_correction.report.duplicates import SIMILAR, QuestionGroups
from augment_correction.report.sums import Lengths, RowClass, funnel, round_up

STAGES = [{"stage": "chunk"}, {"stage": "judge", "name": "judgement", "model": "small"}, {"stage": "compose"}]


class TestFunnel:
    def test_each_stage_is_reached_by_what_the_one_before_let_through(self) -> None:
        counts: Counter[RowClass] = Counter(
            {
                ("kept", None, None, "k"): 5,
                ("rejected", "judgement", "unsuitable", None): 3,
                ("failed", "judgement", "server_error", None): 1,
                ("gate", "selection", "drawn", None): 2,
            }
        )
        names = ("stage", "in", "rejected", "failed", "gate")
        steps = [tuple(step[name] for name in names) for step in funnel(STAGES, counts)]
        assert steps == [("judgement", 11, 3, 1, 0), ("selection", 7, 0, 0, 2)]

    def test_a_stage_for_some_kinds_is_reached_by_those(self) -> None:
        stages = [*STAGES[:2], {"stage": "ask", "name": "stand", "only": ["stand_by"]}]
        ends: Counter[RowClass] = Counter(
            {
                ("kept", None, None, "correct"): 5,
                ("kept", None, None, "stand_by"): 2,
                ("rejected", "judgement", "unsuitable", "stand_by"): 1,
                ("rejected", "stand", "cut_off", "stand_by"): 3,
            }
        )
        steps = [(step["stage"], step["in"], step["rejected"]) for step in funnel(stages, ends)]
        assert steps == [("judgement", 11, 1), ("stand", 5, 3)]

    def test_a_stage_that_the_pipeline_no_longer_has_is_shown_too(self) -> None:
        counts: Counter[RowClass] = Counter({("rejected", "gone", "why", None): 2})
        assert [step["stage"] for step in funnel([], counts)] == ["gone"]


class TestLengths:
    @given(st.lists(st.integers(0, 5000), min_size=1))
    def test_every_length_is_in_one_bin(self, lengths: list[int]) -> None:
        made = Lengths("x", "tokens", Counter(lengths)).as_json()
        assert sum(made["counts"]) == made["total"] == len(lengths)
        assert len(made["counts"]) <= 33
        assert made["median"] == sorted(lengths)[(len(lengths) - 1) // 2]
        assert made["max"] == max(lengths)

    def test_nothing_has_no_bins(self) -> None:
        assert "counts" not in Lengths("x", "tokens").as_json()

    @pytest.mark.parametrize(("width", "rounded"), [(1, 1), (3, 4), (6, 8), (9, 10), (21, 25), (33, 40), (99, 100)])
    def test_round_up(self, width: int, rounded: int) -> None:
        assert round_up(width) == rounded


class TestDuplicates:
    def test_groups_what_says_nearly_the_same(self) -> None:
        index = QuestionGroups()
        questions = [
            "When was the old bridge over the river Aller finally opened to carts?",
            "How many people worked in the glassworks of Kelm?",
            "When was the old bridge over the river Aller finally opened to cars?",
            "WHEN was the old bridge over the river Aller -- finally opened to carts",
            "Why is salt water heavier than fresh water?",
        ]
        for row, question in enumerate(questions):
            index.add(row, question)
        [group] = index.groups()
        assert group.row == 0
        assert [row for row, *_ in group.others] == [2, 3]
        assert group.others[1][1] == 1.0 > group.others[0][1] >= SIMILAR

    def test_ten_thousand_of_one_mould_take_no_longer_than_they_must(self) -> None:
        index = QuestionGroups()
        for row in range(10_000):
            index.add(row, f"What should one know about item {row % 50} of the list?")
        assert sum(1 + len(group.others) for group in index.groups()) == 10_000
