"""The figures of a training that tell how a network learned."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dlreg_core.array_types import Floats

Scale = Literal["rmse", "mae", "relative"]

STRIP = 5
"""Epochs whose median stands for one of them (Prechelt 1998 looks at the training in strips of this length)."""


@dataclass(frozen=True)
class CurveEvidence:
    """The figures that a verdict rests on.

    Attributes
    ----------
    epochs, best_epoch : int
        How many epochs have figures, and the number of the best one.
    best : float
        Validation RMSE of the best epoch, in target units.
    rise : float
        Median validation RMSE of the last strip over the lowest strip's, minus 1: Prechelt's generalisation loss, for
        the RMSE, as a share.
    training : float or None
        Training error of the best epoch in target units, an RMSE or a mean absolute error; None where it is neither.
    gap, final_gap : float or None
        Validation over training RMSE at the best epoch and at the end; None where the training error is no RMSE.
    training_fall : float or None
        Share by which the training error fell from the best epoch to the end; None where it isn't known.
    progress : float
        Share by which the validation RMSE of the last quarter lies below the quarter before it (medians).
    training_progress : float or None
        The same of the training error; None where it isn't known.
    scatter : float
        Standard deviation of the validation RMSE about its own trend in the second half, as a share of it.
    behind : float or None
        Best validation RMSE over the best of the run, minus 1; None where there is no other.
    learned : float or None
        Share of the target's standard deviation that the lowest training RMSE has taken off.
    noise : float
        Rise of the validation RMSE that may be luck, as a share; see `rise_by_luck`.
    lost : bool
        True where the validation error was no finite number after some later epoch.
    """

    epochs: int
    best_epoch: int
    best: float
    rise: float
    training: float | None
    gap: float | None
    final_gap: float | None
    training_fall: float | None
    progress: float
    training_progress: float | None
    scatter: float
    behind: float | None
    learned: float | None
    noise: float
    lost: bool


def rise_by_luck(rows: int) -> float:
    """Return by what share the validation RMSE may rise between two epochs that are equally good.

    Parameters
    ----------
    rows : int
        Validation rows.

    Returns
    -------
    float
        ``1 / sqrt(rows)``. An RMSE of n rows has a relative standard error of about ``1 / sqrt(2 n)``, the difference
        of two that are judged on the same rows and correlate by r one of ``sqrt((1 - r) / n)``, and this is two of
        those at r = 0.75. ``benchmarks/curves.py`` measures 0.8 to 1.15 over the root for an early and a late epoch of
        a training, and about half of that for two that are a quarter of a training apart.
    """
    return 1 / math.sqrt(max(1, rows))


def evidence_of(
    errors: Floats,
    losses: Floats,
    *,
    epochs: NDArray[np.intp],
    scale: Scale,
    target_std: float,
    run_best: float | None,
    noise: float,
    lost: bool,
) -> CurveEvidence:
    """Return the figures of a training.

    Parameters
    ----------
    errors, losses : ndarray of shape (epochs,)
        Validation RMSE, finite, and training error, NaN where there is none; see `dlreg_core.evaluation.curve_verdict`.
    epochs : ndarray of shape (epochs,)
        Their numbers.
    scale : {"rmse", "mae", "relative"}
        What `losses` is.
    target_std, run_best, noise : float
        Standard deviation of the target, best validation RMSE of the run, and what may be luck.
    lost : bool
        Whether there were epochs without a finite error.
    """
    place = int(errors.argmin())
    best, smooth = float(errors[place]), _smooth(errors)
    quarter = len(errors) // 4
    last, before = errors[-quarter:], errors[-2 * quarter : -quarter]
    end, loss_end, at_best = float(np.median(errors[-_strip(errors) :])), _tail(losses), _near(losses, place)
    lowest = float(np.nanmin(losses)) if np.isfinite(losses).any() else math.nan
    is_rmse = scale == "rmse"
    return CurveEvidence(
        epochs=len(errors),
        best_epoch=int(epochs[place]),
        best=best,
        rise=max(0.0, _ratio(end, float(smooth.min()), 1.0) - 1),
        training=at_best if scale != "relative" and math.isfinite(at_best) else None,
        gap=_gap(best, at_best) if is_rmse else None,
        final_gap=_gap(end, loss_end) if is_rmse else None,
        training_fall=1 - loss_end / at_best if math.isfinite(at_best) and at_best > 0 else None,
        progress=1 - _ratio(float(np.median(last)), float(np.median(before)), 1.0),
        training_progress=_fall(losses[-2 * quarter : -quarter], losses[-quarter:]),
        scatter=_scatter(errors),
        behind=best / run_best - 1 if run_best is not None and run_best > 0 else None,
        learned=1 - lowest / target_std if is_rmse and target_std > 0 and math.isfinite(lowest) else None,
        noise=noise,
        lost=lost,
    )


def _fall(before: Floats, after: Floats) -> float | None:
    """Return the share by which a training error fell from one part of the epochs to another."""
    first, last = _median(before), _median(after)
    return 1 - last / first if math.isfinite(first) and math.isfinite(last) and first > 0 else None


def _ratio(one: float, other: float, otherwise: float) -> float:
    return one / other if other > 0 else otherwise


def _gap(validation: float, training: float) -> float | None:
    # A training error of nothing at all is a gap beyond every threshold, and still a number.
    return validation / max(training, 1e-9 * validation) if math.isfinite(training) and validation > 0 else None


def _strip(values: Floats) -> int:
    """Return the epochs of a strip: fewer where five were too large a part of all of them."""
    return STRIP if len(values) >= 3 * STRIP else 3


def _smooth(values: Floats) -> Floats:
    """Return the median of each strip."""
    windows = np.lib.stride_tricks.sliding_window_view(values, _strip(values))
    return np.asarray(np.median(windows, axis=1), dtype=np.float64)


def _tail(values: Floats) -> float:
    return _median(values[-_strip(values) :])


def _near(values: Floats, place: int) -> float:
    """Return a training error at an epoch: the median of it and its neighbours."""
    return _median(values[max(0, place - 1) : place + 2])


def _median(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else math.nan


def _scatter(values: Floats) -> float:
    """Return the scatter of a curve's second half about its trend, as a share of it.

    Second differences leave nothing of a trend that is straight for three epochs; of independent errors with a standard
    deviation of 1 they have one of the root of 6. Their median counts, so that a single jump doesn't.
    """
    later = np.log(np.maximum(values[len(values) // 2 - 1 :], np.finfo(np.float64).tiny))
    bends = np.abs(np.diff(later, 2))
    return float(np.median(bends) / 0.6745 / math.sqrt(6)) if len(bends) else 0.0
