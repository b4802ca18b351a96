"""Which rows train, which choose between models, and which judge."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlreg_core.errors import RecipeError
from dlreg_core.specs import ROW_ORDER, Split

RowNumbers = NDArray[np.int64]
_GROUP_ORDERS = 20
FEWEST_ROWS = 20
"""Below this number of rows there is nothing to split."""

_FEWEST_ROWS_OF_PART = 2
_MOST_REPEATED = 0.5
_RUN = 20
"""Neighbours by their target that a stratified split divides at a time."""

_CHOOSING_ROWS, _CHOOSING_SHARE = 1_000, 0.1
"""Beside an own test file, so many rows choose between models, or that share where it is more."""


@dataclass(frozen=True)
class SplitRows:
    """Row positions of the three parts, each in ascending order; `test` is empty with an own test file."""

    train: RowNumbers
    validation: RowNumbers
    test: RowNumbers

    def without_validation(self) -> SplitRows:
        """Return the same test rows, with all others to train on."""
        return SplitRows(np.sort(np.concatenate([self.train, self.validation])), self.validation[:0], self.test)

    def without_test(self) -> SplitRows:
        """Return the same training rows, with all others to choose by."""
        return SplitRows(self.train, np.sort(np.concatenate([self.validation, self.test])), self.test[:0])


def numbered_copies(frame: pd.DataFrame) -> RowNumbers:
    """Return a number for each row, counted by first appearance; rows that are equal have the same."""
    codes, _ = pd.factorize(pd.util.hash_pandas_object(frame, index=False))
    return codes.astype(np.int64)


def copies_to_keep_together(frame: pd.DataFrame) -> RowNumbers | None:
    """Return `numbered_copies`, or None where most rows repeat others.

    A few levels in each column make rows equal by chance. These are no copies of one another but rows of the same kind,
    of which the test may have some as well.
    """
    copies = numbered_copies(frame)
    different = int(copies.max()) + 1 if len(copies) else 0
    return copies if len(copies) - different <= _MOST_REPEATED * len(copies) else None


def split_rows(
    frame: pd.DataFrame, split: Split, copies: RowNumbers | None = None, target: NDArray[np.float64] | None = None
) -> SplitRows:
    """Divide the rows of a table.

    Parameters
    ----------
    frame : pandas.DataFrame
        The rows to divide, with the column that the split goes by.
    split : Split
        How to divide them. By time: the oldest rows train, the newest judge. By group: the rows of a group stay
        together, and the shares are met as nearly as whole groups allow.
    copies : ndarray of int64, shape (rows,), optional
        As for `fold_numbers`: at random, rows that repeat each other stay together too.
    target : ndarray of float64, shape (rows,), optional
        The targets, for a stratified split.

    Raises
    ------
    RecipeError
        If there are too few rows or groups, the column has missing values, or a part would get no rows.
    """
    if len(frame) < FEWEST_ROWS:
        raise RecipeError(
            f"The table has {len(frame)} usable rows; at least {FEWEST_ROWS} are needed to train and to judge.",
            "Add rows, or check how many have a value in the target column.",
        )
    if split.kind == "time":
        found = _ordered(keys_of(frame, split), split)
    elif split.kind == "group":
        found = _grouped(keys_of(frame, split), split)
    else:
        units = np.arange(len(frame)) if copies is None else copies
        found = _random(units, split) if target is None or not split.stratified else _stratified(units, target, split)
    least = min(len(part) for part in (found.train, found.validation, *([found.test] if split.kind != "own" else [])))
    if least < _FEWEST_ROWS_OF_PART:
        raise RecipeError(
            f"The split leaves {len(found.train):,} rows to train, {len(found.validation):,} to choose between models "
            f"and {len(found.test):,} to judge; each part needs {_FEWEST_ROWS_OF_PART} at least.",
            "Give the small part a larger share, "
            + (
                "or leave a smaller gap: with earlier values of the target, predict less far ahead."
                if split.gap
                else "or choose another split."
            ),
        )
    return found


def preview_split(rows: int, split: Split) -> tuple[int, int, int]:
    """Return how many of `rows` would train, choose and judge, for a bar that shows it."""
    test = 0 if split.kind == "own" else round(rows * split.test)
    share = split.validation / (split.train + split.validation)
    if split.kind == "own" and split.choose_by == "auto":
        # More of them would hardly choose better, and the networks learn from those that aren't needed for that.
        share = min(share, max(_CHOOSING_SHARE, _CHOOSING_ROWS / max(1, rows)))
    validation = round((rows - test) * share)
    return rows - test - validation, validation, test


def placeable(frame: pd.DataFrame, split: Split) -> NDArray[np.bool_]:
    """Tell which rows have a value in the column that a split goes by; without one a row can't be placed."""
    if split.column is None or split.column not in frame.columns:
        return np.ones(len(frame), dtype=np.bool_)
    return frame[split.column].notna().to_numpy()


