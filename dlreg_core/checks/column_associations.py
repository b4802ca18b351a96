"""Pictures of the whole table: which columns are missing in the same rows, and which say the same thing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import squareform

from dlreg_core.array_types import Floats, Integers
from dlreg_core.checks.findings.row_sample import correlations
from dlreg_core.specs import ColumnType, Dataset

MOST_ROWS = 10_000
"""Of a larger table so many rows are drawn at random where each is a point of a picture."""
_MOST_COLUMNS = 60
_MOST_LEVELS = 50
_FEWEST_ROWS = 30
_CLOSE = 0.7
_SAME_GAPS = 0.9
_NUMBERS = (ColumnType.NUMBER, ColumnType.DATETIME)
_LEVELS = (ColumnType.CATEGORY, ColumnType.BOOLEAN)


@dataclass(frozen=True)
class MissingPatterns:
    """Which columns are missing in the same rows.

    Attributes
    ----------
    columns : tuple of str
        Columns with gaps, those with the most first.
    masks : ndarray of bool, shape (patterns, columns)
        Which of them each pattern lacks, the most frequent pattern first; the rows that lack none have one too.
    counts : ndarray of int64, shape (patterns,)
        Rows of each pattern.
    rows : int
        Rows that were looked at.
    """

    columns: tuple[str, ...]
    masks: NDArray[np.bool_]
    counts: Integers
    rows: int

    @cached_property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        """Columns of which nine in ten gaps come in the same rows, the groups with the most gaps first."""
        gaps = self.masks.astype(np.float64)
        both = gaps.T @ (gaps * self.counts[:, None])
        single = np.diag(both)
        either = single[:, None] + single[None, :] - both
        alike = both >= _SAME_GAPS * np.maximum(either, 1)
        return _components(alike & ~np.eye(len(alike), dtype=bool), self.columns)

    @property
    def complete(self) -> int:
        """Rows in which nothing is missing."""
        return int(self.counts[~self.masks.any(axis=1)].sum())


def columns_with_gaps(dataset: Dataset) -> tuple[str, ...]:
    """Return the columns in which something is missing, those with the most gaps first."""
    columns = sorted((c for c in dataset.columns if c.missing), key=lambda column: -column.missing)
    return tuple(column.name for column in columns)


def missing_patterns(dataset: Dataset, gaps: Iterable[NDArray[np.bool_]]) -> MissingPatterns:
    """Count which columns are missing in the same rows.

    Parameters
    ----------
    dataset : Dataset
        The profile of the table.
    gaps : iterable of ndarray of bool, shape (some rows, columns)
        Piece by piece, what is missing in all rows: of the columns that `columns_with_gaps` names, in that order.
    """
    names = columns_with_gaps(dataset)
    if not names:
        return MissingPatterns((), np.zeros((1, 0), dtype=np.bool_), np.array([dataset.rows]), dataset.rows)
    found: Counter[bytes] = Counter()
    for piece in gaps:
        packed, counts = np.unique(np.packbits(piece, axis=1), axis=0, return_counts=True)
        found.update({row.tobytes(): int(count) for row, count in zip(packed, counts, strict=True)})
    # The most frequent first, and among equals those that lack the columns with the most gaps last.
    patterns = sorted(found, key=lambda pattern: (-found[pattern], pattern))
    bits = np.frombuffer(b"".join(patterns), dtype=np.uint8).reshape(len(patterns), -1)
    masks = np.unpackbits(bits, axis=1, count=len(names)).astype(np.bool_)
    counted = np.array([found[pattern] for pattern in patterns], dtype=np.int64)
    return MissingPatterns(names, masks, counted, int(counted.sum()))


@dataclass(frozen=True)
class Associations:
    """How closely each two columns go together.

    Attributes
    ----------
    columns : tuple of str
        Those that go together stand side by side.
    strength : ndarray of float64, shape (columns, columns)
        From 0, not at all, to 1, the same thing.
    rows : int
        Rows that were looked at.
    left_out : int
        Columns beyond the 60 that are looked at.
    """

    columns: tuple[str, ...]
    strength: Floats
    rows: int
    left_out: int = 0

    @cached_property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        """Columns that go with another one of their group at 0.7 or more, the largest groups first."""
        return _components((self.strength >= _CLOSE) & ~np.eye(len(self.columns), dtype=bool), self.columns)

    def least(self, group: Sequence[str]) -> float:
        """Return the weakest of the links that hold a group together."""
        places = [self.columns.index(name) for name in group]
        among = self.strength[np.ix_(places, places)] - 2 * np.eye(len(places))
        return float(among.max(axis=1).min())

    @property
    def closest(self) -> tuple[str, str, float] | None:
        """The two columns that go together most closely; None where there are fewer than two."""
        if len(self.columns) < 2:
            return None
        upper = np.triu(self.strength, 1)
        first, second = np.unravel_index(int(upper.argmax()), upper.shape)
        return self.columns[first], self.columns[second], float(upper[first, second])


def associations(dataset: Dataset, table: pd.DataFrame) -> Associations:
    """Measure how closely each two columns go together.

    Parameters
    ----------
    dataset : Dataset
        The profile of the table.
    table : pandas.DataFrame
        Its rows, or those that stand for all.

    Returns
    -------
    Associations
        Without identifiers, constants and free text; of more than 60 columns the numbers with the closest links go
        first.

    Notes
    -----
    Two numbers or dates: the absolute rank correlation. A number and a category: the correlation ratio of the number's
    ranks, corrected for what many levels explain by chance. Two categories: Cramér's V with Bergsma's correction (2013,
    *Journal of the Korean Statistical Society* 42), of at most 50 levels each.
    """
    numbers = [c.name for c in dataset.columns if c.type in _NUMBERS and c.distinct > 1]
    levels = [c.name for c in dataset.columns if c.type in _LEVELS and c.distinct > 1]
    ranks = np.column_stack([_ranks(table[name]) for name in numbers]) if numbers else np.zeros((len(table), 0))
    strength = np.abs(correlations(ranks)) if numbers else np.zeros((0, 0))
    kept = _closest(strength, max(_MOST_COLUMNS - len(levels), _MOST_COLUMNS // 2))
    chosen = levels[: _MOST_COLUMNS - len(kept)]
    codes = [_codes(table[name]) for name in chosen]
    names = [*(numbers[place] for place in kept), *chosen]
    found = np.eye(len(names))
    found[: len(kept), : len(kept)] = strength[np.ix_(kept, kept)]
    for place, coded in enumerate(codes, start=len(kept)):
        for other in range(len(kept)):
            found[place, other] = correlation_ratio(coded, ranks[:, kept[other]])
        for other, code in enumerate(codes[: place - len(kept)], start=len(kept)):
            found[place, other] = cramers_v(coded, code)
    found = np.maximum(found, found.T)
    np.fill_diagonal(found, 1.0)
    order = _side_by_side(found)
    return Associations(
        tuple(names[place] for place in order),
        found[np.ix_(order, order)],
        len(table),
        len(numbers) + len(levels) - len(names),
    )


def correlation_ratio(codes: Integers, values: Floats) -> float:
    """Return how much of a number's spread lies between levels, as a correlation from 0 to 1.

    Parameters
    ----------
    codes : ndarray of int64, shape (rows,)
        Levels, numbered from 0; -1 where missing.
    values : ndarray of float64, shape (rows,)
        NaN where missing.
    """
    known = (codes >= 0) & np.isfinite(values)
    codes, values = codes[known], values[known]
    if len(values) < _FEWEST_ROWS or np.ptp(values) == 0:
        return 0.0
    counts = np.bincount(codes)
    means = np.bincount(codes, values) / np.maximum(counts, 1)
    within = float(np.sum((values - means[codes]) ** 2))
    around = float(np.sum((values - values.mean()) ** 2))
    levels = int((counts > 0).sum())
    # Many levels explain some of any number by chance.
    corrected = 1 - (within / max(1, len(values) - levels)) / (around / (len(values) - 1))
    return float(np.sqrt(max(0.0, corrected)))


def cramers_v(first: Integers, second: Integers) -> float:
    """Return how closely two categories go together: Cramér's V, corrected for chance (Bergsma 2013).

    Parameters
    ----------
    first, second : ndarray of int64, shape (rows,)
        Levels, numbered from 0; -1 where missing.
    """
    known = (first >= 0) & (second >= 0)
    rows = int(known.sum())
    if rows < _FEWEST_ROWS:
        return 0.0
    counts = np.zeros((first.max() + 1, second.max() + 1))
    np.add.at(counts, (first[known], second[known]), 1)
    counts = counts[counts.any(axis=1)][:, counts.any(axis=0)]
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / rows
    phi2 = float(((counts - expected) ** 2 / expected).sum()) / rows
    k, m = counts.shape
    chance = (k - 1) * (m - 1) / (rows - 1)
    k_fair, m_fair = k - (k - 1) ** 2 / (rows - 1), m - (m - 1) ** 2 / (rows - 1)
    least = min(k_fair, m_fair) - 1
    return float(np.sqrt(max(0.0, phi2 - chance) / least).clip(0, 1)) if least > 0 else 0.0


def some_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table, or 10,000 random rows of a larger one: the same ones every time."""
    if len(table) <= MOST_ROWS:
        return table
    kept = np.random.default_rng(0).choice(len(table), MOST_ROWS, replace=False)
    return table.iloc[np.sort(kept)]


