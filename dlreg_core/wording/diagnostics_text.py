"""What the diagnostic pictures show, a sentence each, computed from the rows.

A residual is actual - predicted: positive means predicted too low.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri
from scipy.stats import t as student

from dlreg_core.array_types import Floats
from dlreg_core.evaluation import NORMAL_95, error_by_quantile, pair
from dlreg_core.formatting import number, percent, quantity

_MOST_SMALL = 6
_CLEAR = 3.0
"""Standard errors from which a pattern is told; two would tell one where there is none too often."""

_GROUP_ROWS, _MOST_GROUPS = 20, 10


def predicted_actual_words(actual: ArrayLike, predicted: ArrayLike, unit: str) -> str:
    """Return how near to the truth most predictions are."""
    truth, guess = pair(actual, predicted)
    half, most = np.quantile(np.abs(truth - guess), [0.5, 0.9])
    return (
        f"Half of the predictions are within {quantity(float(half), unit)} of the truth, "
        f"nine in ten within {quantity(float(most), unit)}."
    )


def residuals_predicted_words(actual: ArrayLike, predicted: ArrayLike, unit: str) -> str:
    """Return the clearest pattern of residuals against predictions: a bias at an end, or a spread that grows."""
    truth, guess = pair(actual, predicted)
    residual = truth - guess
    if len(residual) < 20 or np.ptp(guess) == 0:
        return "There are too few different predictions to see a pattern."
    low, high = np.quantile(guess, [0.1, 0.9])
    ends = (("Large", residual[guess >= high]), ("Small", residual[guess <= low]))
    texts = {_clarity(part, residual): (word, float(part.mean())) for word, part in ends}
    clearest = max(texts)
    if clearest > 0:
        word, bias = texts[clearest]
        side = "low" if bias > 0 else "high"
        return f"{word} predictions are too {side}, by {quantity(abs(bias), unit, 2)} on average."
    return _spread_words(guess, residual)


def _clarity(part: Floats, residual: Floats) -> float:
    """Return how clear a bias of a part is, in standard errors; 0 where it is luck or too small to matter."""
    error = float(part.std(ddof=1)) / math.sqrt(len(part)) if len(part) > 1 else math.inf
    bias = abs(float(part.mean()))
    matters = bias > 0.2 * float(np.abs(residual).mean())
    if not matters or bias <= _CLEAR * error:
        return 0.0
    return bias / error if error > 0 else math.inf


def _spread_words(guess: Floats, residual: Floats) -> str:
    middle = np.median(guess)
    lower, upper = np.abs(residual[guess <= middle]), np.abs(residual[guess > middle])
    if len(upper) == 0 or not lower.mean() or not upper.mean():
        return "There are too few errors to see a pattern."
    ratio = float(upper.mean() / lower.mean())
    error = math.sqrt(float(upper.var()) / len(upper) + float(lower.var()) / len(lower))
    clear = abs(float(upper.mean() - lower.mean())) > _CLEAR * error
    if clear and ratio > 1.25:
        return f"The errors grow with the prediction: {number(ratio, 2)} × as large in the upper half as in the lower."
    if clear and ratio < 0.8:
        return f"The errors shrink with the prediction: {number(1 / ratio, 2)} × as large in the lower half."
    # What isn't clear isn't absent: the sentence says how large it may be (delta method, for the logarithm).
    spread = float(upper.var()) / len(upper) / float(upper.mean()) ** 2
    spread += float(lower.var()) / len(lower) / float(lower.mean()) ** 2
    reach = math.exp(_CLEAR * math.sqrt(spread))
    return (
        "No pattern is clear: the errors in the upper half of the predictions are "
        f"{number(ratio / reach, 2)} to {number(ratio * reach, 2)} × those in the lower half."
    )


def distribution_words(actual: ArrayLike, predicted: ArrayLike, unit: str) -> str:
    """Return the shape of the residuals: which way they lean, and whether few rows go badly wrong."""
    truth, guess = pair(actual, predicted)
    residual = truth - guess
    low, high = np.quantile(residual, [0.25, 0.75])
    # The spread of a normal distribution with these quartiles, which far rows don't touch.
    spread = float(high - low) / (2 * ndtri(0.75))
    lean = _lean_words(residual, unit)
    if spread == 0:
        return lean
    far = float(np.mean(np.abs(residual - np.median(residual)) > 3 * spread))
    expected = 2 * float(ndtr(-3))
    tolerance = _CLEAR * math.sqrt(expected * (1 - expected) / len(residual))
    if far > 2 * expected + tolerance:
        times = number(far / expected, 2)
        return f"{lean} {percent(far)} of the rows are far off, {times} × as many as a normal distribution has."
    return f"{lean} {percent(far)} of the rows are far off, not clearly more than the 0.3 % of a normal distribution."


def _lean_words(residual: Floats, unit: str) -> str:
    if not residual.any():
        return "Every prediction is exact."
    mean, count = float(residual.mean()), len(residual)
    if count < 2:
        return "One row doesn't tell whether predictions lean to one side."
    error = float(residual.std(ddof=1)) / math.sqrt(count)
    if abs(mean) <= _CLEAR * error:
        high, low = (quantity(end, unit, 2) for end in (_CLEAR * error - mean, _CLEAR * error + mean))
        return f"Predictions don't clearly lean: on average, anywhere from {high} too high to {low} too low."
    side = "low" if mean > 0 else "high"
    return f"Predictions are too {side} by {quantity(abs(mean), unit, 2)} on average."


def quantile_words(actual: ArrayLike, predicted: ArrayLike, unit: str) -> str:
    """Return for which predictions the error is largest.

    Whoever looks at the worst of several groups finds one by luck: its error must be larger than that of all rows by
    more than the worst of so many would be (Bonferroni). Groups are of at least 20 rows for that.
    """
    bins = int(np.clip(np.size(actual) // _GROUP_ROWS, 2, _MOST_GROUPS))
    table = error_by_quantile(actual, predicted, bins)
    overall = float(np.average(table["mae"], weights=table["rows"]))
    if len(table) < 2:
        return "There are too few different predictions to tell small ones from large ones."
    if overall == 0:
        return "The error is the same for all predictions."
    place = int(table["mae"].to_numpy().argmax())
    worst = table.iloc[place]
    # The interval of the table is that of a single group.
    error = (float(worst["mae_high"]) - float(worst["mae"])) / NORMAL_95
    reach = float(student.ppf(1 - 0.025 / len(table), max(1, int(worst["rows"]) - 1))) * error
    if not float(worst["mae"]) - reach > overall:
        return "No group of predictions is off by more than luck explains."
    text = f"It is off most {_where(table, place, unit)}: by {quantity(float(worst['mae']), unit)} on average, "
    text += f"{number(float(worst['mae']) / overall, 2)} × the error of all rows"
    bias = float(worst["bias"])
    if abs(bias) > 0.5 * float(worst["mae"]):
        text += f", mostly too {'low' if bias > 0 else 'high'}"
    return f"{text}."


def _where(table: pd.DataFrame, place: int, unit: str) -> str:
    low, high = (quantity(float(table[end].iloc[place]), unit) for end in ("low", "high"))
    if place == len(table) - 1:
        return f"where it predicts the largest values, {low} and more"
    if place == 0:
        return f"where it predicts the smallest values, up to {high}"
    return f"where it predicts {low} to {high}"


def small_groups_words(table: pd.DataFrame) -> str:
    """Return which groups of rows nobody looked at, since they are too small; empty where there is none.

    Parameters
    ----------
    table : DataFrame
        As `dlreg_core.evaluation.error_segments.small_groups` returns it.
    """
    if table.empty:
        return ""
    told = []
    for column, groups, largest in zip(table["column"], table["groups"], table["largest"], strict=True):
        told.append(str(largest) if groups == 1 else f"{groups:,} groups of {column}")
    more = f" and {len(told) - _MOST_SMALL} columns more" if len(told) > _MOST_SMALL else ""
    return f"Not looked at, since they have fewer than 30 rows: {', '.join(told[:_MOST_SMALL])}{more}."