def keys_of(frame: pd.DataFrame, split: Split) -> pd.Series:
    """Return the column that a split goes by; `RecipeError` where the table has none of that name."""
    column = split.column or ""
    if column == ROW_ORDER and column not in frame.columns:
        return pd.Series(np.arange(len(frame)), index=frame.index)
    if column not in frame.columns:
        raise RecipeError(f"The table has no column {column} to split by.", "Choose another column or a random split.")
    keys = frame[column]
    if keys.isna().any():
        count = int(keys.isna().sum())
        raise RecipeError(
            f"The column {column}, which the split goes by, is missing in {count:,} rows.",
            "Choose another column or a random split.",
        )
    return keys


def _random(copies: RowNumbers, split: Split) -> SplitRows:
    sizes = np.bincount(copies)
    order = np.random.default_rng(split.seed).permutation(len(sizes))
    train, validation, _ = preview_split(len(copies), split)
    # Where the rows of each would begin if all stood one after the other.
    starts = np.cumsum(sizes[order]) - sizes[order]
    part_of = np.empty(len(sizes), dtype=np.int64)
    part_of[order] = np.searchsorted([train, train + validation], starts, side="right")
    part = part_of[copies]
    return SplitRows(*(np.flatnonzero(part == number).astype(np.int64) for number in range(3)))


def _stratified(copies: RowNumbers, target: NDArray[np.float64], split: Split) -> SplitRows:
    """Divide runs of neighbours by target, each in the proportions of the whole."""
    rng = np.random.default_rng([split.seed, 6])
    targets = target[np.unique(copies, return_index=True)[1]]
    count = len(targets)
    # Where targets are equal, chance decides who stands beside whom.
    order = np.lexsort((rng.random(count), targets))
    train, validation, _ = preview_split(count, split)
    part_of = np.empty(count, dtype=np.int64)
    for start in range(0, count, _RUN):
        run = order[start : start + _RUN]
        # Up to here each part has its share of all, so that rounding never adds up.
        first, second = (
            round(ends * (start + len(run)) / count) - round(ends * start / count)
            for ends in (train, train + validation)
        )
        numbers = np.repeat([0, 1, 2], [first, second - first, len(run) - second])
        part_of[run] = rng.permutation(numbers)
    part = part_of[copies]
    return SplitRows(*(np.flatnonzero(part == number).astype(np.int64) for number in range(3)))


def _ordered(keys: pd.Series, split: Split) -> SplitRows:
    order = np.argsort(keys.to_numpy(), kind="stable")
    train, validation, _ = preview_split(len(keys), split)
    parts = np.split(order, [train, train + validation])
    if split.gap:
        moments = _moments(keys, split)
        parts = [
            part[moments[part] <= moments[later[0]] - split.gap] if len(later) else part
            for part, later in zip(parts, [*parts[1:], parts[2][:0]], strict=True)
        ]
    return SplitRows(*(np.sort(part).astype(np.int64) for part in parts))


def _moments(keys: pd.Series, split: Split) -> NDArray[np.float64]:
    """Return when rows are, in days for dates."""
    if pd.api.types.is_datetime64_any_dtype(keys):
        return keys.to_numpy().astype("datetime64[s]").astype(np.float64) / 86_400
    if not pd.api.types.is_numeric_dtype(keys):
        raise RecipeError(
            f"The column {split.column} holds neither dates nor numbers, so that there can be no gap.",
            "Choose another column, or no gap.",
        )
    return keys.to_numpy(dtype=np.float64)


def _grouped(keys: pd.Series, split: Split) -> SplitRows:
    groups = keys.astype(str).to_numpy()
    names, sizes = np.unique(groups, return_counts=True)
    if len(names) < 3:
        raise RecipeError(
            f"The column {split.column} has fewer than three groups.", "Choose a column with more groups to split by."
        )
    part_of = share_out(sizes, np.array([split.train, split.validation, split.test]), split.seed)
    part = part_of[np.searchsorted(names, groups)]
    return SplitRows(*(np.flatnonzero(part == number).astype(np.int64) for number in range(3)))


def share_out(sizes: NDArray[np.int64], shares: NDArray[np.float64], seed: int) -> NDArray[np.int64]:
    """Give each group to a part so that the parts' rows come close to their shares, and none is empty.

    Groups differ in size, so several random orders are tried; in each, a group goes to the part that lacks most rows.
    """
    rng = np.random.default_rng(seed)
    wanted = shares * sizes.sum()
    best, least = np.zeros(len(sizes), dtype=np.int64), np.inf
    for _ in range(_GROUP_ORDERS):
        part, filled = np.empty(len(sizes), dtype=np.int64), np.zeros(len(shares))
        for group in rng.permutation(len(sizes)):
            # In proportion to the share, so that small parts are not filled last with whatever is over.
            part[group] = int(np.argmax((wanted - filled) / wanted))
            filled[part[group]] += sizes[group]
        off = float(np.abs(filled - wanted).sum()) + (np.inf if (filled == 0).any() else 0.0)
        if off < least:
            best, least = part, off
    return best
