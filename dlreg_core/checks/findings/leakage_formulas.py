"""Sums, products and straight-line formulas of two or three columns that give the target away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from dlreg_core.array_types import Floats
from dlreg_core.checks.findings.explained_variance import FEWEST_ROWS, coefficients_of, linear, out_of_fold
from dlreg_core.checks.findings.finding import Finding
from dlreg_core.checks.findings.leakage_exact import ExactSum, exact_sums
from dlreg_core.checks.findings.leakage_text import leak, line_words, product_words, share_words, sum_words
from dlreg_core.checks.findings.row_sample import RowSample

_TOGETHER = 0.999
_WORTH_A_LOOK = 0.99
_MOST_LOOKED_AT = 10
_MOST_COLUMNS = {2: 300, 3: 100}
_MOST_MISSING = 0.5
_SUM_SLACK = 1e-6
"""A sum may miss the target by this share of the target's standard deviation."""
_PRODUCT_SLACK = 1e-3
"""A product may miss the target by this share of it: prices and rates are rounded."""
_COPY = 1 - 1e-9
_RIDGE = 1e-9
_NO_INTERCEPT = 0.01
"""An intercept of less than this share of the target's standard deviation is not worth telling."""


def combination_findings(sample: RowSample, target: str, alone: Mapping[str, float]) -> list[Finding]:
    """Find sums, differences, products and straight-line formulas of two or three columns that give the target.

    Parameters
    ----------
    sample : RowSample
        The rows to measure on.
    target : str
        One of its number columns.
    alone : mapping of str to float
        The columns that give the target away by themselves, with the share of its variance that they explain: a
        formula of these says nothing new unless it is exact.

    Returns
    -------
    list of Finding
        No column stands in two of them.
    """
    known = np.isfinite(sample.of(target))
    kept = [
        name
        for name in sample.names
        if name != target
        and np.isfinite(sample.of(name)[known]).mean() > _MOST_MISSING
        and alone.get(name, 0.0) < _COPY
    ]
    pool = _Pool(sample, target, tuple(kept), known)
    found: list[Finding] = []
    for size in (2, 3):
        _add(found, _sums(pool.without(found, size), size))
    _add(found, _products(pool.without(found, 2)))
    pool = replace(pool, names=tuple(name for name in pool.names if name not in alone))
    for size in (2, 3):
        _add(found, _lines(pool.without(found, size), size))
    return found


@dataclass(frozen=True)
class _Pool:
    """The columns that formulas are made of, in the rows where the target is known."""

    sample: RowSample
    target: str
    names: tuple[str, ...]
    known: NDArray[np.bool_]

    @property
    def x(self) -> Floats:
        return self.sample.numbers[self.known][:, self._places()]

    @property
    def y(self) -> Floats:
        return self.sample.of(self.target)[self.known]

    @property
    def correlations(self) -> Floats:
        """Correlations of the columns, the target's last."""
        places = [*self._places(), self.sample.names.index(self.target)]
        return self.sample.correlations[np.ix_(places, places)]

    def without(self, found: Sequence[Finding], size: int) -> _Pool:
        """Return the columns that no finding has yet; in a wide table those that go best with the target."""
        taken = {name for finding in found for name in finding.columns}
        left = replace(self, names=tuple(name for name in self.names if name not in taken))
        if len(left.names) <= _MOST_COLUMNS[size]:
            return left
        best = np.argsort(-np.abs(left.correlations[-1, :-1]), kind="stable")[: _MOST_COLUMNS[size]]
        return replace(self, names=tuple(left.names[place] for place in np.sort(best)))

    def _places(self) -> list[int]:
        return [self.sample.names.index(name) for name in self.names]


def _add(found: list[Finding], more: Iterator[Finding]) -> None:
    for finding in more:
        if not {name for other in found for name in other.columns} & set(finding.columns):
            found.append(finding)


def _sums(pool: _Pool, size: int) -> Iterator[Finding]:
    largest = float(np.abs(pool.y).max())
    # Scaled first: the variance of very large numbers is infinite, and any sum would be near enough.
    slack = _SUM_SLACK * largest * float((pool.y / largest).std())
    for one in exact_sums(pool.names, pool.x, pool.y, slack, size):
        text = f"{sum_words(one.names, one.signs)} is {pool.target}, {_rows_words(one)}: all of its variance."
        yield leak(pool.target, one.names, text)


def _products(pool: _Pool) -> Iterator[Finding]:
    rows = pool.y > 0
    if rows.sum() < max(FEWEST_ROWS, _MOST_MISSING * len(rows)):
        return
    # What isn't positive has no logarithm, and speaks neither for nor against a product.
    x, log_y = pool.x[rows], np.log(pool.y[rows])
    x = np.log(x, where=x > 0, out=np.full_like(x, np.nan))
    usable = np.isfinite(x).mean(axis=0) > _MOST_MISSING
    names = [name for name, use in zip(pool.names, usable.tolist(), strict=True) if use]
    slack = min(_PRODUCT_SLACK, 0.01 * float(log_y.std()))
    for one in exact_sums(names, x[:, usable], log_y, slack, 2):
        text = f"{product_words(one.names, one.signs)} is {pool.target} to within 0.1 %, {_rows_words(one)}."
        yield leak(pool.target, one.names, text)


def _rows_words(one: ExactSum) -> str:
    return "in every row" if one.right == 1 else f"in {share_words(one.right)} of the rows"


def _lines(pool: _Pool, size: int) -> Iterator[Finding]:
    """Find straight-line formulas that are nearly the target, the best first."""
    x, y = pool.x, pool.y
    lines = []
    for places in _likely(pool.correlations, size):
        chosen = x[:, places]
        known = np.isfinite(chosen).all(axis=1)
        if known.sum() < FEWEST_ROWS:
            continue
        share = out_of_fold(linear, chosen[known], y[known], _TOGETHER)
        if share >= _TOGETHER:
            coefficients = coefficients_of(chosen[known], y[known])
            if abs(coefficients[-1]) < _NO_INTERCEPT * y.std():
                coefficients[-1] = 0.0
            lines.append((share, places, coefficients))
    for share, places, coefficients in sorted(lines, key=lambda line: -line[0]):
        columns = tuple(pool.names[place] for place in places)
        text = (
            f"{line_words(columns, coefficients)} is nearly {pool.target}: it explains {share_words(share)} of its "
            "variance in rows that it was not fitted on."
        )
        yield leak(pool.target, columns, text)


def _likely(r: Floats, size: int) -> list[list[int]]:
    """Return the columns whose correlations promise the best formulas; the target is the last column of `r`."""
    columns = len(r) - 1
    if columns < size:
        return []
    sets = np.array(list(combinations(range(columns), size)), dtype=np.int64)
    among = r[sets[:, :, None], sets[:, None, :]] + _RIDGE * np.eye(size)
    with_target = r[sets, -1]
    # What a least-squares fit explains follows from the correlations alone.
    weights = np.linalg.solve(among, with_target[:, :, None])[:, :, 0]
    promised = (weights * with_target).sum(axis=1)
    best = np.argsort(-promised, kind="stable")[:_MOST_LOOKED_AT]
    return [sets[place].tolist() for place in best if promised[place] >= _WORTH_A_LOOK]
