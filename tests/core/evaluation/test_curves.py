from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlreg_core.evaluation.curve_evidence import rise_by_luck
from dlreg_core.evaluation.curve_verdict import CurveVerdict, judge_curves

EPOCHS = np.arange(1, 41)
FALLING = 5 + 10 * np.exp(-EPOCHS / 4)
"""Levels off at 5 long before its end."""


def judged(validation: Any, training: Any = None, **how: Any) -> CurveVerdict:
    usual = {"target_std": 16.0, "run_best": 5.0, "validation_rows": 1000}
    return judge_curves(validation, validation if training is None else training, **{**usual, **how})


def test_a_curve_that_levels_off_is_good() -> None:
    verdict = judged(FALLING, 0.95 * FALLING)
    assert (verdict.kind, verdict.suggestions) == ("good", ())
    found = verdict.evidence
    assert found is not None
    assert (found.epochs, found.best_epoch) == (40, 40)
    assert found.gap == pytest.approx(1 / 0.95, rel=0.01)
    assert found.learned == pytest.approx(1 - 0.95 * 5 / 16, rel=0.01)


def rising(by: float) -> np.ndarray:
    """Falls until epoch 10, and then rises in a straight line, to `by` above its lowest."""
    return np.where(EPOCHS <= 10, 5 + (10 - EPOCHS), 5 * (1 + by * (EPOCHS - 10) / 30))


def test_an_error_that_rises_while_the_training_error_falls_is_overfitting() -> None:
    verdict = judged(rising(0.2), 4.5 - EPOCHS / 25)
    assert verdict.kind == "overfit"
    assert not verdict.is_kept
    assert verdict.suggestions[0] == "stop_early"
    found = verdict.evidence
    assert found is not None
    assert found.best_epoch == 10
    # The median of the last five epochs, over that of the lowest strip: epochs 8 to 12 or later ones.
    lowest = min(np.median(rising(0.2)[i : i + 5]) for i in range(36))
    assert found.rise == pytest.approx(np.median(rising(0.2)[-5:]) / lowest - 1)


def test_the_same_rise_on_few_rows_may_be_luck() -> None:
    assert judged(rising(0.2), 4.5 - EPOCHS / 25, validation_rows=20).kind == "good"
    assert rise_by_luck(100) == 0.1
    assert rise_by_luck(0) == 1.0


def test_an_error_that_rises_on_both_kinds_of_rows_is_no_overfitting() -> None:
    assert judged(rising(0.5), rising(0.5)).kind == "unstable"


def test_a_large_gap_at_the_best_epoch_is_one_of_the_network_that_is_kept() -> None:
    verdict = judged(FALLING, FALLING / 2.5)
    assert verdict.kind == "overfit"
    assert verdict.is_kept
    assert verdict.suggestions[0] == "more_dropout"
    # Where the training error is no RMSE, nothing is known of gaps.
    for scale in ("mae", "relative"):
        assert judged(FALLING, FALLING / 2.5, scale=scale).kind == "good"


def test_rows_that_are_learned_by_heart_while_validation_stands_still() -> None:
    flat = np.where(EPOCHS <= 10, FALLING, FALLING[9])
    verdict = judged(flat, flat / (1 + np.maximum(EPOCHS - 10, 0) / 5), run_best=None)
    assert verdict.kind == "overfit"
    assert not verdict.is_kept
    assert not verdict.rises


def test_a_training_that_was_cut_short_was_still_improving() -> None:
    verdict = judged(20 * np.exp(-EPOCHS / 40), run_best=1.0)
    assert verdict.kind == "still_improving"
    assert verdict.suggestions[0] == "more_epochs"
    found = verdict.evidence
    assert found is not None
    # From the middle of one quarter to the middle of the next there are ten epochs.
    assert found.progress == pytest.approx(1 - np.exp(-10 / 40), rel=1e-3)


def test_a_network_that_is_worse_on_its_own_rows_than_others_on_new_ones_underfits() -> None:
    verdict = judged(FALLING, FALLING, run_best=4.0)
    assert verdict.kind == "underfit"
    assert not verdict.learned_nothing
    assert verdict.suggestions[0] == "larger_network"
    # A mean absolute error is a lower bound of the RMSE.
    assert judged(FALLING, FALLING, run_best=4.0, scale="mae").kind == "underfit"
    assert judged(FALLING, 0.8 * FALLING, run_best=4.0).kind == "good"
    # Whose lead may be luck is no evidence.
    assert judged(FALLING, FALLING, run_best=4.0, validation_rows=10).kind == "good"


@pytest.mark.parametrize(("falls", "first"), [(0.001, "larger_steps"), (-0.001, "smaller_steps")])
def test_a_network_that_learned_nothing(falls: float, first: str) -> None:
    verdict = judged(16 - falls * EPOCHS, np.full(40, 16.0), run_best=None)
    assert verdict.kind == "underfit"
    assert verdict.learned_nothing
    assert verdict.suggestions[0] == first


