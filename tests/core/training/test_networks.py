"""Each family really trains here, and tells of every epoch."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from autogluon.tabular.registry import ag_model_registry

from dlreg_core.errors import NotFoundError, RowsError
from dlreg_core.prepare import prepared_of
from dlreg_core.runs import RunFolder, load_predictions
from dlreg_core.specs import PlannedFit
from dlreg_core.training.catalogue import FAMILIES, sample_settings
from dlreg_core.training.hooks import EpochWatch
from dlreg_core.training.networks import FitFailedError, NetworkTrainer, Rows
from dlreg_core.training.pipeline import Pipeline, for_networks

EPOCHS = 3


@dataclass
class Fitted:
    trainer: NetworkTrainer
    seen: dict[str, list[tuple[int, float | None]]] = field(default_factory=dict)
    carried_out: dict[str, PlannedFit] = field(default_factory=dict)

    def fit(self, key: str, name: str, stop_after: int | None = None) -> None:
        """Train a family for a few epochs, and note what the hook told."""
        told: list[tuple[int, float | None]] = []
        planned = PlannedFit(
            model=name,
            family=key,
            settings=sample_settings(key, self.trainer.rows, 0),
            epochs=EPOCHS,
            stop_after=stop_after,
            seed=0,
            threads=1,
            device="cpu",
        )
        watch = EpochWatch(on_epoch=lambda figures: told.append((figures.epoch, figures.validation)))
        self.carried_out[name] = self.trainer.fit(planned, watch, None)
        self.seen[name] = told


def rows(count: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(seed)
    # A category called c with more than two levels: fastai takes such a column for the number of classes.
    levels = pd.Categorical(rng.choice(["x", "y", "z"], count), categories=["x", "y", "z"])
    frame = pd.DataFrame({"a": rng.uniform(-2, 2, count), "c": levels})
    return frame, (1000 + 50 * frame["a"] + 30 * (frame["c"] == "x") + rng.uniform(-5, 5, count)).to_numpy()


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fitted]:
    train, validation = rows(200, 0), rows(60, 1)
    found = Fitted(NetworkTrainer(tmp_path_factory.mktemp("nets") / "p", Rows(*train, *validation), gpu=False))
    for chosen in FAMILIES:
        found.fit(chosen.key, chosen.title)
    for key in ("REALMLP", "FASTAI"):
        found.fit(key, f"{key} cut", stop_after=2)
    yield found


def test_torchvision_fits_to_torch() -> None:
    import torch
    import torchvision

    boxes = torch.tensor([[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 1.0], [5.0, 5.0, 6.0, 6.0]])
    assert torchvision.ops.nms(boxes, torch.tensor([0.9, 0.8, 0.7]), 0.5).tolist() == [0, 2]


@pytest.mark.parametrize("chosen", FAMILIES, ids=lambda f: f.key)
def test_every_family_trains_and_tells_of_each_epoch(fitted: Fitted, chosen: object) -> None:
    title = chosen.title  # type: ignore[attr-defined]
    assert title in fitted.trainer.names
    assert [epoch for epoch, _ in fitted.seen[title]] == list(range(1, EPOCHS + 1))
    figures = [figure for _, figure in fitted.seen[title]]
    assert all(figure is not None and np.isfinite(figure) and 0 < figure < 5000 for figure in figures)
    # The figure kept is the best epoch's, in target units.
    assert fitted.trainer.validation_rmse(title) <= max(f for f in figures if f is not None) * 1.01
    assert fitted.carried_out[title].stop_after is None


@pytest.mark.parametrize("chosen", FAMILIES, ids=lambda f: f.key)
def test_the_validation_figure_is_the_error_in_target_units(fitted: Fitted, chosen: object) -> None:
    title = chosen.title  # type: ignore[attr-defined]
    frame, target = rows(60, 1)
    predicted = fitted.trainer._predictor.predict(for_networks(frame), model=title, as_pandas=False)
    rmse = float(np.sqrt(np.mean((predicted - target) ** 2)))
    assert fitted.trainer.validation_rmse(title) == pytest.approx(rmse, rel=1e-4)
    assert min(f for _, f in fitted.seen[title] if f is not None) == pytest.approx(rmse, rel=0.02)


@pytest.mark.parametrize("key", ["REALMLP", "FASTAI"])
def test_a_family_with_a_schedule_ends_where_it_shall(fitted: Fitted, key: str) -> None:
    assert [epoch for epoch, _ in fitted.seen[f"{key} cut"]] == [1, 2]
    assert fitted.carried_out[f"{key} cut"].stop_after == 2


def test_another_predictor_takes_the_networks_over_and_adds_to_them(fitted: Fitted, tmp_path: Path) -> None:
    train, validation = rows(200, 0), rows(60, 1)
    data = Rows(*train, *validation)
    first = NetworkTrainer(tmp_path / "first", data, gpu=False)
    part = Fitted(first)
    part.fit("FASTAI", "FastAI")
    part.fit("NN_TORCH", "NN Torch")
    first.save_state(tmp_path / "snapshot")
    files = {path: path.read_bytes() for path in (tmp_path / "first").rglob("*") if path.is_file()}
    # As after a crash: a network half written, and a list of networks that can't be read.
    (tmp_path / "first" / "models" / "Half").mkdir()
    (tmp_path / "first" / "models" / "trainer.pkl").write_bytes(b"")
    again = NetworkTrainer(
        tmp_path / "again",
        data,
        gpu=False,
        source=tmp_path / "first",
        taken=["FastAI", "NN Torch"],
        snapshot=tmp_path / "snapshot",
    )
    assert again.names == ("FastAI", "NN Torch")
    assert {p.name for p in (tmp_path / "again" / "models").iterdir() if p.is_dir()} == {"FastAI", "NN Torch"}
    weights = again.fit_ensemble()
    before = again.validation_rmse(again.ensemble_name)
    assert again.ensemble_rmse() == pytest.approx(before, rel=1e-3)
    more = NetworkTrainer(tmp_path / "more", data, gpu=False, source=tmp_path / "again", taken=again.names)
    Fitted(more).fit("FASTAI", "FastAI 2")
    more.fit_ensemble()
    assert more.validation_rmse(more.ensemble_name) <= before
    assert sum(n.startswith("WeightedEnsemble") for n in more._predictor.model_names()) == 1
    # A worse choice of networks doesn't replace the ensemble that there was.
    least = NetworkTrainer(tmp_path / "least", data, gpu=False, source=tmp_path / "again", taken=again.names)
    worst = max(again.names, key=again.validation_rmse)
    assert least.fit_ensemble([worst]) == pytest.approx(weights)
    assert least.kept_earlier_ensemble
    for path, content in files.items():
        assert path.name == "trainer.pkl" or path.read_bytes() == content, "what was there is never changed"


def test_a_full_disk_is_no_failure_of_one_network(fitted: Fitted, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(ag_model_registry.key_to_cls("FASTAI"), "save", full)
    with pytest.raises(OSError, match="No space left"):
        fitted.fit("FASTAI", "No room")


def test_a_training_that_fails_says_why(fitted: Fitted) -> None:
    bad = PlannedFit(
        model="Broken", family="REALMLP", settings={"opt": "adamw"}, epochs=2, seed=0, threads=1, device="cpu"
    )
    with pytest.raises(FitFailedError, match=r"\w+Error|\w+Exception"):
        fitted.trainer.fit(bad, EpochWatch(), None)
    assert "Broken" not in fitted.trainer.names


def test_a_family_is_measured(fitted: Fitted) -> None:
    speed, threads = fitted.trainer.measure("FASTAI", 0, [1], 4)
    assert threads == 1
    assert speed.fixed >= 0
    assert 0 < speed.epoch < 10
    assert speed.seconds(10) == speed.fixed + 10 * speed.epoch


# --- the pipeline of the trained run ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pipeline(trained: RunFolder) -> Pipeline:
    return Pipeline(trained.model_path())


def test_a_row_alone_is_predicted_as_among_others(trained: RunFolder, pipeline: Pipeline) -> None:
    raw = prepared_of(trained.home, trained.experiment()).test.iloc[:6]
    for model in pipeline.models:
        together = pipeline.predict(raw, model.name)
        alone = np.concatenate([pipeline.predict(raw.iloc[[i]], model.name) for i in range(len(raw))])
        np.testing.assert_allclose(alone, together, rtol=1e-5)
        turned = pipeline.predict(raw.iloc[::-1], model.name)[::-1]
        np.testing.assert_allclose(turned, together, rtol=1e-5)


def test_the_pipeline_gives_what_the_leaderboard_was_made_of(trained: RunFolder, pipeline: Pipeline) -> None:
    stored = load_predictions(trained)
    raw = prepared_of(trained.home, trained.experiment()).test
    found = pipeline.predict_all(raw, tuple(m.name for m in pipeline.models))
    for name, predicted in stored.predicted.items():
        np.testing.assert_allclose(found[name], predicted, rtol=1e-5)
    np.testing.assert_allclose(pipeline.predict(raw), stored.predicted[pipeline.best_model], rtol=1e-5)


def test_rows_of_any_shape(trained: RunFolder, pipeline: Pipeline) -> None:
    raw = prepared_of(trained.home, trained.experiment()).test
    assert pipeline.predict(raw.iloc[:0]).shape == (0,)
    repeated = raw.iloc[[0, 0, 1]].set_axis([5, 5, 5])
    assert np.isfinite(pipeline.predict(repeated[repeated.columns[::-1]].assign(more=1))).all()
    nothing = pd.DataFrame({name: [None, None] for name in raw.columns})
    assert np.isfinite(pipeline.predict(nothing)).all()
    with pytest.raises(RowsError, match=r"no column size\."):
        pipeline.predict(raw.drop(columns="size"))


def test_an_unknown_model_is_told(trained: RunFolder, pipeline: Pipeline) -> None:
    raw = prepared_of(trained.home, trained.experiment()).test
    with pytest.raises(NotFoundError, match=r"There is no model 'XGBoost' here\. Choose from FastAI, "):
        pipeline.predict(raw, "XGBoost")


def test_sizes_are_those_of_the_files(trained: RunFolder, pipeline: Pipeline) -> None:
    folder: Path = pipeline.path / "predictor" / "models" / "FastAI"
    wanted = sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()) / 1e6
    assert pipeline.size_mb("FastAI") == pytest.approx(wanted)
