"""The answer to whether deep learning was worth it, for every verdict."""

from __future__ import annotations

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
from dlreg_core.wording import verdict_text

TREES = "Boosted trees"


def row(model: str, family: str, role: str = "baseline", **more: object) -> LeaderboardRow:
    figures = {"mae": 1.0, "rmse": 2.0, "fit_seconds": 2.0, "predict_rows_per_second": 60_000.0}
    return LeaderboardRow(model=model, family=family, role=role, **(figures | more))


def against(
    mae: tuple[float, float, float], rmse: tuple[float, float, float] | None = None, baseline: str = TREES
) -> Comparison:
    """Return a comparison from improvements with their intervals: value, low, high."""
    return Comparison(
        baseline=baseline,
        improvement=mae[0],
        interval=Interval(low=mae[1], high=mae[2]),
        rmse_improvement=rmse[0] if rmse else None,
        rmse_interval=Interval(low=rmse[1], high=rmse[2]) if rmse else None,
    )


FULL = BaselineStrength(trees=1000, rows=700, of_rows=700)


def result(*comparisons: Comparison, strength: BaselineStrength | None = FULL, **network: object) -> TrainResult:
    costs = {"fit_seconds": 58.0, "predict_rows_per_second": 12_000.0} | network
    return TrainResult(
        leaderboard=(
            row("Ensemble", "ENSEMBLE", "ensemble", **costs),
            row(TREES, "BOOSTED", strength=strength),
            row("Ridge regression", "RIDGE", fit_seconds=0.01, predict_rows_per_second=None),
            row("Mean", "MEAN"),
            row("Median", "MEDIAN"),
        ),
        best_model="Ensemble",
        comparison=comparisons[0] if comparisons else None,
        comparisons=comparisons,
        rows=RowCounts(train=700, validation=150, test=150),
        plan=ResolvedPlan(),
        seconds=120.0,
    )


COSTS = "he networks trained 29 times longer (58 s against 2 s) and predict 5 times slower (12,000 rows a second)"


def test_yes() -> None:
    found = result(against((0.04, 0.01, 0.07), (0.02, -0.01, 0.05)))
    assert verdict_text.worth_words(found) == (
        "Yes: the networks' error is 4 % lower than that of boosted trees (1,000 of them; 95 %: 1–7 %), "
        "and that is not luck.",
        f"T{COSTS}.",
    )


def test_no() -> None:
    assert verdict_text.worth_words(result(against((-0.03, -0.05, -0.01), (-0.01, -0.03, 0.01)))) == (
        "No: the networks' error is 3 % higher than that of boosted trees (1,000 of them; 95 %: 1–5 %), "
        "and that is not luck.",
        f"Use boosted trees, unless a longer training turns this around: t{COSTS}.",
    )


def test_a_difference_that_may_be_luck() -> None:
    assert verdict_text.worth_words(result(against((0.01, -0.02, 0.04)))) == (
        "No difference that can be told from luck: the networks' error is 1 % lower than that of boosted trees "
        "(1,000 of them; 95 %: −2 to 4 %).",
        f"T{COSTS}, so boosted trees are the cheaper choice.",
    )
    # A lead of the baseline is told the other way round, and so is its interval.
    first, _ = verdict_text.worth_words(result(against((-0.01, -0.04, 0.02))))
    assert first.endswith("error is 1 % higher than that of boosted trees (1,000 of them; 95 %: −2 to 4 %).")


def test_networks_can_be_the_cheaper_choice() -> None:
    even = against((0.0, -0.02, 0.02))
    _, second = verdict_text.worth_words(result(even, fit_seconds=0.5, predict_rows_per_second=61_000.0))
    assert second == (
        "The networks trained 4 times faster (0.5 s against 2 s) and predict about as fast (61,000 rows a second), "
        "so they are the cheaper choice."
    )
    _, second = verdict_text.worth_words(result(even, fit_seconds=0.5))
    assert second.endswith("predict 5 times slower (12,000 rows a second)."), "neither is cheaper in both"


