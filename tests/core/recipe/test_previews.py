"""Pictures of cleaning steps: the same values as the steps make, on some rows of a large table."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from dlreg_core.charts.data.lagged_series import LaggedSeries
from dlreg_core.recipe.step_previews import (
    SAMPLE_ROWS,
    preview_combination,
    preview_date,
    preview_outliers,
    preview_past,
    preview_step,
    sample_of,
)
from dlreg_core.specs import (
    Cleaning,
    Combination,
    History,
    NumberFill,
    OutlierRule,
    PastColumn,
    Recipe,
)
from tests.conftest import as_read

RNG = np.random.default_rng(0)


def table() -> pd.DataFrame:
    found = pd.DataFrame(RNG.normal(size=(400, 3)).round(4), columns=["a", "b", "y"])
    found.loc[:9, "a"] = np.nan
    found.loc[20:22, "b"] = 50.0
    return found


def test_a_filling_shows_what_is_known_and_what_is_filled_in() -> None:
    cleaning = Cleaning(fills={"a": NumberFill(method="constant", constant=7.0)})
    recipe = Recipe(target="y", features=("a", "b"), cleaning=cleaning)
    made = preview_step(*as_read(table()), recipe, "a", ("fill_numbers",))
    assert made.before.title == "known"
    assert sum(made.before.rows) == 390
    assert made.after.title == "filled in, 10"
    assert made.after.rows == (10,)
    assert made.after.edges[0] <= 7.0 <= made.after.edges[-1]


def test_outliers_are_shown_clipped_or_without_their_rows() -> None:
    dataset, rows = as_read(table())
    for act, count in (("clip", 400), ("remove", 397)):
        cleaning = Cleaning(outliers={"b": OutlierRule(act=act)})
        made = preview_outliers(dataset, rows, Recipe(target="y", features=("a", "b"), cleaning=cleaning), "b")
        assert sum(made.before.rows) == 400
        assert made.before.edges[-1] == 50.0
        assert sum(made.after.rows) == count
        assert made.after.edges[-1] < 10


def test_scales_and_combinations_are_shown() -> None:
    dataset, rows = as_read(table())
    recipe = Recipe(target="y", features=("a", "b"), cleaning=Cleaning(scaling={"b": "minmax"}))
    made = preview_step(dataset, rows, recipe, "b", ("scale_numbers",))
    assert (made.after.edges[0], made.after.edges[-1]) == (0.0, 1.0)
    ratio = preview_combination(rows, Combination(kind="ratio", left="a", right="b"))
    assert (ratio.before.title, ratio.after.title) == ("a", "a ÷ b")


@pytest.mark.parametrize("per_day", [1, 2])
def test_earlier_rows_are_shown_over_time(per_day: int) -> None:
    days = pd.date_range("2024-01-01", periods=500).repeat(per_day).strftime("%Y-%m-%d")
    values = pd.DataFrame({"day": days, "v": RNG.normal(size=len(days)).round(4), "y": RNG.normal(size=len(days))})
    made = PastColumn(kind="smooth", column="v", rows=5)
    recipe = Recipe(target="y", features=("v",), history=History(order="day", columns=(made,)))
    picture = preview_past(*as_read(values), recipe, made)
    assert len(picture.moments) == 300
    # Rows of one day are none before the other: the row itself, and the four days before it.
    daily = values.groupby("day")["v"].mean()
    before = values["day"].map(daily.rolling(4).sum().shift(1))
    expected = ((values["v"] + before) / 5).iloc[-300:]
    np.testing.assert_allclose(np.array(picture.after, dtype=float), expected, rtol=1e-6)
    assert len(set(picture.moments)) == 300, "each row has a place of its own"
    assert picture.plot().data[1].name == made.name
    assert "at last" in picture.alt


def test_nothing_to_show_over_time_is_said() -> None:
    empty = LaggedSeries("v", "v: 1 row before", "day", (), (), ())
    assert empty.frame().empty
    assert empty.alt == "Nothing to draw of v."
    empty.plot()


def test_of_a_large_table_some_rows_are_looked_at() -> None:
    large = pd.DataFrame({"a": np.arange(SAMPLE_ROWS + 5)})
    assert len(sample_of(large)) == SAMPLE_ROWS
    assert sample_of(large)["a"].is_monotonic_increasing
    assert sample_of(table()).shape == (400, 3)


def test_dates_are_shown_beside_each_of_their_parts() -> None:
    days = pd.date_range("2023-01-01", periods=400, freq="36h")
    dataset, rows = as_read(pd.DataFrame({"day": days.strftime("%Y-%m-%d %H:%M"), "y": RNG.normal(size=400)}))
    made = preview_date(dataset, rows, Recipe(target="y", features=("day",)), "day")
    assert list(made) == ["days", "year", "month", "day", "weekday", "hour"]
    assert sum(made["hour"].after.rows) == 400
    assert made["month"].after.rows == tuple(np.histogram(days.month, bins=12)[0])
    assert made["year"].before.labels[0].startswith("2023-01-01 to 2023-")
    times = pd.DataFrame({"at": [f"{i % 24:02d}:00" for i in range(60)], "y": range(60)})
    assert list(preview_date(*as_read(times), Recipe(target="y", features=("at",)), "at")) == ["hour"]
