"""What an experiment leaves for a person: the page in a real browser, the log, the sweep's overrides."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from augment_correction.errors import ConfigError, InputError
from augment_correction.experiment.current import roll_back
from augment_correction.experiment.log import append
from augment_correction.experiment.places import Places
from augment_correction.experiment.running import drawn_again
from augment_correction.experiment.status import lines, snapshot
from augment_correction.experiment.sweeping import HEAD, Sweep, row
from augment_correction.store import RunFolder
from augment_correction.store.json_files import write_json
from tests.experiment.project import project_of
from tests.experiment.world import config_of, run_planted
from tests.report.test_browser import CHROMIUM, shown, text_of


def test_every_experiment_has_one_entry_under_the_log_s_headings(tmp_path: Path) -> None:
    log = tmp_path / "experiments" / "log.md"
    for number in (1, 2):
        made, _ = run_planted(
            config_of(tmp_path / str(number), path={"output_dir": str(tmp_path / f"out{number}"), "log": str(log)})
        )
    text = log.read_text()
    for heading in (
        "## Experiment 1: Error-Driven Training",
        "## Experiment 2:",
        "Date: ",
        "Hypothesis: ",
        "Setup:",
        "Results:",
        "Learnings:",
        "Next steps:",
    ):
        assert heading in text
    for line in (
        "- Threshold: a wrong answer",
        "- Variations: 6 per weak item",
        "- Training examples: ",
        "Baseline perplexity: ",
        "Decision: ",
    ):
        assert line in text
    config = config_of(tmp_path / "2", path={"output_dir": str(tmp_path / "out2"), "log": str(log)})
    append(log, config, made.report, date(2031, 1, 1))
    assert log.read_text() == text, "gone through again it changes its own entry, and keeps its date"


def test_the_status_says_where_it_stands(tmp_path: Path) -> None:
    made, _ = run_planted(config_of(tmp_path, seeds=1))
    places = Places(tmp_path / "out")
    seen = snapshot(places)
    assert seen["outcome"]["outcome"] == made.report["hypothesis"]["outcome"]
    assert any(line.startswith("HYPOTHESIS ") for line in lines(seen))
    assert drawn_again(places) == made.report


def test_the_status_after_a_sweep_names_its_experiments(tmp_path: Path) -> None:
    folder = tmp_path / "out" / "sweep" / "seeds_1"
    run_planted(config_of(tmp_path, seeds=1, path={"output_dir": str(folder), "log": str(tmp_path / "log.md")}))
    for asked in (snapshot, drawn_again):
        with pytest.raises(InputError, match="no experiment has been started") as told:
            asked(Places(tmp_path / "out"))
        assert told.value.hint and told.value.hint.endswith(f"--set path.output_dir={folder}")
    assert drawn_again(Places(folder))


def test_an_experiment_that_is_running_is_called_so_and_left_alone(tmp_path: Path) -> None:
    run_planted(config_of(tmp_path, seeds=1))
    places = Places(tmp_path / "out")
    places.result.unlink()
    write_json(places.progress, {"round": 1, "number": 4})
    assert "not running: the same `experiment run` resumes it" in "\n".join(lines(snapshot(places)))
    with RunFolder(places.root).held():
        assert any(line.endswith("; it is running") for line in lines(snapshot(places)))
        with pytest.raises(InputError) as told:
            drawn_again(places)
        assert told.value.hint and "it is running" in told.value.hint
        with pytest.raises(InputError, match="is running"):
            roll_back(places)
    assert not RunFolder(places.root).busy() and not RunFolder(tmp_path / "nowhere").busy()


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium")
def test_the_page_draws_areas_losses_arms_and_rounds(tmp_path: Path) -> None:
    run_planted(config_of(tmp_path, per_topic=80, iterations=2))
    page = tmp_path / "out" / "experiment.html"
    markup = shown(page, tmp_path, "")
    text = text_of(markup)
    assert "The hypothesis is supported" in text
    assert markup.count('class="point"') == 5 * 3, "five areas, three differences each"
    assert markup.count("<circle") > 200
    for each in (
        "By area",
        "Loss before and after",
        "Arms and seeds, weak areas",
        "targeted, seed 3",
        "Rounds",
        "Training data",
        "Sentinels",
        "Final set",
        "Cost",
    ):
        assert each in text
    assert not any(each in text for each in ("NaN", "undefined", "null"))
    assert "the first time?" in text_of(shown(page, tmp_path, "#questions"))
    assert "alpha of each round" in text_of(shown(page, tmp_path, "#sealed"))


def test_a_sweep_gives_each_value_a_folder_and_its_part_of_alpha(tmp_path: Path) -> None:
    config = project_of(tmp_path, tmp_path / "model")
    sweep = Sweep.parse("error_driven.perplexity_threshold=30,50,70,100")
    made = dict(sweep.overrides(str(config), ["seed=3"]))
    assert list(made) == [f"error_driven.perplexity_threshold={value}" for value in (30, 50, 70, 100)]
    for name, overrides in made.items():
        assert {"seed=3", name, "decision.alpha=0.0125"} < set(overrides)
    assert len({each for overrides in made.values() for each in overrides if each.startswith("path.")}) == 4
    assert len(row("x", None, "nothing is weak")) == len(HEAD)
    for wrong in ("error_driven.perplexity_threshold", "a=1", "a=1,1"):
        with pytest.raises(ConfigError, match="write key=a,b,c"):
            Sweep.parse(wrong)
