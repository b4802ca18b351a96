"""What a training found, in sentences."""

from __future__ import annotations

import math

import pandas as pd

from dlreg_core.charts.shap import importance
from dlreg_core.evaluation import calibrating_rows, likely_coverage
from dlreg_core.formatting import (
    about,
    duration,
    estimate,
    number,
    number_range,
    percent,
    percent_range,
    quantity,
    quantity_range,
    rows_per_second,
    signed,
    size,
)
from dlreg_core.specs import (
    ENOUGH_BACKGROUND,
    ENOUGH_EXPLAINED,
    BaselineStrength,
    Comparison,
    LeaderboardRow,
    RowCounts,
    TrainResult,
)

__all__ = [
    "about",
    "against",
    "best_name",
    "coverage_words",
    "duration",
    "estimate",
    "headline",
    "in_sentence",
    "is_plural",
    "number",
    "number_range",
    "percent",
    "percent_range",
    "quantity",
    "quantity_range",
    "rows_per_second",
    "shap_words",
    "signed",
    "size",
    "strength_of",
    "strength_words",
    "versus_baseline",
]

_MOST_MEMBERS = 3
_PHRASES = {
    "mean": "always predicting the mean",
    "median": "always predicting the median",
    "ridge": "ridge regression",
    "ridge regression": "ridge regression",
    "linear regression": "linear regression",
    "decision tree": "a decision tree",
    "boosted trees": "boosted trees",
    "gradient boosting": "boosted trees",
    "random forest": "a random forest",
    "ensemble": "the ensemble",
}
_PLURAL = ("boosted trees", "gradient boosting")


def in_sentence(model: str) -> str:
    """Return a model's name as it stands inside a sentence: "ridge regression", "a decision tree", "TabM"."""
    return _PHRASES.get(model.lower(), model)


def is_plural(model: str) -> bool:
    """Return True for a model whose name takes a plural verb: boosted trees "are"."""
    return model.lower() in _PLURAL


def against(result: TrainResult, model: str) -> str:
    """Return a model's name inside a sentence with what it was fitted with, where it has a strength.

    "boosted trees (1,000 of them)", "boosted trees (400 of their 1,000 trees)".
    """
    told = strength_words(strength_of(result, model))
    return f"{in_sentence(model)} ({told})" if told else in_sentence(model)


def strength_of(result: TrainResult, model: str) -> BaselineStrength | None:
    """Return what a reference was fitted with; None where it has no strength to tell, or isn't there."""
    row = _row(result, model)
    if row is None or not row.trained or row.family != "BOOSTED":
        return None
    trees = result.plan.baseline_iterations
    # Results of earlier versions told the trees alone.
    return row.strength or (BaselineStrength(trees=trees, rows=0, of_rows=0) if trees else None)


def strength_words(found: BaselineStrength | None) -> str:
    """Return how many trees and rows a reference has, and of how many where that isn't all; empty without one."""
    if found is None:
        return ""
    parts = [f"{found.trees:,} of them" if found.trees >= found.of_trees else f"{found.trees:,} of their "]
    if found.trees < found.of_trees:
        parts[0] += f"{found.of_trees:,} trees"
    if found.rows < found.of_rows:
        parts.append(f"fitted on {found.rows:,} of {found.of_rows:,} rows")
    return ", ".join(parts)


def best_name(result: TrainResult, *, first: bool = True) -> str:
    """Return what the best model is called: an ensemble by its members, "TabM + RealMLP (ensemble)".

    With `first` false, as it stands inside a sentence: "an ensemble of 4 networks".
    """
    row = _row(result, result.best_model)
    weights = {name: weight for name, weight in result.ensemble_weights.items() if weight > 0}
    if row is None or row.role != "ensemble" or not weights:
        return result.best_model
    members = sorted(weights, key=lambda name: -weights[name])
    if len(members) > _MOST_MEMBERS:
        return f"{'An' if first else 'an'} ensemble of {len(members)} networks"
    return f"{' + '.join(members)} (ensemble)"


