"""Columns made of earlier rows: lags, means of the rows before, and smoothed values.

They are raw columns like those of the file. In the table they are made of all rows before one, whatever part those
belong to; for new rows, of the rows of the same file and of the last ones that are kept. Where a file has them already,
they are taken as they are: so the same row is predicted the same, alone and among others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from dlreg_core.errors import RecipeError, RowsError
from dlreg_core.prepare.repairing import repaired
from dlreg_core.prepare.schema import as_text, coerce_column
from dlreg_core.specs import Cleaning, ColumnType, Dataset, History, PastColumn, Recipe, Spec

MOST_KEPT_ROWS = 20_000
"""Of all groups together; groups that ended first lose theirs first."""

_SPANS = 10
"""After so many spans what weighs less the longer ago it is weighs nothing to speak of: 2e-9 of the whole."""

Floats = NDArray[np.float64]


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

    def read_from(self, columns: Iterable[str]) -> tuple[str, ...]:
        """Return those of a table's columns that have to be read to make the others."""
        group = () if self.history.group is None else (self.history.group,)
        wanted = {self.history.order, *group, *self.sources}
        return tuple(name for name in columns if name in wanted)

    def features(self, features: tuple[str, ...]) -> tuple[str, ...]:
        """Return the columns to predict from: smoothed ones in place of the others, and those that are added."""
        replaced = {made.column for made in self.history.columns if made.replaces}
        kept = tuple(name for name in features if name not in replaced)
        return (*kept, *(made.name for made in self.history.columns))

    def complete(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return raw rows with the columns that are made of earlier ones, where they don't have them.

        Parameters
        ----------
        frame : pandas.DataFrame
            Raw rows; those that are earlier in it are the past of later ones, and kept rows the past of all that
            are later still. A kept row gives way to one of the frame with the same group and moment: it is the same.

        Raises
        ------
        RowsError
            If a column is missing.
        """
        wanted = [made for made in self.history.columns if made.name not in frame.columns]
        if not wanted:
            return frame
        absent = [name for name in self.needed if name not in frame.columns]
        if absent:
            raise RowsError(
                f"The table has no column {', '.join(absent)}, so that earlier rows can't be looked up.",
                f"Give it that, or the columns {', '.join(made.name for made in wanted[:3])} themselves.",
            )
        moments, groups, values = self._read(frame)
        kept = self._kept()
        again = pd.MultiIndex.from_arrays([groups, moments])
        new = ~pd.MultiIndex.from_arrays([kept["group"], kept["moment"]]).isin(again) if len(kept) else slice(None)
        rows = pd.DataFrame({"group": groups, "moment": moments, **values})
        together = pd.concat([kept[new], rows], ignore_index=True) if len(kept) else rows
        found = _made(together, wanted).iloc[len(together) - len(rows) :]
        return frame.assign(**{name: found[name].to_numpy() for name in found.columns})

    def only(self, names: tuple[str, ...]) -> Past | None:
        """Return this for columns that are wanted; None where none is."""
        left = tuple(made for made in self.history.columns if made.name in names)
        if not left:
            return None
        return self.model_copy(update={"history": self.history.model_copy(update={"columns": left})})

    def with_last_rows(self, frame: pd.DataFrame) -> Past:
        """Return this with the last rows of a raw table, as many as the columns reach back."""
        moments, groups, values = self._read(frame)
        rows = pd.DataFrame({"group": groups, "moment": moments, **values}).dropna(subset=["moment"])
        rows = rows.sort_values("moment", kind="stable")
        last = rows.groupby("group", sort=False).tail(max(map(_reach, self.history.columns))).tail(MOST_KEPT_ROWS)
        return self.model_copy(
            update={
                "moments": tuple(last["moment"].tolist()),
                "groups": tuple(last["group"].tolist()),
                "values": {n: tuple(None if np.isnan(v) else float(v) for v in last[n]) for n in values},
            }
        )

    def _kept(self) -> pd.DataFrame:
        columns = {name: np.array(values, dtype=np.float64) for name, values in self.values.items()}
        moments = np.array(self.moments, dtype=np.float64)
        return pd.DataFrame({"group": list(self.groups), "moment": moments, **columns})

    def _read(self, frame: pd.DataFrame) -> tuple[Floats, list[str], dict[str, Floats]]:
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
        return moments, groups, values


def fit_past(dataset: Dataset, table: pd.DataFrame, recipe: Recipe) -> Past | None:
    """Return how columns are made of earlier rows, with the last rows of the table; None where nobody asked for it.

    Parameters
    ----------
    dataset : Dataset
        The profile of the table.
    table : pandas.DataFrame
        All its rows.
    recipe : Recipe
        Says in what order they follow each other, and what is made of them.

    Raises
    ------
    RecipeError
        If a column isn't there or isn't of that kind, or earlier values of the target would be used with a split that
        isn't by time.
    """
    history = recipe.history
    if history is None:
        return None
    for name in (history.order, *([history.group] if history.group else []), *(c.column for c in history.columns)):
        if name not in dataset.column_names:
            raise RecipeError(
                f"The table has no column {name}, which earlier rows are looked up by.", "Choose another."
            )
    types = {name: recipe.types.get(name, dataset.column(name).type) for name in dataset.column_names}
    kind = ColumnType.DATETIME if types[history.order] is ColumnType.DATETIME else ColumnType.NUMBER
    if coerce_column(table[history.order], kind).isna().all():
        raise RecipeError(f"{history.order} is neither a date nor a number to order rows by.", "Choose another column.")
    of_target = _checked_sources(recipe, types)
    past = Past(
        history=history,
        kind=kind,
        day_first=dataset.column(history.order).day_first,
        target=recipe.target if of_target else None,
        repairs=recipe.cleaning.repairs,
    )
    return past.with_last_rows(table)


def added_to(
    table: pd.DataFrame, past: Past, earlier: pd.DataFrame | None = None, places: NDArray[np.int64] | None = None
) -> pd.DataFrame:
    """Return raw rows with the columns that are made of earlier ones.

    They are a whole table, or the rows at some places of one, of which `earlier` holds all rows then.
    """
    if earlier is None or places is None:
        return with_past(table, past)
    return table.assign(**columns_made(earlier, past, places))


def columns_made(
    whole: pd.DataFrame, past: Past, places: NDArray[np.int64], *, follows: bool = False
) -> dict[str, Floats]:
    """Return the columns that are made of earlier rows, for some rows of a table.

    Parameters
    ----------
    whole : pandas.DataFrame
        All rows of the table, with the columns that `Past.read_from` names.
    past : Past
        How they are made.
    places : ndarray of int64
        Places of the rows that are wanted.
    follows : bool
        Whether the table follows on from the rows that are kept, instead of being the one that they are from.
    """
    complete = past.complete(whole) if follows else with_past(whole, past)
    return {made.name: complete[made.name].to_numpy()[places] for made in past.history.columns}


def _checked_sources(recipe: Recipe, types: dict[str, ColumnType]) -> bool:
    """Refuse what can't be taken from earlier rows; return whether earlier values of the target are used."""
    columns = recipe.history.columns if recipe.history is not None else ()
    for made in columns:
        if types[made.column] is not ColumnType.NUMBER:
            raise RecipeError(f"{made.column} holds no numbers to take from earlier rows.", "Choose another column.")
        if made.column == recipe.target and made.replaces:
            raise RecipeError("The target can't be smoothed: it is what is predicted.", "Use a lag of it.")
    of_target = any(made.column == recipe.target for made in columns)
    if of_target and recipe.split.kind not in ("time", "own"):
        raise RecipeError(
            f"Earlier values of {recipe.target} are used, and the split isn't by time: rows would learn from the "
            "values that are to judge.",
            "Split by time, or leave them out.",
        )
    return of_target


def with_past(table: pd.DataFrame, past: Past) -> pd.DataFrame:
    """Return a whole raw table with the columns that are made of earlier rows."""
    return past.model_copy(update={"moments": (), "groups": (), "values": {}}).complete(table)


def _reach(made: PastColumn) -> int:
    return made.rows * _SPANS if made.kind == "exponential" else made.rows


def _made(rows: pd.DataFrame, wanted: list[PastColumn]) -> pd.DataFrame:
    """Make columns of earlier rows of the same group; of equal moments, rows that stand further up are earlier."""
    ordered = rows[rows["moment"].notna()].sort_values(["group", "moment"], kind="stable")
    groups = ordered["group"]
    found: Mapping[str, pd.Series] = {made.name: _column(ordered[made.column], groups, made) for made in wanted}
    # Rows without a moment have no past.
    return pd.DataFrame(found, index=ordered.index, columns=[made.name for made in wanted]).reindex(rows.index)


def _column(values: pd.Series, groups: pd.Series, made: PastColumn) -> pd.Series:
    grouped = values.groupby(groups, sort=False)
    if made.kind == "lag":
        return grouped.shift(made.rows)
    if made.kind == "mean":
        grouped = grouped.shift(1).groupby(groups, sort=False)
    if made.kind == "exponential":
        smoothed = grouped.ewm(span=made.rows, min_periods=1).mean()
    else:
        smoothed = grouped.rolling(made.rows, min_periods=1).mean()
    return smoothed.droplevel(0).reindex(values.index)
