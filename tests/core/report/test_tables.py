from __future__ import annotations

import numpy as np
import pandas as pd

from dlreg_core.report import explanation_table, leaderboard_table, member_table, rounded, worst_table
from dlreg_core.report.result_tables import decimals, observed_decimals
from dlreg_core.runs import Explanation, PartPredictions
from dlreg_core.specs import ExplainResult, LeaderboardRow, RowCounts, TrainResult
from dlreg_core.specs import ResolvedPlan as Plan


def row(model: str, rmse: float | None) -> LeaderboardRow:
    return LeaderboardRow(model=model, family="TABM", role="network", rmse=rmse, note="" if rmse else "Skipped.")


def test_leaderboard_has_the_lowest_error_first_and_the_failed_last() -> None:
    result = TrainResult(
        leaderboard=(row("failed", None), row("second", 2.0), row("first", 1.0)),
        best_model="second",
        comparison=None,
        rows=RowCounts(train=1, validation=1, test=1),
        plan=Plan(),
        seconds=1.0,
    )
    table = leaderboard_table(result)
    assert list(table["model"]) == ["first", "second", "failed"]
    assert list(table["rank"].fillna(0)) == [1, 2, 0]
    assert table["rmse"].dtype == "float64"


def test_rounded_keeps_one_precision_and_ignores_an_outlier() -> None:
    values = pd.Series([45186.1, 112878.5, 50907.6, 1e12, np.nan, 0.0])
    assert list(rounded(values).dropna()) == [45200.0, 112900.0, 50900.0, 1e12, 0.0]
    assert decimals(values) == 0


def test_decimals_of_small_numbers() -> None:
    assert decimals(pd.Series([0.0123, 0.045])) == 4
    assert decimals(pd.Series([0.0, np.nan])) == 0


def test_rounded_like_another_column() -> None:
    assert list(rounded(pd.Series([12.345]), like=pd.Series([4518.6]))) == [10.0]


def test_worst_table_has_the_rows_own_columns_without_the_target() -> None:
    raw = pd.DataFrame({"Row": ["a", "b", "c", "d"], "size": [1, 2, 3, 4], "price": [10.0, 20.0, 30.0, 40.0]})
    part = PartPredictions(np.array([3, 1]), np.array([40.0, 20.0]), {"m": np.array([39.0, 50.0])})
    table = worst_table(raw.iloc[[3, 1]].reset_index(drop=True), part, "m", "price")
    assert list(table.columns) == ["Row", "Actual", "Predicted", "Off by", "Row (column)", "size"]
    assert list(table["Row"]) == [1, 3]
    assert list(table["Off by"]) == [30.0, 1.0]
    assert list(table["Row (column)"]) == ["b", "d"]


def test_explanation_table_adds_up() -> None:
    values = pd.DataFrame({"size": [1.0, -2.0], "place": [3.0, 4.0]}, index=[7, 9])
    result = ExplainResult(
        model="m", rows=2, background=1, permutations=0, evaluations=1, base_value=10.0, seconds=1.0, relative_error=0.0
    )
    data = pd.DataFrame({"size": [5, 6], "place": ["n", "s"]}, index=[7, 9])
    table = explanation_table(Explanation(values, data, np.array([14.0, 12.0]), np.array([7, 9]), result))
    total = table["average prediction"] + table["SHAP size"] + table["SHAP place"]
    assert list(total) == list(table["prediction"])
    assert list(table["place"]) == ["n", "s"]


def test_member_table_counts_the_files_of_a_folder() -> None:
    table = member_table(("predict.py", "model/a", "model/b/c", "other.txt"))
    assert list(table["part"]) == ["predict.py", "model", "other.txt"]
    assert list(table["files"]) == [1, 2, 1]


def test_a_column_of_nothing_has_no_decimals() -> None:
    nothing = pd.Series([None, None], dtype=object)
    assert decimals(nothing) == 0
    assert rounded(nothing).isna().all()


def test_observed_numbers_have_all_their_decimals() -> None:
    assert observed_decimals(pd.Series([1.0, 2069.0, None])) == 0
    assert observed_decimals(pd.Series([1.25, 2069.0])) == 2
    assert observed_decimals(pd.Series([1 / 3])) == 6
