"""Rows that repeat each other, or that belong together."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlreg_core.checks.findings.finding import Finding, Repair, Severity, listed_names, part_words
from dlreg_core.checks.order_and_groups import row_order
from dlreg_core.specs import Column, ColumnType, Dataset

_TINY = 1e-4
"""Numbers that differ by less than about this share of a column's standard deviation are called nearly equal."""
_FINE_SHARE = 0.1
_NOTABLE_SHARE = 0.05
_FEWEST_FINE = 3
"""Rows are nearly equal by chance unless they agree in so many columns of mostly different numbers."""

_KEEP_ONE = "Keep one of each, or a random split puts such rows on both sides and flatters the models."

Hashes = NDArray[np.uint64]


def row_findings(
    dataset: Dataset, table: pd.DataFrame, target: str | None = None, whole: Dataset | None = None
) -> Iterator[Finding]:
    """Look at what rows have to do with each other; `whole` is the profile of all, where `table` has only some."""
    yield from _order(whole or dataset, target)
    yield from _repeated(whole or dataset)
    yield from _same_but_identifier(dataset, table)
    yield from _near(dataset, table, target)
    if target is not None:
        yield from _contradicting(dataset, table, target)


def _order(dataset: Dataset, target: str | None) -> Iterator[Finding]:
    order = row_order(dataset, target)
    if order is None:
        return
    column = order.column
    if order.kind == "time":
        text = "it is a date: where later rows are unlike these, a random split would hide that from you."
        repair = "Prepare measures by how much, and starts with a split by time where it matters."
    else:
        text = (
            f"it repeats: each of its {column.distinct:,} values stands in about "
            f"{round(dataset.rows / column.distinct):,} rows, which a random split puts on both sides."
        )
        repair = "Prepare measures by how much that flatters, and keeps them on one side where it matters."
    step = Repair(f"Split by {column.name}", split=(order.kind, column.name))
    yield Finding((column.name,), text, "time-order", "medium", repair, step)


def _repeated(dataset: Dataset) -> Iterator[Finding]:
    if dataset.duplicate_rows:
        verb = "row repeats" if dataset.duplicate_rows == 1 else "rows repeat"
        share = part_words(dataset.duplicate_rows, dataset.rows)
        text = f"{dataset.duplicate_rows:,} {verb} an earlier row ({share})."
        repair = "Leave repeats out unless they really happened more than once."
        step = Repair("Leave out repeated rows", drop_duplicates=True)
        yield Finding((), text, "duplicates", "medium", repair, step)


def _same_but_identifier(dataset: Dataset, table: pd.DataFrame) -> Iterator[Finding]:
    """Count rows that repeat an earlier one under another number or key."""
    identifiers = [c.name for c in dataset.columns if c.type is ColumnType.IDENTIFIER]
    columns = _compared(dataset)
    if not identifiers or not columns:
        return
    count = int(_repeats(_hashed(table, columns)).sum())
    if count:
        verb = "row equals" if count == 1 else "rows equal"
        text = (
            f"{count:,} {verb} an earlier row in everything but {listed_names(identifiers)} "
            f"({part_words(count, dataset.rows)})."
        )
        yield Finding((), text, "near-duplicates", "medium", _KEEP_ONE)


def _near(dataset: Dataset, table: pd.DataFrame, target: str | None) -> Iterator[Finding]:
    """Count rows that equal an earlier one but for tiny differences in their numbers."""
    columns = [c for c in _compared(dataset) if c.name != target]
    fine = [c for c in columns if c.type is ColumnType.NUMBER and c.distinct > _FINE_SHARE * dataset.rows]
    if len(fine) < _FEWEST_FINE:
        return
    exact = _repeats(_hashed(table, columns))
    near = np.zeros(len(table), dtype=np.bool_)
    # Where one grid has a border between two values, the other has none.
    for shift in (0.25, 0.75):
        near |= _repeats(_hashed(table, columns, shift))
    count = int((near & ~exact).sum())
    if count:
        verb = "row is" if count == 1 else "rows are"
        text = f"{count:,} {verb} all but equal to an earlier row ({part_words(count, dataset.rows)})."
        yield Finding((), text, "near-duplicates", "medium", _KEEP_ONE)


def _contradicting(dataset: Dataset, table: pd.DataFrame, target: str) -> Iterator[Finding]:
    """Count rows whose features all equal those of another row, while the target differs."""
    columns = [c for c in _compared(dataset) if c.name != target]
    if not columns:
        return
    known = table[table[target].notna()]
    groups = known.groupby(_hashed(known, columns), sort=False)[target]
    count = int((groups.transform("nunique") > 1).sum())
    if count:
        share = count / dataset.rows
        verb = "row has" if count == 1 else "rows have"
        text = (
            f"{count:,} {verb} the same features as another row but another {target} "
            f"({part_words(count, dataset.rows)}): no model can tell them apart."
        )
        repair = "Add the column in which they differ, or split by group if they measure one thing several times."
        severity: Severity = "medium" if share > _NOTABLE_SHARE else "low"
        yield Finding((), text, "near-duplicates", severity, repair)


def _compared(dataset: Dataset) -> list[Column]:
    return [c for c in dataset.columns if c.type not in (ColumnType.IDENTIFIER, ColumnType.CONSTANT)]


def _hashed(table: pd.DataFrame, columns: list[Column], shift: float | None = None) -> Hashes:
    """Return a hash of each row; with a shift, its numbers are put on a grid of tiny steps first."""
    if shift is None:
        frame = table[[c.name for c in columns]]
    else:
        frame = pd.DataFrame({c.name: _gridded(table[c.name], c, shift) for c in columns}, copy=False)
    return pd.util.hash_pandas_object(frame, index=False).to_numpy().astype(np.uint64)


def _gridded(values: pd.Series, column: Column, shift: float) -> pd.Series:
    step = _TINY * float(values.std()) if column.type is ColumnType.NUMBER and not column.integer else 0.0
    if not (np.isfinite(step) and step > 0):
        return values
    return pd.Series(np.floor(values.to_numpy(dtype=np.float64) / step + shift))


def _repeats(hashes: Hashes) -> NDArray[np.bool_]:
    return pd.Series(hashes).duplicated().to_numpy()
