"""A row that sums up the others, which spreadsheets have at their end."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pandas as pd

from dlreg_core.checks.findings.finding import Finding, Repair, listed_names
from dlreg_core.formatting import number
from dlreg_core.specs import ColumnType, Dataset

_WORDS = re.compile(
    r"^(grand |sub-?|overall )?totals?\b|^sum(me|ma)?\b|^gesamt|^insgesamt|^totaal\b|^totale?\b|^suma\b"
    r"|^razem\b|^celkem\b|^итого|^всего|^合计|^合計|^总计|^整體|^i alt$|^yhteensä",
    re.IGNORECASE,
)
_CLOSE = 1e-4
"""Share by which a sum of rounded numbers may differ from the rounded sum."""
_FEWEST_ROWS = 4
_LISTED = 3


def total_row(dataset: Dataset, table: pd.DataFrame, target: str | None = None) -> Iterator[Finding]:
    """Find a last row that is the sum of the rows above it: by its name, or in several columns at once.

    Parameters
    ----------
    dataset : Dataset
        The profile of the table.
    table : pandas.DataFrame
        All of its rows; of a choice of rows nothing can be told.
    target : str, optional
        The column to predict: a row is left out by what it holds there.
    """
    if len(table) < _FEWEST_ROWS or len(table) < dataset.rows:
        return
    numbers = [c.name for c in dataset.columns if c.type is ColumnType.NUMBER and c.distinct > 1]
    sums = [name for name in numbers if _is_sum(table[name])]
    label = _label(table.iloc[-1])
    if not sums or (not label and len(sums) < 2):
        return
    more = f" and {len(sums) - _LISTED} more columns" if len(sums) > _LISTED else ""
    where = ", ".join(sums[:_LISTED]) + more if more else listed_names(sums)
    named = f", {label}," if label else ""
    text = f"the last row{named} is the sum of the rows above it in {where}: no row to learn from."
    step = _left_out(table[target], label) if target is not None else None
    repair = "Leave it out." if step is not None else "Delete it in the file."
    yield Finding((), text, "total-row", "high", repair, step)


def _is_sum(values: pd.Series) -> bool:
    numbers = values.to_numpy(dtype=np.float64)
    last, above = numbers[-1], numbers[:-1][np.isfinite(numbers[:-1])]
    # The sum of a column of zeros, or of a single number, is nothing to tell a row by.
    if not np.isfinite(last) or np.count_nonzero(above) < 2:
        return False
    return bool(abs(last - above.sum()) <= _CLOSE * abs(last)) and last not in above


def _label(row: pd.Series) -> str:
    texts = (value.strip() for value in row if isinstance(value, str))
    return next((text for text in texts if _WORDS.match(text)), "")


def _left_out(target: pd.Series, label: str) -> Repair | None:
    """Return how to leave the last row out: rows whose target counts as missing teach nothing and judge nothing."""
    last = target.iloc[-1]
    if not pd.api.types.is_numeric_dtype(target.dtype) or pd.isna(last) or int((target == last).sum()) > 1:
        return None
    called = f" {label}" if label else f", with {number(float(last))}"
    return Repair(f"Leave out the row{called}", missing_codes={str(target.name): (float(last),)})
