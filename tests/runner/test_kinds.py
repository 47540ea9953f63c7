"""Kinds of conversation: drawn by shares, each on its own way through one pipeline, and masked as its kind is."""

from __future__ import annotations

import shutil

import pytest

from augment_correction.errors import ConfigError
from tests.projects import MadeProject
from tests.servers import ModelServer

ALL = {"correct_after_mistake": 1, "stand_by": 1, "user_wrong": 1, "partial": 1, "self_noticed": 1}


def test_without_shares_everything_becomes_a_correction(project: MadeProject, server: ModelServer) -> None:
    project.facts(range(6))
    result = project.run(server)
    assert result.counts["kinds"] == {"correct_after_mistake": 6}
    assert result.counts["origins"] == {"synthetic": 6}
    assert len(server.asked) == 12  # no stage of another kind is asked


def test_shares_are_kept_to_one_passage(project: MadeProject, server: ModelServer) -> None:
    project.facts(range(20))
    weights = {"correct_after_mistake": 8, "stand_by": 5, "user_wrong": 3, "partial": 2, "self_noticed": 2}
    result = project.run(server, shares={"kind": weights})
    assert all(abs(result.counts["kinds"][kind] - weight) <= 1 for kind, weight in weights.items())


def test_other_files_change_nothing_of_what_a_file_is_dealt(project: MadeProject, server: ModelServer) -> None:
    def kinds() -> dict[str, str]:
        project.run(server, shares={"kind": ALL})
        return {row["id"]: row["kind"] for row in project.dataset()}

    project.facts(range(10), "b.jsonl")
    alone = kinds()
    project.facts(range(10, 25), "a.jsonl")
    shutil.rmtree(project.output)
    both = kinds()
    assert len(both) == 25
    assert both.items() >= alone.items()
    (project.root / "inputs" / "a.jsonl").unlink()
    shutil.rmtree(project.output)
    assert kinds() == alone


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
