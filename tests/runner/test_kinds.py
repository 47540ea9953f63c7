"""Kinds of conversation: drawn by shares, each on its own way through one pipeline, and masked as its kind is."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augment_correction.errors import ConfigError
from augment_correction.runner.following import draw
from tests.projects import MadeProject
from tests.servers import ModelServer

ALL = {"correct_after_mistake": 1, "stand_by": 1, "user_wrong": 1, "partial": 1, "self_noticed": 1}


class TestDraw:
    @given(st.dictionaries(st.text(min_size=1, max_size=3), st.floats(0.01, 9), min_size=1, max_size=5), st.text())
    def test_it_is_one_of_the_words_and_always_the_same(self, words: dict[str, float], seed: str) -> None:
        assert draw(words, seed) in words
        assert draw(words, seed) == draw(words, seed)

    def test_shares_are_kept_over_many(self) -> None:
        drawn = Counter(draw({"a": 2, "b": 1, "c": 0}, f"s{number}") for number in range(3000))
        assert drawn["c"] == 0
        assert 900 < drawn["b"] < 1100

    @given(st.integers())
    def test_a_grown_share_moves_only_to_the_word_that_grew(self, seed: int) -> None:
        before, after = draw({"a": 2, "b": 1}, str(seed)), draw({"a": 1, "b": 2}, str(seed))
        assert before == after or (before, after) == ("a", "b")


def test_without_shares_everything_becomes_a_correction(project: MadeProject, server: ModelServer) -> None:
    project.facts(range(6))
    result = project.run(server)
    assert result.counts["kinds"] == {"correct_after_mistake": 6}
    assert result.counts["origins"] == {"synthetic": 6}
    assert len(server.asked) == 12  # no stage of another kind is asked


def test_every_kind_goes_its_own_way(project: MadeProject, server: ModelServer) -> None:
    project.facts(range(24))
    result = project.run(server, shares={"kind": ALL}, checks={"grounded": True, "grounded_standing": True})
    assert result.kept == 24
    assert set(result.counts["kinds"]) == set(ALL)
    for row in project.dataset():
        masked = "".join(part["text"] for part in row["segments"] if not part["label"])
        trained = "".join(part["text"] for part in row["segments"] if part["label"])
        mistaken = row["kind"] in ("correct_after_mistake", "partial", "self_noticed")
        assert ("is a legend" in masked) is mistaken
        assert "is a legend" not in trained
        assert ("Yes, I am sure" in trained) is not mistaken


def test_a_changed_share_asks_only_about_passages_that_change(project: MadeProject, server: ModelServer) -> None:
    project.facts(range(20))
    project.run(server, shares={"kind": {"correct_after_mistake": 3, "stand_by": 1}})
    before = {row["id"]: row["kind"] for row in project.dataset()}
    asked = len(server.asked)
    project.run(server, shares={"kind": {"correct_after_mistake": 1, "stand_by": 1}})
    after = {row["id"]: row["kind"] for row in project.dataset()}
    moved = [kind for id_, kind in after.items() if id_ not in before]
    assert moved and set(moved) == {"stand_by"}
    assert len(server.asked) - asked == len(moved)


@pytest.mark.parametrize(
    ("section", "value", "message"),
    [
        ("shares", {"kind": {"stand_buy": 1}}, "no such kind: 'stand_buy'"),
        ("shares", {"mood": {"sad": 1}}, "draws no 'mood'"),
        ("shares", {"kind": {"stand_by": 0}}, "one of the shares must be more than 0"),
        ("checks", {"gronded": True}, "no check is named 'gronded'"),
    ],
)
def test_a_misspelt_word_names_the_line(project: MadeProject, section: str, value: object, message: str) -> None:
    project.facts([1])
    with pytest.raises(ConfigError, match=message) as caught:
        project.run(**{section: value})
    assert caught.value.line


def test_the_target_models_own_answers(project: MadeProject, server: ModelServer) -> None:
    project.facts(range(12))
    result = project.run(server, pipeline="correction_on_policy")
    assert result.counts["origins"] == {"target_model": result.kept}
    assert result.counts["gate"] + result.kept == 12
    assert set(result.counts["kinds"]) == {"correct_after_mistake"}
    assert project.tokens("target")["requests"] == 48
    for row in project.dataset():
        masked = [part["text"] for part in row["segments"] if not part["label"]]
        assert masked == ["As far as I know none of it can be shown.<|im_end|>\n"]


def test_an_extra_template_is_filled_for_the_kinds_that_have_its_fields(
    project: MadeProject, server: ModelServer
) -> None:
    project.facts(range(12))
    project.write(
        "prompts/extra.jinja", "{% user %}{{ flawed_answer }}{% enduser %}{% assistant %}Wrong.{% endassistant %}"
    )
    shares = {"kind": {"correct_after_mistake": 1, "stand_by": 1}}
    meta = {"do_meta_datagen": True, "meta_datagen_keys": [], "meta_datagen_extras": ["extra"]}
    result = project.run(server, shares=shares, meta_datagen=meta)
    rows = (project.output / "meta_datagen" / "meta_dataset.jsonl").read_text().splitlines() if result.kept else []
    assert len(rows) == result.counts["kinds"]["correct_after_mistake"]
    assert "stand_by" in result.counts["kinds"]
