"""Errors by period, and what only the test rows have."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from dlreg_core.charts.results.later_predictions import LaterRows
from dlreg_core.evaluation.errors_by_period import over_time
from dlreg_core.evaluation.unseen_values import unseen
from dlreg_core.specs import ColumnType, ErrorsOverTime
from dlreg_core.wording.later_rows_text import over_time_table, over_time_words, unseen_words

DAYS = pd.Series(pd.date_range("2024-10-06", periods=56))


def found(bias: np.ndarray, seed: int = 0) -> ErrorsOverTime:
    error = np.random.default_rng(seed).normal(0, 10, len(DAYS)) + bias
    made = over_time(
        DAYS,
        500 + error,
        np.full(len(DAYS), 500.0),
        column="day",
        model="m",
        bounds=(np.full(56, 480), np.full(56, 520)),
    )
    assert made is not None
    return made


def test_the_first_and_the_last_period_that_are_off_to_one_side_are_told() -> None:
    made = found(np.linspace(60, -60, len(DAYS)))
    assert sum(one.rows for one in made.periods) == 56
    words = over_time_words(made, "$")
    assert words.startswith("From 6 Oct 2024 to ")
    assert "too low" in words.split(";")[0]
    assert "too high" in words.split(";")[1]
    assert list(over_time_table(made).columns) == ["when", "rows", "mae", "bias", "coverage"]


def test_one_side_throughout_is_told_as_such() -> None:
    assert "too low throughout the test period" in over_time_words(found(np.full(len(DAYS), 40.0)), "")


def test_luck_is_not_told() -> None:
    told = ["In no part" not in over_time_words(found(np.zeros(len(DAYS)), seed), "") for seed in range(60)]
    assert sum(told) <= 8


def test_moments_stay_together_and_few_rows_say_nothing() -> None:
    assert over_time(DAYS[:30], np.ones(30), np.zeros(30), column="day", model="m") is None
    years = pd.Series(np.repeat([2001.0, 2002.0, 2003.0], 40))
    made = over_time(years, np.arange(120.0), np.zeros(120), column="year", model="m")
    assert made is not None
    assert [(one.first, one.last, one.rows) for one in made.periods] == [(y, y, 40) for y in (2001, 2002, 2003)]


def season(levels: list[str], test: list[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(0)
    train = pd.DataFrame({"season": rng.choice(levels, 300), "x": rng.normal(0, 1, 300)})
    return train, pd.DataFrame({"season": test, "x": rng.normal(0, 1, len(test))})


TYPES = {"season": ColumnType.CATEGORY, "x": ColumnType.NUMBER}


def test_a_level_that_only_test_rows_have_is_told_with_its_error() -> None:
    train, test = season(["spring", "summer"], ["winter"] * 40 + ["summer"] * 20)
    guess = np.r_[np.full(40, 30.0), np.full(20, 10.0)]
    (one,) = unseen(train, test, TYPES, np.zeros(60), guess)
    assert (one.column, one.levels, one.rows, one.mae, one.mae_others) == ("season", ("winter",), 40, 30, 10)
    assert "Only test rows have season = winter (40 of 60, 67 %)" in unseen_words((one,), "$")[0]
    assert unseen(train, test, TYPES, np.zeros(60), guess, without=("season",)) == ()


def test_a_range_beyond_training_is_told() -> None:
    train, test = season(["a"], ["a"] * 40)
    test["x"] += 9
    (one,) = unseen(train, test, TYPES, np.zeros(40), np.ones(40))
    assert one.low is not None
    assert one.low > train["x"].max()
    assert "beyond all of training" in unseen_words((one,), "")[0]


def test_rare_levels_that_chance_puts_into_the_test_are_not_told() -> None:
    rng = np.random.default_rng(3)
    shops = [f"s{n}" for n in rng.integers(0, 150, 300)]
    table = pd.DataFrame({"season": shops, "x": rng.normal(0, 1, 300)})
    assert unseen(table[:240], table[240:], TYPES, np.zeros(60), np.ones(60)) == ()


@pytest.mark.parametrize("rows", [56, 2000])
def test_the_picture_shows_all_rows_or_means_of_neighbours(rows: int) -> None:
    values = np.arange(float(rows))
    shown = LaterRows(pd.Series(values[::-1]), values, values + 1, values - 3, values + 3, "$", "day")
    table = shown.frame()
    assert len(table) == min(rows, 400)
    assert table["rows"].sum() == rows
    assert table["moment"].is_monotonic_increasing
    assert len(shown.plot().data) == 4
    assert "100 % lie within" in shown.alt
