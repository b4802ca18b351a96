"""What a result stands on, in sentences: which rows, which run, and why this model was chosen."""

from __future__ import annotations

from datetime import tzinfo

from dlreg_core.formatting import duration, percent, quantity
from dlreg_core.specs import Device, ExplainResult, LeaderboardRow, Report, RowCounts, TrainResult
from dlreg_core.splitting import WHY_DRAWN
from dlreg_core.wording.model_text import best_name, in_sentence, is_plural


def run_words(report: Report, zone: tzinfo | None = None) -> str:
    """Return when a run was started, how long it took and on what: "22 November 2026, 14:05 · 1:49 · CPU".

    Parameters
    ----------
    report : Report
        The run.
    zone : tzinfo, optional
        Where the reader is; UTC by default.
    """
    parts = []
    if report.started is not None:
        moment = report.started.astimezone(zone) if zone is not None else report.started
        parts.append(f"{moment:%-d %B %Y, %H:%M}{'' if zone is not None else ' UTC'}")
    if report.result is not None:
        chosen = report.experiment.plan.device
        parts += [f"took {duration(report.result.seconds)}", device_words(report.result, chosen)]
    return " · ".join(parts)


def device_words(result: TrainResult, chosen: Device = "auto") -> str:
    """Return on what a run was trained, of which `chosen` was asked for: "on the CPU, 2 cores"."""
    elsewhere = [fit.fell_back for fit in result.plan.fits if fit.device == "cpu"]
    if result.device == "cpu" and result.cores:
        cores = "1 core" if result.cores == 1 else f"{result.cores} cores"
        return f"on the CPU, {cores}{', as chosen' if chosen == 'cpu' else ''}"
    if result.device == "cpu" or not elsewhere or not result.gpu:
        return f"on the {result.device.upper()}"
    why = "its memory did not suffice" if all(elsewhere) else "it was faster"
    if any(elsewhere) and not all(elsewhere):
        why = "it was faster or the GPU's memory did not suffice"
    return f"on the GPU {result.gpu} and, where {why}, on the CPU"


def rows_words(rows: RowCounts) -> str:
    """Return how many rows went where, and how many were left out."""
    if rows.folds:
        text = (
            f"The networks learned from {rows.train:,} rows in {rows.folds} folds: each row chose among them by "
            f"predictions of networks that had not seen it. {rows.test:,} test rows judged them once."
        )
    else:
        text = (
            f"The networks learned from {rows.train:,} rows, {rows.validation:,} validation rows chose among them, and "
            f"{rows.test:,} test rows judged them once."
        )
    left_out = [
        f"{count:,} {what}"
        for count, what in (
            (rows.dropped_missing_target, "without a target"),
            (rows.dropped_duplicates, "that were duplicates"),
            (rows.dropped_unplaced, "without a value in the column that the split goes by"),
        )
        if count
    ]
    if rows.outlying:
        text += f" {rows.outlying:,} training rows with outliers taught nothing."
    text = f"{text} Left out: {' and '.join(left_out)}." if left_out else text
    if rows.drawn:
        text += f" All of these were drawn at random from the {rows.drawn_from:,} rows of the table: {WHY_DRAWN}."
    return text


def chosen_words(result: TrainResult) -> str:
    """Return why another network than the one with the lowest test error was chosen; empty where none is lower.

    Baselines were no candidates: that one is lower is what the first sentence about a run says.
    """
    candidates = [row for row in result.leaderboard if row.role != "baseline" or row.model == result.best_model]
    judged = [row for row in candidates if row.rmse is not None]
    first = min(judged, key=lambda row: row.rmse or 0.0, default=None)
    if first is None or first.model == result.best_model:
        return ""
    return (
        f"{first.model} has the lower RMSE on the test rows, but the validation rows chose "
        f"{best_name(result, first=False)}: test rows choose nothing, so that their verdict stays honest."
    )


def better_baseline(result: TrainResult) -> LeaderboardRow | None:
    """Return the baseline that is clearly better than the chosen network on the test rows; None where there is none.

    Of several, the one with the lowest mean absolute error. It was no candidate, but can be predicted with and
    exported as well.
    """
    told = result.comparisons or ((result.comparison,) if result.comparison is not None else ())
    ahead = {one.baseline for one in told if one.interval.high < 0}
    rows = [row for row in result.leaderboard if row.model in ahead and row.mae is not None]
    return min(rows, key=lambda row: row.mae or 0.0, default=None)


def model_label(result: TrainResult, model: str) -> str:
    """Return a model's name in a list: which one validation chose, and which baseline is better than that."""
    better = better_baseline(result)
    if model == result.best_model:
        return f"{model} (chosen)"
    return f"{model} (better here)" if better is not None and model == better.model else model


def model_words(row: LeaderboardRow, unit: str) -> str:
    """Return how far one model is off: "TabM is off by $29,900 on average (RMSE $45,200, R² 0.84)"."""
    name = in_sentence(row.model)
    verb = "are" if is_plural(row.model) else "is"
    r2 = f", R² {row.r2:.2f}".replace("-", "\u2212") if row.r2 is not None else ""
    return (
        f"{name[:1].upper()}{name[1:]} {verb} off by {quantity(row.mae, unit)} on average "
        f"(RMSE {quantity(row.rmse, unit)}{r2})."
    )


def explanation_words(result: ExplainResult) -> str:
    """Return what an explanation rests on, what it cost and how exact it is.

    "From 60 rows, 50 background rows, took 0.9 s, error ± 8 %"; the error is that of the strongest column's values.
    """
    text = f"From {result.rows:,} rows, {result.background:,} background rows, took {duration(result.seconds)}"
    if result.relative_error == 0:
        return f"{text}, exact"
    return f"{text}, error ± {percent(result.relative_error)}" if result.relative_error is not None else text
