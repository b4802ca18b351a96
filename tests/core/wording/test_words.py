from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from dlreg_core.specs import (
    BaselineStrength,
    Comparison,
    Interval,
    LeaderboardRow,
    ResolvedPlan,
    RowCounts,
    TrainResult,
)
from dlreg_core.specs.results import Role
from dlreg_core.wording import model_text


def row(model: str, mae: float, rmse: float, role: Role = "network", **more: Any) -> LeaderboardRow:
    return LeaderboardRow(model=model, family=model, role=role, mae=mae, rmse=rmse, r2=0.8312, **more)


def result(
    improvement: float = 0.334,
    low: float = 0.301,
    high: float = 0.362,
    baseline_mae: float = 47900,
    baseline_rmse: float = 70300,
    **more: Any,
) -> TrainResult:
    rows = (
        row("Ensemble", 31874, 47211, "ensemble", fit_seconds=60, predict_rows_per_second=1000),
        row("TabM", 33000, 49000),
        row("Ridge regression", baseline_mae, baseline_rmse, "baseline", fit_seconds=2, predict_rows_per_second=5000),
    )
    fields: dict[str, Any] = {
        "leaderboard": rows,
        "best_model": "Ensemble",
        "comparison": Comparison(
            baseline="Ridge regression", improvement=improvement, interval=Interval(low=low, high=high)
        ),
        "rows": RowCounts(train=14448, validation=3096, test=3096),
        "plan": ResolvedPlan(),
        "ensemble_weights": {"RealMLP": 0.4, "TabM": 0.6, "FastAI": 0.0},
        "seconds": 120.0,
    }
    return TrainResult(**(fields | more))


def test_headline() -> None:
    assert model_text.headline(result(), "$") == (
        "TabM + RealMLP (ensemble) is off by $31,900 on average (RMSE $47,200, R² 0.83) "
        "on 3,096 rows it has never seen."
    )


def test_headline_of_a_single_network() -> None:
    text = model_text.headline(result(best_model="TabM"), "$")
    assert text.startswith("TabM is off by $33,000 on average (RMSE $49,000")


def test_many_members_are_counted() -> None:
    members = {"TabM": 0.3, "RealMLP": 0.3, "FastAI": 0.2, "NN Torch": 0.2}
    assert model_text.best_name(result(ensemble_weights=members)) == "An ensemble of 4 networks"


def test_not_luck() -> None:
    assert model_text.versus_baseline(result()) == (
        "That is 33 % better than ridge regression, and the difference is not luck (95 %: 30–36 %)."
    )


def test_maybe_luck_is_said_in_the_first_sentence() -> None:
    found = result(improvement=0.01, low=-0.02, high=0.04, baseline_mae=32200)
    assert model_text.headline(found, "$") == (
        "Ridge regression does as well as the networks here: off by $32,200 on average against $31,900 for "
        "TabM + RealMLP (ensemble), on 3,096 rows neither has seen."
    )
    assert model_text.versus_baseline(found) == (
        "That is no clear gain over ridge regression: the difference may be luck (95 %: −2 to 4 %)."
    )


def test_a_better_baseline_is_said_in_the_first_sentence() -> None:
    found = result(improvement=-0.2, low=-0.25, high=-0.15, baseline_mae=26500)
    assert model_text.headline(found, "$").startswith(
        "Ridge regression does better than the networks here: off by $26,500 on average against $31,900"
    )
    assert model_text.versus_baseline(found) == (
        "The networks' error is 20 % higher than that of ridge regression, and the difference is not luck "
        "(95 %: 15–25 %)."
    )


def test_a_better_baseline_counts_without_a_comparison() -> None:
    found = result(comparison=None, baseline_mae=26500)
    assert model_text.headline(found, "$").startswith("Ridge regression does better than the networks here")
    assert model_text.versus_baseline(found) == ""


def test_another_baseline_that_is_better_counts_too() -> None:
    trees = row("Boosted trees", 30000, 45000, "baseline")
    found = result()
    found = found.model_copy(update={"leaderboard": (*found.leaderboard, trees)})
    assert model_text.headline(found, "$").startswith("Boosted trees do better than the networks here: off by $30,000")


def test_a_best_baseline() -> None:
    text = model_text.headline(result(best_model="Ridge regression"), "$")
    assert text.startswith("Ridge regression is best here, ahead of every network: off by $47,900 on average")


def test_a_lower_rmse_of_the_baseline_is_told() -> None:
    assert model_text.versus_baseline(result(baseline_rmse=47000)).endswith(
        "Ridge regression has the lower RMSE, which weighs large errors more."
    )


