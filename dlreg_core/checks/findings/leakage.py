"""Columns that give the target away: whatever follows from it isn't there when it is to be predicted.

Notes
-----
A column is called a leak when it explains 99.5 % of the target's variance in rows that it was not fitted on: by a
straight line, a curve that only rises or falls, or the means of its levels. Two or three columns are when a
straight-line formula of them explains 99.9 %, or when their sum or product is the target itself. In well-known tables
leaks and honest predictors lie far apart (out-of-fold R² of the best column, and of the best formula of three in
brackets where that is more):

- leaks: bike, casual + registered → cnt 1; air quality, PT08.S2 → C6H6 0.9999; stocks, Low, High, Open → Close
  0.9996 to 0.9998; flights, dest → distance 0.9995;
- honest: yacht, Froude number 0.989; flights, distance → air_time 0.983, dep_delay → arr_delay 0.75 (0.81); bike,
  atemp → temp 0.981, registered → cnt 0.947; power, temperature 0.91 (0.93); energy, compactness 0.90 (0.91);
  auto_mpg, weight 0.71 (0.81); insurance, smoker 0.61; used cars, torque 0.60; california, median_income 0.47 (0.58);
  concrete, age 0.37 (0.44); wine, alcohol 0.28 (red, 0.33) and 0.24 (white, 0.27).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from dlreg_core.array_types import Floats
from dlreg_core.checks.findings.explained_variance import (
    FEWEST_ROWS,
    by_level,
    linear,
    monotone,
    out_of_fold,
    without_tails,
)
from dlreg_core.checks.findings.finding import Finding
from dlreg_core.checks.findings.leakage_formulas import combination_findings
from dlreg_core.checks.findings.leakage_text import leak, share_words
from dlreg_core.checks.findings.row_sample import RowSample
from dlreg_core.specs import ColumnType

_ALONE = 0.995
_WORTH_A_LOOK = 0.5
_FEWEST_ROWS_OF_LEVEL = 3
_MOST_BANDS = 50
_FEWEST_BANDS = 3
_LEVELS = (ColumnType.CATEGORY, ColumnType.BOOLEAN, ColumnType.TEXT)


def leak_findings(sample: RowSample, target: str) -> Iterator[Finding]:
    """Find columns, sums and products that give the target away.

    Parameters
    ----------
    sample : RowSample
        The rows to measure on; nothing is claimed from fewer than 30.
    target : str
        The column to predict; for one that isn't numeric nothing is found.
    """
    if target not in sample.names:
        return
    y = sample.of(target)
    known = np.isfinite(y)
    if known.sum() < FEWEST_ROWS or np.ptp(y[known]) == 0:
        return
    alone = alone_shares(sample, target)
    told = {name: share for name, share in alone.items() if share >= _ALONE}
    combined = combination_findings(sample, target, told)
    covered = {name for finding in combined for name in finding.columns}
    yield from combined
    yield from _told_alone(target, {name: share for name, share in told.items() if name not in covered})
    yield from _bands(sample, target, y, {name: alone[name] for name in alone if name not in covered | set(told)})


def alone_shares(sample: RowSample, target: str) -> dict[str, float]:
    """Return the share of the target's variance that each column explains by itself.

    Parameters
    ----------
    sample : RowSample
        The rows to measure on.
    target : str
        A column of numbers.

    Returns
    -------
    dict of str to float
        Out of fold for columns that explain nearly all of it; for all others an upper bound, since what is below the
        threshold in the rows that it was fitted on is no leak. Dates are left out: what changes slowly is always known
        from its neighbours in time, which is a matter of the split. For a curve it is the variance of the target with
        its first and last hundredth cut off.
    """
    # What is explained doesn't depend on the scale, but the squares of very large numbers are infinite.
    y = sample.of(target) / np.nanmax(np.abs(sample.of(target)))
    shares = {}
    for column in sample.dataset.columns:
        if column.name == target:
            continue
        if column.type is ColumnType.NUMBER or (column.type is ColumnType.IDENTIFIER and column.histogram):
            shares[column.name] = _of_numbers(_numbers(sample, column.name), y)
        elif column.type in _LEVELS:
            codes = _codes(sample.table[column.name])
            known = np.isfinite(codes) & np.isfinite(y)
            shares[column.name] = _of_levels(codes[known], y[known])
    return shares


def _numbers(sample: RowSample, name: str) -> Floats:
    if name in sample.names:
        return sample.of(name)
    return sample.table[name].to_numpy(dtype=np.float64, na_value=np.nan)


def _codes(values: pd.Series) -> Floats:
    codes = pd.factorize(values)[0].astype(np.float64)
    return np.where(codes < 0, np.nan, codes)


def _of_numbers(x: Floats, y: Floats) -> float:
    known = np.isfinite(x) & np.isfinite(y)
    x, y = x[known], y[known]
    if len(x) < FEWEST_ROWS or np.ptp(x) == 0 or np.ptp(y) == 0:
        return 0.0
    x = x / np.abs(x).max()
    straight = float(np.corrcoef(x, y)[0, 1] ** 2)
    ranked = float(np.corrcoef(rankdata(x), rankdata(y))[0, 1] ** 2)
    # A straight line through all rows may owe everything to one extreme value: it claims nothing by itself.
    shares = [min(straight, _WORTH_A_LOOK)]
    if straight >= _WORTH_A_LOOK:
        shares.append(out_of_fold(linear, x, y, _ALONE))
    if ranked >= _WORTH_A_LOOK:
        shares.append(out_of_fold(monotone, x, without_tails(y), _ALONE))
    values, codes = np.unique(x, return_inverse=True)
    if len(values) * _FEWEST_ROWS_OF_LEVEL <= len(x):
        shares.append(_of_levels(codes.astype(np.float64), y))
    return max(shares)


def _of_levels(codes: Floats, y: Floats) -> float:
    if len(y) < FEWEST_ROWS or np.ptp(y) == 0:
        return 0.0
    return out_of_fold(by_level, codes, y, _ALONE)


def _told_alone(target: str, shares: dict[str, float]) -> Iterator[Finding]:
    names = tuple(sorted(shares, key=lambda name: -shares[name]))
    if not names:
        return
    least = share_words(min(shares.values()))
    if len(names) == 1:
        told = f"it explains {least} of the variance of {target} by itself"
    else:
        told = f"each of them explains {least} or more of the variance of {target} by itself"
    text = f"{told}, in rows that it was not fitted on: that gives the target away."
    yield leak(target, names, text)


def _bands(sample: RowSample, target: str, y: Floats, shares: dict[str, float]) -> Iterator[Finding]:
    """Find categories that were made from the target by cutting it into ranges."""
    for column in sample.dataset.columns:
        if column.type is not ColumnType.CATEGORY or column.name not in shares or column.distinct > _MOST_BANDS:
            continue
        levels = pd.DataFrame({"y": y, "level": sample.table[column.name]}).dropna().groupby("level")["y"]
        ends = levels.agg(["min", "max", "count"]).sort_values("min")
        enough = len(ends) >= _FEWEST_BANDS and ends["count"].min() >= _FEWEST_ROWS_OF_LEVEL
        if not enough or ends["count"].sum() < FEWEST_ROWS:
            continue
        lows, highs = ends["min"].to_numpy(), ends["max"].to_numpy()
        if np.all(lows[1:] > highs[:-1]):
            text = (
                f"its {len(ends)} levels divide {target} into ranges that do not overlap, and explain "
                f"{share_words(shares[column.name])} of its variance: they were made from it."
            )
            yield leak(target, (column.name,), text)
