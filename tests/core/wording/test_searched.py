"""What a search found, as a table and in words."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from dlreg_core.evaluation.search_importance import SettingImportance
from dlreg_core.specs import (
    LeaderboardRow,
    NumberRange,
    PlannedFit,
    ResolvedPlan,
    RowCounts,
    Search,
    TrainResult,
)
from dlreg_core.wording.search_text import best_trial_words, explained_words, mattered_words, trial_table

TITLES = {"learning_rate": "Learning rate", "loss": "Loss", "huber_delta": "Huber's delta"}
SEARCH = Search(
    family="NN_TORCH",
    ranges={
        "learning_rate": NumberRange(low=1e-4, high=0.1, log=True),
        "loss": ("mse", "huber"),
        "huber_delta": (1.0, 2.0),
    },
)


def fit(model: str, trial: int | None, **chosen: object) -> PlannedFit:
    return PlannedFit(
        model=model, family="NN_TORCH", epochs=3, seed=0, threads=1, device="cpu", chosen=chosen, trial=trial
    )


def row(model: str, validation: float | None, role: str = "network") -> LeaderboardRow:
    return LeaderboardRow(model=model, family="NN_TORCH", role=role, rmse_validation=validation, fit_seconds=1.5)


@pytest.fixture
def result() -> TrainResult:
    return TrainResult(
        leaderboard=(row("A", 30.0), row("A 2", 20.0), row("A 3", None), row("B", 10.0), row("Mean", 90.0, "baseline")),
        best_model="B",
        comparison=None,
        rows=RowCounts(train=3, validation=1, test=1),
        plan=ResolvedPlan(
            fits=(
                fit("A", 1, learning_rate=0.001234567, loss="mse", epochs=9),
                fit("A 2", 2, learning_rate=0.01, loss="huber", huber_delta=2.0),
                fit("A 3", 3, learning_rate=0.1, loss="mse"),
                # It was none of the search's trials.
                fit("B", None),
            )
        ),
        seconds=1.0,
    )


def test_trials_with_their_settings_the_best_first(result: TrainResult) -> None:
    table = trial_table(result, SEARCH)
    assert list(table.columns) == ["trial", "model", *TITLES, "rmse_validation", "fit_seconds"]
    assert list(table["model"]) == ["A 2", "A", "A 3"]
    assert list(table["trial"]) == [2, 1, 3]
    assert list(table["rmse_validation"])[:2] == [20, 30]
    assert np.isnan(table["rmse_validation"].iloc[2])
    assert list(table["loss"]) == ["huber", "mse", "mse"]
    assert np.isnan(table["huber_delta"].iloc[1])


def test_without_trials_the_table_is_empty(result: TrainResult) -> None:
    table = trial_table(result.model_copy(update={"plan": ResolvedPlan()}), SEARCH)
    assert table.empty
    assert best_trial_words(table, TITLES, "$") == ""


def test_the_best_in_words(result: TrainResult) -> None:
    table = trial_table(result, SEARCH)
    assert best_trial_words(table, TITLES, "$") == (
        "Best of 2 trials: Learning rate 0.01, Loss huber, Huber's delta 2; RMSE $20 on the validation rows (A 2)."
    )
    assert best_trial_words(table.iloc[1:], TITLES, "") == (
        "Best of 1 trial: Learning rate 0.00123, Loss mse; RMSE 30 on the validation rows (A)."
    )


def importance(trials: int, explained: float = 0.6, **shares: float) -> SettingImportance:
    return SettingImportance(shares, explained, trials)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (
            importance(20, learning_rate=0.712, loss=0.2, huber_delta=0.088),
            "Learning rate mattered most (71 %), then Loss (20 %) and Huber's delta (9 %).",
        ),
        (importance(20, learning_rate=0.996, loss=0.004), "Learning rate mattered most (100 %)."),
        (
            importance(6, loss=0.9, learning_rate=0.1),
            "Loss mattered most (90 %), then Learning rate (10 %). 6 trials give a hint, no more.",
        ),
        (
            importance(20, 0.0, loss=0.0, learning_rate=0.0),
            "No setting clearly mattered: the errors can't be told from what was tried.",
        ),
        (importance(3, 0.0, loss=0.0), "3 trials can't tell which settings mattered."),
        (importance(1, 0.0, loss=0.0), "1 trial can't tell which settings mattered."),
    ],
)
def test_what_mattered_in_words(found: SettingImportance, words: str) -> None:
    assert mattered_words(found, TITLES) == words


def test_what_the_shares_are_of() -> None:
    assert "60 % of all differences" in explained_words(importance(20, loss=1.0))
    assert explained_words(importance(20, 0.0, loss=0.0)) == ""


def test_a_table_of_words_only_has_its_best(result: TrainResult) -> None:
    table = pd.DataFrame({"trial": [1], "model": ["A"], "rmse_validation": [3.0], "hidden": [[64, 32]]})
    assert best_trial_words(table, {"hidden": "Hidden layers"}, "$").startswith(
        "Best of 1 trial: Hidden layers 64, 32;"
    )
