from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augment_correction.report.duplicates import SIMILAR, QuestionGroups
from augment_correction.report.sums import Lengths, RowClass, funnel, round_up
from augment_correction.selection.similar import QuestionIndex, ShingledText

STAGES: list[dict[str, Any]] = [
    {"stage": "chunk"},
    {"stage": "judge", "name": "judgement", "model": "small"},
    {"stage": "compose"},
]


def steps_of(stages: list[dict[str, Any]], ends: Counter[RowClass], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(step[name] for name in names) for step in funnel(stages, ends)]


class TestFunnel:
    def test_each_stage_is_reached_by_what_the_one_before_let_through(self) -> None:
        ends: Counter[RowClass] = Counter(
            {
                ("kept", None, None, "k"): 5,
                ("rejected", "judgement", "unsuitable", None): 3,
                ("failed", "judgement", "server_error", None): 1,
                ("gate", "selection", "drawn", None): 2,
            }
        )
        assert steps_of(STAGES, ends, "stage", "in", "rejected", "failed", "gate", "column", "from") == [
            ("judgement", 11, 3, 1, 0, 0, [(-1, 11)]),
            ("selection", 7, 0, 0, 2, 1, [(0, 7)]),
            ("kept", 5, 0, 0, 0, 2, [(1, 5)]),
        ]

    def test_stages_for_different_kinds_stand_beside_each_other(self) -> None:
        """563 passages, of which 105, 104 and 354 go three ways: no way leads to another."""
        stages: list[dict[str, Any]] = [
            *STAGES[:2],
            {"stage": "ask", "name": "correct", "only": ["correct"]},
            {"stage": "ask", "name": "stand", "only": ["stand"]},
            {"stage": "ask", "name": "half", "only": ["half"]},
            {"stage": "ground", "name": "grounded", "only": ["correct", "half"]},
        ]
        ends: Counter[RowClass] = Counter(
            {
                ("kept", None, None, "correct"): 100,
                ("rejected", "correct", "cut_off", "correct"): 4,
                ("rejected", "grounded", "no_span", "correct"): 1,
                ("kept", None, None, "stand"): 104,
                ("kept", None, None, "half"): 350,
                ("failed", "half", "server_error", "half"): 4,
                ("rejected", "judgement", "unsuitable", "half"): 7,
            }
        )
        assert steps_of(stages, ends, "stage", "column", "in", "from") == [
            ("judgement", 0, 570, [(-1, 570)]),
            ("correct", 1, 105, [(0, 105)]),
            ("stand", 1, 104, [(0, 104)]),
            ("half", 1, 354, [(0, 354)]),
            ("grounded", 2, 451, [(1, 101), (3, 350)]),
            ("kept", 3, 554, [(2, 104), (4, 450)]),
        ]

    @given(
        st.lists(st.sampled_from(["", "a", "b", "c", "ab", "bc"]), max_size=6),
        st.lists(
            st.tuples(
                st.sampled_from(["kept", "rejected", "failed", "gate"]), st.integers(0, 7), st.sampled_from("abc")
            )
        ),
    )
    def test_nothing_is_lost_on_the_way(self, only: list[str], rows: list[tuple[str, int, str]]) -> None:
        """Whatever the pipeline was meanwhile: what comes to a step is what left those before it, and all come from the passages."""
        stages = [{"stage": "ask", "name": f"s{n}", "only": [*kinds]} for n, kinds in enumerate(only)]
        ends: Counter[RowClass] = Counter(
            (status, None if status == "kept" else f"s{stage}", None, kind) for status, stage, kind in rows
        )
        steps = funnel(stages, ends)
        left: Counter[int] = Counter()
        for place, step in enumerate(steps):
            assert step["in"] == sum(count for _, count in step["from"])
            assert all(steps[came]["column"] < step["column"] for came, _ in step["from"] if came >= 0)
            left.update(dict(step["from"]))
            if place + 1 < len(steps):
                assert sum(step[end] for end in ("rejected", "failed", "gate")) <= step["in"]
        assert left[-1] == len(rows)
        for place, step in enumerate(steps[:-1]):
            assert left[place] == step["in"] - step["rejected"] - step["failed"] - step["gate"]
        assert steps[-1]["in"] == sum(status == "kept" for status, *_ in rows)

    def test_what_ended_where_no_stage_is_is_shown_before_or_after_the_stages(self) -> None:
        ends: Counter[RowClass] = Counter(
            {("rejected", "gone", "why", None): 2, ("rejected", "read", "missing_field", None): 3}
        )
        shown = steps_of(STAGES, ends, "stage", "in")
        assert shown == [("read", 5), ("judgement", 2), ("gone", 2), ("kept", 0)]


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


WORDS = [
    "bridge",
    "BRIDGE",
    "mill",
    "Halmstett",
    "1911",
    "1912",
    "ß",
    "ẞ",
    "ﬁne",
    "e\u0301",
    "é",
    "日本",
    "",
    "?",
    "\ud800",
    "a" * 300,
]


def groups_by_hand(texts: list[str]) -> list[list[int]]:
    leaders: list[int] = []
    groups: dict[int, list[int]] = {}
    index = QuestionIndex(lambda number: texts[leaders[number]])
    for row, text in enumerate(texts):
        question = ShingledText(text)
        if found := index.nearest(question):
            groups.setdefault(found.number, [leaders[found.number]]).append(row)
        else:
            index.add(question, len(leaders))
            leaders.append(row)
    return sorted(groups.values(), key=lambda rows: (-len(rows), rows[0]))


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
        assert group.rows.tolist() == [0, 2, 3]
        first, near, same = group.shown.values()
        assert first == [0, 1.0, questions[0], 1] and same == [3, 1.0, questions[3], 1]
        assert 1.0 > near[1] >= SIMILAR

    @settings(max_examples=60, deadline=None)
    @given(st.lists(st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join), max_size=40), st.integers(0, 60))
    def test_the_groups_are_those_of_an_index_that_keeps_every_text(self, texts: list[str], expected: int) -> None:
        groups = QuestionGroups(expected)
        for row, text in enumerate(texts):
            groups.add(row, text)
        assert [group.rows.tolist() for group in groups.groups()] == groups_by_hand(texts)

    def test_ten_thousand_of_one_mould_take_no_longer_than_they_must(self) -> None:
        index = QuestionGroups()
        for row in range(10_000):
            index.add(row, f"What should one know about item {row % 50} of the list?")
        groups = index.groups()
        assert sum(len(group.rows) for group in groups) == 10_000
        assert (
            sum(group.as_json()["more"] + sum(each[3] for each in group.shown.values()) for group in groups) == 10_000
        )
