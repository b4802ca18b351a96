"""What a search for settings found: its trials as a table, and what mattered in words."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from dlreg_core.charts.base import is_there, row_records
from dlreg_core.evaluation import LEAST_TRIALS, SettingImportance
from dlreg_core.formatting import percent, quantity, value_words
from dlreg_core.specs import Search, TrainResult

_MOST_NAMED, _SMALL_SHARE = 3, 0.05


def trial_table(result: TrainResult, search: Search) -> pd.DataFrame:
    """Return the trials of a search, the lowest validation error first, those without one last.

    Returns
    -------
    DataFrame
        ``trial`` (from 1), ``model``, a column for each searched setting by its name (missing where it had no effect in
        that trial), ``rmse_validation`` (in the target's unit) and ``fit_seconds``.
    """
    rows = {row.model: row for row in result.leaderboard}
    lines = [
        {
            "trial": fit.trial,
            "model": fit.model,
            **{name: fit.chosen.get(name) for name in search.ranges},
            "rmse_validation": rows[fit.model].rmse_validation if fit.model in rows else None,
            "fit_seconds": rows[fit.model].fit_seconds if fit.model in rows else None,
        }
        for fit in result.plan.fits
        if fit.trial is not None
    ]
    table = pd.DataFrame(lines, columns=["trial", "model", *search.ranges, "rmse_validation", "fit_seconds"])
    figures = ["rmse_validation", "fit_seconds"]
    table[figures] = table[figures].astype("float64")
    return table.sort_values("rmse_validation", kind="stable", na_position="last").reset_index(drop=True)


def mattered_words(importance: SettingImportance, titles: Mapping[str, str]) -> str:
    """Return which settings mattered, and how far that can be trusted: "Learning rate mattered most (71 %), then …".

    Parameters
    ----------
    importance : SettingImportance
        What was found out about the trials.
    titles : mapping of str to str
        What a person reads for the name of a setting.
    """
    if importance.trials < LEAST_TRIALS:
        return f"{_trials(importance.trials)} can't tell which settings mattered."
    named = [(titles[name], share) for name, share in importance.shares.items() if share >= _SMALL_SHARE]
    if not named:
        return "No setting clearly mattered: the errors can't be told from what was tried."
    text = f"{named[0][0]} mattered most ({_whole(named[0][1])})"
    following = [f"{title} ({_whole(share)})" for title, share in named[1:_MOST_NAMED]]
    text += f", then {' and '.join(following)}." if following else "."
    if importance.is_hint:
        text += f" {_trials(importance.trials)} give a hint, no more."
    return text


def best_trial_words(table: pd.DataFrame, titles: Mapping[str, str], unit: str) -> str:
    """Return what did best: "Best of 20 trials: Learning rate 0.003; RMSE $47,000 on the validation rows (TabM 3).".

    Empty where no trial has an error.

    Parameters
    ----------
    table : DataFrame
        As `trial_table` returns it.
    titles : mapping of str to str
        What a person reads for the name of a setting.
    unit : str
        Of the target.
    """
    judged = table[table["rmse_validation"].notna()]
    if judged.empty:
        return ""
    best = row_records(judged)[0]
    values = ", ".join(f"{titles[name]} {value_words(best[name], 3)}" for name in titles if is_there(best.get(name)))
    error = quantity(best["rmse_validation"], unit)
    return f"Best of {_trials(len(judged))}: {values}; RMSE {error} on the validation rows ({best['model']})."


def explained_words(importance: SettingImportance) -> str:
    """Return what the shares are shares of; empty where there are none."""
    if not any(importance.shares.values()):
        return ""
    return (
        f"Shares of what the settings tell about a trial's error before it is trained, {_whole(importance.explained)} "
        "of all differences. A setting that was searched in a narrow range looks less important than it is."
    )


def _whole(share: float) -> str:
    # They are estimates: decimals near 0 or 100 % would claim too much.
    return percent(round(share, 2))


def _trials(count: int) -> str:
    return "1 trial" if count == 1 else f"{count} trials"