def test_errors_of_two_kinds_that_disagree() -> None:
    found = against((0.04, 0.01, 0.07), (-0.06, -0.09, -0.02))
    assert verdict_text.verdict(found) == "depends"
    assert verdict_text.worth_words(result(found))[0] == (
        "It depends: the networks' error is 4 % lower than that of boosted trees (1,000 of them; 95 %: 1–7 %), but "
        "their RMSE, which weighs large errors more, is 6 % higher (2–9 %). Neither is luck."
    )
    first, _ = verdict_text.worth_words(result(against((0.01, -0.02, 0.04), (0.05, 0.02, 0.08))))
    assert first.endswith("; 95 %: −2 to 4 %), but their RMSE, which weighs large errors more, is 5 % lower (2–8 %).")


@pytest.mark.parametrize(
    ("mae", "rmse", "verdict"),
    [
        ((0.1, 0.05, 0.2), (0.1, 0.05, 0.2), "yes"),
        ((0.1, 0.05, 0.2), (-0.1, -0.2, 0.1), "yes"),
        ((0.1, 0.05, 0.2), None, "yes"),
        ((-0.1, -0.2, -0.05), (0.1, -0.1, 0.2), "no"),
        ((-0.1, -0.2, -0.05), (0.1, 0.05, 0.2), "depends"),
        ((0.1, 0.0, 0.2), (0.1, 0.05, 0.2), "even"),
    ],
)
def test_verdicts(mae: tuple[float, float, float], rmse: tuple[float, float, float] | None, verdict: str) -> None:
    assert verdict_text.verdict(against(mae, rmse)) == verdict


def test_a_constant_is_nothing_to_recommend() -> None:
    assert verdict_text.worth_words(result(against((0.01, -0.02, 0.04), (0.05, 0.02, 0.08), baseline="Median"))) == (
        "No difference that can be told from luck: the networks' error is 1 % lower than that of always predicting the "
        "median (95 %: −2 to 4 %), but their RMSE, which weighs large errors more, is 5 % lower than that of the mean "
        "(2–8 %).",
        "No model here tells more than the median does.",
    )


SHORT = BaselineStrength(trees=400, rows=700, of_rows=700)


@pytest.mark.parametrize(
    ("strength", "told"),
    [
        (SHORT, "400 of their 1,000 trees"),
        (BaselineStrength(trees=1000, rows=500, of_rows=700), "1,000 of them, fitted on 500 of 700 rows"),
    ],
)
def test_nothing_beats_a_reference_below_its_full_strength(strength: BaselineStrength, told: str) -> None:
    found = result(against((0.14, 0.1, 0.18)), strength=strength)
    assert verdict_text.answer(found) == "untold"
    assert verdict_text.worth_words(found)[0] == (
        f"That can't be told: the networks' error is 14 % lower than that of boosted trees ({told}; 95 %: 10–18 %), "
        "but boosted trees are below their full strength: the time was short."
    )
    assert "not luck" not in verdict_text.worth_words(found)[0]
    assert verdict_text.worth_table(found)["against"][0] == f"Boosted trees ({told})"


def test_a_no_needs_no_full_strength() -> None:
    found = result(against((-0.03, -0.05, -0.01)), strength=SHORT)
    assert verdict_text.answer(found) == "no"
    assert verdict_text.worth_words(found)[0] == (
        "No: the networks' error is 3 % higher than that of boosted trees (400 of their 1,000 trees; 95 %: 1–5 %), and "
        "that is not luck."
    )