def test_jumps_from_epoch_to_epoch_are_unsteady() -> None:
    noise = np.random.default_rng(0).normal(size=2000)
    trend = np.linspace(6, 5, 2000)
    verdict = judged(trend * np.exp(0.15 * noise), trend)
    assert verdict.kind == "unstable"
    assert verdict.evidence is not None
    assert verdict.evidence.scatter == pytest.approx(0.15, rel=0.1)
    assert judged(FALLING * np.exp(0.01 * noise[:40]), FALLING).kind == "good"


def test_an_error_that_is_no_number_any_more() -> None:
    verdict = judged(np.where(EPOCHS > 30, np.inf, FALLING), FALLING)
    assert verdict.kind == "unstable"
    assert verdict.evidence is not None
    assert verdict.evidence.lost
    # Before the first figure there was none to lose; the numbers of the epochs stay.
    late = judged(np.where(EPOCHS <= 3, np.nan, FALLING), FALLING)
    assert late.kind == "good"
    assert late.evidence is not None
    assert (late.evidence.epochs, late.evidence.best_epoch) == (37, 40)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([], "it told no validation error"),
        ([np.nan] * 30, "it told no validation error"),
        ([3.0], "1 epoch is too few to see a trend"),
        ([3.0, 2.0, 1.0], "3 epochs are too few to see a trend"),
    ],
)
def test_too_little_for_a_verdict(values: list[float], reason: str) -> None:
    verdict = judged(values)
    assert (verdict.kind, verdict.evidence, verdict.reason) == ("too_short", None, reason)


def test_where_no_epoch_beats_the_line_that_a_network_begins_with_the_line_is_what_is_kept() -> None:
    # Without the start, the same curve would be one of overfitting in the very network that is kept.
    climbing = np.linspace(5.2, 9.0, 40)
    assert judged(climbing, 0.3 * climbing[::-1]).kind == "overfit"
    verdict = judged(climbing, 0.3 * climbing[::-1], start=5.1)
    assert (verdict.kind, verdict.evidence, verdict.suggestions, verdict.is_kept) == ("line", None, (), False)
    assert judged(climbing, 0.3 * climbing[::-1], start=5.3).kind == "overfit"
    assert judged(FALLING, 0.95 * FALLING, start=50.0).kind == "good"


def test_both_curves_have_the_same_epochs() -> None:
    with pytest.raises(ValueError, match="as many epochs"):
        judge_curves([1.0, 2.0], [1.0])


def test_exact_predictions_are_no_division_by_zero() -> None:
    assert judged(np.zeros(20), np.zeros(20), run_best=0.0).kind in ("good", "overfit")
    assert judged(np.ones(20), np.full(20, np.nan)).kind == "good"
    assert judged(np.ones(20), np.zeros(20), run_best=1.0).is_kept


positive = st.floats(1e-3, 1e3)


@given(st.lists(positive, min_size=8, max_size=120), st.floats(0.51, 3.0), st.integers(0, 5000))
def test_a_curve_that_only_falls_is_never_overfit(falls: list[float], ratio: float, rows: int) -> None:
    errors = np.cumsum(falls[::-1])[::-1]
    verdict = judged(errors, ratio * errors, validation_rows=rows, run_best=None)
    assert verdict.kind not in ("overfit", "too_short")
    assert verdict.evidence is not None
    assert verdict.evidence.rise == 0
    # Nor is it where the training error is one that gaps can't be told from.
    assert judged(errors, ratio * errors / 100, scale="mae", run_best=None).kind != "overfit"


@given(st.lists(st.tuples(positive, positive), min_size=1, max_size=60), st.sampled_from([0.25, 8.0, 1024.0]))
def test_the_unit_of_the_target_changes_nothing(curve: list[tuple[float, float]], unit: float) -> None:
    errors, losses = np.array(curve).T
    one = judge_curves(errors, losses, target_std=3.0, run_best=1.0, validation_rows=50)
    other = judge_curves(unit * errors, unit * losses, target_std=3 * unit, run_best=unit, validation_rows=50)
    assert (one.kind, one.suggestions, one.reason) == (other.kind, other.suggestions, other.reason)


def test_scatter_is_no_sign_of_long_steps_while_the_training_error_falls() -> None:
    epochs = np.arange(12)
    training = 8 * 0.97**epochs
    validation = 9 * 0.985**epochs * (1 + 0.12 * np.array([0, 1, -1, 1, 0, 1, -1, 1, 0, -1, 1, -1]))
    verdict = judged(validation, training, validation_rows=300)
    assert verdict.evidence is not None
    assert verdict.evidence.scatter > 0.05
    assert verdict.evidence.training_progress == pytest.approx(1 - 0.97**3)
    assert verdict.kind == "still_improving"
    steady = judged(validation, np.full(12, 7.0), validation_rows=300)
    assert steady.kind == "unstable"


def test_a_weak_network_whose_training_error_falls_fast_lacks_time() -> None:
    epochs = np.arange(12)
    validation = 9 * 0.999**epochs
    assert judged(validation, 8 * 0.96**epochs, run_best=4.0).kind == "still_improving"
    assert judged(validation, 8 * 0.999**epochs, run_best=4.0).kind == "underfit"
