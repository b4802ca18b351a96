"""How columns are made of earlier rows, and the last rows of a table: the past of new ones. Kept with a model."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from dlreg_core.array_types import Floats
from dlreg_core.cleaning.lags.lag_columns import EarlierRows, NewRows, Places, joined_moments, moments_by_group
from dlreg_core.cleaning.lags.time_steps import SLACK, Clock
from dlreg_core.cleaning.schema import as_text, coerce_column
from dlreg_core.cleaning.steps.value_repairs import repaired
from dlreg_core.errors import RowsError
from dlreg_core.specs import Cleaning, ColumnType, History, PastColumn, Spec

MOST_KEPT_ROWS = 20_000
"""Of all groups together; groups that ended first lose theirs first."""

_LISTED = 5
_SPANS = 10
"""After so many spans what weighs less the longer ago it is weighs nothing to speak of: 2e-9 of the whole."""


class Past(Spec):
    """How columns are made of earlier rows, and the last rows of the table."""

    history: History
    kind: ColumnType
    """Type of the column that rows are ordered by."""
    day_first: bool | None = None
    target: str | None = None
    """The target, where earlier values of it are used: new rows don't have it yet."""
    repairs: Cleaning = Cleaning()
    """Codes for a missing value and units of the columns that others are made of."""
    clock: Clock | None = None
    """In what steps rows follow each other; None in models of earlier versions, which knew none."""
    furthest: float = 1 + SLACK
    """So many steps ahead a row may be."""
    moments: tuple[float, ...] = ()
    groups: tuple[str, ...] = ()
    values: dict[str, tuple[float | None, ...]] = Field(default_factory=dict)

    @property
    def sources(self) -> tuple[str, ...]:
        """The columns that others are made of."""
        return tuple(dict.fromkeys(made.column for made in self.history.columns))

    @property
    def needed(self) -> tuple[str, ...]:
        """The columns that new rows must have so that the others can be made."""
        group = () if self.history.group is None else (self.history.group,)
        return (self.history.order, *group, *(name for name in self.sources if name != self.target))

    @property
    def ahead_column(self) -> str | None:
        """The column that says how many steps before a row the target was last known; None where it isn't used."""
        return f"{self.target}: steps ahead" if self.target in self.sources else None

    @property
    def made(self) -> tuple[str, ...]:
        """The columns that the models get of it."""
        names = tuple(made.name for made in self.history.columns)
        # With one step it is the same everywhere, or says no more than how regularly rows come.
        if self.ahead_column is None or self.history.horizon == 1:
            return names
        return (*names, self.ahead_column)

    def read_from(self, columns: Iterable[str]) -> tuple[str, ...]:
        """Return those of a table's columns that have to be read to make the others."""
        group = () if self.history.group is None else (self.history.group,)
        wanted = {self.history.order, *group, *self.sources}
        return tuple(name for name in columns if name in wanted)

    def features(self, features: tuple[str, ...]) -> tuple[str, ...]:
        """Return the columns to predict from: smoothed ones in place of the others, and those that are added."""
        replaced = {made.column for made in self.history.columns if made.replaces}
        kept = tuple(name for name in features if name not in replaced)
        return (*kept, *self.made)

    def complete(self, frame: pd.DataFrame, least: Places | None = None) -> pd.DataFrame:
        """Return raw rows with the columns that are made of earlier ones, where they don't have them.

        Parameters
        ----------
        frame : pandas.DataFrame
            Raw rows; those of earlier moments are the past of later ones, and kept rows the past of all that are later
            still. A kept row gives way to those of the frame with the same group and moment, where they have a value.
        least : ndarray of int64, shape (rows,), optional
            How many steps before each row the last value of the target that it may know lies at least; by default it
            may know all that are earlier.

        Raises
        ------
        RowsError
            If a column is missing.
        """
        absent = [name for name in self.made if name not in frame.columns]
        if not absent:
            return frame
        missing = [name for name in self.needed if name not in frame.columns]
        if missing:
            raise RowsError(
                f"The table has no column {', '.join(missing)}, so that earlier rows can't be looked up.",
                f"Give it that, or the columns {', '.join(absent[:3])} themselves.",
            )
        found = RowsWithPast(self, frame).columns(least)
        return frame.assign(**{name: values for name, values in found.items() if name not in frame.columns})

    def ahead(self, frame: pd.DataFrame) -> Floats | None:
        """Return how many steps ahead completed rows are, NaN where no earlier value is known; None if nobody knows."""
        if self.ahead_column is None or self.ahead_column not in frame.columns:
            return None
        return coerce_column(frame[self.ahead_column], ColumnType.NUMBER).to_numpy(dtype=np.float64)

    def too_far(self, frame: pd.DataFrame) -> NDArray[np.bool_]:
        """Tell which completed rows are further ahead than the model was made for."""
        ahead = self.ahead(frame)
        return np.zeros(len(frame), dtype=bool) if ahead is None else np.asarray(ahead > self.furthest)

    def within_reach(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return completed rows of which none is said to be further ahead than the model was made for."""
        ahead = self.ahead(frame)
        if ahead is None or self.ahead_column not in self.made:
            return frame
        return frame.assign(**{str(self.ahead_column): np.minimum(ahead, self.history.horizon)})

    def warnings(self, frame: pd.DataFrame) -> list[str]:
        """Say which completed rows are too far ahead, and which have no past."""
        found, ahead = [], self.ahead(frame)
        if ahead is None:
            return []
        far = self.too_far(frame)
        if far.any():
            furthest = self.span(float(ahead[far].max()))
            found.append(
                f"{_numbered(far)} further ahead than the {self.span(self.history.horizon)} that this model was made "
                f"for, up to {furthest} after the last {self.target} that is known: no prediction."
            )
        without = np.isnan(ahead)
        if without.any():
            found.append(
                f"{_numbered(without, 'have')} no earlier {self.target} to look at (a new series, or no date): "
                "predicted without it, and how far off that is was not measured."
            )
        return found

    def span(self, steps: float) -> str:
        """Return so many steps in words."""
        if self.clock is not None:
            return self.clock.span(steps)
        return "1 row" if round(steps) == 1 else f"{steps:,.0f} rows"

    def only(self, names: tuple[str, ...]) -> Past | None:
        """Return this for columns that are wanted; None where none is."""
        # How far ahead a row is can't be said without the target.
        wanted = {self.target} if self.ahead_column in names else set()
        left = tuple(made for made in self.history.columns if made.name in names or made.column in wanted)
        if not left:
            return None
        return self.model_copy(update={"history": self.history.model_copy(update={"columns": left})})

    def with_last_rows(self, frame: pd.DataFrame) -> Past:
        """Return this with the last moments of a raw table, as many as the columns reach back."""
        rows = moments_by_group(*self.read(frame))
        reach = max(map(_reach, self.history.columns))
        wanted = pd.Series(False, index=rows.index)
        places = [rows.groupby("group", sort=False).tail(reach).index]
        if self.target in self.sources:
            # The last moments need not be those of the last values that are known.
            places.append(rows[rows[self.target].notna()].groupby("group", sort=False).tail(reach).index)
        for place in places:
            wanted[place] = True
        last = rows[wanted].sort_values("moment", kind="stable").tail(MOST_KEPT_ROWS)
        return self.model_copy(
            update={
                "moments": tuple(last["moment"].tolist()),
                "groups": tuple(last["group"].tolist()),
                "values": {n: tuple(None if np.isnan(v) else float(v) for v in last[n]) for n in self.sources},
            }
        )

    def kept(self) -> pd.DataFrame:
        """Return the last moments of the table. See `Moments`."""
        columns = {name: np.array(values, dtype=np.float64) for name, values in self.values.items()}
        moments = np.array(self.moments, dtype=np.float64)
        # Those of earlier versions were rows.
        return moments_by_group(self.groups, moments, {name: columns[name] for name in self.sources if name in columns})

    def read(self, frame: pd.DataFrame) -> tuple[list[str], Floats, dict[str, Floats]]:
        """Return the groups and moments of raw rows, and their values of the columns that others are made of."""
        order = coerce_column(frame[self.history.order], self.kind, self.day_first)
        if self.kind is ColumnType.DATETIME:
            moments = order.to_numpy().astype("datetime64[ns]").astype(np.float64)
            moments = np.where(order.isna(), np.nan, moments)
        else:
            moments = order.to_numpy(dtype=np.float64)
        group = self.history.group
        groups = [""] * len(frame) if group is None else as_text(frame[group]).fillna("").astype(str).tolist()
        values = {}
        sources = repaired(frame[[name for name in self.sources if name in frame.columns]], self.repairs)
        for name in self.sources:
            if name in sources.columns:
                values[name] = coerce_column(sources[name], ColumnType.NUMBER).to_numpy(dtype=np.float64)
            else:
                # The target of new rows isn't known.
                values[name] = np.full(len(frame), np.nan)
        return groups, moments, values


class RowsWithPast:
    """Raw rows of which the columns that are made of earlier rows can be looked up, from near or from far.

    Parameters
    ----------
    past : Past
        How they are made; with the rows that are kept, which are before those of the frame.
    frame : pandas.DataFrame
        All rows that are each other's past, with the columns that `Past.read_from` names.
    """

    def __init__(self, past: Past, frame: pd.DataFrame) -> None:
        self.past = past
        groups, moments, self._own = past.read(frame)
        self._groups, self.moments = np.array(groups, dtype=object), moments
        target = past.target if past.ahead_column is not None else None
        every = joined_moments(past.kept(), moments_by_group(groups, moments, self._own))
        self._earlier = EarlierRows(every, past.clock, target, past.history.horizon)

    def columns(self, least: Places | None = None, places: Places | None = None) -> dict[str, Floats]:
        """Return the columns of all rows, or of those at some places.

        Parameters
        ----------
        least : ndarray of int64, optional
            See `Past.complete`; for each row that is wanted.
        places : ndarray of int64, optional
            Places of the rows that are wanted.
        """
        at = np.arange(len(self.moments)) if places is None else places
        asked = NewRows(
            groups=self._groups[at],
            moments=self.moments[at],
            own={name: values[at] for name, values in self._own.items()},
            least=np.ones(len(at), dtype=np.int64) if least is None else least,
        )
        found, ahead = self._earlier.made(asked, self.past.history.columns)
        return found if self.past.ahead_column is None else found | {self.past.ahead_column: ahead}


def _reach(made: PastColumn) -> int:
    return made.rows * _SPANS if made.kind == "exponential" else made.rows


def _numbered(rows: NDArray[np.bool_], verb: str = "lie") -> str:
    """Return which rows something is said of, with the verb: "Rows 15 to 20 lie"."""
    places = np.flatnonzero(rows) + 1
    if len(places) == 1:
        return f"Row {places[0]:,} {'has' if verb == 'have' else 'lies'}"
    first, last = places[0], places[-1]
    if last - first + 1 == len(places):
        return f"Rows {first:,} to {last:,} {verb}"
    shown = ", ".join(f"{place:,}" for place in places[:_LISTED])
    return f"{len(places):,} rows ({shown}{' …' if len(places) > _LISTED else ''}) {verb}"
