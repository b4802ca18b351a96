from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal
from zoneinfo import ZoneInfo

import pytest

from dlreg_core.networks import default_plan
from dlreg_core.report import model_file_usage
from dlreg_core.specs import (
    Comparison,
    Experiment,
    ExplainResult,
    Interval,
    LeaderboardRow,
    PlannedFit,
    Recipe,
    Report,
    ResolvedPlan,
    RowCounts,
    RunState,
    TrainResult,
)
from dlreg_core.wording.context_text import (
    better_baseline,
    chosen_words,
    device_words,
    explanation_words,
    model_label,
    model_words,
    rows_words,
    run_words,
)


def result(best: str = "TabM", **more: object) -> TrainResult:
    rows = (
        LeaderboardRow(model="TabM", family="TABM", role="network", rmse=2.0, mae=1.0, r2=-0.5),
        LeaderboardRow(model="Boosted trees", family="BOOSTED", role="baseline", rmse=3.0, mae=2.0),
    )
    return TrainResult(
        leaderboard=rows,
        best_model=best,
        comparison=None,
        rows=RowCounts(train=1448, validation=30, test=40),
        seconds=109.0,
        **{"plan": ResolvedPlan()} | more,
    )


def test_run_words_are_in_the_readers_time() -> None:
    report = Report(
        run_id="r",
        run_dir="",
        state=RunState.COMPLETED,
        experiment=Experiment(
            name="n",
            dataset_id="d",
            dataset_name="d.csv",
            recipe=Recipe(target="y", features=("x",)),
            plan=default_plan(),
        ),
        time_limit=120.0,
        started=datetime(2026, 11, 2, 23, 5, tzinfo=UTC),
        result=result(cores=2),
    )
    assert run_words(report) == "2 November 2026, 23:05 UTC · took 1:49 · on the CPU, 2 cores"
    assert run_words(report, ZoneInfo("Europe/Berlin")).startswith("3 November 2026, 00:05 · ")


def fit(device: Literal["cpu", "gpu"], *, fell_back: bool = False) -> PlannedFit:
    return PlannedFit(model="m", family="TABM", epochs=1, seed=0, threads=1, device=device, fell_back=fell_back)


@pytest.mark.parametrize(
    ("beside", "why"),
    [
        ((fit("cpu"),), "it was faster"),
        ((fit("cpu", fell_back=True),), "its memory did not suffice"),
        ((fit("cpu", fell_back=True), fit("cpu")), "it was faster or the GPU's memory did not suffice"),
    ],
)
def test_a_run_on_both_devices_tells_why(beside: tuple[PlannedFit, ...], why: str) -> None:
    plan = ResolvedPlan(fits=(fit("gpu"), *beside))
    words = device_words(result(device="gpu", gpu="NVIDIA T4", cores=16, plan=plan))
    assert words == f"on the GPU NVIDIA T4 and, where {why}, on the CPU"


def test_a_run_on_one_device_tells_which() -> None:
    assert device_words(result(device="gpu", gpu="NVIDIA T4", plan=ResolvedPlan(fits=(fit("gpu"),)))) == "on the GPU"
    assert device_words(result(gpu="NVIDIA T4", cores=16, plan=ResolvedPlan(fits=(fit("cpu"),)))) == (
        "on the CPU, 16 cores"
    )
    assert device_words(result(cores=1), "cpu") == "on the CPU, 1 core, as chosen"


def test_results_of_earlier_versions_tell_the_device_alone() -> None:
    assert device_words(result(device_note="Ran on the CPU (2 cores): there is no GPU.")) == "on the CPU"


def test_rows_words_name_what_was_left_out_only_where_something_was() -> None:
    assert "Left out" not in rows_words(RowCounts(train=10, validation=2, test=3))
    words = rows_words(RowCounts(train=1000, validation=2, test=3, dropped_duplicates=4))
    assert "1,000 rows" in words
    assert words.endswith("Left out: 4 that were duplicates.")


def test_chosen_words_only_where_another_model_has_the_lower_test_error() -> None:
    assert chosen_words(result()) == ""
    assert chosen_words(result("Boosted trees")).startswith("TabM has the lower RMSE on the test rows")
    names = ("FastAI", "FastAI 2", "RealMLP", "Ensemble")
    others = tuple(
        LeaderboardRow(model=name, family="x", role="ensemble" if name == "Ensemble" else "network", rmse=4.0)
        for name in names
    )
    many = result("Ensemble", ensemble_weights=dict.fromkeys((*names[:3], "TabM"), 0.25)).model_copy(
        update={"leaderboard": (*result().leaderboard, *others)}
    )
    assert "the validation rows chose an ensemble of 4 networks: test rows" in chosen_words(many)


def test_a_baseline_with_the_lower_test_error_was_no_candidate() -> None:
    trees = LeaderboardRow(model="Boosted trees", family="BOOSTED", role="baseline", rmse=1.0)
    better = result().model_copy(update={"leaderboard": (trees, *result().leaderboard)})
    assert chosen_words(better) == ""


def test_model_words() -> None:
    first, second = result().leaderboard
    assert model_words(first, "$") == "TabM is off by $1 on average (RMSE $2, R² −0.50)."
    assert model_words(second, "") == "Boosted trees are off by 2 on average (RMSE 3)."


@pytest.mark.parametrize(
    ("permutations", "error", "end"), [(0, 0.0, ", exact"), (2, 0.08, ", error ± 8 %"), (1, None, "took 0.9 s")]
)
def test_explanation_words(permutations: int, error: float | None, end: str) -> None:
    found = ExplainResult(
        model="m", rows=60, background=25, permutations=permutations, evaluations=1, base_value=0.0, seconds=0.9,
        relative_error=error,
    )  # fmt: skip
    assert explanation_words(found).startswith("From 60 rows, 25 background rows, took 0.9 s")
    assert explanation_words(found).endswith(end)


def test_usage_names_the_file() -> None:
    assert 'Path("a.zip")' in model_file_usage.python_usage("a.zip")
    assert model_file_usage.command_usage("a.zip") == "dlreg predict a.zip rows.csv --out out.csv"
    assert "unzip a.zip -d a" in model_file_usage.script_usage("a.zip")
    compile(model_file_usage.python_usage("a.zip"), "usage", "exec")


@pytest.mark.parametrize(("low", "high", "name"), [(-0.2, -0.1, "Boosted trees"), (-0.2, 0.1, None), (0.1, 0.2, None)])
def test_a_baseline_is_better_only_where_that_is_not_luck(low: float, high: float, name: str | None) -> None:
    against = Comparison(baseline="Boosted trees", improvement=(low + high) / 2, interval=Interval(low=low, high=high))
    found = result(comparisons=(against,))
    better = better_baseline(found)
    assert (better.model if better is not None else None) == name
    assert model_label(found, "TabM") == "TabM (chosen)"
    assert model_label(found, "Boosted trees") == ("Boosted trees (better here)" if name else "Boosted trees")
