"""How far off a model is by how many steps ahead it predicts, in words and as a table."""

from __future__ import annotations

import pandas as pd

from dlreg_core.cleaning import counted
from dlreg_core.formatting import percent, percent_range, quantity
from dlreg_core.specs import HorizonCoverage, StepFigures, TrainResult


def span_words(ahead: HorizonCoverage, steps: int) -> str:
    """Return so many steps in words: "14 days"."""
    return counted(steps * ahead.size, ahead.unit)


def ahead_words(result: TrainResult, model: str, unit: str) -> str:
    """Return how far off a model is at the first step ahead and at the last; empty where no earlier target is used.

    Parameters
    ----------
    result : TrainResult
        With the figures of each step.
    model : str
        The model.
    unit : str
        Unit of the target.
    """
    ahead = result.ahead
    if ahead is None:
        return ""
    furthest = span_words(ahead, ahead.horizon)
    if ahead.horizon == 1:
        return f"Judged {furthest} ahead of the last value that is known. Rows further ahead get no prediction."
    figures = ahead.steps.get(model, ())
    beyond = "Rows further ahead get no prediction."
    if not figures:
        return f"Made for 1 to {furthest} ahead; too few test rows follow each other to judge each. {beyond}"
    off = "; ".join(f"{span_words(ahead, one.step)} ahead: off by {quantity(one.mae, unit)}" for one in _ends(figures))
    held = [one.coverage_90 for one in figures]
    low, high = min(held), max(held)
    holds = percent(low) if percent(low) == percent(high) else percent_range(low, high)
    return f"{off}. The 90 % intervals of each, on the test rows, hold {holds}. {beyond}"


def _ends(figures: tuple[StepFigures, ...]) -> tuple[StepFigures, ...]:
    return figures if len(figures) == 1 else (figures[0], figures[-1])


def how_far_words(result: TrainResult) -> str:
    """Return from how far the test rows were predicted; empty where no earlier target is used."""
    ahead = result.ahead
    if ahead is None or ahead.horizon == 1:
        return ""
    return (
        f"The figures of the leaderboard are of rows that are predicted from {span_words(ahead, 1)} to "
        f"{span_words(ahead, ahead.horizon)} before them, each distance as often as another."
    )


def width_by(result: TrainResult) -> str:
    """Return what the width of prediction intervals depends on."""
    return "how far ahead" if result.ahead is not None and result.ahead.horizon > 1 else "the prediction"


def ahead_table(result: TrainResult, model: str) -> pd.DataFrame:
    """Return the figures of a model by step.

    Returns
    -------
    DataFrame
        ``ahead`` in words, ``mae``, ``rmse``, ``half_width_90``, ``coverage_90``, ``rows``; empty where there are none.
    """
    ahead = result.ahead
    figures = ahead.steps.get(model, ()) if ahead is not None else ()
    lines = [
        {
            "ahead": span_words(ahead, one.step),
            "mae": one.mae,
            "rmse": one.rmse,
            "half_width_90": one.half_width_90,
            "coverage_90": one.coverage_90,
            "rows": one.rows,
        }
        for one in figures
        if ahead is not None
    ]
    return pd.DataFrame(lines, columns=["ahead", "mae", "rmse", "half_width_90", "coverage_90", "rows"])
