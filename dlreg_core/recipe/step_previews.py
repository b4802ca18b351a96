"""What the chosen steps make of a column, computed on some of its rows, so that a page can show it at once."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlreg_core.charts.data.before_after import BeforeAfter, panel_of
from dlreg_core.charts.data.lagged_series import LaggedSeries
from dlreg_core.cleaning import (
    ExpandDates,
    coerce_column,
    combined,
    fit_cleaner,
    fit_past,
    fit_target_transform,
    limits_of,
    outlying_rows,
    repaired,
    with_past,
    without_codes,
)
from dlreg_core.specs import ColumnType, Combination, Dataset, PastColumn, Recipe, TransformName
from dlreg_core.splitting import feature_types

SAMPLE_ROWS = 20_000
_SHOWN_ROWS = 300


def sample_of(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table, or random rows of a large one in their own order."""
    return table.sample(SAMPLE_ROWS, random_state=0).sort_index() if len(table) > SAMPLE_ROWS else table


def preview_transform(values: pd.Series, codes: tuple[float, ...], method: TransformName, title: str) -> BeforeAfter:
    """Show a target as it is and as it is learned.

    Parameters
    ----------
    values : pandas.Series
        The target's column.
    codes : tuple of float
        Its values that stand for a missing one.
    method : str
        The transform.
    title : str
        What stands above the transformed values.

    Raises
    ------
    RecipeError
        If the target can't be transformed so.
    """
    known = column_numbers(without_codes(values, codes))
    known = known[np.isfinite(known)]
    transform = fit_target_transform(known, method)
    after = panel_of(title, transform.forward(known), transform.inverse)
    return BeforeAfter(str(values.name), panel_of("as it is", known), after)


def preview_step(
    dataset: Dataset, table: pd.DataFrame, recipe: Recipe, column: str, kinds: tuple[str, ...]
) -> BeforeAfter:
    """Show a column of numbers before and after one kind of step, as the other steps leave it.

    Parameters
    ----------
    dataset : Dataset
        The profile of the table.
    table : pandas.DataFrame
        Its rows, or some of them: the steps are fitted on these.
    recipe : Recipe
        With the step.
    column : str
        A column that the models get.
    kinds : tuple of str
        Kinds of steps, as `Step` names them.

    Raises
    ------
    RecipeError
        If no column is left.
    """
    types = feature_types(dataset, recipe)
    raw = repaired(table, recipe.cleaning)[list(recipe.features)]
    order = {name: dataset.column(name).day_first for name in recipe.features}
    cleaner = fit_cleaner(raw, types, recipe.cleaning, order)
    current = cleaner.schema_.coerce(raw)
    before = after = _values(current, column)
    for step in cleaner.steps:
        current = step.transform(current)
        if step.kind in kinds:
            after = _values(current, column)
            break
        before = after = _values(current, column)
    gaps = np.isnan(before)
    if gaps.any() and not np.isnan(after).any():
        # Among all the others a few that were filled in couldn't be seen.
        return BeforeAfter(column, panel_of("known", before), panel_of(f"filled in, {gaps.sum():,}", after[gaps]))
    return BeforeAfter(column, panel_of("before", before), panel_of("after", after))


def preview_date(dataset: Dataset, table: pd.DataFrame, recipe: Recipe, column: str) -> dict[str, BeforeAfter]:
    """Show a column of dates, and each number that the models get of it.

    Parameters
    ----------
    dataset : Dataset
        The profile of the table.
    table : pandas.DataFrame
        Its rows, or some of them.
    recipe : Recipe
        How values are repaired.
    column : str
        A column of dates.

    Returns
    -------
    dict of str to BeforeAfter
        By the name of the part; empty where none of them varies.
    """
    moments = coerce_column(
        repaired(table[[column]], recipe.cleaning)[column],
        ColumnType.DATETIME,
        dataset.column(column).day_first,
        time_of_day=dataset.column(column).time_of_day,
    )
    frame = pd.DataFrame({column: moments.dropna()})
    if frame.empty:
        return {}
    step = ExpandDates.fit(frame, [column])
    made = step.transform(frame)
    before = panel_of(column, frame[column].to_numpy().astype("datetime64[s]").astype(np.float64), _days)
    return {
        part: BeforeAfter(column, before, panel_of(name, column_numbers(made[name])))
        for part, name in zip(step.parts[column], made.columns, strict=True)
    }