def test_another_baseline_does_not_stand_in_for_the_reference() -> None:
    ridge = against((0.3, 0.2, 0.4), baseline="Ridge regression")
    assert verdict_text.answer(result(ridge)) == "yes"
    assert verdict_text.worth_words(result(ridge, strength=SHORT))[0] == (
        "That can't be told: the networks' error is 30 % lower than that of ridge regression (95 %: 20–40 %), but "
        "boosted trees are below their full strength: the time was short."
    )
    found = result(ridge)
    gone = LeaderboardRow(model=TREES, family="BOOSTED", role="baseline", note="CatBoost could not be fitted: x.")
    rows = tuple(gone if row.family == "BOOSTED" else row for row in found.leaderboard)
    found = found.model_copy(update={"leaderboard": rows})
    assert verdict_text.answer(found) == "untold"
    assert verdict_text.worth_words(found)[0].endswith("but boosted trees, which are the reference, are missing.")


def test_results_of_earlier_versions_know_the_trees_by_their_plan() -> None:
    found = result(against((0.14, 0.1, 0.18)), strength=None)
    assert verdict_text.answer(found) == "yes", "nothing is known of the trees"
    assert verdict_text.answer(found.model_copy(update={"plan": ResolvedPlan(baseline_iterations=400)})) == "untold"
    assert verdict_text.answer(found.model_copy(update={"plan": ResolvedPlan(baseline_iterations=1000)})) == "yes"


def test_costs_that_are_not_known() -> None:
    yes, no = against((0.04, 0.01, 0.07)), against((-0.03, -0.05, -0.01))
    assert verdict_text.worth_words(result(yes, fit_seconds=None, predict_rows_per_second=None))[1] == ""
    assert verdict_text.worth_words(result(no, fit_seconds=None, predict_rows_per_second=None))[1] == (
        "Use boosted trees, unless a longer training turns this around."
    )
    assert verdict_text.worth_words(result(yes, fit_seconds=None))[1] == (
        "The networks predict 5 times slower (12,000 rows a second)."
    )


def test_table() -> None:
    found = result(
        against((-0.03, -0.05, -0.01), (0.004, -0.02, 0.03)), against((0.33, 0.3, 0.36), baseline="Ridge regression")
    )
    assert verdict_text.worth_table(found).to_dict("records") == [
        {
            "against": f"{TREES} (1,000 of them)",
            "mae": "3 % higher",
            "mae_interval": "1–5 %",
            "rmse": "0.4 % lower",
            "rmse_interval": "−2 to 3 %",
            "fit": "29 times longer",
            "speed": "5 times slower",
        },
        {
            "against": "Ridge regression",
            "mae": "33 % lower",
            "mae_interval": "30–36 %",
            "rmse": "–",
            "rmse_interval": "–",
            "fit": "5,800 times longer",
            "speed": "–",
        },
    ]


def test_results_of_earlier_versions() -> None:
    kept = result(against((0.04, 0.01, 0.07))).model_dump(mode="json")
    for name in ("comparisons",):
        del kept[name]
    for name in ("rmse_improvement", "rmse_interval"):
        del kept["comparison"][name]
    del kept["plan"]["baseline_iterations"]
    found = TrainResult.model_validate(kept)
    assert verdict_text.worth_words(found)[0].startswith("Yes: ")
    assert verdict_text.worth_table(found).empty
    assert list(verdict_text.worth_table(found).columns) == list(verdict_text.COLUMNS)
    assert verdict_text.worth_words(found.model_copy(update={"comparison": None})) == ("", "")


def test_boosted_trees_that_are_missing() -> None:
    found = result(against((0.04, 0.01, 0.07), baseline="Ridge regression"))
    assert verdict_text.missing_words(found) == ""
    absent = row(TREES, "BOOSTED", rmse=None, mae=None, note="CatBoost could not be fitted: no memory.")
    rows = tuple(absent if one.model == TREES else one for one in found.leaderboard)
    assert verdict_text.missing_words(found.model_copy(update={"leaderboard": rows})) == (
        "Boosted trees are missing from this comparison. CatBoost could not be fitted: no memory."
    )