def _ranks(values: pd.Series) -> Floats:
    return np.asarray(values.rank(), dtype=np.float64)


def _codes(values: pd.Series) -> Integers:
    codes, kept = pd.factorize(values)
    if len(kept) > _MOST_LEVELS:
        counts = np.bincount(codes[codes >= 0], minlength=len(kept))
        frequent = np.argsort(-counts, kind="stable")[: _MOST_LEVELS - 1]
        places = np.full(len(kept), _MOST_LEVELS - 1)
        places[frequent] = np.arange(len(frequent))
        codes = np.where(codes < 0, -1, places[codes])
    return codes.astype(np.int64)


def _closest(strength: Floats, most: int) -> list[int]:
    """Return the columns to keep: of too many, those with the closest link to another one."""
    if len(strength) <= most:
        return list(range(len(strength)))
    links = (strength - 2 * np.eye(len(strength))).max(axis=1)
    return sorted(np.argsort(-links, kind="stable")[:most].tolist())


def _side_by_side(strength: Floats) -> list[int]:
    if len(strength) < 3:
        return list(range(len(strength)))
    distance = squareform(1 - strength, checks=False)
    return [int(place) for place in leaves_list(linkage(distance, "average", optimal_ordering=True))]


def _components(linked: NDArray[np.bool_], names: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    _, labels = connected_components(linked, directed=False)
    groups = [tuple(names[place] for place in np.flatnonzero(labels == label).tolist()) for label in np.unique(labels)]
    return tuple(sorted((group for group in groups if len(group) > 1), key=lambda group: -len(group)))
