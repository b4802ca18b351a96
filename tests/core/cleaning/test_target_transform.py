"""Transforms of the target: as scipy and scikit-learn have them, there and back, and finite whatever comes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats
from sklearn.preprocessing import PowerTransformer

from dlreg_core.cleaning import AS_IT_IS, TargetTransform, fit_target_transform
from dlreg_core.errors import RecipeError
from dlreg_core.ingest.datasets.dataset_files import read_dataset
from dlreg_core.specs import Recipe, Split, TransformName
from dlreg_core.splitting import check_recipe, prepare_table

RNG = np.random.default_rng(0)
SKEWED = RNG.lognormal(3, 1, 2_000)
BOTH_SIDES = RNG.normal(0, 1, 2_000) ** 3
METHODS: tuple[TransformName, ...] = ("log", "box-cox", "yeo-johnson")


def standardised(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray((values - values.mean()) / values.std())


def test_the_logarithm_is_numpys() -> None:
    fitted = fit_target_transform(SKEWED, "log")
    np.testing.assert_allclose(standardised(fitted.forward(SKEWED)), standardised(np.log(SKEWED)), atol=1e-10)


def test_of_zeros_it_is_that_of_one_more() -> None:
    counts = RNG.poisson(3, 500).astype(float)
    fitted = fit_target_transform(counts, "log")
    np.testing.assert_allclose(standardised(fitted.forward(counts)), standardised(np.log1p(counts)), atol=1e-10)
    np.testing.assert_allclose(fitted.inverse(fitted.forward(counts)), counts, atol=1e-12)


def test_box_cox_is_scipys() -> None:
    fitted = fit_target_transform(SKEWED, "box-cox")
    theirs, power = stats.boxcox(SKEWED)
    assert fitted.power == pytest.approx(power, abs=1e-6)
    np.testing.assert_allclose(standardised(fitted.forward(SKEWED)), standardised(theirs), atol=1e-6)


@pytest.mark.parametrize("target", [SKEWED, BOTH_SIDES, -SKEWED])
def test_yeo_johnson_is_scikit_learns(target: NDArray[np.float64]) -> None:
    fitted = fit_target_transform(target, "yeo-johnson")
    theirs = PowerTransformer("yeo-johnson").fit(target[:, None])
    assert fitted.power == pytest.approx(float(theirs.lambdas_[0]), abs=1e-6)
    found = (fitted.forward(target) - fitted.mean) / fitted.std
    np.testing.assert_allclose(found, theirs.transform(target[:, None])[:, 0], atol=1e-6)
    np.testing.assert_allclose(
        fitted.inverse(found * fitted.std + fitted.mean),
        theirs.inverse_transform(found[:, None])[:, 0],
        rtol=1e-9,
        atol=1e-12,
    )


@pytest.mark.parametrize("power", [-2.0, -0.5, 0.0, 0.7, 2.0, 3.0])
def test_powers_bend_and_straighten_as_scipys_without_limits(power: float) -> None:
    positive, both = np.array([1e-3, 0.5, 1.0, 3.0, 50.0]), np.array([-30.0, -0.5, 0.0, 2.0, 40.0])
    for method, values, theirs in (
        ("box-cox", positive, stats.boxcox(positive, power)),
        ("yeo-johnson", both, stats.yeojohnson(both, power)),
    ):
        transform = TargetTransform(method=method, power=power)
        np.testing.assert_allclose(transform.bent(values), theirs, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(transform.straightened(theirs), values, rtol=1e-6, atol=1e-9)
        ends = transform.straightened(np.array([-1e9, 1e9]))
        assert not np.isnan(ends).any()
        assert ends[0] <= values.min()
        assert ends[1] >= values.max()


def test_what_has_no_logarithm_lies_below_everything() -> None:
    np.testing.assert_array_equal(TargetTransform(method="log").bent(np.array([-1.0, 0.0, 1.0])), [-np.inf, -np.inf, 0])


@pytest.mark.parametrize("method", METHODS)
def test_it_keeps_the_mean_and_the_spread(method: TransformName) -> None:
    learned = fit_target_transform(SKEWED, method).forward(SKEWED)
    assert learned.mean() == pytest.approx(SKEWED.mean())
    assert learned.std() == pytest.approx(SKEWED.std())


@pytest.mark.parametrize("method", METHODS)
@given(values=st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=20))
def test_whatever_is_predicted_comes_back_finite_and_near_the_training_targets(
    method: TransformName, values: list[float]
) -> None:
    fitted = fit_target_transform(SKEWED, method)
    found = fitted.inverse(np.array(values))
    assert np.isfinite(found).all()
    width = np.ptp(SKEWED)
    assert found.min() >= SKEWED.min() - width - 1e-6
    assert found.max() <= SKEWED.max() + width + 1e-6
    assert np.isfinite(fitted.forward(np.array(values))).all()


@pytest.mark.parametrize("method", METHODS)
@given(values=st.lists(st.floats(SKEWED.min(), SKEWED.max()), min_size=1, max_size=20))
def test_there_and_back_changes_nothing(method: TransformName, values: list[float]) -> None:
    fitted = fit_target_transform(SKEWED, method)
    # Also after it was kept and read again.
    fitted = TargetTransform.model_validate_json(fitted.model_dump_json())
    np.testing.assert_allclose(fitted.inverse(fitted.forward(np.array(values))), values, rtol=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_a_power_that_has_no_inverse_everywhere_gives_numbers_all_the_same(method: TransformName) -> None:
    # With a negative power, transformed values have an upper bound that targets approach and never reach.
    steep = 1 / RNG.uniform(0.01, 1, 2_000)
    fitted = fit_target_transform(steep, method)
    assert method == "log" or fitted.power < 0
    found = fitted.inverse(np.linspace(-1e6, 1e6, 1_001))
    assert np.isfinite(found).all()
    assert (np.diff(found) >= 0).all()


def test_as_it_is_changes_nothing_at_all() -> None:
    assert fit_target_transform(SKEWED, "none") == AS_IT_IS
    assert AS_IT_IS.forward(SKEWED) is SKEWED
    assert AS_IT_IS.inverse(SKEWED) is SKEWED
    assert TargetTransform.model_validate_json(AS_IT_IS.model_dump_json()) == AS_IT_IS


def test_the_error_is_in_the_targets_own_unit() -> None:
    fitted = fit_target_transform(SKEWED, "box-cox")
    predicted = SKEWED * 1.1
    found = fitted.error(fitted.forward(SKEWED), fitted.forward(predicted))
    inside = predicted < fitted.inverse(np.array([np.inf]))[0]
    assert inside.mean() > 0.99
    expected = np.sqrt(np.mean((fitted.inverse(fitted.forward(predicted)) - SKEWED) ** 2))
    assert found == pytest.approx(expected)


@pytest.mark.parametrize(
    ("method", "target", "sentence"),
    [
        ("log", BOTH_SIDES, "values below 0"),
        ("box-cox", np.append(SKEWED, 0.0), "values of 0 or below"),
        ("yeo-johnson", np.array([1e300, 2e300, 3e300] * 10), "reaches 3e"),
    ],
)
def test_what_cant_be_transformed_is_refused(method: TransformName, target: NDArray[np.float64], sentence: str) -> None:
    with pytest.raises(RecipeError, match=sentence):
        fit_target_transform(target, method)


def test_it_is_fitted_on_training_rows_alone() -> None:
    table = pd.DataFrame({"a": RNG.normal(size=200), "y": RNG.lognormal(0, 1, 200)})
    dataset, rows = read_dataset(table.to_csv(index=False).encode())
    recipe = Recipe(
        target="y", features=("a",), target_transform="box-cox", split=Split(kind="random", choose_by="holdout")
    )
    before = prepare_table(dataset, rows, recipe)
    rows.loc[np.concatenate([before.rows_validation, before.rows_test]), "y"] *= 1_000
    after = prepare_table(dataset, rows, recipe)
    assert after.transform == before.transform == fit_target_transform(after.y_train, "box-cox")
    assert after.y_test.max() > 10 * after.y_train.max(), "targets stay in their own unit"


@pytest.mark.parametrize("size", [1e17, 2e39, 1e140, 1e-9, 1e-200])
def test_a_target_that_models_can_not_compute_with_is_learned_in_standard_deviations(size: float) -> None:
    target = size * BOTH_SIDES
    fitted = fit_target_transform(target, "none")
    assert (fitted.method, fitted.changes, fitted.rescales) == ("none", True, True)
    np.testing.assert_allclose(fitted.forward(target), standardised(BOTH_SIDES), atol=1e-9)
    np.testing.assert_allclose(fitted.inverse(fitted.forward(target)), target, rtol=1e-9, atol=1e-9 * size)
    again = TargetTransform.model_validate_json(fitted.model_dump_json())
    np.testing.assert_array_equal(again.forward(target), fitted.forward(target))
    # Errors of intervals are measured in its own unit.
    np.testing.assert_array_equal(fitted.bent(target), target)


def test_the_logarithm_of_huge_targets_is_of_a_size_to_compute_with() -> None:
    huge = 1e30 * SKEWED
    fitted = fit_target_transform(huge, "log")
    np.testing.assert_allclose(fitted.forward(huge), standardised(np.log(SKEWED)), atol=1e-8)
    np.testing.assert_allclose(fitted.inverse(fitted.forward(huge)), huge, rtol=1e-9)


def test_ordinary_targets_are_learned_as_they_are() -> None:
    for target in (SKEWED, 1e9 * BOTH_SIDES, 1e-4 * BOTH_SIDES, np.zeros(5)):
        assert fit_target_transform(target, "none") is AS_IT_IS


@pytest.mark.parametrize("method", ["none", *METHODS])
def test_what_can_not_be_squared_is_refused_with_the_number(method: TransformName) -> None:
    with pytest.raises(RecipeError, match=r"The target reaches 3e\+200"):
        fit_target_transform(np.array([1.0, 2.0, 3e200]), method)


def test_it_is_refused_before_the_start() -> None:
    rows = "\n".join(f"{i},{i % 7}e{200 if i == 9 else 1}" for i in range(1, 90))
    dataset, _ = read_dataset(f"a,y\n{rows}\n".encode())
    with pytest.raises(RecipeError, match=r"reaches 2e\+200"):
        check_recipe(dataset, Recipe(target="y", features=("a",)))
