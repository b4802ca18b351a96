"""Shapley values against shap itself, against algebra, and against their own promises."""

from __future__ import annotations

from itertools import pairwise
from math import factorial

import numpy as np
import pandas as pd
import pytest
import shap
from numpy.typing import NDArray

from dlreg_core.explanation import ExplainSizes, evaluations, sizes_for
from dlreg_core.explanation.explanation_cost import EXACT_FEATURES, expected_seconds
from dlreg_core.explanation.shapley import explain, to_shap
from dlreg_core.runs.task_results import Explanation

EXACT = 0


def frame(rows: int, features: int, seed: int) -> pd.DataFrame:
    values = np.random.default_rng(seed).normal(size=(rows, features))
    return pd.DataFrame(values, columns=[f"x{i}" for i in range(features)])


def bent(table: pd.DataFrame) -> NDArray[np.float64]:
    """Return a function with interactions of two and three features."""
    x = table.to_numpy(dtype=float)
    return np.asarray(
        3 * x[:, 0] + x[:, 1] * x[:, 2] + np.sin(x[:, 3]) * x[:, 0] + np.maximum(x[:, 1], x[:, -1]) * x[:, 0]
    )


def run(
    predict: object, data: pd.DataFrame, background: pd.DataFrame, permutations: int, seed: int = 0, population: int = 0
) -> Explanation:
    sizes, active = ExplainSizes(len(data), len(background), permutations), tuple(data.columns)
    return explain(
        predict,  # type: ignore[arg-type]
        data,
        background,
        sizes,
        model="m",
        active=active,
        seed=seed,
        population=population,
    )


@pytest.mark.soak
def test_exact_values_are_those_of_shap() -> None:
    data, background = frame(6, 6, 0), frame(20, 6, 1)
    found = run(bent, data, background, EXACT, population=20)
    masker = shap.maskers.Independent(background.to_numpy(), max_samples=100)
    theirs = shap.ExactExplainer(lambda x: bent(pd.DataFrame(x)), masker)(data.to_numpy())
    np.testing.assert_allclose(found.values, theirs.values, atol=1e-9)
    np.testing.assert_allclose(found.result.base_value, theirs.base_values[0], atol=1e-9)
    np.testing.assert_allclose(found.predictions, bent(data), atol=1e-12)
    assert found.result.relative_error == 0.0
    assert found.result.evaluations == 6 * 20 * 2**6 + 6 + 20


def test_exact_values_of_a_linear_model_are_coefficient_times_distance_from_the_mean() -> None:
    data, background = frame(5, 4, 2), frame(30, 4, 3)
    coefficients = np.array([1.0, -2.0, 0.0, 4.5])
    found = run(lambda t: t.to_numpy() @ coefficients + 7, data, background, EXACT)
    np.testing.assert_allclose(found.values, coefficients * (data - background.mean()), atol=1e-12)
    assert found.result.base_value == pytest.approx(float(background.mean() @ coefficients) + 7)


def test_sampled_values_of_a_linear_model_are_exact_already() -> None:
    data, background = frame(5, 12, 2), frame(30, 12, 3)
    coefficients = np.arange(12.0) - 4
    found = run(lambda t: t.to_numpy() @ coefficients, data, background, 2)
    np.testing.assert_allclose(found.values, coefficients * (data - background.mean()), atol=1e-9)


def test_a_product_shares_its_gain_by_hand() -> None:
    """With zero as background, v(S) = 6 only for both, so each of the two gets half."""
    data = pd.DataFrame({"a": [2.0], "b": [3.0], "c": [9.0]})
    found = run(lambda t: (t["a"] * t["b"]).to_numpy(), data, data * 0, EXACT)
    assert found.values.iloc[0].tolist() == pytest.approx([3.0, 3.0, 0.0])


@pytest.mark.parametrize("permutations", [1, 3])
def test_sampled_values_add_up_to_the_prediction(permutations: int) -> None:
    data, background = frame(8, 11, 4), frame(15, 11, 5)
    found = run(bent, data, background, permutations)
    total = found.values.sum(axis=1) + found.result.base_value
    np.testing.assert_allclose(total, bent(data), atol=1e-9)
    np.testing.assert_allclose(found.predictions, bent(data), atol=1e-9)
    assert found.result.base_value == pytest.approx(bent(background).mean())
    assert found.result.permutations == permutations
    assert (found.result.relative_error is None) == (permutations == 1)


def test_sampled_values_come_closer_to_the_exact_ones() -> None:
    data, background = frame(10, 7, 6), frame(16, 7, 7)
    exact = run(bent, data, background, EXACT).values
    errors = [
        np.mean([np.abs(run(bent, data, background, n, seed).values - exact).mean() for seed in range(4)])
        for n in (16, 64, 256)
    ]
    # For a given background, the error falls with the root of the pairs that meet each of its rows: twice, twice.
    assert errors[0] > 1.5 * errors[1] > 1.5 * 1.5 * errors[2]
    assert errors[2] < 0.05 * np.abs(exact.to_numpy()).mean()


