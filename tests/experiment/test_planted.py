"""In a world with one weak topic: it is found, targeted data beat random data, and identical data are never called better."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest

from augment_correction.errors import ConfigError, ExitCode, InputError
from augment_correction.experiment.course import NothingWeak
from augment_correction.experiment.current import roll_back, versions
from augment_correction.experiment.places import Places
from augment_correction.experiment.running import refuse
from tests.experiment.world import TOPICS, WEAK, config_of, run_planted

ENOUGH = {"per_topic": 80}


def trained(root: Path) -> list[dict[str, Any]]:
    return [orjson.loads(line) for path in root.rglob("rows/*.jsonl") for line in path.read_bytes().splitlines()]


def test_the_weak_topic_is_found_and_targeted_data_beat_random_ones(tmp_path: Path) -> None:
    told: list[str] = []
    made, _ = run_planted(config_of(tmp_path, **ENOUGH), say=lambda name, figures: told.append(name))
    [only] = made.report["rounds"]
    assert [each["name"] for each in only["areas"] if each["chosen"]] == [WEAK]
    assert made.report["hypothesis"]["outcome"] == "SUPPORTED"
    assert made.exit_code is ExitCode.DONE
    assert only["differences"]["targeted - random"]["low"] > 0
    assert only["efficiency"]["targeted"] > only["efficiency"]["random"]
    assert made.report["final"]["differences"]["targeted - base"]["value"] > 0
    figures = [name for name in told if name not in ("phase", "training", "trained")]
    assert figures == ["baseline", "weak", "data", "after", "judged", "concluded"]


def test_arms_differ_in_their_sources_alone(tmp_path: Path) -> None:
    made, _ = run_planted(config_of(tmp_path, arms=["targeted", "random", "items_only"], **ENOUGH))
    arms = made.report["rounds"][0]["arms"]
    targeted, control = arms["targeted"], arms["random"]
    assert targeted["rows"] == control["rows"] > 0
    assert targeted["steps"] == control["steps"]
    assert abs(targeted["tokens"] - control["tokens"]) <= 0.01 * control["tokens"]
    items = arms["items_only"]
    assert items["tokens"] * items["epochs"] == pytest.approx(targeted["tokens"] * targeted["epochs"], rel=0.01)
    assert {each.split("-")[0] for each in targeted["sources"]} == {WEAK}
    assert len({each.split("-")[0] for each in control["sources"]}) > 2


@pytest.mark.slow
def test_two_arms_of_identical_data_are_hardly_ever_called_different(tmp_path: Path) -> None:
    outcomes = Counter(
        run_planted(config_of(tmp_path / str(world)), topical=False, world=world)[0].report["hypothesis"]["outcome"]
        for world in range(20)
    )
    assert outcomes["SUPPORTED"] <= 1


def test_items_of_held_out_sets_are_in_no_training_file(tmp_path: Path) -> None:
    run_planted(config_of(tmp_path, **ENOUGH))
    places = Places(tmp_path / "out")
    held = {
        orjson.loads(line)["id"]
        for name in ("probe", "dev", "final", "sentinel")
        for line in places.set(name).read_bytes().splitlines()
    }
    pool = {orjson.loads(line)["id"] for line in places.set("pool").read_bytes().splitlines()}
    assert not held & pool
    questions = {
        orjson.loads(line)["question"]
        for name in ("dev", "final")
        for line in places.set(name).read_bytes().splitlines()
    }
    said = {turn["content"] for row in trained(places.root) for turn in row["messages"]}
    assert said and not said & questions


@pytest.mark.parametrize("keys", [{"decision": {"alpha": 0.1}}, {"hypothesis": "Another one."}, {"seeds": 2}])
def test_what_was_sealed_cannot_be_changed(tmp_path: Path, keys: dict[str, Any]) -> None:
    run_planted(config_of(tmp_path))
    with pytest.raises(InputError, match="was sealed with other values") as refused:
        run_planted(config_of(tmp_path, **keys))
    assert next(iter(keys)) in refused.value.message


def test_a_wrong_reference_is_listed_and_never_trained(tmp_path: Path) -> None:
    bad = frozenset(f"{WEAK}-{number}" for number in range(0, 40, 8))
    made, _ = run_planted(config_of(tmp_path), bad=bad)
    listed = set(made.report["rounds"][0]["bad_references"])
    assert listed and listed <= bad
    lines = [orjson.loads(line) for line in (tmp_path / "out" / "weak_areas.jsonl").read_bytes().splitlines()]
    assert {each["item"] for each in lines if each["bad_reference"]} == listed
    sources = {item for arm in made.report["rounds"][0]["arms"].values() for item in arm["sources"]}
    assert not sources & bad


def test_a_model_that_forgets_is_rejected_and_the_pointer_stays(tmp_path: Path) -> None:
    made, _ = run_planted(config_of(tmp_path, iterations=3, **ENOUGH), forgets=0.6)
    places = Places(tmp_path / "out")
    first = made.report["rounds"][0]
    assert first["model"] == "reject"
    assert any(guard["holds"] is False and "sentinels" in guard["text"] for guard in first["guards"])
    assert versions(places) == [] and made.report["current"] == "base"
    assert places.quarantine("targeted", 1).is_file() and not places.rows("targeted", 1).exists()
    assert len(made.report["rounds"]) == 2, "two rejected rounds in a row end it"
    assert made.report["final"] is None, "the last set stays sealed"


def test_nothing_weak_is_no_success_and_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NothingWeak, match="none of the 40 items of the probe set is weak") as nothing:
        run_planted(config_of(tmp_path), skills=dict.fromkeys(TOPICS, 1.1))
    assert nothing.value.exit_code is ExitCode.REJECTS
    assert nothing.value.hint and "weak_by" in nothing.value.hint


def test_one_seed_is_never_supported(tmp_path: Path) -> None:
    made, _ = run_planted(config_of(tmp_path, seeds=1, **ENOUGH))
    assert made.report["hypothesis"]["outcome"] == "UNDECIDED"
    assert "one seed" in made.report["hypothesis"]["why"]


def test_rounds_build_on_what_was_accepted_and_rollback_goes_back(tmp_path: Path) -> None:
    made, _ = run_planted(config_of(tmp_path, iterations=2, **ENOUGH))
    places = Places(tmp_path / "out")
    known = versions(places)
    assert [each["round"] for each in known] == [
        each["round"] for each in made.report["rounds"] if each["model"] == "accept"
    ]
    assert known, made.report["rounds"][0]["guards"]
    again, _ = run_planted(config_of(tmp_path, iterations=2, **ENOUGH))
    assert again.report == made.report and versions(places) == known
    back = roll_back(places)
    assert versions(places) == known[:-1] and back == (known[-2] if len(known) > 1 else None)
    run_planted(config_of(tmp_path, iterations=2, **ENOUGH))
    assert versions(places) == known[:-1], "what was rolled back does not come back by itself"


def test_a_student_that_would_train_on_its_own_unverified_words_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="without any other model to verify them") as refused:
        refuse(config_of(tmp_path, generator=None))
    assert refused.value.hint and "allow_unverified_self" in refused.value.hint
    refuse(config_of(tmp_path, generator=None, verifier={"model": "other", "mode": "scripted"}))
    allowed = config_of(tmp_path, generator=None, data_generation={"allow_unverified_self": True}, **ENOUGH)
    refuse(allowed)
    made, _ = run_planted(allowed)
    assert made.report["unverified"] is True
    assert "no other model verified them" in allowed.log.read_text()


def test_excess_needs_a_model_that_tells_log_probabilities(tmp_path: Path) -> None:
    student = {"model": "somebody", "mode": "scripted"}
    with pytest.raises(ConfigError, match="tells no log-probabilities") as refused:
        refuse(config_of(tmp_path, student=student, weak_by="excess"))
    assert refused.value.hint and "weak_by: wrong" in refused.value.hint
    refuse(config_of(tmp_path, student=student))
