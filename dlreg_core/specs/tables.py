"""Tables: what they hold, and how they were read."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from dlreg_core.specs.base import Name, Spec, VersionedSpec, now


class ColumnType(StrEnum):
    """What a column holds, as far as modelling is concerned."""

    NUMBER = "number"
    CATEGORY = "category"
    DATETIME = "datetime"
    TEXT = "text"
    BOOLEAN = "boolean"
    IDENTIFIER = "identifier"
    CONSTANT = "constant"


class Histogram(Spec):
    """Counts of a numeric column in equal bins; ``len(edges) == len(counts) + 1``."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]


class Level(Spec):
    """A value of a category column and how often it occurs."""

    value: str
    count: int


class NumberForm(Spec):
    """How the numbers of a column are written in its file: enough to read each cell of it by itself.

    ``decimal`` is the decimal mark; the other mark, spaces and apostrophes group digits. ``minus`` is the word that
    stands behind negative amounts, such as CR. ``scaled`` tells that K, M and B behind a number without a unit are
    thousands, millions and billions; beside a currency they always are.
    """

    decimal: Literal[".", ","] = "."
    minus: str = ""
    scaled: bool = False


class Column(Spec):
    """Profile of one column.

    ``minimum`` and ``maximum`` are numbers for number columns and ISO 8601 text for dates; ``median`` and ``mean``
    exist for number columns only. ``levels`` holds the most frequent values (20 at most), most frequent first.
    """

    name: str
    type: ColumnType
    missing: int = Field(ge=0)
    distinct: int = Field(ge=0)
    integer: bool = False
    minimum: float | str | None = None
    maximum: float | str | None = None
    mean: float | None = None
    median: float | None = None
    histogram: Histogram | None = None
    levels: tuple[Level, ...] = ()
    note: str = ""
    """Why the column got its type, or what is odd about it, in one sentence; empty when there is nothing to say."""
    day_first: bool | None = None
    """Whether dates such as 03/04/2024 were read as day/month (True) or month/day (False); None for all others. Also
    for a column of texts that are mostly dates."""
    year_first: bool = False
    """Whether years of two digits stand in front, as in 24-12-31."""
    time_of_day: bool = False
    """True for a date column that holds times without a day; they are kept on 1 January 1970."""
    unit: str = ""
    """What stood beside the numbers in the file, such as kmpl, % or $; empty where nothing did."""
    ordered: tuple[str, ...] = ()
    """For categories: all levels from the lowest to the highest, where their words tell an order."""
    outliers: int | None = None
    """Values of a number column beyond Tukey's outer fences, three interquartile ranges from the quartiles; None where
    the quartiles are the same, and for all other columns."""
    note_code: str = ""
    """What the note is about, for programs: identifier, constant, mixed-units, ambiguous-dates and the like."""
    form: NumberForm | None = None
    """How the numbers of a column were written, where they were texts in the file; None for all others."""


class Reading(Spec):
    """How a person wants a file to be read, where that differs from what the program guesses; None leaves it to it.

    ``header`` is "none", or how many lines stand above the header. ``day_first`` is for dates that fit both orders.
    """

    sheet: str | None = None
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    encoding: str | None = None
    decimal: Literal[".", ","] | None = None
    header: Literal["none"] | Annotated[int, Field(ge=0, le=1000)] | None = None
    day_first: bool | None = None


class Dialect(Spec):
    """How a file was read.

    ``file`` is CSV for all text tables, or workbook, Parquet, Feather or JSON. ``delimiter`` and ``encoding`` are empty
    where the file has none, ``sheet`` where it is no workbook. ``header_row`` counts the lines above the header, titles
    and notes; None where there is no header.
    """

    file: str = "CSV"
    delimiter: str = ""
    encoding: str = ""
    decimal: str = "."
    header_row: int | None = 0
    sheet: str = ""
    sheets: tuple[str, ...] = ()
    """All sheets of the workbook."""
    unit_rows: int = 0
    """Lines between the names and the values, which hold units or kinds of columns."""
    doubtful: tuple[str, ...] = ()
    """Columns whose numbers fit both decimal marks, where no other column shows which one the file has."""
    renamed: tuple[str, ...] = ()
    """Columns whose names stand otherwise in the file: with what can't be seen, or longer than a name may be."""


class Dataset(VersionedSpec):
    """An uploaded table: stored once under its content hash, with its profile, and read-only from then on."""

    id: str
    name: Name
    file_bytes: int
    rows: int
    columns: tuple[Column, ...]
    duplicate_rows: int = 0
    dialect: Dialect | None = None
    reading: Reading = Reading()
    """What a person said about how to read the file."""
    created: datetime = Field(default_factory=now)

    def column(self, name: str) -> Column:
        """Return the profile of the column called `name`; ``KeyError`` if there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the columns in the order of the file."""
        return tuple(column.name for column in self.columns)
