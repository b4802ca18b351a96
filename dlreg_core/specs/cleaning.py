"""How a table is cleaned, and what is added to it."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from dlreg_core.specs.base import Spec

FillMethod = Literal["median", "mean", "most_frequent", "zero", "constant", "knn", "iterative", "keep"]
"""What fills missing numbers: a fixed value, the mean of similar rows, or what a regression on the others says."""


class NumberFill(Spec):
    """How the gaps of one column of numbers are filled, and whether a column of its own tells where they were."""

    method: FillMethod
    constant: float = Field(default=0.0, allow_inf_nan=False)
    flag: bool = True


class OutlierRule(Spec):
    """What counts as an outlier of a column, and what becomes of it.

    ``reach`` is the distance from the quartiles in interquartile ranges, or from the mean in standard deviations; both
    are those of the training rows.
    """

    rule: Literal["iqr", "zscore"] = "iqr"
    reach: float = Field(default=3.0, gt=0, le=1000)
    act: Literal["clip", "remove"] = "clip"
    """Bring the value to the limit, in all rows; or let the row teach nothing, where it is a training row."""


ScaleMethod = Literal["standard", "minmax", "robust", "quantile"]
"""Mean 0 and standard deviation 1; 0 to 1; median 0 and interquartile range 1; or the share of rows below the value."""


class Combination(Spec):
    """A column that is made of two columns of numbers."""

    kind: Literal["product", "ratio", "difference"]
    left: str
    right: str

    @model_validator(mode="after")
    def _of_two(self) -> Self:
        if self.left == self.right and self.kind != "product":
            raise ValueError("a ratio or a difference needs two different columns")
        return self

    @property
    def name(self) -> str:
        """What the column is called."""
        sign = {"product": "×", "ratio": "÷", "difference": "−"}[self.kind]
        return f"{self.left} {sign} {self.right}"


class Cleaning(Spec):
    """Which repairs are made. Rows without a target are always dropped, since nothing can be learned from them."""

    drop_duplicates: bool = True
    drop_constant: bool = True
    drop_identifiers: bool = True
    impute_numbers: FillMethod = "median"
    impute_constant: float = Field(default=0.0, allow_inf_nan=False)
    """What fills missing numbers where that is "constant"."""
    fills: dict[str, NumberFill] = Field(default_factory=dict)
    """Columns of numbers that are filled in another way than the others."""
    impute_categories: Literal["most_frequent", "level", "keep"] = "level"
    missing_flags: bool = True
    outliers: dict[str, OutlierRule] = Field(default_factory=dict)
    """By column of numbers."""
    isolation: float = Field(default=0.0, ge=0, le=0.2)
    """Share of the training rows that are left out because they are most unlike the others in all numbers together."""
    combinations: tuple[Combination, ...] = ()
    scaling: dict[str, ScaleMethod] = Field(default_factory=dict)
    """By column of numbers; networks standardise the others themselves, each in its own way."""
    missing_codes: dict[str, tuple[float, ...]] = Field(default_factory=dict)
    """Numbers that stand for a missing value, by column; of the target too, whose rows are then dropped."""
    merged_labels: dict[str, dict[str, str]] = Field(default_factory=dict)
    """By column, the labels that are written in another way, each with the label that takes its place."""
    orders: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """By column of categories, its levels from the lowest to the highest: the networks get the place of each as a
    number. None at all says that they have no order."""
    units: dict[str, str] = Field(default_factory=dict)
    """By column of numbers, the unit that they are in: what has another one is converted, in new rows too."""
    decimal: Literal[".", ","] = "."
    """Decimal mark of texts that are converted."""

    @property
    def repairs(self) -> Cleaning:
        """What changes single values before anything else looks at them, and nothing else."""
        return self.repairs_and()

    def repairs_and(self, *others: str) -> Cleaning:
        """Return a cleaning with the repairs of single values and what is named besides; all else is as usual."""
        kept = ("missing_codes", "merged_labels", "units", "decimal", *others)
        return Cleaning(**{name: getattr(self, name) for name in kept})

    @property
    def named(self) -> tuple[str, ...]:
        """Columns that something was chosen for by name."""
        made = (name for one in self.combinations for name in (one.left, one.right))
        return tuple(dict.fromkeys((*self.fills, *self.outliers, *self.scaling, *made)))


class PastColumn(Spec):
    """A column that is made of this and earlier rows of another one.

    ``lag`` is the value so many rows before, ``mean`` that of the so many rows before; both know nothing of the row
    itself. ``smooth`` is the mean of the row and those before it, so many in all, and ``exponential`` weighs them the
    less the longer ago they are, with that span: these two take the column's place. Rows of one moment (and group)
    count as one, with the mean of their values, and none is before another.
    """

    kind: Literal["lag", "mean", "smooth", "exponential"]
    column: str
    rows: int = Field(default=1, ge=1, le=1000)

    @model_validator(mode="after")
    def _reaches(self) -> Self:
        if self.kind in ("smooth", "exponential") and self.rows < 2:
            raise ValueError("smoothing takes two rows at least")
        if self.kind == "exponential" and self.rows > 100:
            raise ValueError("exponential smoothing has a span of 100 rows at most")
        return self

    @property
    def name(self) -> str:
        """What the column is called."""
        rows = "1 row" if self.rows == 1 else f"{self.rows} rows"
        words = {
            "lag": f"{rows} before",
            "mean": f"mean of the {rows} before",
            "smooth": f"smoothed over {rows}",
            "exponential": f"smoothed exponentially over {rows}",
        }
        return f"{self.column}: {words[self.kind]}"

    @property
    def replaces(self) -> bool:
        """True where it takes its column's place."""
        return self.kind in ("smooth", "exponential")


class History(Spec):
    """In what order rows follow each other, and which columns are made of earlier ones.

    Rows of another `group` are none of a row's past. Where earlier values of the target are used, rows are predicted up
    to `horizon` steps ahead of the last value that is known.
    """

    order: str
    group: str | None = None
    columns: tuple[PastColumn, ...] = Field(min_length=1)
    horizon: int = Field(default=1, ge=1, le=1000)
