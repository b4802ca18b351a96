"""Earlier values of the target, as they are known so many steps before a row: by hand, and never from later on."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlreg_core.cleaning import Clock, Past, fit_cleaner, judged_steps
from dlreg_core.cleaning.lags.fit_lags import drawn_steps
from dlreg_core.cleaning.lags.time_steps import fit_clock, furthest
from dlreg_core.errors import PlanError, RecipeError
from dlreg_core.ingest.datasets.dataset_files import read_dataset
from dlreg_core.recipe.parse_recipe import with_horizon
from dlreg_core.specs import ColumnType, History, PastColumn, Recipe, Split
from dlreg_core.splitting import PreparedTable, prepare_table

LAGS = (
    PastColumn(kind="lag", column="y", rows=1),
    PastColumn(kind="lag", column="y", rows=7),
    PastColumn(kind="mean", column="y", rows=3),
)
NAMES = [made.name for made in LAGS]
AHEAD = "y: steps ahead"
BY_DAY = Split(kind="time", column="day")


def daily(days: int, start: str = "2024-01-01") -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "day": pd.date_range(start, periods=days).strftime("%Y-%m-%d"),
            "x": rng.normal(size=days).round(3),
            "y": (rng.normal(size=days).cumsum() + 50).round(4),
        }
    )


def prepared(table: pd.DataFrame, horizon: int, group: str | None = None, **changes: object) -> PreparedTable:
    dataset, rows = read_dataset(table.to_csv(index=False).encode())
    features = tuple(name for name in dataset.column_names if name != "y")
    history = History(order="day", group=group, columns=LAGS, horizon=horizon)
    recipe = Recipe(target="y", features=features, history=history, split=BY_DAY)
    return prepare_table(dataset, rows, recipe.model_copy(update=changes))


def past_of(table: pd.DataFrame, horizon: int, group: str | None = None) -> Past:
    found = prepared(table, horizon, group).past
    assert found is not None
    # As a model file keeps it.
    return Past.model_validate_json(found.model_dump_json())


def test_each_row_knows_what_was_known_so_many_days_before() -> None:
    table = daily(200)
    for step in (1, 2, 7, 8, 14):
        seen = prepared(table, 14).at_step("test", step)
        found, target = seen.rows, seen.target
        assert (np.diff(seen.moments) > 0).all()
        values = table.set_index(pd.to_datetime(table["day"]))["y"]
        days = pd.to_datetime(found["day"])
        assert (target == values[days].to_numpy()).all()
        back = {NAMES[0]: step, NAMES[1]: 7 if step <= 7 else 14}
        for name, lag in back.items():
            expected = values[days - pd.Timedelta(days=lag)]
            np.testing.assert_allclose(found[name], expected, rtol=1e-12)
        means = values.rolling(3).mean()[days - pd.Timedelta(days=step)]
        np.testing.assert_allclose(found[NAMES[2]], means, rtol=1e-12)
        assert (found[AHEAD] == step).all()


def test_training_rows_are_looked_at_from_every_distance_alike() -> None:
    table = prepared(daily(3000), 14)
    counts = table.train[AHEAD].round().value_counts()
    assert set(counts.index) == set(range(1, 15))
    assert counts.min() > 0.6 * len(table.train) / 14
    steps = drawn_steps(np.arange(5000), 14)
    np.testing.assert_array_equal(steps[[7, 4000]], drawn_steps(np.array([7, 4000]), 14))
    assert (drawn_steps(np.arange(9), 1) == 1).all()


def test_parts_are_the_horizon_apart() -> None:
    table = daily(300)
    plain, far = prepared(table, 1), prepared(table, 10)
    assert plain.counts.dropped_gap == 0
    assert far.counts.dropped_gap == 18
    for before, after in ((far.train, far.validation), (far.validation, far.test)):
        apart = pd.to_datetime(after["day"]).min() - pd.to_datetime(before["day"]).max()
        assert apart == pd.Timedelta(days=10)


def test_of_five_rows_a_day_none_is_before_another() -> None:
    rng = np.random.default_rng(1)
    table = daily(120).loc[np.repeat(np.arange(120), 5)].reset_index(drop=True)
    table["y"] += rng.normal(size=len(table)).round(3)
    found = prepared(table, 1)
    rows = pd.concat([found.train, found.validation, found.test])
    means = table.groupby("day")["y"].mean()
    expected = means.shift(1)[rows["day"].astype(str).str[:10]]
    np.testing.assert_allclose(rows[NAMES[0]], expected, rtol=1e-9)


def test_the_next_days_are_each_a_step_further_and_what_is_too_far_is_told() -> None:
    table = daily(100)
    past = past_of(table, 14)
    new = daily(20, "2024-04-10").drop(columns="y")
    found = past.complete(new)
    np.testing.assert_array_equal(found[AHEAD], np.arange(1, 21))
    assert (found[NAMES[0]] == table["y"].iloc[-1]).all()
    # A week before as long as it is known, then two weeks before.
    np.testing.assert_allclose(found[NAMES[1]].iloc[:14], [*table["y"].iloc[-7:]] * 2)
    np.testing.assert_array_equal(past.too_far(found), np.arange(1, 21) > 14)
    (told,) = past.warnings(found)
    assert told.startswith("Rows 15 to 20 lie further ahead than the 14 days that this model was made for")
    # Alone each is what it is among the others.
    for place in range(20):
        pd.testing.assert_frame_equal(past.complete(new.iloc[[place]]), found.iloc[[place]])
    # What is known of them is their past.
    known = new.assign(y=[60.0] * 10 + [np.nan] * 10)
    found = past.complete(known)
    np.testing.assert_array_equal(found[AHEAD], [*[1] * 10, *range(1, 11)])
    assert (found[NAMES[0]].iloc[1:] == 60.0).all()
    assert past.warnings(found) == []


def test_a_model_for_one_day_predicts_no_fortnight() -> None:
    past = past_of(daily(100), 1)
    found = past.complete(daily(14, "2024-04-10").drop(columns="y"))
    np.testing.assert_array_equal(past.too_far(found), [False, *[True] * 13])
    assert "further ahead than the 1 day that" in past.warnings(found)[0]
    # One of an earlier version knows no days, and counts rows.
    older = past.model_copy(update={"clock": None})
    np.testing.assert_array_equal(older.too_far(older.complete(found[["day", "x"]])), [False, *[True] * 13])


def test_each_series_of_a_panel_has_its_own_past_and_a_new_one_is_told() -> None:
    shops = [daily(140 - 10 * number).assign(shop=name) for number, name in enumerate(("north", "south"))]
    shops[1]["y"] += 1000
    past = past_of(pd.concat(shops, ignore_index=True), 14, "shop")
    new = pd.DataFrame({"day": ["2024-05-20"] * 3, "shop": ["north", "south", "west"], "x": 0.0})
    found = past.complete(new)
    np.testing.assert_array_equal(found[AHEAD], [1, 11, np.nan])
    np.testing.assert_allclose(found[NAMES[0]], [shops[0]["y"].iloc[-1], shops[1]["y"].iloc[-1], np.nan])
    assert past.warnings(found)[0].startswith("Row 3 has no earlier y to look at")


def test_days_that_a_new_row_shares_with_a_kept_one_keep_the_value_that_is_known() -> None:
    table = daily(60)
    past = past_of(table, 3)
    again = pd.DataFrame({"day": ["2024-02-29", "2024-03-01"], "x": 0.0})
    found = past.complete(again)
    np.testing.assert_allclose(found[NAMES[0]], table["y"].iloc[[-2, -1]])


@settings(max_examples=60)
@given(
    days=st.lists(st.integers(0, 60), min_size=30, max_size=80),
    horizon=st.integers(1, 9),
    group=st.booleans(),
    cut=st.integers(5, 55),
    seed=st.integers(0, 1000),
)
def test_no_row_knows_anything_of_its_own_moment_or_later(
    days: list[int], horizon: int, group: bool, cut: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({"n": days, "g": rng.choice(["a", "b"], len(days)), "y": rng.normal(size=len(days))})
    history = History(order="n", group="g" if group else None, columns=LAGS, horizon=horizon)
    past = Past(history=history, kind=ColumnType.NUMBER, target="y", clock=Clock(kind="number", step=1.0))
    other = table.assign(y=table["y"].where(table["n"] < cut, 1e9))
    least = rng.integers(1, horizon + 1, len(table))
    before, after = (past.complete(rows, least) for rows in (table, other))
    # A row at the cut, seen from so many steps before, is the first that could know what was changed.
    unchanged = table["n"].to_numpy() - least < cut
    pd.testing.assert_frame_equal(before.loc[unchanged, [*NAMES, AHEAD]], after.loc[unchanged, [*NAMES, AHEAD]])
    ahead = before[AHEAD].to_numpy()
    known = ~np.isnan(ahead)
    assert (ahead[known] >= least[known]).all()
    # The last value is one of exactly that moment, in that group.
    for place in np.flatnonzero(known):
        same = (table["n"] == table["n"][place] - ahead[place]) & ((table["g"] == table["g"][place]) | (not group))
        assert before[NAMES[0]][place] == pytest.approx(table.loc[same, "y"].mean())


def test_an_own_test_file_follows_on_and_newest_rows_choose() -> None:
    table = daily(200)
    dataset, rows = read_dataset(table.iloc[:150].to_csv(index=False).encode())
    _, later = read_dataset(table.iloc[150:].to_csv(index=False).encode())
    history = History(order="day", columns=LAGS, horizon=5)
    recipe = Recipe(target="y", features=("day", "x"), history=history, split=Split(kind="own", test_dataset="later"))
    found = prepare_table(dataset, rows, recipe, later, time_limit=1000.0)
    assert found.folds is None
    assert pd.to_datetime(found.validation["day"]).min() > pd.to_datetime(found.train["day"]).max()
    assert len(found.test) == 50
    seen = found.at_step("test", 5).rows
    np.testing.assert_allclose(seen[NAMES[0]], table["y"].iloc[145:195])


def test_steps_are_days_months_and_working_days() -> None:
    def clock(dates: pd.DatetimeIndex) -> Clock:
        moments = dates.to_numpy().astype("datetime64[ns]").astype(float)
        found = fit_clock(np.zeros(len(dates), dtype=np.int64), moments, dates=True)
        assert found is not None
        return found

    def apart(found: Clock, first: str, then: str) -> float:
        low, high = found.read(pd.DatetimeIndex([first, then]).to_numpy().astype("datetime64[ns]").astype(float))
        return float(high - low)

    months = clock(pd.date_range("2020-01-31", periods=30, freq="ME"))
    assert (months.span(1), months.span(14)) == ("1 month", "14 months")
    assert apart(months, "2023-01-31", "2024-03-31") == 14
    assert clock(pd.date_range("2020-01-01", periods=12, freq="QS")).span(2) == "2 quarters"
    assert clock(pd.date_range("2020-01-01", periods=9, freq="YS")).span(3) == "3 years"
    working = clock(pd.bdate_range("2024-01-01", periods=60))
    assert working.span(5) == "5 working days"
    assert apart(working, "2024-01-05", "2024-01-08") == 1
    assert clock(pd.date_range("2024-01-01", periods=60)).span(14) == "14 days"
    assert clock(pd.date_range("2024-01-01", periods=20, freq="W")).span(2) == "2 weeks"
    assert clock(pd.date_range("2024-01-01", periods=20, freq="15min")).span(2) == "30 minutes"
    assert fit_clock(np.arange(3), np.arange(3.0), dates=False) is None
    # A tenth of the days is missing: the next row is mostly there after two days.
    days = np.delete(np.arange(400.0), np.arange(5, 400, 10))
    assert furthest(Clock(kind="number", step=1.0), np.zeros(len(days), dtype=np.int64), days, 1) == 2.25


def test_what_cant_be_counted_or_judged_is_refused() -> None:
    table = daily(60)
    with pytest.raises(RecipeError, match="No series has two rows at different times"):
        prepared(table.assign(day="2024-01-01"), 3)
    with pytest.raises(RecipeError, match="the split goes by x"):
        prepared(table, 3, split=Split(kind="time", column="x"))
    with pytest.raises(PlanError, match="No column is made of earlier values of y"):
        with_horizon(History(order="day", columns=(PastColumn(kind="lag", column="x"),)), "y", 3)
    history = with_horizon(History(order="day", columns=LAGS), "y", 3)
    assert history is not None
    assert history.horizon == 3
    assert with_horizon(None, "y", None) is None


def test_a_long_horizon_is_judged_at_some_of_its_steps() -> None:
    assert judged_steps(14) == tuple(range(1, 15))
    steps = judged_steps(365)
    assert (steps[0], steps[-1]) == (1, 365)
    assert len(steps) <= 14


def test_the_cleaning_asks_for_what_predicting_needs_and_knows_how_far_rows_are() -> None:
    far = prepared(daily(120), 9)
    cleaner = fit_cleaner(far.train, far.types, Recipe(target="y", features=("x",)).cleaning, far.day_first)
    assert far.past is not None
    cleaner = cleaner.model_copy(update={"past": far.past.only(cleaner.schema_.names)})
    assert AHEAD in cleaner.schema_.names
    assert cleaner.needed == ("day", "x")
    found = prepared(daily(100), 1)
    assert AHEAD not in found.train.columns, "with one step it says nothing"
    cleaner = fit_cleaner(found.train, found.types, Recipe(target="y", features=("x",)).cleaning, found.day_first)
    assert found.past is not None
    cleaner = cleaner.model_copy(update={"past": found.past.only(cleaner.schema_.names)})
    complete = cleaner.complete(daily(3, "2024-04-10").drop(columns="y"))
    assert list(cleaner.wanted(complete).columns) == [*cleaner.schema_.names, AHEAD]
    np.testing.assert_array_equal(cleaner.too_far(cleaner.wanted(complete)), [False, True, True])
    assert cleaner.warnings(complete)[0].startswith("Rows 2 to 3 lie further ahead")
    assert cleaner.schema_.field("day").type is ColumnType.DATETIME
    np.testing.assert_array_equal(cleaner.steps_ahead(complete), 1)


def test_a_past_of_an_earlier_version_still_loads_and_predicts_the_next_row() -> None:
    table = daily(60)
    kept = past_of(table, 1).model_dump(mode="json")
    for name in ("clock", "furthest"):
        del kept[name]
    del kept["history"]["horizon"]
    # Rows were kept, not moments: two of the last day.
    for name in ("moments", "groups"):
        kept[name].append(kept[name][-1])
    kept["values"]["y"].append(kept["values"]["y"][-1] + 2)
    past = Past.model_validate(kept)
    found = past.complete(daily(2, "2024-03-01"))
    assert found[NAMES[0]].iloc[0] == pytest.approx(table["y"].iloc[-1] + 1)
    found = past.complete(daily(3, "2024-03-01").drop(columns="y"))
    np.testing.assert_array_equal(past.too_far(found), [False, True, True])
    assert "further ahead than the 1 row that" in past.warnings(found)[0]
