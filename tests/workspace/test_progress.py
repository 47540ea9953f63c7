"""How far a job is, from the lines that `corrections train` and `run` write."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from augment_correction.workspace.progress import cost_of, curve_of, steps_of, telling_lines
from augment_correction.workspace.tables import Job
from augment_correction.workspace.working import log_of, log_path
from tests.workspace.places import settings_in

PREPARED = """note: the rows are written with the chat template
running: passages 0/0+; wordings 0; later stages 0
running: passages 1/3+, tokens in 3,862 out 3,252, 0.02 USD; wordings 1
writing: passages 3/3, tokens in 9,862 out 9,252, 0.05 USD; wordings 3 (3 kept)
"""
TRAINED = "  6 steps (6 an epoch), warm-up 0\nstep 1 of 6: loss 7.078, grad norm 0.7592\nstep 2 of 6: loss 3.5, grad norm 1.3\n"
PROBED = "stopped after step 6 of 6: all epochs are done\nasking: questions 11/13, 2.3 requests/s, 0.01 USD, about 2 s to go\n"
JUDGED = "writing: questions 13/13, tokens in 15,590 out 6,357, 0.02 USD\nversion 1: UNDECIDED; sft on corrections 1\n"


def states(log: str, *, running: bool = True) -> list[str]:
    return [step.state for step in steps_of("train", log, running=running)]


def test_a_training_goes_through_its_steps() -> None:
    assert states("") == ["now", "waiting", "waiting", "waiting"]
    assert states(PREPARED) == ["done", "now", "waiting", "waiting"]
    assert states(PREPARED + TRAINED) == ["done", "now", "waiting", "waiting"]
    assert states(PREPARED + TRAINED + PROBED) == ["done", "done", "now", "waiting"]
    assert states(PREPARED + TRAINED + PROBED + JUDGED, running=False) == ["done"] * 4
    training = steps_of("train", PREPARED + TRAINED, running=True)[1]
    assert (training.done, training.of) == (2, 6)


def test_one_that_ended_early_is_under_way_nowhere() -> None:
    assert states(PREPARED + TRAINED, running=False) == ["done", "waiting", "waiting", "waiting"]


def test_passages_of_which_more_are_found_are_not_all() -> None:
    [step] = steps_of("run", "running: passages 4/4+; generation 2\n", running=True)
    assert (step.state, step.done, step.of) == ("now", 4, 0)
    [step] = steps_of("run", "writing: passages 1,200/1,200, 0.10 USD\n", running=True)
    assert (step.state, step.of) == ("done", 1200)


def test_the_money_of_both_parts_is_added_once() -> None:
    assert cost_of("") is None
    assert cost_of(PREPARED + PROBED + JUDGED) == 0.07


def test_the_curve_runs_from_the_first_loss_to_the_last() -> None:
    assert curve_of(PREPARED) is None
    curve = curve_of(TRAINED)
    assert curve is not None and (curve.first, curve.last) == (7.078, 3.5)
    assert curve.points == "0.0,4.0 300.0,56.0"


def test_a_long_log_still_has_its_first_loss_and_what_the_wordings_cost(tmp_path: Path) -> None:
    settings, job = settings_in(tmp_path), Job(id="0123456789abcdef", org_id="0123456789abcdef", kind="train")
    path = log_path(settings, job)
    assert telling_lines(path) == log_of(settings, job) == ""
    path.parent.mkdir(parents=True)
    steps = "".join(f"step {n:,} of 2,000: loss {2000 / n:.4g}, grad norm 1\n" for n in range(1, 2001))
    path.write_text(PREPARED + steps + "step 2,000 of 2,000: los")
    told = telling_lines(path)
    curve = curve_of(told)
    assert curve is not None and (curve.first, curve.last) == (2000, 1)
    assert len(curve.points.split()) == 200
    assert (curve.points.split()[0], curve.points.split()[-1]) == ("0.0,4.0", "300.0,56.0")
    assert cost_of(told) == 0.05
    shown = log_of(settings, job)
    assert 19_000 < len(shown) <= 20_000 and shown.startswith("step ") and shown.endswith("of 2,000: los")
    assert log_of(settings, job, 10**9).startswith("note: ")


def test_half_of_a_number_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text(TRAINED + "step 3 of 6: loss 12")
    curve = curve_of(telling_lines(path))
    assert curve is not None and curve.last == 3.5
    path.write_text(TRAINED + "step 3 of 6: loss 1.234e-05, grad norm 1\n")
    curve = curve_of(telling_lines(path))
    assert curve is not None and curve.last == 1.234e-05
    path.write_text(TRAINED + "step 3 of 6: loss nan, grad norm nan\n")
    curve = curve_of(telling_lines(path))
    assert curve is not None and math.isnan(curve.last) and "nan" not in curve.points


def test_what_was_done_again_after_a_restart_counts_once() -> None:
    curve = curve_of(TRAINED + "step 2 of 6: loss 3.4, grad norm 1\nstep 3 of 6: loss 3, grad norm 1\n")
    assert curve is not None and (curve.first, curve.last) == (7.078, 3.0) and len(curve.points.split()) == 3
    again = "running: passages 0/3+, tokens in 0 out 0, 0.00 USD\nwriting: passages 3/3, 0.01 USD (0.06 USD with earlier runs)\n"
    assert cost_of(PREPARED + again) == pytest.approx(0.06)
    assert cost_of("writing: passages 3/3, 1,234.50 USD\n") == 1234.5