def test_a_reference_below_its_full_strength_is_not_beaten() -> None:
    short = {"family": "BOOSTED", "strength": BaselineStrength(trees=33, rows=9, of_rows=9)}
    trees = row("Boosted trees", 47900, 67400, "baseline").model_copy(update=short)
    found = result()
    assert found.comparison is not None
    comparison = found.comparison.model_copy(update={"baseline": "Boosted trees"})
    found = found.model_copy(update={"leaderboard": (*found.leaderboard, trees), "comparison": comparison})
    assert model_text.versus_baseline(found) == (
        "That is 33 % better than boosted trees (33 of their 1,000 trees), which are below their full strength "
        "(95 %: 30–36 %)."
    )


def test_nothing_judged() -> None:
    failed = LeaderboardRow(model="TabM", family="TABM", role="network")
    assert model_text.headline(result(leaderboard=(failed,), best_model="TabM"), "$") == "No model could be judged."


@pytest.mark.parametrize(
    ("r2", "text"), [(0.831, "R² 0.83"), (0.99961, "R² 0.9996"), (-0.4, "R² −0.40"), (0.0, "R² 0.00")]
)
def test_r2_is_never_rounded_up_to_one(r2: float, text: str) -> None:
    rows = (LeaderboardRow(model="TabM", family="TABM", role="network", mae=1.0, rmse=2.0, r2=r2),)
    assert text in model_text.headline(result(leaderboard=rows, best_model="TabM", comparison=None), "$")


COUNTS = RowCounts(train=5000, validation=2000, test=1000)


@pytest.mark.parametrize(
    ("coverage", "verdict"),
    [
        (0.905, "as it should"),
        (0.877, "as it should"),
        (0.875, "fewer than promised"),
        (0.924, "more than promised"),
    ],
)
def test_coverage(coverage: float, verdict: str) -> None:
    judged = row("TabM", 1, 1, half_width_90=70123.0, coverage_90=coverage)
    text = model_text.coverage_words(judged, COUNTS, "$")
    assert text.startswith("The 90 % interval, ± $70,100, holds ")
    assert text.endswith(f"of 1,000 rows it has never seen, {verdict} (88–92 % may be luck).")
    assert model_text.coverage_words(row("TabM", 1, 1), COUNTS, "$") == ""


def test_the_luck_of_few_calibration_rows_counts_too() -> None:
    judged = row("TabM", 1, 1, half_width_90=70123.0, coverage_90=0.85)
    few = RowCounts(train=700, validation=150, test=1000)
    assert "fewer than promised" in model_text.coverage_words(judged, COUNTS, "$")
    assert model_text.coverage_words(judged, few, "$").endswith("as it should (84–95 % may be luck).")
    folds = RowCounts(train=5000, validation=0, test=1000, folds=5)
    assert "fewer than promised" in model_text.coverage_words(judged, folds, "$")
    # Not all folds were predicted by it.
    cut = judged.model_copy(update={"rows_validation": 150})
    assert model_text.coverage_words(cut, folds, "$").endswith("as it should (84–95 % may be luck).")


def test_intervals_of_different_widths() -> None:
    judged = row("TabM", 1, 1, half_width_90=70123.0, coverage_90=0.9)
    wide = judged.model_copy(update={"half_widths_90": Interval(low=12_345, high=180_000, level=0.9)})
    # Half of the 2,000 rows chose that they vary.
    assert model_text.coverage_words(wide, COUNTS, "$") == (
        "The 90 % interval, typically ± $70,100 (mostly from ± $12,300 to ± $180,000, by the prediction), holds 90 % "
        "of 1,000 rows it has never seen, as it should (87–92 % may be luck)."
    )
    same = wide.model_copy(update={"half_widths_90": Interval(low=70_123, high=70_123, level=0.9)})
    assert model_text.coverage_words(same, COUNTS, "$").startswith("The 90 % interval, ± $70,100, holds")


def test_shap() -> None:
    values = pd.DataFrame(
        {"longitude": [1.0, -1.0], "income": [40.0, -44.0], "ocean": [9.0, 9.0], "latitude": [5.0, 6.0]}
    )
    many = pd.concat([values] * 30)
    assert model_text.shap_words(many, "$", 50) == (
        "income matters most: it moves the prediction by $42 on average; then ocean and latitude."
    )
    assert model_text.shap_words(values, "$", 50) == (
        "The order of the columns is uncertain, from 2 rows and 50 background rows: income seems to matter most (it "
        "moves the prediction by $42 on average); then ocean and latitude."
    )
    assert model_text.shap_words(many, "$", 49).startswith(
        "The order of the columns is uncertain, from 60 rows and 49 "
    )
    assert model_text.shap_words(values[["income"]] * 0, "$") == "No column moves the prediction."
    assert (
        model_text.shap_words(values[["income"]], "")
        == "income matters most: it moves the prediction by 42 on average."
    )


def test_names_inside_sentences() -> None:
    names = ["Decision tree", "Mean", "TabM", "Boosted trees"]
    assert [model_text.in_sentence(name) for name in names] == [
        "a decision tree",
        "always predicting the mean",
        "TabM",
        "boosted trees",
    ]
