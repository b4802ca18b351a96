from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from dlreg_core.evaluation.error_segments import segments


def test_levels_by_hand() -> None:
    features = pd.DataFrame({"place": ["sea"] * 40 + ["land"] * 60})
    error = np.r_[np.full(40, 4.0), np.full(60, 1.0)]
    table = segments(features, error, np.zeros(100))
    assert list(table["where"]) == ["place = sea", "place = land"]
    assert list(table["rows"]) == [40, 60]
    assert list(table["mae"]) == [4, 1]
    assert list(table["ratio"]) == pytest.approx([4 / 2.2, 1 / 2.2])
    assert list(table["bias"]) == [4, 1]


def test_interval_is_that_of_a_bootstrap() -> None:
    rng = np.random.default_rng(0)
    inside = rng.random(600) < 0.3
    error = rng.exponential(size=600) * np.where(inside, 2.0, 1.0)
    table = segments(pd.DataFrame({"a": np.where(inside, "in", "out")}), error, np.zeros(600), level=0.9)
    row = table[table["where"] == "a = in"].iloc[0]
    draws = rng.integers(0, 600, size=(4000, 600))
    part = (error[draws] * inside[draws]).sum(1) / inside[draws].sum(1)
    # Two groups share the level of 90 %: each has 95 %.
    low, high = np.quantile(part / error[draws].mean(1), [0.025, 0.975])
    assert row["ratio_low"] == pytest.approx(low, abs=0.05)
    assert row["ratio_high"] == pytest.approx(high, abs=0.05)


def test_numbers_are_cut_into_quarters() -> None:
    features = pd.DataFrame({"income": np.arange(200.0) / 10})
    error = np.where(np.arange(200) >= 150, 5.0, 1.0)
    table = segments(features, error, np.zeros(200))
    assert table["where"][0] == "income is from 15 to 19.9"
    assert sorted(table["rows"]) == [50, 50, 50, 50]


def test_missing_values_few_numbers_dates_and_truths() -> None:
    features = pd.DataFrame(
        {
            "gap": np.r_[np.full(50, np.nan), np.arange(50.0)],
            "season": [1.0, 2.0] * 49 + [1.0, np.nan],
            "sunny": [True, False] * 50,
            "day": pd.date_range("2024-01-01", periods=100),
        }
    )
    table = segments(features, np.arange(100.0), np.zeros(100), at_least=20)
    assert {"gap is missing", "season = 1", "season = 2", "sunny = True", "sunny = False"} <= set(table["where"])
    assert table["where"][0] == "day is from 2024-03-16 to 2024-04-09"
    assert table.loc[0, "column"] == "day"


def test_small_groups_and_groups_of_everything_are_left_out() -> None:
    features = pd.DataFrame({"rare": ["x"] * 29 + ["y"] * 71, "constant": ["c"] * 100})
    table = segments(features, np.arange(100.0), np.zeros(100))
    assert list(table["where"]) == ["rare = y"]


def test_nothing_to_compare() -> None:
    assert segments(pd.DataFrame({"a": ["x"] * 50}), np.ones(50), np.zeros(50)).empty
    assert segments(pd.DataFrame({"a": ["x", "y"] * 50}), np.ones(100), np.ones(100)).empty
    with pytest.raises(ValueError, match="rows of features"):
        segments(pd.DataFrame({"a": ["x"]}), np.ones(50), np.zeros(50))
