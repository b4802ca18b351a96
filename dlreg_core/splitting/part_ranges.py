"""What the parts of a split are of: from when to when, or how many groups."""

from __future__ import annotations

from typing import Literal

import pandas as pd

from dlreg_core.specs import ROW_ORDER, PartSpan, Split
from dlreg_core.splitting.split import RowNumbers, SplitRows

_PARTS: tuple[Literal["train", "validation", "test"], ...] = ("train", "validation", "test")


def part_spans(frame: pd.DataFrame, split: Split, parts: SplitRows) -> tuple[PartSpan, ...]:
    """Return what each part is of; nothing where a split goes by no column.

    Parameters
    ----------
    frame : pandas.DataFrame
        The rows that were divided, with the column that the split goes by.
    split : Split
        How they were divided.
    parts : SplitRows
        Positions of the rows of each part; an empty part has no span.
    """
    column = split.column
    if column is None or (column not in frame.columns and column != ROW_ORDER):
        return ()
    found = []
    for part in _PARTS:
        places = getattr(parts, part)
        if not len(places):
            continue
        values = pd.Series(places) + 1 if column not in frame.columns else frame[column].iloc[places]
        if split.kind == "group":
            found.append(PartSpan(part=part, groups=int(values.nunique())))
        else:
            found.append(PartSpan(part=part, first=_told(values.min()), last=_told(values.max())))
    return tuple(found)


def moments_of_rows(frame: pd.DataFrame, split: Split, places: RowNumbers) -> pd.Series | None:
    """Return when some rows are, where they are divided by time; else None."""
    if split.kind != "time" or split.column is None:
        return None
    if split.column not in frame.columns:
        return pd.Series(places + 1)
    return frame[split.column].iloc[places].reset_index(drop=True)


def _told(value: object) -> float | str:
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    return value if isinstance(value, str) else float(str(value))
