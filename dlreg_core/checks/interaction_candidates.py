"""Which products and ratios of two columns say most beyond the columns themselves."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, permutations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from dlreg_core.array_types import Floats
from dlreg_core.cleaning import coerce_column, combined
from dlreg_core.specs import ColumnType, Combination
from dlreg_core.splitting import PreparedTable

_MOST_COLUMNS = 12
_MOST_ROWS = 5_000
_LEAST_SHARE = 0.03
_SUGGESTED = 3


@dataclass(frozen=True)
class PromisingCombination:
    """A combination, and the part of what straight lines leave unexplained that it explains."""

    combination: Combination
    share: float


def promising_combinations(prepared: PreparedTable) -> tuple[PromisingCombination, ...]:
    """Return the few products and ratios that say most beyond the columns themselves.

    Parameters
    ----------
    prepared : PreparedTable
        A recipe's rows; only training rows are looked at, 5,000 of them at most.

    Notes
    -----
    A regression of the target on the columns leaves a rest. The square of the partial correlation of a combination
    with that rest is the share of it that the combination would explain if it were added (Cohen 1988). Columns are the
    twelve that go best with the target by themselves; a difference adds nothing to a straight line. Among hundreds of
    combinations some explain 3 % by luck: half of the rows choose three of them, and on the other half each must
    explain as much, beyond what chance does in one of twenty tables.
    """
    names = [name for name, kind in prepared.types.items() if kind is ColumnType.NUMBER]
    rng = np.random.default_rng(5)
    chosen = rng.permutation(len(prepared.train))[:_MOST_ROWS]
    looked_at, confirming = (np.sort(part) for part in np.array_split(chosen, 2))
    target = prepared.transform.forward(prepared.y_train)
    values = {}
    for name in names:
        column = coerce_column(prepared.train[name], ColumnType.NUMBER)
        filled = column.fillna(column.median()).to_numpy(dtype=np.float64)
        if np.isfinite(filled).all() and all(
            len(part) and np.ptp(filled[part]) > 0 for part in (looked_at, confirming)
        ):
            values[name] = filled
    strongest = sorted(values, key=lambda name: -abs(_correlation(values[name][looked_at], target[looked_at])))
    strongest = strongest[:_MOST_COLUMNS]
    if len(strongest) < 2 or len(confirming) < 3 * len(strongest) + 10:
        return ()
    first = _shares(_candidates(strongest), strongest, values, target, looked_at)
    best = [one.combination for one in first if one.share >= _LEAST_SHARE][:_SUGGESTED]
    least = max(_LEAST_SHARE, _by_chance(len(confirming) - len(strongest) - 2, _SUGGESTED))
    return tuple(one for one in _shares(best, strongest, values, target, confirming) if one.share >= least)


def _shares(
    candidates: list[Combination],
    names: list[str],
    values: dict[str, Floats],
    target: Floats,
    rows: NDArray[np.int64],
) -> list[PromisingCombination]:
    """Return what combinations explain of the rest that straight lines leave in some rows, the best first."""
    basis = np.column_stack([np.ones(len(rows)), *(_standardised(values[name][rows]) for name in names)])
    orthogonal, _ = np.linalg.qr(basis)
    rest = target[rows] - orthogonal @ (orthogonal.T @ target[rows])
    found = []
    for made in candidates:
        made_of = combined(values[made.left][rows], values[made.right][rows], made.kind)
        known = np.isfinite(made_of)
        if known.mean() < 0.95:
            continue
        # A ratio with a small divisor has values far out, which would decide by themselves.
        low, high = np.quantile(made_of[known], [0.01, 0.99])
        inside = np.clip(np.where(known, made_of, np.median(made_of[known])), low, high)
        own = inside - orthogonal @ (orthogonal.T @ inside)
        if np.std(own) > 1e-9 * np.std(inside) > 0:
            found.append(PromisingCombination(made, _correlation(own, rest) ** 2))
    found.sort(key=lambda one: -one.share)
    return found


def _by_chance(freedom: int, looks: int) -> float:
    """Return the share that a combination of no worth explains by luck at most, in 95 % of so many looks."""
    t = float(student.ppf(1 - 0.05 / looks / 2, freedom))
    return t**2 / (t**2 + freedom)


def _candidates(names: list[str]) -> list[Combination]:
    products = [Combination(kind="product", left=a, right=b) for a, b in combinations(names, 2)]
    return products + [Combination(kind="ratio", left=a, right=b) for a, b in permutations(names, 2)]


def _standardised(values: Floats) -> Floats:
    return np.asarray((values - values.mean()) / values.std())


def _correlation(one: Floats, other: Floats) -> float:
    if np.std(one) == 0 or np.std(other) == 0:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])
