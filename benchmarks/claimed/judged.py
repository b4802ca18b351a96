"""Claims about models that are judged on test rows: verdicts on comparisons, intervals, and where errors are large."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from claimed.registry import Claim, register
from dlreg_core.evaluation.conformal import calibrate, coverage
from dlreg_core.evaluation.error_segments import segments
from dlreg_core.evaluation.model_comparison import compare
from dlreg_core.pipeline.pipeline_spec import PipelineModel
from dlreg_core.specs import Comparison, Interval, LeaderboardRow, RowCounts
from dlreg_core.training.baselines.simple_models import Boosting, fit_baselines
from dlreg_core.training.evaluate_models import Judged, compare_with_baselines
from dlreg_core.wording.diagnostics_text import distribution_words, quantile_words, residuals_predicted_words
from dlreg_core.wording.model_text import coverage_words
from dlreg_core.wording.verdict_text import verdict

Floats = NDArray[np.float64]
Random = np.random.Generator

TEST_ROWS = (60, 150, 300, 1000)
"""How many rows a test has; each as often as the others."""


@dataclass(frozen=True)
class Test:
    """Test rows and what a model predicts of them."""

    actual: Floats
    predicted: Floats
    features: pd.DataFrame


def noise(random: Random, rows: int) -> Floats:
    """Return errors of a kind that chance chooses: normal, with heavy tails, or skewed; of mean 0 and size about 1."""
    kind = random.integers(3)
    if kind == 0:
        return random.standard_normal(rows)
    if kind == 1:
        return random.standard_t(3, rows) / np.sqrt(3)
    return (random.lognormal(0, 0.8, rows) - np.exp(0.32)) / 1.3


def signal(random: Random, rows: int) -> tuple[pd.DataFrame, Floats]:
    """Return six features, two of them categories, and what they say of the target: mean 0, size about 1.5."""
    features = pd.DataFrame(
        {
            "a": random.standard_normal(rows),
            "b": random.uniform(-1, 1, rows),
            "c": random.exponential(1, rows),
            "d": random.standard_normal(rows),
            "kind": random.choice(["x", "y", "z"], rows),
            "place": random.choice(list("ABCDEFGH"), rows),
        }
    )
    known = features["a"] + np.sin(3 * features["b"]) + 0.5 * (features["kind"] == "x") + 0.4 * (features["c"] - 1)
    return features, known.to_numpy(dtype=np.float64)


# --- one model against another ----------------------------------------------------------------------------------------


def versus(random: Random, better: float) -> Comparison:
    """Return a comparison of two models whose own errors differ in size by the factor `better`, of independent rows."""
    rows = int(random.choice(TEST_ROWS))
    _, known = signal(random, rows)
    actual = known + noise(random, rows)
    shared = 0.4 * random.standard_normal(rows)
    one, other = random.standard_normal(rows), random.standard_normal(rows)
    return compare(actual, known + shared + better * 0.5 * one, known + shared + 0.5 * other, name="Boosted trees")


register(
    "worth-yes",
    Claim(
        "Yes: worth it, and that is not luck",
        without=partial(versus, better=1.0),
        with_it=partial(versus, better=0.2),
        says=lambda found: verdict(found) == "yes",
        without_words="two equally good models",
        with_words="one with a fifth of the other's own error",
    ),
)
register(
    "worth-no",
    Claim(
        "No: not worth it, and that is not luck",
        without=partial(versus, better=1.0),
        with_it=partial(versus, better=2.0),
        says=lambda found: verdict(found) == "no",
        without_words="two equally good models",
        with_words="one with twice the other's own error",
    ),
)


# --- networks that have learned nothing -------------------------------------------------------------------------------


def against_baselines(random: Random, told: float) -> Comparison:
    """Return the comparison of a network with the program's own baselines, on a target with a long tail.

    The network predicts the median, as one does that was taught by the absolute error, and `told` of what is known.
    """
    rows = np.array([400, 150, int(random.choice(TEST_ROWS))])
    features, known = signal(random, int(rows.sum()))
    features = features.astype({"kind": "category", "place": "category"})
    actual = told * known + random.lognormal(0, 1.2, len(known))
    train, validation, test = np.split(np.arange(len(known)), np.cumsum(rows)[:2])
    fitted = fit_baselines(
        features.iloc[train],
        actual[train],
        features.iloc[validation],
        actual[validation],
        seed=0,
        boosting=Boosting(iterations=50),
    )
    network = float(np.median(actual[train])) + told * known + 0.05 * random.standard_normal(len(known))
    models = [PipelineModel(name="TabM", family="TABM", role="network", internal="TabM")]
    models += [PipelineModel(name=b.key, family=b.key, role="baseline", internal=b.key) for b in fitted]
    predicted = [
        {"TabM": network[part]} | {b.key: b.predict(features.iloc[part]) for b in fitted} for part in (validation, test)
    ]
    judged = Judged(predicted[0], predicted[1], {})
    return compare_with_baselines("TabM", tuple(models), actual[validation], actual[test], judged, seed=0)


register(
    "worth-nothing",
    Claim(
        "Yes: worth it, of a target with a long tail",
        without=partial(against_baselines, told=0.0),
        with_it=partial(against_baselines, told=1.0),
        says=lambda found: verdict(found) == "yes",
        without_words="a network that predicts the median of a noise",
        with_words="one that knows what can be known",
    ),
)


# --- intervals --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Inside:
    """A leaderboard row with the coverage of its intervals, and on how many rows they were calibrated and tested."""

    row: LeaderboardRow
    rows: RowCounts


def inside(random: Random, wider: float) -> Inside:
    """Return what intervals hold of test rows whose errors are `wider` times those of the calibration rows."""
    rows, calibration = (int(random.choice(TEST_ROWS)) for _ in range(2))
    errors = noise(random, calibration + rows) * np.where(np.arange(calibration + rows) < calibration, 1.0, wider)
    _, known = signal(random, calibration + rows)
    actual = known + errors
    before, after = slice(None, calibration), slice(calibration, None)
    interval = calibrate(actual[before], known[before], least=float(actual.min()))
    row = LeaderboardRow(
        model="TabM",
        family="TABM",
        role="network",
        half_width_90=interval.factor,
        half_widths_90=Interval(low=1.0, high=2.0) if interval.varies else None,
        coverage_90=coverage(actual[after], known[after], interval),
    )
    return Inside(row, RowCounts(train=0, validation=calibration, test=rows))


register(
    "fewer-inside",
    Claim(
        "The interval holds fewer rows than promised",
        without=partial(inside, wider=1.0),
        with_it=partial(inside, wider=1.6),
        says=lambda seen: "fewer than promised" in coverage_words(seen.row, seen.rows, ""),
        without_words="test rows like those that calibrated",
        with_words="errors 1.6 × as large in the test",
    ),
)


# --- where errors are large -------------------------------------------------------------------------------------------


def level_errors(random: Random, larger: float = 1.0) -> Test:
    """Return a fair model with equally large errors everywhere, or larger ones where its prediction is large."""
    rows = int(random.choice(TEST_ROWS))
    features, known = signal(random, rows)
    errors = noise(random, rows)
    return Test(known + errors * np.where(known > np.quantile(known, 0.8), larger, 1.0), known, features)


register(
    "largest-values",
    Claim(
        "It is off most where it predicts the largest values",
        without=level_errors,
        with_it=partial(level_errors, larger=2.5),
        says=lambda seen: "It is off most" in quantile_words(seen.actual, seen.predicted, ""),
        without_words="errors of one size everywhere",
        with_words="2.5 × as large where the prediction is in the upper fifth",
    ),
)


def leaning(random: Random, bias: float) -> Test:
    """Return a model that is too low by `bias` where its prediction is large."""
    made = level_errors(random)
    large = made.predicted > np.quantile(made.predicted, 0.88)
    return Test(made.actual + bias * large, made.predicted, made.features)


register(
    "large-too-low",
    Claim(
        "Large predictions are too low",
        without=partial(leaning, bias=0.0),
        with_it=partial(leaning, bias=1.0),
        says=lambda seen: "too low" in residuals_predicted_words(seen.actual, seen.predicted, ""),
        without_words="errors without a pattern",
        with_words="the largest eighth too low by a standard deviation of the errors",
    ),
)
register(
    "errors-grow",
    Claim(
        "The errors grow with the prediction",
        without=level_errors,
        with_it=partial(level_errors, larger=4.0),
        says=lambda seen: "The errors grow" in residuals_predicted_words(seen.actual, seen.predicted, ""),
        without_words="errors of one size everywhere",
        with_words="4 × as large where the prediction is in the upper fifth",
    ),
)


def tilted(random: Random, bias: float) -> Test:
    """Return a model that is too low by `bias` everywhere."""
    made = level_errors(random)
    return Test(made.actual + bias, made.predicted, made.features)


register(
    "too-low",
    Claim(
        "Predictions are too low on average",
        without=partial(tilted, bias=0.0),
        with_it=partial(tilted, bias=0.4),
        says=lambda seen: "too low by" in distribution_words(seen.actual, seen.predicted, ""),
        without_words="errors of mean 0",
        with_words="too low by 0.4 standard deviations of the errors",
    ),
)


def worse_group(random: Random, larger: float) -> Test:
    """Return a model whose errors are larger where one category is `x`."""
    made = level_errors(random)
    wrong = (made.features["kind"] == "x").to_numpy()
    errors = (made.actual - made.predicted) * np.where(wrong, larger, 1.0)
    return Test(made.predicted + errors, made.predicted, made.features)


def says_worse(seen: Test) -> bool:
    """Return True where some group is told to be worse than the rest."""
    found = segments(seen.features, seen.actual, seen.predicted)
    return bool((found["ratio_low"] > 1).any())


register(
    "worst-group",
    Claim(
        "It is off more in a group of rows",
        without=partial(worse_group, larger=1.0),
        with_it=partial(worse_group, larger=2.0),
        says=says_worse,
        without_words="errors of one size everywhere",
        with_words="twice as large in a third of the rows",
    ),
)
