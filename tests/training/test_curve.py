from __future__ import annotations

import math
from typing import Any

from augment_correction.training.config import TrainConfig
from augment_correction.training.curve import LOSS, RETENTION, TrainingCurve


def course(losses: dict[int, float], *more: dict[str, Any], **keys: Any) -> TrainingCurve:
    log = [{"step": step, LOSS: loss} for step, loss in losses.items()]
    return TrainingCurve([*log, *more], TrainConfig(model="m", data=("d",), **keys))


def test_it_goes_on_while_the_loss_falls() -> None:
    assert course({0: 3.0, 10: 2.0, 20: 1.5, 30: 1.2, 40: 1.0, 50: 0.9}).why_stop() is None


def test_patience_counts_evaluations_without_progress() -> None:
    losses = {0: 3.0, 10: 2.0, 20: 1.9995, 30: 2.1, 40: 1.9999}
    assert course(losses, patience=4).why_stop() is None
    assert "no progress: 3 evaluations" in (course(losses, patience=3).why_stop() or "")
    assert course(losses, patience=3, min_delta=0).why_stop() is None, "1.9995 was progress then"


def test_the_base_models_own_loss_is_no_evaluation_of_the_training() -> None:
    assert course({0: 1.0, 10: 2.0, 20: 2.0}, patience=2).why_stop() is None


def norms(first: float, then: float) -> list[dict[str, Any]]:
    return [{"step": step, "grad_norm": first if step <= 20 else then} for step in range(5, 65, 5)]


def test_convergence_needs_flat_loss_and_calm_gradients() -> None:
    losses = {step: 1.0 + 0.002 * (step % 20 == 0) for step in range(20, 70, 10)}
    assert "converged" in (course(losses, *norms(1.0, 0.8), patience=9).why_stop() or "")
    assert course(losses, *norms(1.0, 1.5), patience=9).why_stop() is None
    assert course({**losses, 60: 1.02}, *norms(1.0, 0.8), patience=9).why_stop() is None
    assert course(dict(list(losses.items())[1:]), *norms(1.0, 0.8), patience=9).why_stop() is None


def test_no_number_is_divergence() -> None:
    assert "diverged" in (course({0: 1.0, 10: math.nan}).why_stop() or "")
    assert "loss is not a number at step 5" in (course({0: 1.0}, {"step": 5, "loss": math.nan}).why_stop() or "")


class TestForgetting:
    GUARD = tuple({"step": step, RETENTION: loss} for step, loss in {0: 1.0, 10: 1.05, 20: 1.2}.items())
    LOSSES = {0: 3.0, 10: 2.0, 20: 1.0}  # noqa: RUF012

    def test_it_stops(self) -> None:
        assert "rose by 20.0% at step 20" in (course(self.LOSSES, *self.GUARD).why_stop() or "")

    def test_or_is_flagged(self) -> None:
        made = course(self.LOSSES, *self.GUARD, on_forgetting="flag")
        assert made.why_stop() is None and made.forgets(20) and not made.forgets(10)

    def test_a_checkpoint_that_forgot_is_never_the_best(self) -> None:
        assert course(self.LOSSES, *self.GUARD).best({10, 20}) == 10
        assert course(self.LOSSES, *self.GUARD).best({20}) is None


def test_the_best_is_among_what_was_saved() -> None:
    made = course({0: 0.1, 10: 2.0, 20: 1.0, 30: 1.5})
    assert made.best({10, 30, 31}) == 30 and made.best({10, 20, 30}) == 20 and made.best(set()) is None


def test_without_held_out_rows_the_last_that_has_not_forgotten_is_the_best() -> None:
    assert course({}).best({10, 20}) == 20
    assert course({}, *TestForgetting.GUARD).best({10, 20}) == 10
