"""Times without a day as a number of seconds, which is what they are as a target."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa

from dlreg_core.ingest.inference.summary_statistics import number_column
from dlreg_core.ingest.inference.times.date_notes import durations_note
from dlreg_core.ingest.inference.times.durations import UNIT
from dlreg_core.specs import Column, ColumnType, Dataset

_EPOCH = pd.Timestamp(0)


def is_clock(column: Column) -> bool:
    """Tell whether a column holds times without a day."""
    return column.type is ColumnType.DATETIME and column.time_of_day


def unit_of(column: Column) -> str:
    """Return what the numbers of a column are measured in; times are seconds."""
    return UNIT if is_clock(column) else column.unit


def seconds_since_midnight(moments: pd.Series) -> pd.Series:
    """Return times without a day, which are kept on 1 January 1970, as seconds."""
    return (moments - _EPOCH).dt.total_seconds()


def in_seconds(dataset: Dataset, table: pd.DataFrame, target: str) -> tuple[Dataset, pd.DataFrame]:
    """Return a profile and rows in which a target of times without a day is a number of seconds; others as they are.

    Parameters
    ----------
    dataset : Dataset
        The profile of the table.
    table : pandas.DataFrame
        Its rows, or those that stand for all.
    target : str
        The column to predict.
    """
    if target not in dataset.column_names or not is_clock(dataset.column(target)):
        return dataset, table
    table = table.assign(**{target: seconds_since_midnight(table[target])})
    first = str(dataset.column(target).minimum)[11:19]
    note = durations_note(first, minutes=False)
    values = pa.array(table[target], pa.float64(), from_pandas=True)
    made = number_column(target, values, note.text, note.code, UNIT)
    columns = tuple(made if column.name == target else column for column in dataset.columns)
    return dataset.model_copy(update={"columns": columns}), table
