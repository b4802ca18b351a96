from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from dlreg_core.evaluation.residuals import error_by_quantile, qq_points, residual_table, worst_rows


def test_residual_is_actual_minus_predicted() -> None:
    table = residual_table([10, 20], [7, 25], rows=[4, 9])
    assert table.to_dict("list") == {
        "row": [4, 9], "actual": [10, 20], "predicted": [7, 25], "residual": [3, -5], "abs_error": [3, 5],
    }  # fmt: skip


def test_row_numbers_must_fit() -> None:
    assert list(residual_table([1, 2], [1, 2])["row"]) == [0, 1]
    with pytest.raises(ValueError, match="row numbers"):
        residual_table([1, 2], [1, 2], rows=[1])


def test_worst_rows_come_first() -> None:
    table = residual_table([0, 0, 0, 0], [1, -9, 3, 2])
    assert list(worst_rows(table, 2)["row"]) == [1, 2]
    assert len(worst_rows(table)) == 4


def test_quantiles_are_those_of_scipy() -> None:
    residuals = np.random.default_rng(0).normal(scale=4, size=200)
    table = qq_points(residuals)
    (normal, ordered), _ = stats.probplot(residuals)
    # scipy takes Filliben's positions, which differ from Blom's a little.
    assert np.allclose(table["normal"], normal, atol=0.04)
    assert np.array_equal(table["residual"], ordered)


def test_line_goes_through_the_quartiles() -> None:
    residuals = np.random.default_rng(0).exponential(size=1001)
    table = qq_points(residuals, at_most=2000)
    for share in (0.25, 0.75):
        expected = np.interp(stats.norm.ppf(share), table["normal"], table["expected"])
        assert expected == pytest.approx(np.quantile(residuals, share))


def test_many_residuals_are_thinned_and_keep_their_ends() -> None:
    residuals = np.random.default_rng(0).normal(size=50_000)
    table = qq_points(residuals, at_most=300)
    assert 200 < len(table) <= 300
    assert table["residual"].iloc[0] == residuals.min()
    assert table["residual"].iloc[-1] == residuals.max()
    assert table["residual"].is_monotonic_increasing


def test_groups_of_the_predictions_by_hand() -> None:
    predicted = np.arange(20.0)
    actual = predicted + np.repeat([1.0, -3.0], 10)
    actual[0] += 2
    table = error_by_quantile(actual, predicted, bins=2)
    assert list(table["rows"]) == [10, 10]
    assert list(table["low"]) == [0, 10]
    assert list(table["high"]) == [9, 19]
    assert list(table["mae"]) == pytest.approx([1.2, 3])
    assert list(table["bias"]) == pytest.approx([1.2, -3])
    reach = stats.norm.ppf(0.975) * stats.sem([3, *[1] * 9])
    assert table["mae_high"][0] - 1.2 == pytest.approx(reach)


def test_equal_predictions_stay_together() -> None:
    predicted = np.array([1.0] * 50 + [2.0] * 3 + [9.0] * 47)
    table = error_by_quantile(predicted + 1, predicted)
    assert table["rows"].sum() == 100
    assert list(table["rows"]) == [50, 50]
    assert list(table["low"]) == [1, 2]


def test_equal_predictions_are_one_group() -> None:
    table = error_by_quantile([1.0, 2.0, 3.0], [2.0, 2.0, 2.0])
    assert len(table) == 1
    assert table["mae"][0] == pytest.approx(2 / 3)


def test_regression_to_the_mean_is_no_pattern() -> None:
    rng = np.random.default_rng(0)
    predicted = rng.normal(size=5000)
    table = error_by_quantile(predicted + rng.normal(size=5000), predicted, bins=5)
    assert list(table["mae"]) == pytest.approx([0.8] * 5, abs=0.1)
    assert list(table["bias"]) == pytest.approx([0.0] * 5, abs=0.1)