def headline(result: TrainResult, unit: str) -> str:
    """Return the first sentence about a run: how far the best model is off on the test rows.

    Where a baseline is as good or better, this sentence says so.
    """
    best = _row(result, result.best_model)
    if best is None or best.mae is None:
        return "No model could be judged."
    rows = f"on {result.rows.test:,} rows it has never seen"
    rival = _rival(result)
    if best.role == "baseline" and not any(row.role == "network" and row.trained for row in result.leaderboard):
        verb = "are" if is_plural(best.model) else "is"
        return f"No network could be trained. {_capital(in_sentence(best.model))} {verb} {_off(best, unit)} {rows}."
    if best.role == "baseline":
        return f"{_capital(in_sentence(best.model))} is best here, ahead of every network: {_off(best, unit)} {rows}."
    if rival is None or rival.mae is None:
        return f"{best_name(result)} is {_off(best, unit)} {rows}."
    name, network = _capital(in_sentence(rival.model)), best_name(result, first=False)
    figures = f"off by {quantity(rival.mae, unit)} on average against {quantity(best.mae, unit)} for {network}"
    seen = f"on {result.rows.test:,} rows neither has seen"
    verb = "does" if not is_plural(rival.model) else "do"
    if _baseline_clearly_better(result, rival, best):
        return f"{name} {verb} better than the networks here: {figures}, {seen}."
    return f"{name} {verb} as well as the networks here: {figures}, {seen}."


def versus_baseline(result: TrainResult) -> str:
    """Return the second sentence: by how much the best model beats the baseline, and whether that is luck.

    Empty where there is no comparison.
    """
    comparison = result.comparison
    if comparison is None:
        return ""
    name, found = against(result, comparison.baseline), strength_of(result, comparison.baseline)
    low, high = comparison.interval.low, comparison.interval.high
    span = f"{percent(comparison.interval.level)}: {percent_range(low, high)}"
    if low > 0:
        # Who beats a reference that was cut short has not beaten the reference.
        whole = found is None or found.full
        rest = "and the difference is not luck" if whole else "which are below their full strength"
        text = f"That is {percent(comparison.improvement)} better than {name}, {rest} ({span})."
    elif high < 0:
        worse, range_worse = percent(-comparison.improvement), percent_range(-high, -low)
        span = f"{percent(comparison.interval.level)}: {range_worse}"
        text = f"The networks' error is {worse} higher than that of {name}, and the difference is not luck ({span})."
    else:
        text = f"That is no clear gain over {name}: the difference may be luck ({span})."
    return f"{text} {_other_measure(result, comparison)}".strip()


def coverage_words(row: LeaderboardRow, rows: RowCounts, unit: str, by: str = "the prediction") -> str:
    """Return whether the 90 % prediction interval keeps its promise on the test rows; empty where there is none.

    Parameters
    ----------
    row : LeaderboardRow
        With ``half_width_90`` and ``coverage_90``.
    rows : RowCounts
        How many rows calibrated the intervals, and how many tested them: the promise counts as kept where both kinds of
        luck together explain what was found. See `dlreg_core.evaluation.conformal.likely_coverage`.
    unit : str
        Unit of the target.
    by : str
        What the width depends on, where it does.
    """
    if row.half_width_90 is None or row.coverage_90 is None or rows.test < 1:
        return ""
    # With folds each row that isn't for the test was held out once.
    choosing = row.rows_validation or rows.validation + (rows.train if rows.folds else 0)
    calibrating = calibrating_rows(choosing, varies=row.half_widths_90 is not None)
    low, high = likely_coverage(calibrating, rows.test)
    inside = row.coverage_90
    # Both are counts of rows over their number: less than half a row apart is the same.
    slack = 0.5 / rows.test
    verdict = (
        "fewer than promised"
        if inside < low - slack
        else "more than promised"
        if inside > high + slack
        else "as it should"
    )
    return (
        f"The 90 % interval, {_reach(row, unit, by)}, holds {percent(inside)} of {rows.test:,} rows it has never seen, "
        f"{verdict} ({percent_range(low, high)} may be luck)."
    )


