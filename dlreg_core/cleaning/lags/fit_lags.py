"""Columns made of earlier rows: lags, means of the rows before, and smoothed values.

They are raw columns like those of the file. In the table they are made of all rows before one, whatever part those
belong to; for new rows, of the rows of the same file and of the last ones that are kept. Where a file has them already,
they are taken as they are: so the same row is predicted the same, alone and among others.

Of the target only what is known when a row is predicted may be looked at. In training, validation and test, each row is
therefore looked at from so many steps before it, at most as many as a person wants to predict ahead; new rows from the
last value that is known. A column of its own says how many steps that was.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from dlreg_core.array_types import Floats
from dlreg_core.cleaning.lags.fitted_lags import Past, RowsWithPast
from dlreg_core.cleaning.lags.lag_columns import Places
from dlreg_core.cleaning.lags.time_steps import Clock, fit_clock, furthest
from dlreg_core.cleaning.schema import coerce_column
from dlreg_core.errors import RecipeError
from dlreg_core.specs import ColumnType, Dataset, History, PastColumn, Recipe, Split

_ROUNDING = 1e-6


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
        isn't by time, or how far ahead can't be counted.
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
    return _with_clock(past, table).with_last_rows(table)


def step_of(dataset: Dataset, table: pd.DataFrame, order: str, group: str | None) -> Clock | None:
    """Return in what steps the rows of a table follow each other; None where that can't be told."""
    kind = ColumnType.DATETIME if dataset.column(order).type is ColumnType.DATETIME else ColumnType.NUMBER
    # Any column will do: the moments are the same.
    history = History(order=order, group=group, columns=(PastColumn(kind="lag", column=order),))
    past = Past(history=history, kind=kind, day_first=dataset.column(order).day_first)
    return _with_clock(past, table).clock


def _with_clock(past: Past, table: pd.DataFrame) -> Past:
    names, moments, _ = past.read(table)
    groups = pd.factorize(np.array(names, dtype=object))[0].astype(np.int64)
    horizon = past.history.horizon if past.target is not None else 1
    clock = fit_clock(groups, moments, dates=past.kind is ColumnType.DATETIME)
    if clock is None:
        if horizon > 1:
            raise RecipeError(
                f"No series has two rows at different times ({past.history.order}), so that steps can't be counted.",
                "Choose another column that says when, or which rows belong together.",
            )
        return past
    return past.model_copy(update={"clock": clock, "furthest": furthest(clock, groups, moments, horizon)})


def split_at_horizon(split: Split, past: Past | None) -> Split:
    """Return how the rows are divided where earlier targets are used: each part at least the horizon after the last.

    What is learned then ends before the moment from which the first row of the next part is looked at. Beside an own
    test file, rows that choose are the newest ones: at random they would stand among those learned from, and their
    targets in the columns of these.
    """
    if past is None or past.ahead_column is None:
        return split
    gap = split.gap
    if past.clock is not None:
        # A little less, since days as numbers are rounded.
        gap = max(gap, past.clock.in_moments(past.history.horizon - _ROUNDING))
    if split.kind != "own":
        return split.model_copy(update={"gap": gap})
    half = round(split.validation / (split.train + split.validation) / 2, 6)
    return Split(
        kind="time", column=past.history.order, train=1 - 2 * half, validation=half, test=half, gap=gap, seed=split.seed
    )


def looked_up(whole: pd.DataFrame, past: Past, *, follows: bool = False) -> RowsWithPast:
    """Return all rows of a table to look up what was before.

    Parameters
    ----------
    whole : pandas.DataFrame
        All rows of the table, with the columns that `Past.read_from` names.
    past : Past
        How columns are made of earlier ones.
    follows : bool
        Whether the table follows on from the rows that are kept, instead of being the one that they are from.
    """
    kept: dict[str, Any] = {} if follows else {"moments": (), "groups": (), "values": {}}
    return RowsWithPast(past.model_copy(update=kept), whole)


def added_to(table: pd.DataFrame, past: Past, looked: RowsWithPast, places: Places | None = None) -> pd.DataFrame:
    """Return raw rows, all of a table or those at some places of it, with the columns that are made of earlier ones."""
    at = np.arange(len(table), dtype=np.int64) if places is None else places
    found = looked.columns(drawn_steps(at, past.history.horizon), at)
    return table.assign(**{name: found[name] for name in past.made})


def with_past(table: pd.DataFrame, past: Past) -> pd.DataFrame:
    """Return a whole raw table with the columns that are made of earlier rows."""
    return added_to(table, past, looked_up(table, past))


def columns_made(whole: pd.DataFrame, past: Past, places: Places, *, follows: bool = False) -> dict[str, Floats]:
    """Return the columns that are made of earlier rows, for rows at some places of a table. See `looked_up`."""
    found = looked_up(whole, past, follows=follows).columns(drawn_steps(places, past.history.horizon), places)
    return {name: found[name] for name in past.made}


def drawn_steps(rows: Places, horizon: int) -> Places:
    """Return from how many steps before each row is looked at: any from 1 to the horizon, as often as another.

    It depends on the number of the row in its table alone, so that it is the same whoever asks. (The number is mixed as
    in Steele, Lea & Flood 2014, "Fast splittable pseudorandom number generators".)
    """
    if horizon == 1:
        return np.ones(len(rows), dtype=np.int64)
    with np.errstate(over="ignore"):
        mixed = (rows.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return (mixed % np.uint64(horizon)).astype(np.int64) + 1


def _checked_sources(recipe: Recipe, types: dict[str, ColumnType]) -> bool:
    """Refuse what can't be taken from earlier rows; return whether earlier values of the target are used."""
    history = recipe.history
    columns = history.columns if history is not None else ()
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
    if of_target and history is not None and recipe.split.kind == "time" and recipe.split.column != history.order:
        raise RecipeError(
            f"Earlier values of {recipe.target} are those before in {history.order}, and the split goes by "
            f"{recipe.split.column}: values that are to judge could be among them.",
            f"Split by {history.order}, or take earlier values by {recipe.split.column}.",
        )
    return of_target
