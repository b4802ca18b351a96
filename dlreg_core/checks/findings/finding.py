"""One thing that a person should look at in a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from dlreg_core.formatting import percent
from dlreg_core.specs import ColumnType, TransformName

Severity = Literal["high", "medium", "low"]

_LISTED = 3


@dataclass(frozen=True)
class Repair:
    """What a recipe does about a finding.

    Attributes
    ----------
    label : str
        What a person chooses: "Leave out casual and registered".
    leave_out : tuple of str
        Columns that aren't predicted from.
    missing_codes : dict of str to tuple of float
        By column, numbers that stand for a missing value.
    merged_labels : dict of str to dict of str to str
        By column, labels that are written in another way, each with the label that takes its place.
    units : dict of str to str
        By column of texts such as "300 m", the unit that all its numbers are converted into.
    types : dict of str to ColumnType
        By column, what it is read as; what can't be read so counts as missing.
    split : tuple of (kind, column), optional
        How the rows are divided.
    drop_duplicates : bool
        Whether repeated rows are left out.
    target_transform : str, optional
        On which scale the target is learned.
    """

    label: str
    leave_out: tuple[str, ...] = ()
    missing_codes: dict[str, tuple[float, ...]] = field(default_factory=dict)
    merged_labels: dict[str, dict[str, str]] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    types: dict[str, ColumnType] = field(default_factory=dict)
    split: tuple[Literal["time", "group"], str] | None = None
    drop_duplicates: bool = False
    target_transform: TransformName | None = None


@dataclass(frozen=True)
class Finding:
    """One thing to look at.

    Attributes
    ----------
    columns : tuple of str
        The columns that it is about; empty when it is about the rows.
    text : str
        What was found and how strong the evidence is; mostly without the names of the columns.
    code : str
        What kind of finding it is, for programs: "target-leak", "identifier", "constant" and so on.
    severity : str
        "high" when results will be wrong if nobody looks, "medium" when they may be worse or flattering, "low" when
        it is only good to know.
    repair : str
        What to do about it, in one sentence; empty where there is nothing to do.
    step : Repair, optional
        What a recipe can do about it; None where only a person can.
    """

    columns: tuple[str, ...]
    text: str
    code: str
    severity: Severity = "medium"
    repair: str = ""
    step: Repair | None = None

    @property
    def serious(self) -> bool:
        """Whether results will be wrong or worse if nobody looks."""
        return self.severity != "low"

    @property
    def title(self) -> str:
        """The columns in a few words; empty when it is about the rows."""
        more = len(self.columns) - _LISTED
        return ", ".join(self.columns[:_LISTED]) + (f" and {more} more" if more > 0 else "")

    @property
    def advice(self) -> str:
        """What was found and what to do about it, one after the other."""
        return f"{self.text} {self.repair}".rstrip()


def listed_names(names: Sequence[str]) -> str:
    """Return names as a sentence has them: "a, b and c"."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def part_words(count: int, rows: int) -> str:
    """Return a part of the rows as "5 %"; never as 0 % of them."""
    share = count / rows
    return percent(share) if share >= 0.0005 or not count else "under 0.1 %"