def drawn(table: pd.DataFrame, count: int, seed: int) -> pd.DataFrame:
    """Draw background rows evenly over the target, as a run does."""
    rng = np.random.default_rng([seed, 1])
    return table.iloc[[int(rng.choice(part)) for part in np.array_split(np.argsort(bent(table), kind="stable"), count)]]


@pytest.fixture(scope="module")
def whole() -> tuple[pd.DataFrame, pd.DataFrame, NDArray[np.float64]]:
    """Return rows to explain, all rows that a background is drawn from, and the exact values with all of these."""
    data, table = frame(25, 7, 8), frame(400, 7, 9)
    return data, table, run(bent, data, table, EXACT).values.to_numpy()


@pytest.mark.parametrize(
    ("background", "permutations"), [(10, EXACT), (50, EXACT), (10, 10), (50, 50), (20, 80), (50, 10)]
)
def test_the_stated_error_is_the_one_that_is_met(
    whole: tuple[pd.DataFrame, pd.DataFrame, NDArray[np.float64]], background: int, permutations: int
) -> None:
    data, table, exact = whole
    top = int(np.abs(exact).mean(axis=0).argmax())
    met, stated = [], []
    for seed in range(24):
        found = run(bent, data, drawn(table, background, seed), permutations, seed, population=len(table))
        off = found.values.to_numpy()[:, top] - exact[:, top]
        met.append((off**2).mean() / np.abs(exact[:, top]).mean() ** 2)
        assert found.result.relative_error is not None
        stated.append(found.result.relative_error**2)
    assert 0.7 < np.sqrt(np.mean(stated) / np.mean(met)) < 1.4


def test_with_all_rows_as_background_nothing_is_left_to_luck(
    whole: tuple[pd.DataFrame, pd.DataFrame, NDArray[np.float64]],
) -> None:
    data, table, exact = whole
    found = run(bent, data, table, EXACT, population=len(table))
    assert found.result.relative_error == 0
    np.testing.assert_allclose(found.values, exact)


def test_as_many_predictions_tell_more_with_other_background_rows_for_each_pair(
    whole: tuple[pd.DataFrame, pd.DataFrame, NDArray[np.float64]],
) -> None:
    data, table, exact = whole

    def off(background: int, permutations: int) -> tuple[float, int]:
        found = [run(bent, data, drawn(table, background, seed), permutations, seed) for seed in range(8)]
        errors = [((one.values.to_numpy() - exact) ** 2).mean() for one in found]
        return float(np.mean(errors)), found[0].result.evaluations

    every, apart = off(10, EXACT), off(100, 100)
    assert apart[1] < every[1]
    assert apart[0] < 0.5 * every[0]


def test_a_row_has_the_same_values_whatever_it_is_explained_with() -> None:
    data, background = frame(6, 8, 0), frame(12, 8, 1)
    together = run(bent, data, background, 12).values
    pd.testing.assert_frame_equal(run(bent, data.head(2), background, 12).values, together.head(2))


def test_columns_that_the_model_never_sees_get_zero_and_cost_nothing() -> None:
    data, background = frame(3, 5, 1).assign(idle="q"), frame(4, 5, 2).assign(idle="r")
    asked: list[int] = []

    def predict(table: pd.DataFrame) -> NDArray[np.float64]:
        asked.append(len(table))
        assert list(table.columns) == list(data.columns)
        return bent(table.drop(columns="idle"))

    active = tuple(c for c in data.columns if c != "idle")
    found = explain(predict, data, background, ExplainSizes(3, 4, 0), model="m", active=active)
    assert found.values["idle"].tolist() == [0.0, 0.0, 0.0]
    assert list(found.values.columns) == list(data.columns)
    assert sum(asked) == found.result.evaluations == 3 * 4 * 2**5 + 3 + 4


@pytest.mark.parametrize("permutations", [EXACT, 40])
def test_categories_and_dates_are_one_feature_each(permutations: int) -> None:
    data = pd.DataFrame(
        {"place": ["a", None], "day": pd.to_datetime(["2024-01-11", "2024-01-01"]), "n": [1.0, np.nan]}, index=[8, 3]
    )
    background = pd.DataFrame(
        {"place": ["b", "a", "b", "b"], "day": pd.to_datetime(["2024-01-01"] * 4), "n": [0.0, 2.0, 4.0, 6.0]},
        index=[1, 1, 2, 2],
    )

    def predict(table: pd.DataFrame) -> NDArray[np.float64]:
        assert table["day"].dtype == "datetime64[ns]"
        days = (table["day"] - pd.Timestamp("2024-01-01")).dt.days
        return ((table["place"] == "a") * 8.0 + days + table["n"].fillna(-1)).to_numpy()

    found = run(predict, data, background, permutations)
    # By hand, since it is a sum: mean of the background is 2, 0 and 3.
    np.testing.assert_allclose(found.values.to_numpy(), [[6.0, 10.0, -2.0], [-2.0, 0.0, -4.0]], atol=1e-9)
    assert found.rows.tolist() == [8, 3]
    pd.testing.assert_frame_equal(found.data, data.reset_index(drop=True))


