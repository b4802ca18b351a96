"""How a table was written in its file, so that new rows are read as its own rows were."""

from __future__ import annotations

from typing import Literal

from dlreg_core.specs.base import Spec
from dlreg_core.specs.tables import Dialect, NumberForm


class ColumnFormat(Spec):
    """How the cells of a column are written: enough to read each of them by itself."""

    kind: Literal["number", "date", "text"]
    """What was read from the cells, whatever the column is used as later."""
    form: NumberForm = NumberForm()
    """How numbers are written, with a unit or without."""
    unit: str = ""
    """What stands beside the numbers, in exactly this case: mW is not MW."""
    day_first: bool | None = None
    """The order of day and month in dates such as 03/04/2024; None where no date has that form."""
    year_first: bool = False
    """Whether years of two digits stand in front, as in 24-12-31."""
    time_of_day: bool = False
    """Whether the dates are times without a day."""


class TableFormat(Spec):
    """How a file is written: its layout, and the cells of its columns by their names."""

    dialect: Dialect
    columns: dict[str, ColumnFormat]
