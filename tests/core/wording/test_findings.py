from __future__ import annotations

import numpy as np
import pytest

from dlreg_core.array_types import Floats
from dlreg_core.wording import diagnostics_text


@pytest.fixture
def noise() -> tuple[Floats, Floats]:
    rng = np.random.default_rng(0)
    return rng.uniform(100, 200, size=4000), rng.normal(size=4000)


def test_nearness_by_hand() -> None:
    actual = np.arange(11.0)
    assert diagnostics_text.predicted_actual_words(actual, np.zeros(11), "kg") == (
        "Half of the predictions are within 5 kg of the truth, nine in ten within 9 kg."
    )


def test_no_pattern(noise: tuple[Floats, Floats]) -> None:
    guess, error = noise
    text = diagnostics_text.residuals_predicted_words(guess + error, guess, "$")
    # The ratio of two means of 2,000 absolute errors: 1 give or take three times 0.024, and luck.
    assert text == (
        "No pattern is clear: the errors in the upper half of the predictions are 0.92 to 1.1 × those in the lower "
        "half."
    )


def test_large_predictions_too_low(noise: tuple[Floats, Floats]) -> None:
    guess, _ = noise
    actual = guess + np.where(guess > 185, 5, 0) + np.tile([0.5, -0.5], 2000)
    text = diagnostics_text.residuals_predicted_words(actual, guess, "$")
    assert text == "Large predictions are too low, by $5 on average."


def test_small_predictions_too_high(noise: tuple[Floats, Floats]) -> None:
    guess, error = noise
    text = diagnostics_text.residuals_predicted_words(guess + error - np.where(guess < 111, 5, 0), guess, "$")
    assert text.startswith("Small predictions are too high, by $")


def test_spread_that_grows(noise: tuple[Floats, Floats]) -> None:
    guess, error = noise
    text = diagnostics_text.residuals_predicted_words(guess + error * np.where(guess > 150, 3, 1), guess, "$")
    assert text.startswith("The errors grow with the prediction: ")
    assert 2.8 < float(text.split(": ")[1].split(" ")[0]) < 3.2


def test_few_or_equal_predictions() -> None:
    text = "There are too few different predictions to see a pattern."
    assert diagnostics_text.residuals_predicted_words([1.0, 2.0], [1.0, 2.0], "$") == text
    assert diagnostics_text.residuals_predicted_words(np.arange(50.0), np.zeros(50), "$") == text


def test_normal_residuals(noise: tuple[Floats, Floats]) -> None:
    guess, error = noise
    # The mean of 4,000 standard normal errors, 0.0095, give or take three standard errors of 0.016.
    assert diagnostics_text.distribution_words(guess + error, guess, "$") == (
        "Predictions don't clearly lean: on average, anywhere from $0.038 too high to $0.057 too low. 0.2 % of the "
        "rows are far off, not clearly more than the 0.3 % of a normal distribution."
    )


def test_what_isnt_clear_isnt_called_absent() -> None:
    few = np.array([1.0, -0.5, 2.0, -1.0, 0.7])
    text = diagnostics_text.distribution_words(few, np.zeros(5), "")
    error = 3 * few.std(ddof=1) / np.sqrt(5)
    assert f"from {error - few.mean():.2g} too high to {error + few.mean():.2g} too low" in text
    assert diagnostics_text.distribution_words([1.0, 2.0], [1.0, 2.0], "") == "Every prediction is exact."
    assert diagnostics_text.distribution_words([1.0], [2.0], "").startswith("One row doesn't tell")


def test_heavy_tails_and_a_lean(noise: tuple[Floats, Floats]) -> None:
    guess, _ = noise
    error = np.random.default_rng(1).standard_t(2, size=4000) + 3
    text = diagnostics_text.distribution_words(guess + error, guess, "$")
    assert text.startswith("Predictions are too low by $")
    assert "as many as a normal distribution has" in text


def test_error_that_grows_at_the_end() -> None:
    predicted = np.arange(1000.0)
    actual = predicted + np.where(np.arange(1000) % 2, 10, -10)
    actual[900:] = predicted[900:] + 100 - np.arange(100) % 3
    assert diagnostics_text.quantile_words(actual, predicted, "$") == (
        "It is off most where it predicts the largest values, $900 and more: by $99 on average, "
        "5.2 × the error of all rows, mostly too low."
    )
    assert diagnostics_text.quantile_words(-actual, -predicted, "$").startswith(
        "It is off most where it predicts the smallest values, up to −$900"
    )


def test_error_that_is_level(noise: tuple[Floats, Floats]) -> None:
    guess, error = noise
    level = guess + np.sign(error)
    assert diagnostics_text.quantile_words(level, guess, "$") == (
        "No group of predictions is off by more than luck explains."
    )
    assert diagnostics_text.quantile_words([1.0, 1.0], [1.0, 1.0], "$") == (
        "There are too few different predictions to tell small ones from large ones."
    )
    many = np.arange(50.0)
    assert diagnostics_text.quantile_words(many, many, "$") == "The error is the same for all predictions."


def test_a_model_that_misses_half_of_the_variance_is_not_off_most_for_large_values() -> None:
    """Grouped by the actual value, every one of these would be: large values are those that nobody foresaw."""
    rng = np.random.default_rng(0)
    told = 0
    for _ in range(100):
        predicted = rng.normal(size=300)
        told += "most" in diagnostics_text.quantile_words(predicted + rng.normal(size=300), predicted, "")
    assert told <= 10
