"""Which of the searched settings mattered for the error, as far as the trials can tell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from dlreg_core.array_types import Floats

ENOUGH_TRIALS = 10
"""With fewer trials, what seems to matter may be chance."""

LEAST_TRIALS = 4
"""With fewer trials nothing can be said at all."""

_FOLDS, _TREES, _SHUFFLES = 5, 60, 10


@dataclass(frozen=True)
class SettingImportance:
    """How much of the difference between trials goes back to each setting.

    Attributes
    ----------
    shares : dict of str to float
        Share of the explained variance by setting, the largest first; they add up to 1, or are all 0 where the settings
        explain nothing.
    explained : float
        Share of the variance of the (logarithmic) errors that is foretold for trials left out; at most 1, and not
        below 0.
    trials : int
        How many trials it was judged by.
    """

    shares: dict[str, float]
    explained: float
    trials: int

    @property
    def is_hint(self) -> bool:
        """True where there were too few trials for more than a hint."""
        return self.trials < ENOUGH_TRIALS


def setting_importance(settings: pd.DataFrame, errors: pd.Series, seed: int = 0) -> SettingImportance:
    """Judge which settings mattered for the error of a search's trials.

    A random forest learns the logarithm of the error from the settings. Each trial is foretold by forests that have not
    seen it (cross-validation in 5 folds), once as it was and then with one setting at a time exchanged for that of
    another trial. By how much the squared error grows is the setting's permutation importance (Breiman 2001, *Random
    Forests*). In a sum of independent effects it is twice the variance that the setting causes.

    Parameters
    ----------
    settings : DataFrame of shape (trials, settings)
        The values that were tried; missing where a setting had no effect in a trial. Numbers, words, truth values, or
        lists.
    errors : Series of shape (trials,)
        Validation RMSE; missing or infinite where the training failed. Such trials are left out.
    seed : int
        Of the forests and exchanges.

    Returns
    -------
    SettingImportance
        With no trial to tell from, all shares are 0.
    """
    known = np.isfinite(errors.to_numpy(dtype=float, na_value=np.nan))
    table = settings.loc[known].reset_index(drop=True)
    target = _comparable(errors[known].to_numpy(dtype=float))
    nothing = SettingImportance(dict.fromkeys(map(str, settings.columns), 0.0), 0.0, len(table))
    if len(table) < LEAST_TRIALS or float(np.ptp(target)) == 0:
        return nothing
    columns = [_encoded(table[name]) for name in table.columns]
    plain, grown = _held_out(columns, target, seed)
    explained = max(0.0, 1.0 - plain / float(np.var(target)))
    growth = np.maximum(0.0, grown - plain)
    if explained == 0 or growth.sum() == 0:
        return nothing
    shares = dict(zip(map(str, table.columns), (growth / growth.sum()).tolist(), strict=True))
    return SettingImportance(dict(sorted(shares.items(), key=lambda item: -item[1])), explained, len(table))


def _comparable(errors: Floats) -> Floats:
    """Return errors so that their ratios count, and one training that went wrong doesn't outweigh all others.

    What is far out (Tukey 1977, *Exploratory Data Analysis*: three interquartile ranges) counts as just so far out.
    """
    logs = np.log(np.maximum(errors, np.finfo(float).tiny))
    if len(logs) == 0:
        return logs
    low, high = np.quantile(logs, [0.25, 0.75])
    # Where most errors are the same there is no distance to go by.
    return np.asarray(np.minimum(logs, high + 3 * (high - low)) if high > low else logs, dtype=np.float64)


def _held_out(columns: list[Floats], target: Floats, seed: int) -> tuple[float, Floats]:
    """Return the mean squared error of trials that were left out, as they are and with each setting exchanged."""
    # scikit-learn takes a second to import, and nothing else of the pages needs it.
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.model_selection import KFold

    rng = np.random.default_rng(seed)
    rows = np.hstack(columns)
    places = np.split(np.arange(rows.shape[1]), np.cumsum([column.shape[1] for column in columns])[:-1])
    plain, grown = np.zeros(len(target)), np.zeros((len(columns), len(target)))
    folds = KFold(min(_FOLDS, len(target)), shuffle=True, random_state=seed)
    for learned, left in folds.split(rows):
        forest = RandomForestRegressor(_TREES, random_state=seed, n_jobs=1).fit(rows[learned], target[learned])
        plain[left] = (forest.predict(rows[left]) - target[left]) ** 2
        for number, place in enumerate(places):
            exchanged = np.tile(rows[left], (_SHUFFLES, 1))
            drawn = rng.integers(len(rows), size=len(exchanged))
            exchanged[:, place] = rows[drawn][:, place]
            errors = (forest.predict(exchanged).reshape(_SHUFFLES, -1) - target[left]) ** 2
            grown[number, left] = errors.mean(axis=0)
    return float(plain.mean()), grown.mean(axis=1)


def _encoded(column: pd.Series) -> Floats:
    """Return a setting as numbers of shape (trials, k): itself, or a place for each of its values."""
    numbers = [value for value in column if isinstance(value, int | float | np.number) and not isinstance(value, bool)]
    if len(numbers) == len(column):
        values = column.to_numpy(dtype=float)
        missing = np.isnan(values)
        # Below all others: a forest can part them from the rest, and from nothing else.
        least = float(np.nanmin(values)) - 1.0 if not missing.all() else 0.0
        return np.where(missing, least, values)[:, np.newaxis]
    words = column.map(str)
    return np.column_stack([(words == word).to_numpy(dtype=float) for word in sorted(set(words))])