def _reach(row: LeaderboardRow, unit: str, by: str) -> str:
    """Return how wide the prediction interval is, and how far that depends on the prediction."""
    typical, between = f"± {quantity(row.half_width_90, unit)}", row.half_widths_90
    if between is None:
        return typical
    low, high = quantity(between.low, unit), quantity(between.high, unit)
    if low == high:
        return typical
    return f"typically {typical} (mostly from ± {low} to ± {high}, by {by})"


def shap_words(values: pd.DataFrame, unit: str, background: int | None = None) -> str:
    """Return which features matter most; of few rows, that their order is uncertain comes first.

    Parameters
    ----------
    values : DataFrame of shape (rows, features)
        SHAP values in units of the target.
    unit : str
        Unit of the target.
    background : int, optional
        How many background rows the values were found with; enough where it isn't given.
    """
    table = importance(values)
    names, first = list(table["feature"]), float(table["mean_abs"].iloc[0])
    if first == 0:
        return "No column moves the prediction."
    text = f"{names[0]} matters most: it moves the prediction by {quantity(first, unit)} on average"
    following = [name for name, mean in zip(names[1:3], table["mean_abs"][1:3], strict=True) if mean > 0]
    rows, behind = len(values), background if background is not None else ENOUGH_BACKGROUND
    if (rows < ENOUGH_EXPLAINED or behind < ENOUGH_BACKGROUND) and following:
        behind_words = f" and {behind:,} background rows" if background is not None else ""
        text = (
            f"The order of the columns is uncertain, from {rows:,} rows{behind_words}: {names[0]} seems to matter most "
            f"(it moves the prediction by {quantity(first, unit)} on average)"
        )
    return f"{text}; then {' and '.join(following)}." if following else f"{text}."


def _row(result: TrainResult, model: str) -> LeaderboardRow | None:
    return next((row for row in result.leaderboard if row.model == model), None)


def _off(row: LeaderboardRow, unit: str) -> str:
    figures = [f"RMSE {quantity(row.rmse, unit)}"]
    if row.r2 is not None:
        figures.append(f"R² {_r2(row.r2)}")
    return f"off by {quantity(row.mae, unit)} on average ({', '.join(figures)})"


def _r2(value: float) -> str:
    # 0.998 must not become 1.00, since nothing is explained in full.
    return f"{value:.2f}".replace("-", "\u2212") if value < 0.995 else f"{math.floor(value * 10_000) / 10_000:.4g}"


def _rival(result: TrainResult) -> LeaderboardRow | None:
    """Return the baseline that is as good as the best model or better, None where there is none."""
    best, comparison = _row(result, result.best_model), result.comparison
    if best is None or best.mae is None:
        return None
    judged = [row for row in result.leaderboard if row.role == "baseline" and row.mae is not None]
    ahead = min(judged, key=lambda row: row.mae or 0.0, default=None)
    if ahead is not None and ahead.mae is not None and ahead.mae <= best.mae:
        return ahead
    if comparison is not None and comparison.interval.low <= 0:
        return _row(result, comparison.baseline)
    return None


def _baseline_clearly_better(result: TrainResult, rival: LeaderboardRow, best: LeaderboardRow) -> bool:
    """Return True where the rival's lead isn't luck, or where only the plain figures can tell."""
    comparison = result.comparison
    if comparison is not None and comparison.baseline == rival.model:
        return comparison.interval.high < 0
    return (rival.mae or 0.0) < (best.mae or 0.0)


def _other_measure(result: TrainResult, comparison: Comparison) -> str:
    """Return a remark where the baseline's RMSE says the opposite of the MAE."""
    best, other = _row(result, result.best_model), _row(result, comparison.baseline)
    if best is None or other is None or best.rmse is None or other.rmse is None:
        return ""
    if comparison.interval.low > 0 and other.rmse < best.rmse:
        name = _capital(in_sentence(other.model))
        have = "have" if is_plural(other.model) else "has"
        return f"{name} {have} the lower RMSE, which weighs large errors more."
    return ""


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