def _days(seconds: NDArray[np.float64]) -> tuple[str, ...]:
    return tuple(str(day) for day in seconds.astype("datetime64[s]").astype("datetime64[D]"))


def preview_combination(table: pd.DataFrame, made: Combination) -> BeforeAfter:
    """Show the first column of a combination, and what is made of both."""
    left, right = (column_numbers(table[name]) for name in (made.left, made.right))
    before = panel_of(made.left, left)
    return BeforeAfter(made.name, before, panel_of(made.name, combined(left, right, made.kind)))


def preview_past(dataset: Dataset, table: pd.DataFrame, recipe: Recipe, made: PastColumn) -> LaggedSeries:
    """Show a column of the last rows, of the group that has most of them, and what is made of earlier ones.

    Raises
    ------
    RecipeError
        If it can't be made.
    """
    past = fit_past(dataset, table, recipe)
    if past is None:
        return LaggedSeries(made.column, made.name, "", (), (), ())
    # What a row knows one step before it: from where each row is looked at later would only make the line unsteady.
    history = past.history.model_copy(update={"horizon": 1})
    past = past.model_copy(update={"history": history})
    rows = table
    if history.group is not None and len(table):
        rows = table[table[history.group] == table[history.group].mode().iloc[0]]
    # Twice as many as are shown, so that those at the start have a past too.
    order = coerce_column(rows[history.order], past.kind, past.day_first)
    last = rows.loc[order.sort_values(kind="stable").dropna().index[-_SHOWN_ROWS - 10 * made.rows :]]
    shown = with_past(last, past).iloc[-_SHOWN_ROWS:]
    moments = coerce_column(shown[history.order], past.kind, past.day_first)
    order_title, places = history.order, _moments(moments)
    if moments.duplicated().any():
        # Several rows of one moment would stand on one spot.
        order_title, places = f"row, in the order of {history.order}", tuple(float(i + 1) for i in range(len(shown)))
    return LaggedSeries(
        name=made.column,
        made=made.name,
        order=order_title,
        moments=places,
        before=_or_none(column_numbers(shown[made.column])),
        after=_or_none(column_numbers(shown[made.name])),
    )


def _moments(values: pd.Series) -> tuple[str | float, ...]:
    dates = values.dtype.kind == "M"
    return tuple(value.isoformat() if dates else float(value) for value in values)


def _or_none(values: NDArray[np.float64]) -> tuple[float | None, ...]:
    return tuple(None if np.isnan(value) else float(value) for value in values)


def preview_outliers(dataset: Dataset, table: pd.DataFrame, recipe: Recipe, column: str) -> BeforeAfter:
    """Show a column of numbers as it is, and without the rows or the values that its rule calls outliers.

    Raises
    ------
    RecipeError
        If too few rows would be left.
    """
    types = feature_types(dataset, recipe)
    raw = repaired(table, recipe.cleaning)[list(recipe.features)]
    values = coerce_column(raw[column], ColumnType.NUMBER)
    before = values.to_numpy(dtype=np.float64)
    rule = recipe.cleaning.outliers.get(column)
    if rule is not None and rule.act == "clip":
        values = values.clip(*limits_of(values, rule))
    outlying = outlying_rows(raw, types, recipe.cleaning)
    after = values.to_numpy(dtype=np.float64)
    after = after if outlying is None else after[~outlying]
    return BeforeAfter(column, panel_of("before", before), panel_of("after", after))


def _values(frame: pd.DataFrame, column: str) -> NDArray[np.float64]:
    if column not in frame.columns:
        return np.empty(0)
    return frame[column].to_numpy(dtype=np.float64)


def column_numbers(values: pd.Series) -> NDArray[np.float64]:
    """Return a raw column of numbers; NaN where there is none."""
    found: NDArray[np.float64] = coerce_column(values, ColumnType.NUMBER).to_numpy(dtype=np.float64)
    return found
