"""Columns made of earlier rows: as pandas makes them, only from the past, and the same for new rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from dlreg_core.cleaning import Past, fit_past, with_past
from dlreg_core.errors import RecipeError, RowsError
from dlreg_core.specs import Cleaning, ColumnType, History, PastColumn, Recipe, Split
from dlreg_core.splitting import prepare_table
from tests.conftest import as_read

COLUMNS = (
    PastColumn(kind="lag", column="sales", rows=2),
    PastColumn(kind="mean", column="sales", rows=3),
    PastColumn(kind="smooth", column="heat", rows=4),
    PastColumn(kind="exponential", column="heat", rows=5),
)
NAMES = [made.name for made in COLUMNS]
BY_TIME = Split(kind="time", column="day")


def series(days: int = 60, seed: int = 0) -> pd.DataFrame:
    """Return two shops' days in no order."""
    rng = np.random.default_rng(seed)
    parts = []
    for shop in ("north", "south"):
        day = pd.date_range("2024-01-01", periods=days).strftime("%Y-%m-%d")
        sales = rng.normal(100, 10, days).cumsum().round(2)
        parts.append(pd.DataFrame({"day": day, "shop": shop, "sales": sales, "heat": rng.normal(15, 5, days).round(2)}))
    table = pd.concat(parts, ignore_index=True)
    table["y"] = table["sales"] + rng.normal(0, 1, len(table))
    table.loc[5, "heat"] = np.nan
    return table.sample(frac=1, random_state=1).reset_index(drop=True)


def fitted(table: pd.DataFrame, columns: tuple[PastColumn, ...] = COLUMNS, group: str | None = "shop") -> Past:
    recipe = Recipe(
        target="y",
        features=("shop", "sales", "heat"),
        history=History(order="day", group=group, columns=columns),
        split=BY_TIME,
    )
    past = fit_past(*as_read(table), recipe)
    assert past is not None
    # As a model file keeps it.
    return Past.model_validate_json(past.model_dump_json())


def test_they_are_what_pandas_makes_of_each_shops_days_in_order() -> None:
    table = series()
    found = with_past(table, fitted(table))
    for _, shop in table.groupby("shop"):
        days = shop.sort_values("day")
        expected = {
            NAMES[0]: days["sales"].shift(2),
            NAMES[1]: days["sales"].shift(1).rolling(3, min_periods=1).mean(),
            NAMES[2]: days["heat"].rolling(4, min_periods=1).mean(),
            NAMES[3]: days["heat"].ewm(span=5).mean(),
        }
        for name, values in expected.items():
            np.testing.assert_allclose(found.loc[days.index, name], values, rtol=1e-9)


def test_a_later_row_changes_nothing_in_earlier_ones() -> None:
    table = series()
    later = table["day"] >= "2024-02-10"
    changed = table.assign(**{name: table[name].where(~later, -1e6) for name in ("sales", "heat")})
    before, after = (with_past(rows, fitted(rows))[~later] for rows in (table, changed))
    pd.testing.assert_frame_equal(before[NAMES], after[NAMES], check_exact=False, rtol=1e-9)
    # A lag and a mean of the rows before know nothing of the row itself either.
    one = table.index[(table["day"] == "2024-01-20") & (table["shop"] == "north")]
    other = table.copy()
    other.loc[one, "sales"] = 1e6
    pd.testing.assert_frame_equal(
        with_past(table, fitted(table)).loc[one, NAMES[:2]], with_past(other, fitted(other)).loc[one, NAMES[:2]]
    )


def test_new_rows_follow_the_last_ones_that_are_kept() -> None:
    whole = series(80)
    known, new = whole[whole["day"] < "2024-03-01"], whole[whole["day"] >= "2024-03-01"]
    past = fitted(known)
    assert len(past.moments) == 2 * 50
    expected = with_past(whole, past).loc[new.index, NAMES]
    found = past.complete(new)
    np.testing.assert_allclose(found[NAMES], expected, rtol=1e-6)
    assert found.index.equals(new.index)
    # One row at a time, each the first after those that are kept.
    first = new[new["day"] == "2024-03-01"]
    for place in range(len(first)):
        alone = past.complete(first.iloc[[place]])
        np.testing.assert_allclose(alone[NAMES], expected.loc[alone.index], rtol=1e-6)


def test_rows_that_are_kept_are_no_past_of_themselves() -> None:
    table = series()
    past = fitted(table)
    last = table[table["day"] >= "2024-02-25"]
    np.testing.assert_allclose(past.complete(last)[NAMES], with_past(table, past).loc[last.index, NAMES], rtol=1e-6)


def test_columns_that_a_file_has_are_taken_as_they_are() -> None:
    past = fitted(series())
    rows = pd.DataFrame({name: [1.0, 2.0] for name in NAMES})
    assert past.complete(rows) is rows


def test_what_is_missing_is_told() -> None:
    past = fitted(series())
    with pytest.raises(RowsError, match="no column day, shop"):
        past.complete(pd.DataFrame({"sales": [1.0], "heat": [2.0]}))
    # A row without a day has no past, and no row stands for its group.
    found = past.complete(
        pd.DataFrame({"day": [None, "2030-01-01"], "shop": ["north", "new"], "sales": 1.0, "heat": 2.0})
    )
    assert found[NAMES[:2]].isna().all().all()
    assert found[NAMES[2]].tolist()[1] == 2.0


