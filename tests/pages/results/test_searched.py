"""What mattered in a search, on the Leaderboard of a run that had one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from dlreg_core.runs import RunFolder
from dlreg_core.runs.atomic_files import write_spec
from dlreg_core.specs import LeaderboardRow, NumberRange, PlannedFit, Search
from tests.pages.opening import copied, opened, texts

HIDDEN = ([64, 32], [128])
SEARCH = Search(
    method="random",
    family="FASTAI",
    ranges={
        "learning_rate": NumberRange(low=1e-4, high=0.1, log=True),
        "hidden": HIDDEN,
        "clip": (False, True),
    },
    trials=24,
)


def searched_run(trained: RunFolder, home: Path, count: int) -> RunFolder:
    """Return a copy of the trained run that seems to have made a search: the lower the rate, the lower the error."""
    run = copied(trained, home)
    result, experiment = run.result(), run.experiment()
    assert result is not None
    rates = 10 ** np.random.default_rng(0).uniform(-4, -1, count)
    fits = tuple(
        PlannedFit(
            model=f"FastAI {number + 10}",
            family="FASTAI",
            epochs=3,
            seed=0,
            threads=1,
            device="cpu",
            chosen={
                "learning_rate": float(rate),
                "hidden": HIDDEN[number % 2],
                "clip": number % 3 > 0,
            },
            trial=number + 1,
        )
        for number, rate in enumerate(rates)
    )
    rows = tuple(
        LeaderboardRow(
            model=fit.model,
            family="FASTAI",
            role="network",
            rmse=90.0,
            mae=80.0,
            rmse_validation=float(20 + 400 * fit.chosen["learning_rate"]),
            fit_seconds=1.5,
        )
        for fit in fits
    )
    more = {
        "leaderboard": (*result.leaderboard, *rows),
        "plan": result.plan.model_copy(update={"fits": (*result.plan.fits, *fits)}),
    }
    write_spec(run.train_task().path / "result.json", result.model_copy(update=more))
    plan = experiment.plan.model_copy(update={"search": SEARCH})
    write_spec(run.path / "experiment.json", experiment.model_copy(update={"plan": plan}))
    return run


def trials_of(app: AppTest) -> Any:
    return next(table.value for table in app.dataframe if "trial" in table.value.columns)


def test_a_run_without_a_search_has_no_such_section(trained: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLREG_HOME", str(trained.home))
    assert "What mattered in the search" not in texts(opened("leaderboard", run=trained.id))


def test_a_search_that_trained_nothing_has_no_such_section(trained: RunFolder, home: Path) -> None:
    app = opened("leaderboard", run=searched_run(trained, home, 0).id)
    assert not app.exception
    assert "What mattered in the search" not in texts(app)


def test_says_what_mattered_and_shows_every_trial(trained: RunFolder, home: Path) -> None:
    run = searched_run(trained, home, 24)
    app = opened("leaderboard", run=run.id)
    assert not app.exception
    words = texts(app)
    assert "What mattered in the search" in words
    assert "Learning rate mattered most (" in words
    assert "a hint, no more" not in words
    assert "Best of 24 trials: Learning rate 0.0001" in words
    assert "RMSE $20" in words
    table = trials_of(app)
    assert len(table) == 24
    assert list(table.columns) == [
        "trial",
        "model",
        "learning_rate",
        "hidden",
        "clip",
        "rmse_validation",
        "fit_seconds",
    ]
    assert table["rmse_validation"].is_monotonic_increasing
    assert table["learning_rate"].is_monotonic_increasing
    assert set(table["hidden"]) == {"64, 32", "128"}
    assert set(table["clip"]) == {"on", "off"}
    charts = [chart for chart in app.get("plotly_chart") if "parcoords" in chart.proto.spec]
    assert len(charts) == 1
    assert "Validation RMSE, $" in charts[0].proto.spec
    assert "Download trials as CSV" in [str(button.proto.label) for button in app.get("download_button")]


def test_a_few_trials_are_a_hint(trained: RunFolder, home: Path) -> None:
    app = opened("leaderboard", run=searched_run(trained, home, 7).id)
    assert not app.exception
    assert "7 trials give a hint, no more." in texts(app) or "No setting clearly mattered" in texts(app)
    assert len(trials_of(app)) == 7


def test_one_trial_can_be_shown(trained: RunFolder, home: Path) -> None:
    app = opened("leaderboard", run=searched_run(trained, home, 1).id)
    assert not app.exception
    assert "1 trial can't tell which settings mattered." in texts(app)
    assert len(trials_of(app)) == 1