def test_symmetric_features_get_the_same_and_the_order_of_columns_does_not_matter() -> None:
    data, background = frame(4, 5, 0), frame(6, 5, 1)
    twins = data.assign(x1=data["x0"]), background.assign(x1=background["x0"])
    found = run(lambda t: (t["x0"] * t["x1"] + t["x2"]).to_numpy(), *twins, EXACT).values
    np.testing.assert_allclose(found["x0"], found["x1"])
    turned = run(bent, data, background, EXACT).values
    back = run(lambda t: bent(t[data.columns]), data[data.columns[::-1]], background, EXACT).values
    np.testing.assert_allclose(back[data.columns], turned, atol=1e-12)


def test_weights_of_the_definition() -> None:
    """Shapley 1953 for three players, each coalition's worth made up, through a table that encodes the coalition."""
    worth = np.array([0.0, 1.0, 2.0, 4.0, 3.0, 9.0, 5.0, 12.0])
    data, background = pd.DataFrame({"a": [1], "b": [2], "c": [4]}), pd.DataFrame({"a": [0], "b": [0], "c": [0]})
    found = run(lambda t: worth[t.sum(axis=1).to_numpy()], data, background, EXACT).values.iloc[0].tolist()
    wanted = []
    for player in (1, 2, 4):
        others = [p for p in (1, 2, 4) if p != player]
        sets = [(0, 0), (others[0], 1), (others[1], 1), (sum(others), 2)]
        wanted.append(sum(factorial(n) * factorial(2 - n) / 6 * (worth[s | player] - worth[s]) for s, n in sets))
    assert found == pytest.approx(wanted)


def test_no_feature_and_progress() -> None:
    seen: list[float] = []
    found = explain(
        lambda t: np.full(len(t), 5.0),
        frame(2, 3, 0),
        frame(3, 3, 1),
        ExplainSizes(2, 3, 0),
        model="m",
        active=(),
        progress=seen.append,
    )
    assert (found.values == 0).all().all()
    assert found.result.base_value == 5.0
    assert seen[-1] == 1.0


def test_the_object_for_shap_carries_the_same() -> None:
    found = run(bent, frame(3, 5, 0), frame(4, 5, 1), EXACT)
    theirs = to_shap(found)
    np.testing.assert_array_equal(theirs.values, found.values)
    assert theirs.base_values == found.result.base_value
    assert list(theirs.feature_names) == list(found.values.columns)


# --- sizes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("features", [1, 4, EXACT_FEATURES, EXACT_FEATURES + 1, 30, 300])
def test_sizes_grow_with_the_time_and_stay_within_it(features: int) -> None:
    affordable = [10.0 * 2**n for n in range(28)]
    found = [sizes_for(features, predictions, 1.0, at_most_rows=700) for predictions in affordable]
    smallest = found[0]
    for predictions, sizes in zip(affordable, found, strict=True):
        assert sizes.rows <= 700
        assert evaluations(features, sizes) <= predictions or sizes == smallest
        if features > EXACT_FEATURES:
            assert sizes.permutations > 0
    for less, more in pairwise(found):
        assert more.rows >= less.rows
        assert more.background >= less.background
    assert found[-1].rows == 700
    assert (found[-1].permutations == 0) == (features <= EXACT_FEATURES)


@pytest.mark.parametrize("permutations", [EXACT, 1, 2, 5, 11])
@pytest.mark.parametrize("features", [1, 2, 6])
def test_the_predicted_cost_is_what_is_spent(permutations: int, features: int) -> None:
    data, background = frame(3, features, 0), frame(5, features, 1)
    found = run(lambda t: t.to_numpy().sum(axis=1), data, background, permutations).result
    assert found.evaluations == evaluations(features, ExplainSizes(3, 5, permutations))
    assert found.evaluations <= 3 * 5 * max(2**features, 4 * features) + 8


def test_rows_that_are_asked_for_are_explained_however_long_it_takes() -> None:
    assert sizes_for(20, 1.0, 1.0, at_most_rows=400, at_least_rows=400).rows == 400
    assert sizes_for(20, 1e9, 1.0, at_most_rows=50, at_least_rows=50).rows == 50
    sizes = sizes_for(5, 1000.0, 10.0, at_most_rows=30, at_least_rows=30)
    assert expected_seconds(5, 1000.0, 30, 10.0) == evaluations(5, sizes) / 1000