def test_rows_without_a_group_are_ordered_by_numbers_and_keep_few() -> None:
    table = pd.DataFrame(
        {"n": np.arange(30_000)[::-1], "v": np.arange(30_000) / 2, "y": np.random.default_rng(0).normal(size=30_000)}
    )
    recipe = Recipe(
        target="y", features=("v",), history=History(order="n", columns=(PastColumn(kind="lag", column="v", rows=3),))
    )
    dataset, rows = as_read(table)
    past = fit_past(dataset, rows, recipe)
    assert past is not None
    assert len(past.moments) == 3
    found = past.complete(pd.DataFrame({"n": [30_000, 30_001], "v": [-1.0, -2.0]}))
    assert found["v: 3 rows before"].tolist() == [1.0, 0.5]


def test_a_recipe_predicts_from_them_and_smoothed_ones_take_their_columns_place() -> None:
    table = series()
    dataset, rows = as_read(table)
    recipe = Recipe(
        target="y", features=("shop", "sales", "heat"), history=History(order="day", group="shop", columns=COLUMNS)
    )
    prepared = prepare_table(dataset, rows, recipe)
    assert list(prepared.train.columns) == ["shop", "sales", *NAMES]
    expected = with_past(rows, fitted(table))
    for part, numbers in ((prepared.train, prepared.rows_train), (prepared.test, prepared.rows_test)):
        np.testing.assert_allclose(part[NAMES], expected[NAMES].iloc[numbers])


def test_earlier_targets_are_only_for_splits_by_time_and_need_not_be_in_new_rows() -> None:
    table = series()
    dataset, rows = as_read(table)
    history = History(order="day", group="shop", columns=(PastColumn(kind="lag", column="y", rows=1),))
    recipe = Recipe(target="y", features=("sales",), history=history)
    with pytest.raises(RecipeError, match="Earlier values of y are used, and the split isn't by time"):
        prepare_table(dataset, rows, recipe)
    prepared = prepare_table(dataset, rows, recipe.model_copy(update={"split": BY_TIME}))
    assert prepared.past is not None
    assert prepared.past.needed == ("day", "shop")
    found = prepared.past.complete(pd.DataFrame({"day": ["2024-03-01"], "shop": ["north"], "sales": [1.0]}))
    last = table[(table["shop"] == "north") & (table["day"] == table["day"].max())]["y"].iloc[0]
    assert found["y: 1 row before"].iloc[0] == pytest.approx(last)


@pytest.mark.parametrize(
    ("history", "sentence"),
    [
        (History(order="gone", columns=COLUMNS), "no column gone"),
        (History(order="shop", columns=COLUMNS), "neither a date nor a number"),
        (History(order="day", columns=(PastColumn(kind="lag", column="shop"),)), "holds no numbers"),
        (History(order="day", columns=(PastColumn(kind="smooth", column="y", rows=3),)), "can't be smoothed"),
    ],
)
def test_what_cant_be_is_refused_in_a_sentence(history: History, sentence: str) -> None:
    recipe = Recipe(target="y", features=("sales",), history=history, split=BY_TIME)
    with pytest.raises(RecipeError, match=sentence):
        prepare_table(*as_read(series()), recipe)


def test_of_rows_that_are_drawn_the_past_is_that_of_the_whole_table() -> None:
    dataset, rows = as_read(series())
    recipe = Recipe(
        target="y", features=("shop", "sales", "heat"), history=History(order="day", group="shop", columns=COLUMNS)
    )
    whole = prepare_table(dataset, rows, recipe)
    places = np.sort(np.random.default_rng(0).permutation(len(rows))[:60]).astype(np.int64)
    drawn = prepare_table(
        dataset, rows.iloc[places], recipe, places=places, earlier=rows[["day", "shop", "sales", "heat"]]
    )
    expected = with_past(rows, fitted(series()))
    assert len(drawn.train) < len(whole.train)
    np.testing.assert_allclose(drawn.train[NAMES], expected[NAMES].iloc[drawn.rows_train])
    assert drawn.past == whole.past


def test_codes_and_units_of_earlier_rows_are_repaired_in_new_rows_too() -> None:
    table = pd.DataFrame({"n": np.arange(60.0) / 2, "far": [f"{i} km" for i in range(60)], "y": np.arange(60.0) ** 2})
    table.loc[5, "far"] = "-9 km"
    table.loc[7, "far"] = "7000 m"
    dataset, rows = as_read(table)
    made = PastColumn(kind="lag", column="far")
    recipe = Recipe(
        target="y",
        features=("n",),
        types={"far": ColumnType.NUMBER},
        cleaning=Cleaning(units={"far": "km"}, missing_codes={"far": (-9.0,)}),
        history=History(order="n", columns=(made,)),
    )
    prepared = prepare_table(dataset, rows, recipe)
    assert prepared.past is not None
    lags = pd.concat([prepared.train, prepared.validation, prepared.test])[made.name].sort_index()
    assert lags.loc[lags.index == 8].tolist() == [7.0]
    assert lags.loc[lags.index == 6].isna().all()
    found = prepared.past.complete(pd.DataFrame({"n": [100.0, 101.0, 102.0], "far": ["3 km", "-9 km", "500 m"]}))
    np.testing.assert_array_equal(found[made.name], [59.0, 3.0, np.nan])
    one_more = prepared.past.complete(pd.DataFrame({"n": [100.0, 101.0], "far": ["500 m", "1 km"]}))
    assert one_more[made.name].tolist() == [59.0, 0.5]
