"""What a whole run makes of its budget: trials of a search, families set aside, networks with ready weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import root_mean_squared_error

from dlreg_core.jobs import InlineBackend
from dlreg_core.jobs.device_slots import cpu_slots
from dlreg_core.jobs.dispatcher import Dispatcher
from dlreg_core.model_file import load_bundle, write_bundle
from dlreg_core.networks import family
from dlreg_core.pipeline.fitted_pipeline import Pipeline
from dlreg_core.pipeline.network_store import NetworkStore
from dlreg_core.runs import RunFolder, load_predictions, open_store
from dlreg_core.settings import Settings
from dlreg_core.specs import Experiment, NumberRange, PlannedFit, ResolvedPlan, RunState, Search, TrainResult
from dlreg_core.splitting import prepared_of
from dlreg_core.training.baselines.simple_models import Boosting
from dlreg_core.training.execution.run_hooks import Trained
from dlreg_core.training.execution.training_loop import TrainingLoop
from dlreg_core.wording import model_text
from dlreg_core.wording.verdict_text import worth_words
from dlreg_core.worker import baselines_task
from dlreg_core.worker.run_task import work
from tests.conftest import add_table, experiment_on, small_table
from tests.core.networks.tiny_weights import write_tiny


def train(home: Path, experiment: Experiment) -> tuple[RunFolder, TrainResult]:
    """Train in this process."""
    dispatcher = Dispatcher(open_store(Settings(home=home)), InlineBackend(work), cpu_slots(1))
    run = dispatcher.store.folder(dispatcher.submit(experiment))
    done, result = run.train_task().done(), run.result()
    assert done is not None
    assert done.state is RunState.COMPLETED, done.reason
    assert result is not None
    return run, result


@pytest.mark.soak
def test_each_trial_of_a_search_is_a_network_on_the_leaderboard(tmp_path: Path) -> None:
    ranges = {"learning_rate": NumberRange(low=1e-4, high=1e-2, log=True), "dropout": [0.0, 0.2]}
    search = Search(method="random", family="FEEDFORWARD", ranges=ranges, trials=3, seed=1)
    experiment = experiment_on(
        add_table(tmp_path, small_table(200)),
        "price",
        models=("FEEDFORWARD",),
        time_limit=60.0,
        settings={"FEEDFORWARD": {"epochs": 3}},
        search=search,
    )
    _, result = train(tmp_path, experiment)
    trials = [fit for fit in result.plan.fits if fit.trial is not None]
    assert sorted(fit.trial or 0 for fit in trials) == [1, 2, 3]
    for fit in trials:
        assert fit.epochs == 3
        assert 1e-4 <= fit.chosen["learning_rate"] <= 1e-2
        assert fit.settings["learning_rate"] == fit.chosen["learning_rate"]
        assert result.row(fit.model).trained
    assert len({fit.chosen["learning_rate"] for fit in trials}) == 3
    # Whatever follows the search repeats its best trial with other seeds.
    best = min(trials, key=lambda fit: result.row(fit.model).rmse_validation or 0.0)
    for fit in result.plan.fits[4:]:
        assert fit.chosen == best.chosen
        assert fit.seed != best.seed


@pytest.mark.soak
def test_a_family_that_is_far_behind_is_set_aside_and_says_so(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(500, 3)), columns=list("abc"))
    table["y"] = 5 * table["a"] - 3 * table["b"] + rng.normal(0, 0.05, 500)
    experiment = experiment_on(
        add_table(tmp_path, table),
        "y",
        models=("FEEDFORWARD", "NN_TORCH"),
        preset="fast",
        time_limit=120.0,
        # With steps so short it learns next to nothing, however long it trains.
        settings={"FEEDFORWARD": {"epochs": 5}, "NN_TORCH": {"learning_rate": 1e-6, "epochs": 25}},
    )
    _, result = train(tmp_path, experiment)
    row = result.row("NN Torch")
    assert not row.trained
    assert row.note.startswith("Skipped: after 2 of 8 folds its error was ")
    assert row.note.endswith(" % above that of the best network on the same rows.")
    assert {fit.family for fit in result.plan.fits} == {"FEEDFORWARD"}


@pytest.mark.soak
def test_of_a_table_too_large_for_its_time_rows_are_drawn(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(2_000_000, 3)).round(4), columns=list("abc"))
    table["y"] = (5 * table["a"] - 3 * table["b"] + rng.normal(0, 0.5, len(table))).round(4)
    plan: dict[str, Any] = {"models": ("NN_TORCH",), "preset": "fast", "time_limit": 35.0, "device": "cpu"}
    # All of them are asked for: otherwise some would be drawn before anything else is done.
    experiment = experiment_on(add_table(tmp_path, table), "y", most_rows=len(table), **plan)
    _, result = train(tmp_path, experiment)
    assert result.rows.drawn == 0
    (fit,) = result.plan.fits
    assert family("NN_TORCH").fewest_rows(result.rows.train) <= fit.rows < result.rows.train
    row = result.row("NN Torch")
    assert row.note.startswith(f"It learned from {fit.rows:,} of the {result.rows.train:,} training rows, drawn at ")
    assert row.rmse is not None
    # The target varies by 5.9, and 0.5 of that is noise.
    assert row.rmse < 1.0


@pytest.mark.soak
def test_a_pretrained_network_takes_part_as_soon_as_its_weights_are_there(tmp_path: Path) -> None:
    for key in ("TABICL", "MITRA"):
        write_tiny(key, tmp_path / "weights" / key)
    experiment = experiment_on(add_table(tmp_path, small_table(120)), "price", time_limit=60.0)
    # So many folds of five families would take a test too long.
    split = experiment.recipe.split.model_copy(update={"choose_by": "holdout"})
    recipe = experiment.recipe.model_copy(update={"split": split})
    run, result = train(tmp_path, experiment.model_copy(update={"recipe": recipe}))
    fits = {fit.family: fit for fit in result.plan.fits}
    assert {"TABICL", "MITRA"} <= fits.keys()
    assert result.row("TabICL").trained
    assert fits["TABICL"].epochs == 0
    pipeline = Pipeline(run.model_path())
    raw = prepared_of(tmp_path, run.experiment()).test
    before = pipeline.predict(raw, "TabICL")
    assert np.isfinite(before).all()
    assert NetworkStore(run.model_path() / "networks").about("TabICL").family == "TABICL"
    # Its model file works without the weights' folder.
    exported = tmp_path / "model.zip"
    held = write_bundle(run, "TabICL", exported, pipeline).held
    assert held is not None
    assert (held.context, held.context_rows) == (("TabICL",), result.rows.train)
    for file in (tmp_path / "weights").rglob("*.*"):
        file.unlink()
    loaded, _ = load_bundle(exported, tmp_path / "unpacked")
    np.testing.assert_allclose(loaded.predict(raw), before, rtol=1e-5)


def test_the_ensemble_is_the_weighted_mean_of_its_members(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # What weights networks get is chosen by their errors, and one alone is no ensemble: here there are two in any case.
    chosen = {"Feed-forward": 0.25, "Feed-forward 2": 0.75}
    monkeypatch.setattr("dlreg_core.worker.train_task.ensemble_weights", lambda *_, **__: chosen)
    fits = tuple(
        PlannedFit(model=name, family="FEEDFORWARD", epochs=3, seed=seed, threads=1, device="cpu")
        for seed, name in enumerate(chosen)
    )
    sizes = {"explain_rows": 4, "explain_background": 4, "explain_permutations": 2}
    # A repetition trains both, however busy the machine is.
    plan = ResolvedPlan(fits=fits, baseline_iterations=30, **sizes)
    experiment = experiment_on(add_table(tmp_path, small_table(160)), "price", models=("FEEDFORWARD",), time_limit=20.0)
    split = experiment.recipe.split.model_copy(update={"choose_by": "holdout"})
    recipe = experiment.recipe.model_copy(update={"split": split})
    run, result = train(tmp_path, experiment.model_copy(update={"recipe": recipe, "replay": plan}))
    assert result.ensemble_weights == chosen
    for part in ("validation", "test"):
        predicted = load_predictions(run, part).predicted
        mean = 0.25 * predicted["Feed-forward"] + 0.75 * predicted["Feed-forward 2"]
        np.testing.assert_allclose(predicted["Ensemble"], mean, rtol=1e-5)
    assert np.abs(predicted["Feed-forward"] - predicted["Feed-forward 2"]).max() > 1.0
    row = result.row("Ensemble")
    assert row.fit_seconds == pytest.approx(sum(result.row(name).fit_seconds or 0 for name in chosen))
    assert row.note == "75% Feed-forward 2 + 25% Feed-forward"


def test_without_any_network_the_baselines_are_the_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(_: TrainingLoop) -> Trained:
        return Trained(reasons={"FEEDFORWARD": "Failed: as it happens"})

    monkeypatch.setattr(TrainingLoop, "run", failing)
    # As on a busy machine: there is no time to predict more than one of the folds by boosted trees.
    monkeypatch.setattr(baselines_task, "Boosting", lambda **how: Boosting(**{**how, "folds": 1}))
    experiment = experiment_on(add_table(tmp_path, small_table(120)), "price", models=("FEEDFORWARD",), time_limit=30.0)
    run, result = train(tmp_path, experiment)
    trained = [row for row in result.leaderboard if row.trained]
    assert {row.role for row in trained} == {"baseline"}
    assert result.row("Feed-forward").note == "Failed: as it happens"
    # All are compared on the rows that each of them has predicted.
    held = load_predictions(run, "validation")
    known = np.isfinite(held.predicted["Boosted trees"])
    boosted = result.row("Boosted trees")
    assert boosted.rows_validation is not None
    assert 0 < np.count_nonzero(known) == boosted.rows_validation < result.rows.train
    assert f"alidated on {boosted.rows_validation} of {result.rows.train} rows" in boosted.note
    errors = {n: root_mean_squared_error(held.actual[known], v[known]) for n, v in held.predicted.items()}
    assert boosted.rmse_validation == pytest.approx(errors["Boosted trees"])
    assert result.best_model == min(errors, key=lambda name: errors[name])
    assert result.comparison is None
    assert result.notes[0].startswith("No network could be trained")
    assert model_text.headline(result, "$").startswith("No network could be trained. ")
    assert worth_words(result) == ("", "")
    raw = prepared_of(tmp_path, run.experiment()).test
    assert np.isfinite(Pipeline(run.model_path()).predict(raw)).all()
